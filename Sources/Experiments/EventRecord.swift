/// The framing of TensorBoard's event files (TFRecord), little-endian.
///
/// A record is: u64 length · u32 masked CRC-32C of those 8 bytes · data · u32 masked CRC-32C of the data.
enum EventRecord {
    private static let headerSize = 12
    private static let trailerSize = 4

    /// `data` as one record.
    static func framed(_ data: [UInt8]) -> [UInt8] {
        let length = littleEndian(UInt64(data.count))
        return length + littleEndian(CRC32C.masked(length)) + data
            + littleEndian(CRC32C.masked(data))
    }

    /// What a walk over a file's bytes found.
    struct Walk {
        /// Why the walk ended before the last byte.
        enum Damage: String {
            case unterminated = "the record does not end"
            case length = "the checksum of the record's length is wrong"
            case data = "the checksum of the record's data is wrong"
        }

        /// Where the data of every whole record lie.
        var records: [Range<Int>] = []
        /// The offset behind the last whole record.
        var end = 0
        /// What is wrong with the record at `end`; nil when the file ends there.
        var damage: Damage?
    }

    /// Walks the records of `bytes` up to the first that is not whole.
    static func walk(_ bytes: [UInt8]) -> Walk {
        var walk = Walk()
        while walk.end < bytes.count {
            switch record(at: walk.end, in: bytes) {
            case .success(let data):
                walk.records.append(data)
                walk.end = data.upperBound + trailerSize
            case .failure(let failure):
                walk.damage = failure.damage
                return walk
            }
        }
        return walk
    }

    /// Whether a whole record starts anywhere behind `offset`: then what is damaged there is not a tail that
    /// a crash left.
    static func hasWholeRecord(behind offset: Int, in bytes: [UInt8]) -> Bool {
        (offset + 1..<max(offset + 1, bytes.count)).contains { start in
            if case .success = record(at: start, in: bytes) { true } else { false }
        }
    }

    private struct Failure: Error { let damage: Walk.Damage }

    private static func record(at start: Int, in bytes: [UInt8]) -> Result<Range<Int>, Failure> {
        let room = bytes.count - start - headerSize
        guard room >= 0 else { return .failure(Failure(damage: .unterminated)) }
        let length = bytes[start..<start + 8]
        guard word(at: start + 8, in: bytes) == CRC32C.masked(length) else {
            return .failure(Failure(damage: .length))
        }
        let count = littleEndianValue(length)
        guard room >= trailerSize, count <= UInt64(room - trailerSize) else {
            return .failure(Failure(damage: .unterminated))
        }
        let data = start + headerSize..<start + headerSize + Int(count)
        guard word(at: data.upperBound, in: bytes) == CRC32C.masked(bytes[data]) else {
            return .failure(Failure(damage: .data))
        }
        return .success(data)
    }

    private static func word(at start: Int, in bytes: [UInt8]) -> UInt32 {
        UInt32(littleEndianValue(bytes[start..<start + 4]))
    }
}
