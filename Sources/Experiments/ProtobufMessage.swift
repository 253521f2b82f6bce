/// The bytes of one protocol-buffer message, written field by field in the order of their numbers.
///
/// Only what event files need (protobuf.dev/programming-guides/encoding): varints, fixed 32- and 64-bit
/// numbers, and length-delimited fields. As proto3 does, callers leave out fields that hold their default.
struct ProtobufMessage: Hashable, Sendable {
    private(set) var bytes: [UInt8] = []

    /// A message that `fill` writes.
    init(_ fill: (inout ProtobufMessage) -> Void = { _ in }) { fill(&self) }

    mutating func varint(_ field: Int, _ value: Int) {
        key(field, .varint)
        appendVarint(UInt64(bitPattern: Int64(value)))
    }

    mutating func double(_ field: Int, _ value: Double) {
        key(field, .fixed64)
        bytes += littleEndian(value.bitPattern)
    }

    mutating func float(_ field: Int, _ value: Float) {
        key(field, .fixed32)
        bytes += littleEndian(value.bitPattern)
    }

    mutating func bytes(_ field: Int, _ value: some Collection<UInt8>) {
        key(field, .delimited)
        appendVarint(UInt64(value.count))
        bytes += value
    }

    mutating func string(_ field: Int, _ value: String) { bytes(field, value.utf8) }

    mutating func message(_ field: Int, _ fill: (inout ProtobufMessage) -> Void) {
        bytes(field, ProtobufMessage(fill).bytes)
    }

    private mutating func key(_ field: Int, _ kind: ProtobufField.Kind) {
        appendVarint(UInt64(field << 3 | kind.rawValue))
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// One field of a protocol-buffer message as it stands in the bytes.
struct ProtobufField {
    /// The wire types that messages of today use.
    enum Kind: Int {
        case varint = 0
        case fixed64 = 1
        case delimited = 2
        case fixed32 = 5
    }

    /// Bytes that are no message.
    struct Malformed: Error {}

    let number: Int
    let kind: Kind
    /// The value of a number; the bits of a fixed one.
    let bits: UInt64
    /// The contents of a length-delimited field.
    let contents: ArraySlice<UInt8>

    var integer: Int { Int(Int64(bitPattern: bits)) }
    var double: Double { Double(bitPattern: bits) }
    var float: Float { Float(bitPattern: UInt32(truncatingIfNeeded: bits)) }
    var text: String { String(decoding: contents, as: UTF8.self) }

    /// The fields of the message that `bytes` hold, in their order.
    ///
    /// - Throws: ``Malformed`` when the bytes end within a field or name a wire type out of use.
    static func fields(of bytes: ArraySlice<UInt8>) throws -> [ProtobufField] {
        var fields: [ProtobufField] = []
        var rest = bytes
        while !rest.isEmpty {
            let key = try takeVarint(&rest)
            guard let kind = Kind(rawValue: Int(key & 7)), let number = Int(exactly: key >> 3)
            else { throw Malformed() }
            var bits: UInt64 = 0
            var contents: ArraySlice<UInt8> = []
            switch kind {
            case .varint: bits = try takeVarint(&rest)
            case .fixed64: bits = littleEndianValue(try take(8, &rest))
            case .fixed32: bits = littleEndianValue(try take(4, &rest))
            case .delimited: contents = try take(try takeVarint(&rest), &rest)
            }
            fields.append(
                ProtobufField(number: number, kind: kind, bits: bits, contents: contents))
        }
        return fields
    }

    private static func take(
        _ count: UInt64, _ rest: inout ArraySlice<UInt8>
    ) throws -> ArraySlice<UInt8> {
        guard count <= UInt64(rest.count) else { throw Malformed() }
        defer { rest = rest.dropFirst(Int(count)) }
        return rest.prefix(Int(count))
    }

    private static func takeVarint(_ rest: inout ArraySlice<UInt8>) throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { throw Malformed() }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw Malformed()
    }
}

/// The bytes of `value`, the lowest first.
func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> Value($0 * 8)) }
}

/// The number that `bytes` (at most eight) spell, the lowest first.
func littleEndianValue(_ bytes: some BidirectionalCollection<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
}
