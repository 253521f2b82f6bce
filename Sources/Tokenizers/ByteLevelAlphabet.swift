/// The printable characters that stand for bytes in GPT-2's vocabularies.
///
/// The printable bytes of Latin-1 are themselves; the other 68 follow from U+0100 on, in the order of the bytes.
enum ByteLevelAlphabet {
    /// Scalar of each byte.
    static let scalars: [UInt32] = {
        var next: UInt32 = 0x100
        return (0..<256).map { (byte: UInt32) in
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return byte
            default:
                next += 1
                return next - 1
            }
        }
    }()

    /// Byte of each scalar below U+0144; −1 where the scalar stands for none.
    private static let bytes: [Int16] = {
        var bytes = [Int16](repeating: -1, count: 0x144)
        for (byte, scalar) in scalars.enumerated() { bytes[Int(scalar)] = Int16(byte) }
        return bytes
    }()

    /// Appends the bytes that `piece` stands for; false, and nothing appended, when a character stands for none.
    static func append(_ piece: ArraySlice<UInt8>, to raw: inout [UInt8]) -> Bool {
        let count = raw.count
        for scalar in String(decoding: piece, as: UTF8.self).unicodeScalars {
            guard scalar.value < 0x144, bytes[Int(scalar.value)] >= 0 else {
                raw.removeSubrange(count...)
                return false
            }
            raw.append(UInt8(bytes[Int(scalar.value)]))
        }
        return true
    }
}
