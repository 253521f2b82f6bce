/// Reads the `model` of a tokenizer.json.
enum ModelReader {
    static func read(_ node: JSONNode, isByteLevel: Bool) throws(FileProblem) -> BytePairModel {
        // Old files leave the type out.
        let type = try node.member("type")?.string() ?? "BPE"
        guard type == "BPE" else { throw HuggingFaceReader.unknown(node, type, accepted: ["BPE"]) }
        try checkOptions(node)
        let vocabulary = try readVocabulary(try node.required("vocab"))
        var cutsAtSpaceMarks = vocabulary.id(BytePairModel.spaceMark) >= 0
        let merges = try readMerges(
            try node.required("merges"), vocabulary, cutsAtSpaceMarks: &cutsAtSpaceMarks)
        var model = BytePairModel(
            vocabulary: vocabulary, merges: merges,
            unknownRule: .huggingFace(fuses: try node.member("fuse_unk")?.bool() ?? false))
        model.ignoresMerges = try node.member("ignore_merges")?.bool() ?? false
        model.cutsAtSpaceMarks = cutsAtSpaceMarks && !isByteLevel && !model.ignoresMerges
        if try node.member("byte_fallback")?.bool() ?? false {
            model.byteFallback = byteTokens(vocabulary)
        }
        if isByteLevel { try addByteLevel(to: &model, node) }
        try addUnknownToken(to: &model, try node.member("unk_token"))
        return model
    }

    /// `<0x00>` to `<0xFF>`, −1 for those that are missing.
    static func byteTokens(_ vocabulary: Vocabulary) -> [Int32] {
        ByteToken.pieces.map { vocabulary.id($0) }
    }

    private static func checkOptions(_ node: JSONNode) throws(FileProblem) {
        if let dropout = try node.member("dropout") {
            guard case .number(let range) = dropout.value,
                Double(String(decoding: dropout.arena[range], as: UTF8.self)) == 0
            else {
                throw FileProblem(
                    "\(dropout.place) is set, so ids would depend on chance; set it to null.")
            }
        }
        for key: StaticString in ["continuing_subword_prefix", "end_of_word_suffix"] {
            if let text = try node.member(key), try !text.bytes().isEmpty {
                throw FileProblem(
                    "\(text.place) is \(quoted(try text.bytes())); only vocabularies without it are supported."
                )
            }
        }
    }

    private static func readVocabulary(_ node: JSONNode) throws(FileProblem) -> Vocabulary {
        let members = try node.members()
        var vocabulary = Vocabulary(capacity: members.count)
        for member in members {
            guard let id = JSONNode.int(member.value, node.arena) else {
                throw FileProblem(
                    "\(node.place) gives \(quoted(node.arena[member.key])) an id that is not a whole number from 0 on."
                )
            }
            try vocabulary.insert(node.arena, member.key, id: id)
        }
        return vocabulary
    }

    // MARK: Merges

    private static func readMerges(
        _ node: JSONNode, _ vocabulary: Vocabulary, cutsAtSpaceMarks: inout Bool
    ) throws(FileProblem) -> MergeTable {
        guard case .array(let values) = node.value else {
            throw FileProblem("\(node.place) is not a list.")
        }
        var merges = MergeTable(capacity: values.count)
        var merged: [UInt8] = []
        var rank = 0
        for (index, value) in values.enumerated() {
            guard let (left, right) = try halves(value, node.arena) else {
                throw FileProblem(
                    "\(node.place)[\(index)] is neither two pieces with a space between nor a list of two pieces."
                )
            }
            if left.isEmpty { continue }
            merged.removeAll(keepingCapacity: true)
            merged.append(contentsOf: node.arena[left])
            merged.append(contentsOf: node.arena[right])
            let ids = (
                vocabulary.id(node.arena, left.lowerBound, left.upperBound),
                vocabulary.id(node.arena, right.lowerBound, right.upperBound),
                vocabulary.id(merged)
            )
            guard ids.0 >= 0, ids.1 >= 0, ids.2 >= 0 else {
                let missing =
                    ids.0 < 0 ? node.arena[left] : ids.1 < 0 ? node.arena[right] : merged[...]
                throw FileProblem(
                    "\(node.place)[\(index)] needs the piece \(quoted(missing)), which the vocabulary lacks."
                )
            }
            merges.insert(ids.0, ids.1, rank: rank, id: ids.2)
            rank += 1
            if cutsAtSpaceMarks, BytePairModel.crossesSpaceMark(merged[...]) {
                cutsAtSpaceMarks = false
            }
        }
        return merges
    }

    /// The two halves of a merge; both empty for the version line of a merges.txt, nil for anything else.
    private static func halves(
        _ value: JSONValue, _ arena: [UInt8]
    ) throws(FileProblem) -> (Range<Int>, Range<Int>)? {
        switch value {
        case .array(let pair):
            guard pair.count == 2, case .string(let left) = pair[0],
                case .string(let right) = pair[1], !left.isEmpty, !right.isEmpty
            else { return nil }
            return (left, right)
        case .string(let range):
            if arena[range].starts(with: "#version".utf8) { return (0..<0, 0..<0) }
            let space = UInt8(ascii: " ")
            guard let cut = arena[range].firstIndex(of: space), cut > range.lowerBound,
                cut + 1 < range.upperBound, !arena[cut + 1..<range.upperBound].contains(space)
            else { return nil }
            return (range.lowerBound..<cut, cut + 1..<range.upperBound)
        default: return nil
        }
    }

    // MARK: Bytes and the unknown token

    private static func addByteLevel(
        to model: inout BytePairModel, _ node: JSONNode
    ) throws(FileProblem) {
        let vocabulary = model.vocabulary
        var raw = Vocabulary(capacity: vocabulary.count)
        var bytes: [UInt8] = []
        for id in 0..<vocabulary.size {
            bytes.removeAll(keepingCapacity: true)
            guard let piece = vocabulary.piece(id), ByteLevelAlphabet.append(piece, to: &bytes),
                !bytes.isEmpty
            else { continue }
            try raw.insert(bytes, 0..<bytes.count, id: id)
        }
        model.byteSymbols = (0..<256).map { raw.id([UInt8($0)]) }
        model.rawVocabulary = raw
        if model.byteFallback != nil {
            guard !model.byteSymbols.contains(where: { $0 < 0 }) else {
                throw FileProblem(
                    "\(node.place) has byte_fallback under a ByteLevel pre-tokenizer and lacks some bytes; "
                        + "this combination is not supported.")
            }
        }
    }

    private static func addUnknownToken(
        to model: inout BytePairModel, _ node: JSONNode?
    ) throws(FileProblem) {
        guard let node else { return }
        let name = try node.bytes()
        model.unknownID = model.vocabulary.id(Array(name))
        if model.unknownID >= 0 { return }
        let symbols = model.rawVocabulary == nil ? model.byteFallback ?? [-1] : model.byteSymbols
        if symbols.contains(where: { $0 < 0 }) {
            throw FileProblem("\(node.place) is \(quoted(name)), which the vocabulary lacks.")
        }
    }
}
