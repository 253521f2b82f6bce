/// CRC-32C, the checksum of TensorBoard's event files.
///
/// Castagnoli's polynomial in its reflected form 0x82F63B78, start value and final inversion all ones
/// (RFC 3720, appendix B.4).
enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? (value >> 1) ^ 0x82F6_3B78 : value >> 1
        }
    }

    /// The checksum of `bytes`.
    static func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let table = table
        return ~bytes.reduce(~UInt32(0)) { value, byte in
            (value >> 8) ^ table[Int(UInt8(truncatingIfNeeded: value) ^ byte)]
        }
    }

    /// The checksum as records store it: rotated right by 15 bits, plus 0xA282EAD8 (wrapping).
    ///
    /// A checksum over data that holds checksums is weak; the mask makes stored ones look different.
    static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
        let value = checksum(bytes)
        return ((value >> 15) | (value << 17)) &+ 0xA282_EAD8
    }
}
