/// Reads the components of a tokenizer.json.
enum HuggingFaceReader {
    struct Parts {
        var model: BytePairModel
        var normalizer: TextNormalizer
        var preTokenizer: PreTokenizer
        var decoder: PieceDecoder
        var template: Tokenizer.Template
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
        let added = try addedTokens(try file.member("added_tokens"), model.vocabulary)
        let addedIDs = Set(added.map(\.id))
        let template = try template(try file.member("post_processor")) {
            addedIDs.contains($0) || model.vocabulary.piece($0) != nil
        }
        return Parts(
            model: model,
            normalizer: try normalizer(try file.member("normalizer")),
            preTokenizer: preTokenizer,
            decoder: try DecoderReader.read(try file.member("decoder")),
            template: template, addedTokens: added)
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
        let bytes = try string(text)
        guard !bytes.isEmpty else { throw FileProblem("\(text.place) of a \(component) is empty.") }
        return bytes
    }

    /// A string that is looked for in texts or put into them.
    static func string(_ node: JSONNode) throws(FileProblem) -> [UInt8] {
        let bytes = Array(try node.bytes())
        try FileLimits.check(bytes, node.place)
        return bytes
    }

    // MARK: Normalizer

    private static func normalizer(_ node: JSONNode?) throws(FileProblem) -> TextNormalizer {
        guard let node else { return TextNormalizer(steps: []) }
        let steps = try normalizerSteps(node)
        try FileLimits.check(
            count: steps.count, of: "steps", node.place, atMost: FileLimits.steps)
        var replacements: [(pattern: [UInt8], content: [UInt8])] = []
        var prefixLength = 0
        for step in steps {
            switch step {
            case .replace(let pattern, let content): replacements.append((pattern, content))
            case .prepend(let prefix): prefixLength += prefix.count
            case .composed, .sentencePiece: break
            }
        }
        try FileLimits.check(replacements, node.place)
        guard prefixLength <= FileLimits.prefixLength else {
            throw FileProblem(
                "\(node.place) prepends \(prefixLength) bytes; up to \(FileLimits.prefixLength) are supported."
            )
        }
        return TextNormalizer(steps: steps)
    }

    private static func normalizerSteps(
        _ node: JSONNode
    ) throws(FileProblem) -> [TextNormalizer.Step] {
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
                    by: try string(try node.required("content")))
            ]
        case "NFC": return [.composed]
        case let type:
            throw unknown(node, type, accepted: ["Sequence", "Prepend", "Replace", "NFC"])
        }
    }

    // MARK: Post-processor

    private static func template(
        _ node: JSONNode?, hasPiece: (Int) -> Bool
    ) throws(FileProblem) -> Tokenizer.Template {
        guard let node else { return Tokenizer.Template() }
        switch try type(node) {
        case "ByteLevel": return Tokenizer.Template()
        case "Sequence":
            var template = Tokenizer.Template()
            for element in try node.required("processors").elements() {
                let outer = try Self.template(element, hasPiece: hasPiece)
                template.before = outer.before + template.before
                template.after += outer.after
                try checkCount(of: template, element)
            }
            return template
        case "TemplateProcessing": return try templateParts(node, hasPiece: hasPiece)
        case let type:
            throw unknown(node, type, accepted: ["Sequence", "ByteLevel", "TemplateProcessing"])
        }
    }

    private static func checkCount(
        of template: Tokenizer.Template, _ node: JSONNode
    ) throws(FileProblem) {
        try FileLimits.check(
            count: template.before.count + template.after.count, of: "tokens around a text",
            node.place, atMost: FileLimits.surroundingTokens)
    }

    private static func templateParts(
        _ node: JSONNode, hasPiece: (Int) -> Bool
    ) throws(FileProblem) -> Tokenizer.Template {
        let ids = try templateIDs(node, hasPiece: hasPiece)
        var template = Tokenizer.Template()
        var hasText = false
        for piece in try node.required("single").elements() {
            if let token = try piece.member("SpecialToken") {
                let name = try token.required("id").bytes()
                guard let values = ids[Array(name)] else {
                    throw FileProblem(
                        "\(piece.place) names the token \(quoted(name)), which special_tokens lacks."
                    )
                }
                if hasText { template.after += values } else { template.before += values }
                try checkCount(of: template, node)
            } else if try piece.member("Sequence")?.required("id").string() == "A" {
                guard !hasText else {
                    throw FileProblem(
                        "\(piece.place) is the Sequence A, which is the text, a second time; once is supported."
                    )
                }
                hasText = true
            } else {
                throw FileProblem("\(piece.place) is neither a SpecialToken nor the Sequence A.")
            }
        }
        guard hasText else {
            throw FileProblem("\(node.place).single lacks the Sequence A, which is the text.")
        }
        return template
    }

    /// Ids by the names that a template has for them.
    private static func templateIDs(
        _ node: JSONNode, hasPiece: (Int) -> Bool
    ) throws(FileProblem) -> [[UInt8]: [Int]] {
        var ids: [[UInt8]: [Int]] = [:]
        for (_, token) in try node.member("special_tokens")?.entries() ?? [] {
            var values: [Int] = []
            for element in try token.required("ids").elements() {
                let id = try element.int(atMost: Vocabulary.maximumID)
                guard hasPiece(id) else {
                    throw FileProblem(
                        "\(element.place) is \(id), and neither the vocabulary nor added_tokens has a token with that id."
                    )
                }
                values.append(id)
            }
            try FileLimits.check(
                count: values.count, of: "ids", token.place, atMost: FileLimits.surroundingTokens)
            ids[Array(try token.required("id").bytes())] = values
        }
        return ids
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
        let elements = try node.elements()
        try FileLimits.check(
            count: elements.count, of: "tokens", node.place, atMost: FileLimits.addedTokens)
        for element in elements {
            let id = try element.required("id").int(atMost: Vocabulary.maximumID)
            let token = try AddedToken(element, id: id)
            if token.content.isEmpty { continue }
            try check(element, id, token.content, vocabulary, &nextID)
            guard ids.insert(id).inserted else {
                throw FileProblem("\(element.place) has the id \(id) of another added token.")
            }
            guard contents.insert(token.content).inserted else {
                throw FileProblem(
                    "\(element.place) lists \(quoted(token.content[...])) a second time.")
            }
            tokens.append(token)
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
