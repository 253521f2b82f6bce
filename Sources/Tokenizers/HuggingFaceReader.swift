/// Reads the components of a tokenizer.json.
enum HuggingFaceReader {
    struct Parts {
        var model: BytePairModel
        var normalizer: TextNormalizer
        var preTokenizer: PreTokenizer
        var decoder: PieceDecoder
        var template: [Tokenizer.TemplatePart]
        var addedTokens: [AddedToken]
    }

    static func read(_ bytes: [UInt8]) throws(FileProblem) -> Parts {
        let file = try JSONNode(parsing: bytes)
        if let version = try file.member("version"), try version.string() != "1.0" {
            throw FileProblem("version is \(quoted(try version.bytes())); only '1.0' is supported.")
        }
        let preTokenizer = try PreTokenizerReader.read(try file.member("pre_tokenizer"))
        let model = try ModelReader.read(
            try file.required("model"), isByteLevel: preTokenizer.isByteLevel)
        return Parts(
            model: model,
            normalizer: try normalizer(try file.member("normalizer")),
            preTokenizer: preTokenizer,
            decoder: try DecoderReader.read(try file.member("decoder")),
            template: try template(try file.member("post_processor")),
            addedTokens: try addedTokens(try file.member("added_tokens"), model.vocabulary))
    }

    /// The `type` of a component.
    static func type(_ node: JSONNode) throws(FileProblem) -> String {
        try node.required("type").string()
    }

    static func unknown(
        _ node: JSONNode, _ type: String, accepted: [String]
    ) -> FileProblem {
        FileProblem(
            "\(node.place) has the type \(quoted(type)); supported are \(accepted.joined(separator: ", "))."
        )
    }

    /// The text of `{"String": …}`.
    static func literal(_ node: JSONNode, of component: String) throws(FileProblem) -> [UInt8] {
        guard let text = try node.member("String") else {
            throw FileProblem(
                "\(node.place) of a \(component) is a regular expression; only a String is supported there."
            )
        }
        let bytes = Array(try text.bytes())
        guard !bytes.isEmpty else { throw FileProblem("\(text.place) of a \(component) is empty.") }
        return bytes
    }

    // MARK: Normalizer

    private static func normalizer(_ node: JSONNode?) throws(FileProblem) -> TextNormalizer {
        let steps = try normalizerSteps(node)
        var replacements: [(pattern: [UInt8], content: [UInt8])] = []
        for case .replace(let pattern, let content) in steps {
            replacements.append((pattern, content))
        }
        try checkGrowth(replacements, node)
        return TextNormalizer(steps: steps)
    }

    private static func normalizerSteps(
        _ node: JSONNode?
    ) throws(FileProblem) -> [TextNormalizer.Step] {
        guard let node else { return [] }
        switch try type(node) {
        case "Sequence":
            var steps: [TextNormalizer.Step] = []
            for element in try node.required("normalizers").elements() {
                steps += try normalizerSteps(element)
            }
            return steps
        case "Prepend": return [.prepend(Array(try node.required("prepend").bytes()))]
        case "Replace":
            return [
                .replace(
                    try literal(try node.required("pattern"), of: "Replace"),
                    by: Array(try node.required("content").bytes()))
            ]
        case "NFC": return [.composed]
        case let type:
            throw unknown(node, type, accepted: ["Sequence", "Prepend", "Replace", "NFC"])
        }
    }

    /// Refuses replacements that one after the other let a text grow beyond measure.
    static func checkGrowth(
        _ replacements: [(pattern: [UInt8], content: [UInt8])], _ node: JSONNode?
    ) throws(FileProblem) {
        var growth = 1.0
        for (pattern, content) in replacements {
            growth *= max(1, Double(content.count) / Double(pattern.count))
        }
        if let node, growth > 1000 {
            throw FileProblem("\(node.place) can make a text more than a thousand times as long.")
        }
    }

    // MARK: Post-processor

    /// Parts of a template that are accepted; files have two or three.
    private static let maximumParts = 1000

    private static func template(
        _ node: JSONNode?
    ) throws(FileProblem) -> [Tokenizer.TemplatePart] {
        guard let node else { return [.text] }
        switch try type(node) {
        case "ByteLevel": return [.text]
        case "Sequence":
            var parts: [Tokenizer.TemplatePart] = [.text]
            for element in try node.required("processors").elements() {
                let inner = parts
                parts = try template(element).flatMap { part in
                    if case .text = part { return inner }
                    return [part]
                }
                guard parts.count <= maximumParts else {
                    throw FileProblem(
                        "\(element.place) puts more than \(maximumParts) tokens around a text.")
                }
            }
            return parts
        case "TemplateProcessing": return try templateParts(node)
        case let type:
            throw unknown(node, type, accepted: ["Sequence", "ByteLevel", "TemplateProcessing"])
        }
    }

    private static func templateParts(
        _ node: JSONNode
    ) throws(FileProblem) -> [Tokenizer.TemplatePart] {
        var ids: [[UInt8]: [Int]] = [:]
        if let tokens = try node.member("special_tokens") {
            for token in try tokens.values() {
                var values: [Int] = []
                for id in try token.required("ids").elements() {
                    values.append(try id.int(atMost: Vocabulary.maximumID))
                }
                ids[Array(try token.required("id").bytes())] = values
            }
        }
        var parts: [Tokenizer.TemplatePart] = []
        for piece in try node.required("single").elements() {
            guard parts.count <= maximumParts else {
                throw FileProblem(
                    "\(node.place) puts more than \(maximumParts) tokens around a text.")
            }
            if let token = try piece.member("SpecialToken") {
                let name = try token.required("id").bytes()
                guard let values = ids[Array(name)] else {
                    throw FileProblem(
                        "\(piece.place) names the token \(quoted(name)), which special_tokens lacks."
                    )
                }
                parts += values.map { .token($0) }
            } else if try piece.member("Sequence")?.required("id").string() == "A" {
                parts.append(.text)
            } else {
                throw FileProblem("\(piece.place) is neither a SpecialToken nor the Sequence A.")
            }
        }
        guard parts.contains(where: { if case .text = $0 { true } else { false } }) else {
            throw FileProblem("\(node.place).single lacks the Sequence A, which is the text.")
        }
        return parts
    }

    // MARK: Added tokens

    private static func addedTokens(
        _ node: JSONNode?, _ vocabulary: Vocabulary
    ) throws(FileProblem) -> [AddedToken] {
        guard let node else { return [] }
        var tokens: [AddedToken] = []
        var ids: Set<Int> = []
        var nextID = vocabulary.count
        var contents: Set<[UInt8]> = []
        for element in try node.elements() {
            let content = Array(try element.required("content").bytes())
            let id = try element.required("id").int(atMost: Vocabulary.maximumID)
            if content.isEmpty { continue }
            try check(element, id, content, vocabulary, &nextID)
            guard ids.insert(id).inserted else {
                throw FileProblem("\(element.place) has the id \(id) of another added token.")
            }
            guard contents.insert(content).inserted else {
                throw FileProblem("\(element.place) lists \(quoted(content[...])) a second time.")
            }
            tokens.append(
                AddedToken(
                    id: id, content: content,
                    singleWord: try element.member("single_word")?.bool() ?? false,
                    stripsLeft: try element.member("lstrip")?.bool() ?? false,
                    stripsRight: try element.member("rstrip")?.bool() ?? false,
                    isNormalized: try element.member("normalized")?.bool() ?? true,
                    isSpecial: try element.member("special")?.bool() ?? false))
        }
        return tokens
    }

    /// The library does not read the ids of added tokens: one that is a piece has the piece's id, the others are
    /// numbered from the vocabulary's count on. Where a file says otherwise, file and library contradict each other.
    private static func check(
        _ element: JSONNode, _ id: Int, _ content: [UInt8], _ vocabulary: Vocabulary,
        _ nextID: inout Int
    ) throws(FileProblem) {
        let known = Int(vocabulary.id(content))
        let expected = known >= 0 ? known : nextID
        if known < 0 { nextID += 1 }
        guard id == expected else {
            let reason =
                known >= 0
                ? "in the vocabulary it has \(expected)"
                : "tokens outside the vocabulary are numbered from its count on, which gives \(expected)"
            throw FileProblem(
                "\(element.place) gives \(quoted(content[...])) the id \(id); \(reason).")
        }
    }
}
