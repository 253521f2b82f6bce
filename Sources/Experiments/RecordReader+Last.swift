import Foundation
import Platform

extension RecordReader {
    /// The last record of the JSON-lines file at `path` that `isWanted`; nil when there is none or no file.
    ///
    /// Lines that cannot be read are passed over: this is for listings, which must not stop at them.
    public static func last(_ path: String, where isWanted: (JSONValue) -> Bool) -> JSONValue? {
        guard let data = try? WholeFile.read(path) else { return nil }
        let decoder = JSONDecoder()
        for line in data.split(separator: UInt8(ascii: "\n")).reversed() {
            if let record = try? decoder.decode(JSONValue.self, from: line), isWanted(record) {
                return record
            }
        }
        return nil
    }
}
