/// The address of one sequence of random numbers: (seed, stream, step, example).
///
/// Block i of the sequence is `Philox.block(key: seed, counter: (i, example, step, stream))`, one
/// 32-bit word each. Nothing else decides a number, so a resumed run needs no generator state and a
/// prompt is the same whichever worker draws it. This layout is frozen: fixtures depend on it.
public struct RandomKey: Sendable, Hashable {
    /// The 64-bit Philox key.
    public var seed: UInt64
    /// Counter word 3.
    public var stream: RandomStream
    /// Counter word 2: the optimizer update, or 0 where there is none.
    public var step: UInt32
    /// Counter word 1: the example, parameter or resample that the numbers belong to.
    public var example: UInt32

    /// The sequence of `example` at `step` in `stream` under `seed`.
    ///
    /// - Precondition: `step` and `example` fit 32 bits.
    public init(seed: UInt64, stream: RandomStream, step: Int = 0, example: Int = 0) {
        precondition(
            UInt32(exactly: step) != nil && UInt32(exactly: example) != nil,
            "step \(step) and example \(example) must fit 32 bits without a sign")
        self.seed = seed
        self.stream = stream
        self.step = UInt32(truncatingIfNeeded: step)
        self.example = UInt32(truncatingIfNeeded: example)
    }

    /// Block `index` of the sequence: four uniformly distributed 32-bit words.
    public func block(_ index: UInt32) -> SIMD4<UInt32> {
        Philox.block(key: seed, counter: SIMD4(index, example, step, stream.rawValue))
    }

    /// Words 0 … 3 of blocks `first` … `first + 7`, one 32-bit word per 64-bit lane.
    @inline(__always)
    func eightBlocks(
        from first: UInt32
    ) -> (SIMD8<UInt64>, SIMD8<UInt64>, SIMD8<UInt64>, SIMD8<UInt64>) {
        Philox.eightBlocks(
            key: seed, firstIndex: first,
            remainingCounter: SIMD3(example, step, stream.rawValue))
    }
}
