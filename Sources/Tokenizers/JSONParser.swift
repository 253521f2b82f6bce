/// A JSON value; the text of strings and numbers lies in the document's arena.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    /// As it is written.
    case number(Range<Int>)
    /// Without quotes and escapes, UTF-8.
    case string(Range<Int>)
    case array([JSONValue])
    /// In the file's order; keys may repeat.
    case object([JSONMember])
}

/// A key of a JSON object with its value.
struct JSONMember: Sendable {
    let key: Range<Int>
    let value: JSONValue
}

/// Reads JSON without recursion, so no input can exhaust the stack.
///
/// General parsers keep one of two equal keys and compare keys by Unicode's canonical equivalence, under
/// which a vocabulary's composed and decomposed é are one token. This one keeps bytes and all members.
struct JSONParser {
    /// Containers inside each other that are accepted; tokenizer files have about ten.
    static let maximumDepth = 100

    private let bytes: [UInt8]
    private var position = 0
    private var arena: [UInt8] = []

    /// An array or object that is not closed yet.
    private struct Frame {
        var isObject: Bool
        var key: Range<Int>?
        var elements: [JSONValue] = []
        var members: [JSONMember] = []
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The value that `bytes` hold and the arena its texts lie in.
    static func parse(_ bytes: [UInt8]) throws(FileProblem) -> (root: JSONValue, arena: [UInt8]) {
        // One check of everything; the arena copies stretches of valid text.
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw FileProblem("it is not valid UTF-8.")
        }
        var parser = JSONParser(bytes)
        parser.arena.reserveCapacity(bytes.count)
        let root = try parser.parseDocument()
        return (root, parser.arena)
    }

    private mutating func parseDocument() throws(FileProblem) -> JSONValue {
        var stack: [Frame] = []
        while true {
            var value = try parseKeyAndValueStart(&stack)
            // Close what ends here; the outermost value is the document.
            while let complete = value {
                guard !stack.isEmpty else {
                    skipWhitespace()
                    guard position == bytes.count else { throw problem("something after its end") }
                    return complete
                }
                let top = stack.count - 1
                if let key = stack[top].key {
                    stack[top].members.append(JSONMember(key: key, value: complete))
                    stack[top].key = nil
                } else {
                    stack[top].elements.append(complete)
                }
                value = try closing(&stack)
            }
        }
    }

    /// Reads up to a scalar value or an empty container, which it returns, or opens a container and returns nil.
    private mutating func parseKeyAndValueStart(
        _ stack: inout [Frame]
    ) throws(FileProblem) -> JSONValue? {
        if let top = stack.last, top.isObject {
            stack[stack.count - 1].key = try parseString()
            try expect(UInt8(ascii: ":"))
        }
        switch peek() {
        case UInt8(ascii: "{"): return try opening(isObject: true, &stack)
        case UInt8(ascii: "["): return try opening(isObject: false, &stack)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try parseNumber())
        }
    }

    private mutating func opening(
        isObject: Bool, _ stack: inout [Frame]
    ) throws(FileProblem) -> JSONValue? {
        position += 1
        if peek() == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            position += 1
            return isObject ? .object([]) : .array([])
        }
        guard stack.count < Self.maximumDepth else {
            throw problem("more than \(Self.maximumDepth) arrays and objects inside each other")
        }
        stack.append(Frame(isObject: isObject))
        return nil
    }

    /// After a member: nil when another follows, else the closed container.
    private mutating func closing(_ stack: inout [Frame]) throws(FileProblem) -> JSONValue? {
        guard let top = stack.last else { return nil }
        if peek() == UInt8(ascii: ",") {
            position += 1
            return nil
        }
        guard peek() == (top.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
            throw problem(top.isObject ? ", or } is expected" : ", or ] is expected")
        }
        position += 1
        stack.removeLast()
        return top.isObject ? .object(top.members) : .array(top.elements)
    }

    // MARK: Scalars

    private mutating func word(
        _ text: StaticString, _ value: JSONValue
    ) throws(FileProblem) -> JSONValue {
        for byte in text.description.utf8 {
            guard position < bytes.count, bytes[position] == byte else {
                throw problem("\(text) is expected")
            }
            position += 1
        }
        return value
    }

    private mutating func parseNumber() throws(FileProblem) -> Range<Int> {
        let start = position
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        guard skipDigits() > 0 else { throw problem("a value is expected") }
        guard bytes[firstDigit] != UInt8(ascii: "0") || position == firstDigit + 1 else {
            throw problem("a number starts with 0")
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard skipDigits() > 0 else { throw problem("a digit is expected") }
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count,
                [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(bytes[position])
            {
                position += 1
            }
            guard skipDigits() > 0 else { throw problem("a digit is expected") }
        }
        let begin = arena.count
        arena.append(contentsOf: bytes[start..<position])
        return begin..<arena.count
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        return position - start
    }

    private mutating func parseString() throws(FileProblem) -> Range<Int> {
        try expect(UInt8(ascii: "\""))
        let begin = arena.count
        var start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                arena.append(contentsOf: bytes[start..<position])
                position += 1
                return begin..<arena.count
            }
            if byte == UInt8(ascii: "\\") {
                arena.append(contentsOf: bytes[start..<position])
                position += 1
                try parseEscape()
                start = position
            } else if byte < 0x20 {
                throw problem("a string has an unescaped control character")
            } else {
                position += 1
            }
        }
        throw problem("a string does not end")
    }

    private mutating func parseEscape() throws(FileProblem) {
        guard position < bytes.count else { throw problem("a string does not end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): arena.append(byte)
        case UInt8(ascii: "b"): arena.append(0x08)
        case UInt8(ascii: "f"): arena.append(0x0C)
        case UInt8(ascii: "n"): arena.append(0x0A)
        case UInt8(ascii: "r"): arena.append(0x0D)
        case UInt8(ascii: "t"): arena.append(0x09)
        case UInt8(ascii: "u"):
            var units = [try parseHexadecimal()]
            if UTF16.isLeadSurrogate(units[0]) {
                guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                    bytes[position + 1] == UInt8(ascii: "u")
                else { throw problem("half of a surrogate pair") }
                position += 2
                units.append(try parseHexadecimal())
            }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw problem("half of a surrogate pair")
            }
            arena.append(contentsOf: text.utf8)
        default: throw problem("an unknown escape in a string")
        }
    }

    private mutating func parseHexadecimal() throws(FileProblem) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.count, let digit = hexadecimalDigit(bytes[position]) else {
                throw problem("an escape without four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    // MARK: Reading on

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                position += 1
            default: return
            }
        }
    }

    private mutating func peek() -> UInt8? {
        skipWhitespace()
        return position < bytes.count ? bytes[position] : nil
    }

    private mutating func expect(_ byte: UInt8) throws(FileProblem) {
        guard peek() == byte else {
            throw problem("\(Character(UnicodeScalar(byte))) is expected")
        }
        position += 1
    }

    private func problem(_ what: String) -> FileProblem {
        FileProblem("it is not valid JSON at its byte \(position): \(what).")
    }
}

/// The value of an ASCII hexadecimal digit.
func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}
