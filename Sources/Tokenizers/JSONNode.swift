/// A value of a JSON file together with its place, which error sentences name (`model.merges[3]`).
package struct JSONNode {
    /// All texts of the document.
    let arena: [UInt8]
    let value: JSONValue
    let path: String

    /// Parses a whole document.
    package init(parsing bytes: [UInt8]) throws(FileProblem) {
        (value, arena) = try JSONParser.parse(bytes)
        path = ""
    }

    init(_ arena: [UInt8], _ value: JSONValue, _ path: String) {
        self.arena = arena
        self.value = value
        self.path = path
    }

    /// The place in words: the path, or "the file" at the top.
    package var place: String { path.isEmpty ? "the file" : path }

    /// The value of `key`; nil when it is absent or null.
    package func member(_ key: StaticString) throws(FileProblem) -> JSONNode? {
        let name = Array(key.description.utf8)
        var found: JSONValue?
        for member in try members() where arena[member.key].elementsEqual(name) {
            guard found == nil else {
                throw FileProblem("\(place) has the key \(quoted("\(key)")) twice.")
            }
            found = member.value
        }
        guard let found else { return nil }
        if case .null = found { return nil }
        return JSONNode(arena, found, path.isEmpty ? "\(key)" : "\(path).\(key)")
    }

    /// The value of `key`, which must be there.
    package func required(_ key: StaticString) throws(FileProblem) -> JSONNode {
        guard let node = try member(key) else {
            throw FileProblem("\(place) lacks \(quoted("\(key)")).")
        }
        return node
    }

    /// The members of an object, as they stand in the file.
    func members() throws(FileProblem) -> [JSONMember] {
        guard case .object(let members) = value else { throw expected("an object") }
        return members
    }

    /// The elements of an array.
    package func elements() throws(FileProblem) -> [JSONNode] {
        guard case .array(let values) = value else { throw expected("a list") }
        return values.indices.map { JSONNode(arena, values[$0], "\(path)[\($0)]") }
    }

    /// The UTF-8 bytes of a string.
    func bytes() throws(FileProblem) -> ArraySlice<UInt8> {
        guard case .string(let range) = value else { throw expected("a string") }
        return arena[range]
    }

    /// A string.
    package func string() throws(FileProblem) -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    /// true or false.
    package func bool() throws(FileProblem) -> Bool {
        guard case .bool(let value) = value else { throw expected("true or false") }
        return value
    }

    /// A whole number that is not negative and at most `maximum`.
    package func int(atMost maximum: Int) throws(FileProblem) -> Int {
        guard let number = Self.int(value, arena), number <= maximum else {
            throw expected("a whole number from 0 to \(maximum)")
        }
        return number
    }

    /// The number `value`, when it is written with digits alone and fits.
    static func int(_ value: JSONValue, _ arena: [UInt8]) -> Int? {
        guard case .number(let range) = value, range.count < 19 else { return nil }
        var number = 0
        for byte in arena[range] {
            let digit = byte &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }

    /// The problem that `what` should stand here.
    package func expected(_ what: String) -> FileProblem {
        FileProblem("\(place) is \(text), where \(what) is expected.")
    }

    /// The value in few words.
    private var text: String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let range): String(decoding: arena[range].prefix(40), as: UTF8.self)
        case .string(let range): quoted(arena[range])
        case .array: "a list"
        case .object: "an object"
        }
    }
}
