import Foundation

/// The records of a JSON-lines file without what may differ between equal runs: `time` and `perf/…`.
///
/// - Returns: one line for each record, keys sorted.
/// - Throws: when the file cannot be read or a line is no JSON object.
public func recordsWithoutTimes(_ path: String) throws -> [String] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    return try text.split(separator: "\n").map { line in
        let parsed = try JSONSerialization.jsonObject(with: Data(line.utf8))
        guard let record = parsed as? [String: Any] else {
            throw ChildProcess.Failure(description: "\(path) has a line that is no object: \(line)")
        }
        let kept = record.filter { $0.key != "time" && !$0.key.hasPrefix("perf/") }
        let data = try JSONSerialization.data(withJSONObject: kept, options: .sortedKeys)
        return String(decoding: data, as: UTF8.self)
    }
}
