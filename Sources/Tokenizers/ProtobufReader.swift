/// Reads the fields of a protocol-buffer message.
///
/// Source: the wire format of protocol buffers; groups, which nothing here uses, are refused.
struct ProtobufReader {
    /// The value of a field.
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(Range<Int>)
        case fixed32(UInt32)
    }

    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    /// Reads the message in `range` of `bytes`.
    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// The next field; nil at the end.
    mutating func next() throws(FileProblem) -> (field: Int, value: Value)? {
        if position == end { return nil }
        let tag = try varint()
        let field = Int(tag >> 3 & 0x1FFF_FFFF)
        guard field > 0, tag >> 3 <= 0x1FFF_FFFF else { throw problem("a field has no number") }
        switch tag & 7 {
        case 0: return (field, .varint(try varint()))
        case 1: return (field, .fixed64(try fixed(8)))
        case 2:
            let length = try varint()
            guard length <= UInt64(end - position) else {
                throw problem("a field is longer than the rest")
            }
            let start = position
            position += Int(length)
            return (field, .bytes(start..<position))
        case 5: return (field, .fixed32(UInt32(try fixed(4))))
        case let type: throw problem("a field has the wire type \(type)")
        }
    }

    private mutating func varint() throws(FileProblem) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) {
            guard position < end else { throw problem("a number breaks off") }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << UInt64(shift)
            if byte < 0x80 { return value }
        }
        throw problem("a number has more than ten bytes")
    }

    private mutating func fixed(_ count: Int) throws(FileProblem) -> UInt64 {
        guard end - position >= count else { throw problem("a number breaks off") }
        var value: UInt64 = 0
        for i in 0..<count { value |= UInt64(bytes[position + i]) << UInt64(8 * i) }
        position += count
        return value
    }

    private func problem(_ what: String) -> FileProblem {
        FileProblem("it is not a SentencePiece model: \(what) at its byte \(position).")
    }
}
