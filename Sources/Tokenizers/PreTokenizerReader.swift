/// Reads the `pre_tokenizer` of a tokenizer.json.
enum PreTokenizerReader {
    static func read(_ node: JSONNode?) throws(FileProblem) -> PreTokenizer {
        var result = PreTokenizer()
        guard let node else { return result }
        try append(node, to: &result)
        try FileLimits.check(
            count: result.steps.count, of: "steps", node.place, atMost: FileLimits.steps)
        return result
    }

    private static func append(
        _ node: JSONNode, to result: inout PreTokenizer
    ) throws(FileProblem) {
        let type = try HuggingFaceReader.type(node)
        guard !result.isByteLevel else {
            throw FileProblem(
                "\(node.place) is a \(type) behind ByteLevel, which must be the last.")
        }
        switch type {
        case "Sequence":
            for element in try node.required("pretokenizers").elements() {
                try append(element, to: &result)
            }
        case "ByteLevel":
            if try node.member("add_prefix_space")?.bool() ?? true {
                result.steps.append(.prefixSpace)
            }
            if try node.member("use_regex")?.bool() ?? true { result.steps.append(.pattern(.gpt2)) }
            result.isByteLevel = true
        case "Split": result.steps.append(.pattern(try split(node)))
        case "Digits":
            result.steps.append(
                .digits(individual: try node.member("individual_digits")?.bool() ?? false))
        case "Metaspace": result.steps.append(try metaspace(node))
        default:
            throw HuggingFaceReader.unknown(
                node, type, accepted: ["Sequence", "Split", "Digits", "ByteLevel", "Metaspace"])
        }
    }

    private static func split(_ node: JSONNode) throws(FileProblem) -> WordPattern {
        guard let regex = try node.required("pattern").member("Regex")?.string() else {
            throw FileProblem("\(node.place).pattern is a String; only a Regex is supported there.")
        }
        guard let pattern = WordPattern(regex: regex) else {
            throw FileProblem(
                "\(node.place) splits by the regular expression \(quoted(regex)); "
                    + "supported are those of GPT-2, Llama-3 (cl100k) and Qwen2.")
        }
        // The expressions match everywhere, so removing what does not match removes nothing.
        let behavior = try node.required("behavior").string()
        let inverts = try node.member("invert")?.bool() ?? false
        guard behavior == "Isolated" || (behavior == "Removed" && inverts) else {
            throw FileProblem(
                "\(node.place) has the behavior \(quoted(behavior)) with invert \(inverts); "
                    + "supported are Isolated, and Removed with invert true.")
        }
        return pattern
    }

    private static func metaspace(_ node: JSONNode) throws(FileProblem) -> PreTokenizer.Step {
        let (replacement, scheme) = try MetaspaceOptions.read(node)
        return .metaspace(
            replacement: replacement, scheme: scheme,
            splits: try node.member("split")?.bool() ?? true)
    }
}

/// What the pre-tokenizer and the decoder `Metaspace` share.
enum MetaspaceOptions {
    static func read(
        _ node: JSONNode
    ) throws(FileProblem) -> (replacement: [UInt8], scheme: PreTokenizer.PrependScheme) {
        let replacement = Array(try node.required("replacement").bytes())
        guard let first = replacement.first, characterLength(first) == replacement.count else {
            throw FileProblem("\(node.place).replacement is not one character.")
        }
        let name = try node.member("prepend_scheme")?.string() ?? "always"
        guard let scheme = PreTokenizer.PrependScheme(rawValue: name) else {
            throw FileProblem(
                "\(node.place).prepend_scheme is \(quoted(name)); accepted are first, always, never."
            )
        }
        if scheme != .never, try node.member("add_prefix_space")?.bool() == false {
            throw FileProblem(
                "\(node.place) has add_prefix_space false and the prepend_scheme \(name), which contradict each other."
            )
        }
        return (replacement, scheme)
    }
}
