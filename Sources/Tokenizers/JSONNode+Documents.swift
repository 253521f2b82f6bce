/// What readers of other JSON files need: all members by name, numbers, and the text of a value as it was written.
extension JSONNode {
    /// Whether the value is null.
    package var isNull: Bool {
        if case .null = value { return true }
        return false
    }

    /// The members of an object in the file's order; a key that stands there twice is an error.
    package func entries() throws(FileProblem) -> [(key: String, node: JSONNode)] {
        var entries: [(key: String, node: JSONNode)] = []
        var seen: Set<ArraySlice<UInt8>> = []
        for member in try members() {
            let key = String(decoding: arena[member.key], as: UTF8.self)
            guard seen.insert(arena[member.key]).inserted else {
                throw FileProblem("\(place) has the key \(quoted(key)) twice; keep one of them.")
            }
            let name = shortened(key)
            entries.append(
                (key, JSONNode(arena, member.value, path.isEmpty ? name : "\(path).\(name)")))
        }
        return entries
    }

    /// A finite number.
    package func number() throws(FileProblem) -> Double {
        guard case .number(let range) = value,
            let number = Double(String(decoding: arena[range], as: UTF8.self)), number.isFinite
        else { throw expected("a number") }
        return number
    }

    /// The value as JSON in Python's form with an indent of two spaces; numbers stay as they were written.
    ///
    /// - Parameter depth: containers around it.
    package func text(depth: Int = 0) -> String {
        String(decoding: Self.text(value, arena, depth), as: UTF8.self)
    }

    private static func text(_ value: JSONValue, _ arena: [UInt8], _ depth: Int) -> [UInt8] {
        switch value {
        case .null: return Array("null".utf8)
        case .bool(let value): return Array("\(value)".utf8)
        case .number(let range): return Array(arena[range])
        case .string(let range): return JSONText.quoted(arena[range])
        case .array(let values):
            return lines(values.map { text($0, arena, depth + 1) }, "[", "]", depth)
        case .object(let members):
            let texts = members.map { member in
                JSONText.quoted(arena[member.key]) + Array(": ".utf8)
                    + text(member.value, arena, depth + 1)
            }
            return lines(texts, "{", "}", depth)
        }
    }

    private static func lines(
        _ texts: [[UInt8]], _ open: String, _ close: String, _ depth: Int
    ) -> [UInt8] {
        if texts.isEmpty { return Array((open + close).utf8) }
        let margin = "\n" + String(repeating: "  ", count: depth)
        return Array((open + margin + "  ").utf8)
            + texts.joined(separator: Array((",\(margin)  ").utf8)) + Array((margin + close).utf8)
    }
}
