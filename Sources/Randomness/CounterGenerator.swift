/// Draws one number after another from the sequence of a ``RandomKey``.
///
/// For choices (indices, permutations, resamples); bulk normals are faster through
/// ``RandomKey/fillNormals(_:)``. The draws below are this project's own and do not change with the
/// standard library, whose `shuffled(using:)` and `random(in:using:)` promise no stable result.
public struct CounterGenerator: RandomNumberGenerator, Sendable {
    /// The sequence being read.
    public let key: RandomKey
    private var nextBlock: UInt32 = 0
    private var words = SIMD4<UInt32>()
    private var used = 4

    /// A generator at the beginning of `key`'s sequence.
    public init(_ key: RandomKey) { self.key = key }

    /// The next 32-bit word of the sequence.
    public mutating func nextWord() -> UInt32 {
        if used == 4 {
            words = key.block(nextBlock)
            nextBlock &+= 1
            used = 0
        }
        used += 1
        return words[used - 1]
    }

    /// The next 64 bits: two words, the low one first.
    public mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return low | UInt64(nextWord()) << 32
    }

    /// A number uniform on [0, 1), a multiple of 2⁻⁵³.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// An integer uniform on 0 ..< `bound`, without bias.
    ///
    /// Lemire, "Fast Random Integer Generation in an Interval" (2019): the high half of word × bound,
    /// drawn again in the rare cases that would favour some values.
    ///
    /// - Precondition: 1 ≤ `bound` < 2³².
    public mutating func integer(below bound: Int) -> Int {
        precondition(
            bound >= 1 && bound <= Int(UInt32.max), "the bound \(bound) is not in 1 ..< 2^32")
        let range = UInt32(truncatingIfNeeded: bound)
        var product = nextWord().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold {
                product = nextWord().multipliedFullWidth(by: range)
            }
        }
        return Int(product.high)
    }

    /// A uniformly drawn permutation of 0 ..< `count` (Fisher–Yates from the last place down).
    public mutating func permutation(_ count: Int) -> [Int] {
        var order = Array(0..<count)
        var place = count - 1
        while place > 0 {
            order.swapAt(place, integer(below: place + 1))
            place -= 1
        }
        return order
    }
}
