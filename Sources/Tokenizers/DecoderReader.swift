/// Reads the `decoder` of a tokenizer.json.
enum DecoderReader {
    /// The parts of a decoder in the only order that is supported.
    private struct Parts {
        var steps: [PieceDecoder.Step] = []
        var byteFallback = false
        var fuses = false
        var stripped: [PieceDecoder.StripRule] = []
        var byteLevel = false
        var count = 0
    }

    static func read(_ node: JSONNode?) throws(FileProblem) -> PieceDecoder {
        guard let node else { return .joined }
        var parts = Parts()
        try append(node, to: &parts)
        try FileLimits.check(
            count: parts.count, of: "steps", node.place, atMost: FileLimits.steps)
        if parts.byteLevel { return .byteLevel }
        var replacements: [(pattern: [UInt8], content: [UInt8])] = []
        for case .replace(let pattern, let content) in parts.steps {
            replacements.append((pattern, content))
        }
        try FileLimits.check(replacements, node.place)
        return .steps(
            parts.steps, byteFallback: parts.byteFallback, stripped: parts.stripped)
    }

    private static func append(_ node: JSONNode, to parts: inout Parts) throws(FileProblem) {
        let type = try HuggingFaceReader.type(node)
        if type == "Sequence" {
            for element in try node.required("decoders").elements() {
                try append(element, to: &parts)
            }
            return
        }
        defer { parts.count += 1 }
        // Behind ByteLevel everything is one text already.
        if parts.byteLevel, type != "Fuse" { throw misplaced(node, type) }
        switch type {
        case "Replace":
            guard !parts.byteFallback, !parts.fuses else { throw misplaced(node, type) }
            parts.steps.append(
                .replace(
                    try HuggingFaceReader.literal(try node.required("pattern"), of: type),
                    by: try HuggingFaceReader.string(try node.required("content"))))
        case "Metaspace":
            guard !parts.byteFallback, !parts.fuses else { throw misplaced(node, type) }
            let (replacement, scheme) = try MetaspaceOptions.read(node)
            parts.steps.append(.metaspace(replacement, prepends: scheme != .never))
        case "ByteFallback":
            guard !parts.fuses else { throw misplaced(node, type) }
            parts.byteFallback = true
        case "Fuse": parts.fuses = true
        case "Strip":
            guard parts.fuses else { throw misplaced(node, type) }
            try appendStrip(node, to: &parts)
        case "ByteLevel":
            guard parts.count == 0 else { throw misplaced(node, type) }
            parts.byteLevel = true
        default:
            throw HuggingFaceReader.unknown(
                node, type,
                accepted: [
                    "Sequence", "Replace", "Metaspace", "ByteFallback", "Fuse", "Strip",
                    "ByteLevel",
                ])
        }
    }

    private static func appendStrip(
        _ node: JSONNode, to parts: inout Parts
    ) throws(FileProblem) {
        let character = Array(try node.required("content").bytes())
        guard let first = character.first, characterLength(first) == character.count else {
            throw FileProblem("\(node.place).content is not one character.")
        }
        let start = try node.required("start").int(atMost: 1 << 20)
        let stop = try node.required("stop").int(atMost: 1 << 20)
        guard stop == 0 else {
            throw FileProblem(
                "\(node.place) strips \(stop) characters at the end; only 0 is supported, for a stream cannot know its end."
            )
        }
        parts.stripped.append(PieceDecoder.StripRule(character: character, count: start))
    }

    private static func misplaced(_ node: JSONNode, _ type: String) -> FileProblem {
        FileProblem(
            "\(node.place) is a \(type) in an order that is not supported; "
                + "supported is Replace or Metaspace, ByteFallback, Fuse, Strip, or ByteLevel alone."
        )
    }
}
