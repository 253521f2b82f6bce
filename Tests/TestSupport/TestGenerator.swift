import Foundation

/// A small seeded generator for tests (SplitMix64), so that every test draws the same numbers everywhere.
public struct TestGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// Begins the sequence of `seed`.
    public init(seed: UInt64) { state = seed }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// Uniform in (0, 1).
    public mutating func uniform() -> Double { (Double(next() >> 12) + 0.5) * 0x1p-52 }

    /// Standard normal (Box and Muller).
    public mutating func normal() -> Double {
        (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
    }

    /// `count` standard normal fp32 numbers times `scale`.
    public mutating func normals(_ count: Int, scale: Double = 1) -> [Float] {
        (0..<count).map { _ in Float(scale * normal()) }
    }
}
