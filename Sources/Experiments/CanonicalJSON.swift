import CCrypto
import Foundation
import Platform

/// JSON with exactly one spelling per value, for hashes and for records.
///
/// No spaces; keys sorted by their UTF-8 bytes; numbers by Swift's shortest text that reads back, whole ones
/// as integers, so that 1 and 1.0 are one value; only `"`, `\` and control characters are escaped.
/// Foundation's encoder promises neither key order nor number text from one version to the next, and run ids
/// hang on both.
public enum CanonicalJSON {
    /// The canonical text of an encodable value.
    ///
    /// - Throws: an `EncodingError` when it holds a NaN or an infinity: a hash of "unknown" would lie.
    public static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        let data = try encoder.encode(value)
        return text(of: try JSONDecoder().decode(JSONValue.self, from: data))
    }

    /// The lower-case hexadecimal SHA-256 of the canonical text.
    public static func hash(_ value: some Encodable) throws -> String {
        sha256Hex(Data(try text(value).utf8))
    }

    /// The canonical text of a JSON value; NaN and infinities become `null`.
    public static func text(of value: JSONValue) -> String {
        var text = ""
        append(value, to: &text)
        return text
    }

    private static func append(_ value: JSONValue, to text: inout String) {
        switch value {
        case .null: text += "null"
        case .boolean(let value): text += value ? "true" : "false"
        case .integer(let value): text += String(value)
        case .number(let value): text += number(value)
        case .string(let value): append(string: value, to: &text)
        case .array(let values):
            text += "["
            for (index, value) in values.enumerated() {
                if index > 0 { text += "," }
                append(value, to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            let sorted = members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { text += "," }
                append(string: member.key, to: &text)
                text += ":"
                append(member.value, to: &text)
            }
            text += "}"
        }
    }

    private static func number(_ value: Double) -> String {
        if let whole = Int(exactly: value) { return String(whole) }
        return value.isFinite ? value.description : "null"
    }

    private static func append(string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}

/// The 32 bytes of SHA-256 (FIPS 180-4) of `data`, by OpenSSL's libcrypto.
public func sha256(_ data: Data) -> [UInt8] {
    let bytes = [UInt8](data)
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    SHA256(bytes, bytes.count, &digest)
    return digest
}

/// SHA-256 of `data` as 64 lower-case hexadecimal digits.
public func sha256Hex(_ data: Data) -> String {
    // Digit by digit: corpora ask for one of each document.
    let digits = Array("0123456789abcdef".utf8)
    let text = sha256(data).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: text, as: UTF8.self)
}

/// The lower-case hexadecimal SHA-256 of a file, which is mapped into memory and not copied.
///
/// - Throws: ``SystemError`` when it cannot be read.
public func sha256Hex(ofFile path: String) throws -> String {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    else {
        // Not mappable: the ordinary way reads it, or says why it cannot.
        return sha256Hex(try WholeFile.read(path))
    }
    return sha256Hex(data)
}
