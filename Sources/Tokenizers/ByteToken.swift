/// The pieces `<0x00>` to `<0xFF>`, which stand for bytes.
enum ByteToken {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// The piece of `byte`.
    static func piece(of byte: UInt8) -> [UInt8] {
        Array("<0x".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)], UInt8(ascii: ">")]
    }

    /// The pieces of all bytes, in order.
    static var pieces: [[UInt8]] { (0...255).map(piece) }

    /// The byte that `piece` stands for; nil for other pieces.
    static func byte(of piece: [UInt8]) -> UInt8? {
        guard piece.count == 6, piece[0] == UInt8(ascii: "<"), piece[1] == UInt8(ascii: "0"),
            piece[2] == UInt8(ascii: "x"), piece[5] == UInt8(ascii: ">"),
            let high = hexadecimalDigit(piece[3]), let low = hexadecimalDigit(piece[4])
        else { return nil }
        return high << 4 | low
    }
}
