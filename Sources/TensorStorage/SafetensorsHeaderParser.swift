/// A tensor as a header states it, not yet checked against the file.
struct HeaderEntry {
    var name: String
    var elementType: String
    var shape: [Int]
    var begin: Int
    var end: Int
}

/// A problem in a header; the reader adds the file's name.
struct HeaderProblem: Error {
    var tensor: String?
    var text: String
}

/// Reads the JSON of a safetensors header.
///
/// General JSON parsers keep the last of two equal keys and accept numbers such as 1e3 or 1.0; in a
/// header both are signs of a damaged or forged file, so this parser knows exactly the header's grammar
/// and refuses the rest. It never recurses, so no input can exhaust the stack.
struct SafetensorsHeaderParser {
    private let bytes: [UInt8]
    private var position = 0
    private var tensor: String?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The tensors in the header's order, and the `__metadata__` strings.
    mutating func parse() throws(HeaderProblem) -> (
        entries: [HeaderEntry], metadata: [String: String]
    ) {
        var entries: [HeaderEntry] = []
        var names: Set<String> = []
        var metadata: [String: String] = [:]
        try parseObject { (parser, name) throws(HeaderProblem) in
            // Swift compares strings by canonical equivalence, as lookup by name does.
            guard names.insert(name).inserted else {
                throw HeaderProblem(
                    tensor: name == "__metadata__" ? nil : name,
                    text: name == "__metadata__"
                        ? "the header has __metadata__ twice." : "is in the header twice.")
            }
            if name == "__metadata__" {
                metadata = try parser.parseMetadata()
            } else {
                parser.tensor = name
                entries.append(try parser.parseEntry(name))
                parser.tensor = nil
            }
        }
        skipWhitespace()
        guard position == bytes.count else { throw problem("something after the closing brace") }
        return (entries, metadata)
    }

    private mutating func parseMetadata() throws(HeaderProblem) -> [String: String] {
        var metadata: [String: String] = [:]
        try parseObject { (parser, key) throws(HeaderProblem) in
            guard metadata[key] == nil else {
                throw HeaderProblem(text: "__metadata__ has the key \(quoted(key)) twice.")
            }
            guard parser.peek() == UInt8(ascii: "\"") else {
                throw HeaderProblem(
                    text: "__metadata__ has a value for \(quoted(key)) that is not a string.")
            }
            metadata[key] = try parser.parseString()
        }
        return metadata
    }

    private mutating func parseEntry(_ name: String) throws(HeaderProblem) -> HeaderEntry {
        var elementType: String?
        var shape: [Int]?
        var offsets: [Int]?
        try parseObject { (parser, key) throws(HeaderProblem) in
            switch key {
            case "dtype" where elementType == nil: elementType = try parser.parseString()
            case "shape" where shape == nil: shape = try parser.parseIntegers(key)
            case "data_offsets" where offsets == nil: offsets = try parser.parseIntegers(key)
            case "dtype", "shape", "data_offsets":
                throw HeaderProblem(tensor: name, text: "has the key \(quoted(key)) twice.")
            default:
                throw HeaderProblem(
                    tensor: name,
                    text:
                        "has the key \(quoted(key)); only dtype, shape and data_offsets are known.")
            }
        }
        guard let elementType, let shape, let offsets else {
            let missing =
                elementType == nil ? "dtype" : shape == nil ? "shape" : "data_offsets"
            throw HeaderProblem(tensor: name, text: "lacks \(missing).")
        }
        guard offsets.count == 2 else {
            throw HeaderProblem(
                tensor: name,
                text: "has \(offsets.count) data_offsets; [begin, end] is expected.")
        }
        return HeaderEntry(
            name: name, elementType: elementType, shape: shape, begin: offsets[0], end: offsets[1])
    }

    // MARK: The pieces of JSON a header is made of

    private mutating func parseObject(
        _ member: (inout Self, String) throws(HeaderProblem) -> Void
    ) throws(HeaderProblem) {
        try expect(UInt8(ascii: "{"))
        if peek() == UInt8(ascii: "}") {
            position += 1
            return
        }
        while true {
            let key = try parseString()
            try expect(UInt8(ascii: ":"))
            try member(&self, key)
            if peek() == UInt8(ascii: ",") {
                position += 1
            } else {
                try expect(UInt8(ascii: "}"))
                return
            }
        }
    }

    private mutating func parseIntegers(_ key: String) throws(HeaderProblem) -> [Int] {
        var values: [Int] = []
        try expect(UInt8(ascii: "["))
        if peek() == UInt8(ascii: "]") {
            position += 1
            return values
        }
        while true {
            values.append(try parseInteger(key))
            if peek() == UInt8(ascii: ",") {
                position += 1
            } else {
                try expect(UInt8(ascii: "]"))
                return values
            }
        }
    }

    private mutating func parseInteger(_ key: String) throws(HeaderProblem) -> Int {
        skipWhitespace()
        let start = position
        while position < bytes.count, isNumeric(bytes[position]) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard !text.isEmpty else { throw problem("a whole number is expected") }
        let digitsOnly = text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard digitsOnly, text == "0" || !text.hasPrefix("0") else {
            throw HeaderProblem(
                tensor: tensor,
                text: text.hasPrefix("-")
                    ? "has the negative number \(quoted(text).dropFirst().dropLast()) in \(key)."
                    : "has \(quoted(text)) in \(key), where a whole number is expected.")
        }
        guard let value = Int(text) else {
            throw HeaderProblem(
                tensor: tensor,
                text: "has a number of \(text.count) digits in \(key), beyond any file's size.")
        }
        return value
    }

    private func isNumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
            UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }

    private mutating func parseString() throws(HeaderProblem) -> String {
        try expect(UInt8(ascii: "\""))
        var content: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw problem("a string is not valid UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): content.append(contentsOf: try parseEscape().utf8)
            case 0..<0x20: throw problem("a string has an unescaped control character")
            default: content.append(byte)
            }
        }
        throw problem("a string does not end")
    }

    private mutating func parseEscape() throws(HeaderProblem) -> String {
        guard position < bytes.count else { throw problem("a string does not end") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
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
            return text
        default: throw problem("an unknown escape in a string")
        }
    }

    private mutating func parseHexadecimal() throws(HeaderProblem) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard position < bytes.count,
                let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue
            else { throw problem("an escape without four hexadecimal digits") }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

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

    private mutating func expect(_ byte: UInt8) throws(HeaderProblem) {
        guard peek() == byte else {
            throw problem("\(Character(UnicodeScalar(byte))) is expected")
        }
        position += 1
    }

    private func problem(_ what: String) -> HeaderProblem {
        let place = "the header is not valid JSON at its byte \(position): \(what)."
        return HeaderProblem(tensor: nil, text: place)
    }
}
