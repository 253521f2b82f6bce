/// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw,
/// "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011), section 3.3.
///
/// A block of four 32-bit words is a pure function of a key and a counter, so any number of any
/// stream can be had without drawing those before it, on any thread, in any order.
public enum Philox {
    /// The multipliers of the first and the third counter word.
    static let multipliers: (UInt32, UInt32) = (0xD251_1F53, 0xCD9E_8D57)
    /// What the low and the high key word grow by from round to round.
    static let keyIncrements: (UInt32, UInt32) = (0x9E37_79B9, 0xBB67_AE85)

    /// The four words that belong to `key` and `counter`.
    ///
    /// - Parameters:
    ///   - key: the 64-bit key; its low half is the paper's first key word, its high half the second.
    ///   - counter: the 128-bit counter, first word in lane 0.
    public static func block(key: UInt64, counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var low = UInt32(truncatingIfNeeded: key)
        var high = UInt32(truncatingIfNeeded: key >> 32)
        var (word0, word1, word2, word3) = (counter[0], counter[1], counter[2], counter[3])
        for _ in 0..<10 {
            let first = word0.multipliedFullWidth(by: multipliers.0)
            let third = word2.multipliedFullWidth(by: multipliers.1)
            (word0, word1) = (third.high ^ word1 ^ low, third.low)
            (word2, word3) = (first.high ^ word3 ^ high, first.low)
            low &+= keyIncrements.0
            high &+= keyIncrements.1
        }
        return SIMD4(word0, word1, word2, word3)
    }

    /// Eight blocks whose counters differ only in their first word: `firstIndex` to `firstIndex + 7`.
    ///
    /// Returns word w of all eight blocks in element w, one 32-bit word in each 64-bit lane, which is
    /// what the 32 × 32 → 64 bit products want.
    @inline(__always)
    static func eightBlocks(
        key: UInt64, firstIndex: UInt32, remainingCounter: SIMD3<UInt32>
    ) -> (SIMD8<UInt64>, SIMD8<UInt64>, SIMD8<UInt64>, SIMD8<UInt64>) {
        let mask = SIMD8<UInt64>(repeating: 0xFFFF_FFFF)
        let lanes = SIMD8<UInt64>(0, 1, 2, 3, 4, 5, 6, 7)
        let firstFactor = SIMD8(repeating: UInt64(multipliers.0))
        let thirdFactor = SIMD8(repeating: UInt64(multipliers.1))
        var low = UInt32(truncatingIfNeeded: key)
        var high = UInt32(truncatingIfNeeded: key >> 32)
        var word0 = (SIMD8(repeating: UInt64(firstIndex)) &+ lanes) & mask
        var word1 = SIMD8(repeating: UInt64(remainingCounter[0]))
        var word2 = SIMD8(repeating: UInt64(remainingCounter[1]))
        var word3 = SIMD8(repeating: UInt64(remainingCounter[2]))
        for _ in 0..<10 {
            let first = word0 &* firstFactor
            let third = word2 &* thirdFactor
            word0 = (third &>> 32) ^ word1 ^ SIMD8(repeating: UInt64(low))
            word1 = third & mask
            word2 = (first &>> 32) ^ word3 ^ SIMD8(repeating: UInt64(high))
            word3 = first & mask
            low &+= keyIncrements.0
            high &+= keyIncrements.1
        }
        return (word0, word1, word2, word3)
    }
}
