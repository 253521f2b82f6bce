import Foundation
import Platform

/// A JSON-lines file that grows by whole lines: one record, one line, one `write(2)`.
///
/// Records are canonical JSON (sorted keys, shortest numbers; NaN and infinities as `null`), so that equal
/// runs write equal bytes. Not `Sendable`: it belongs to one writer.
public final class RecordWriter {
    private let file: AppendOnlyFile

    /// Opens `path` for appending, creates it when missing, and drops an unterminated last line, which a
    /// killed process can leave.
    public init(path: String) throws {
        file = try AppendOnlyFile(path: path)
        try dropUnterminatedLine()
    }

    /// The file's path.
    public var path: String { file.path }

    /// The file's length in bytes: what a checkpoint stores, to be given back to
    /// ``truncate(toByteLength:)`` on resume.
    public var byteLength: Int { get throws { try file.byteLength } }

    /// Appends a record.
    public func append(_ record: [String: JSONValue]) throws {
        try file.append(Data((CanonicalJSON.text(of: .object(record)) + "\n").utf8))
    }

    /// Cuts the file back to `length` bytes (and to a line's end, should `length` lie within a line).
    ///
    /// - Throws: ``SystemError`` when the file is shorter than `length`.
    public func truncate(toByteLength length: Int) throws {
        try CountedRecords.check(path, against: length)
        try file.truncate(toByteLength: length)
        try dropUnterminatedLine()
    }

    /// Waits until every record has reached the disk.
    public func synchronize() throws { try file.synchronize() }

    private func dropUnterminatedLine() throws {
        let whole = try file.byteLengthOfWholeLines
        if whole < (try file.byteLength) { try file.truncate(toByteLength: whole) }
    }
}

/// Reads JSON-lines files.
public enum RecordReader {
    /// The records of the file at `path`; an unterminated last line is left out.
    ///
    /// - Throws: ``SystemError`` naming the file and the line of a record that cannot be decoded.
    public static func read<Record: Decodable>(
        _ path: String, as type: Record.Type = JSONValue.self
    ) throws -> [Record] {
        let data = try WholeFile.read(path)
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        var records: [Record] = []
        var start = data.startIndex
        var number = 1
        while let end = data[start...].firstIndex(of: UInt8(ascii: "\n")) {
            if end > start {
                do {
                    records.append(try decoder.decode(Record.self, from: data[start..<end]))
                } catch {
                    throw SystemError("\(path):\(number): not a valid record: \(brief(error))")
                }
            }
            start = end + 1
            number += 1
        }
        return records
    }
}

/// The short form of a decoding error: the path of the value and what is wrong with it.
func brief(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    func text(_ context: DecodingError.Context, _ fallback: String) -> String {
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? fallback : "\(path): \(fallback)"
    }
    switch error {
    case .keyNotFound(let key, let context):
        return text(context, "the key '\(key.stringValue)' is missing")
    case .typeMismatch(let type, let context): return text(context, "expected \(kind(of: type))")
    case .valueNotFound(let type, let context):
        return text(context, "expected \(kind(of: type)), found null")
    case .dataCorrupted(let context): return text(context, corruption(context))
    @unknown default: return "not a value that this program writes"
    }
}

/// What is wrong with data that is no JSON, or with a value that its type refuses.
///
/// Foundation names Swift's types ("Cannot initialize RunStatus from invalid String value done").
private func corruption(_ context: DecodingError.Context) -> String {
    let words = context.debugDescription
    if let range = words.range(of: "from invalid String value ") {
        return "'\(abridged(String(words[range.upperBound...])))' is not one of the accepted values"
    }
    if words.contains("ISO8601") { return "expected a time such as 2026-01-31T12:00:00Z" }
    if words.contains("does not fit") || words.contains("not representable") {
        return "the number is too large"
    }
    if context.codingPath.isEmpty { return "not valid JSON" }
    return "not a value that this program writes"
}

/// A Swift type in the words of JSON's reader.
private func kind(of type: any Any.Type) -> String {
    switch type {
    case is String.Type: return "a text"
    case is Bool.Type: return "true or false"
    case is any BinaryInteger.Type: return "a whole number"
    case is any BinaryFloatingPoint.Type: return "a number"
    case is Date.Type: return "a time such as 2026-01-31T12:00:00Z"
    default: return "\(type)".hasPrefix("Array<") ? "a list" : "an object"
    }
}

/// JSON files written for programs and people: sorted keys, indented, dates in ISO 8601, written atomically.
public enum JSONFile {
    /// Writes a value, whole or not at all.
    public static func write(_ value: some Encodable, to path: String) throws {
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .iso8601
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(value)
        data.append(UInt8(ascii: "\n"))
        try AtomicFile.write(data, to: path)
    }

    /// - Parameters:
    ///   - version: the newest `format_version` this program knows.
    ///   - cure: what to do about a damaged file, for the message.
    static func read<Value: Decodable>(
        _ path: String, as type: Value.Type, version: Int, cure: String
    ) throws -> Value {
        let data = try WholeFile.read(path)
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do {
            try refuseNewer(decoder.decode(JSONValue.self, from: data), path, version: version)
            return try decoder.decode(type, from: data)
        } catch let error as DecodingError {
            throw SystemError("cannot read '\(path)': \(brief(error)); \(cure)")
        }
    }

    /// The value in a file of the form `version` or older; nil when there is no file.
    ///
    /// - Throws: ``SystemError`` for a file that is damaged, with the cure, or of a newer form.
    public static func readIfPresent<Value: Decodable>(
        _ path: String, as type: Value.Type, version: Int, cure: String
    ) throws -> Value? {
        do {
            return try read(path, as: type, version: version, cure: cure)
        } catch let error as SystemError where error.code == ENOENT {
            return nil
        }
    }

    /// Refuses to write over a file of a newer form than `version`; one that is missing or damaged may go.
    static func checkReplaceable(_ path: String, version: Int) throws {
        guard let data = try? WholeFile.read(path),
            let json = try? JSONDecoder().decode(JSONValue.self, from: data)
        else { return }
        try refuseNewer(json, path, version: version)
    }

    private static func refuseNewer(_ json: JSONValue, _ path: String, version: Int) throws {
        guard let found = json["format_version"]?.integerValue, found > version else { return }
        throw SystemError(
            "'\(path)' has format version \(found), newer than \(version), the newest this program "
                + "reads; use a newer sandbox")
    }
}
