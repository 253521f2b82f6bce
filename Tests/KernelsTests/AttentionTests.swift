import Kernels
import TestSupport
import Testing

/// Causal attention against its naive twin and against differences.
@Suite struct AttentionTests {
    static let lengths = [1, 2, 5, 16, 17, 33, 82]
    static let headSizes = [4, 5, 8, 16, 20, 32]

    /// Relative to the largest element: scores of standard normal tokens reach about 5, their rounding
    /// (about 5 · 1e-7) is the relative error of a probability, and sums of up to 82 terms follow.
    static let tolerance = 5e-6

    /// A forward and a backward pass on guarded memory.
    struct Passes {
        let output, logNormalizer, gradient: Guarded

        init(
            _ tokens: [Float], dOutput: [Float], shape: AttentionShape, positions: [Int]? = nil,
            scratch: AttentionScratch
        ) {
            let rows = shape.examples * shape.queryCount
            let chosen =
                positions.map { IndexView($0.map(Int32.init)) } ?? AttentionTests.all(shape)
            let input = Guarded(tokens)
            output = Guarded(count: rows * shape.channels)
            logNormalizer = Guarded(count: rows * shape.headCount)
            gradient = Guarded(count: shape.examples * shape.length * 3 * shape.channels)
            causalAttentionForward(
                output: output.view, logNormalizer: logNormalizer.view,
                queriesKeysValues: input.view, positions: chosen, shape: shape,
                scratch: scratch)
            causalAttentionBackward(
                dQueriesKeysValues: gradient.view, dOutput: Guarded(dOutput).view,
                output: output.view, logNormalizer: logNormalizer.view,
                queriesKeysValues: input.view, positions: chosen, shape: shape,
                scratch: scratch)
        }

        var isIntact: Bool { output.isIntact && logNormalizer.isIntact && gradient.isIntact }
    }

    static func all(_ shape: AttentionShape) -> IndexView {
        IndexView((0..<Int32(shape.length)).map(\.self))
    }

    static func random(
        _ shape: AttentionShape, scale: Double = 1, seed: UInt64
    ) -> (tokens: [Float], dOutput: [Float]) {
        var generator = TestGenerator(seed: seed)
        let rows = shape.examples * shape.length
        return (
            generator.normals(rows * 3 * shape.channels, scale: scale),
            generator.normals(shape.examples * shape.queryCount * shape.channels)
        )
    }

    @Test func bothPassesEqualTheirNaiveTwins() {
        for length in Self.lengths {
            for headSize in Self.headSizes {
                let shape = AttentionShape(
                    examples: 2, length: length, headCount: 3, headSize: headSize)
                compare(shape, scale: 1, tolerance: Self.tolerance)
            }
        }
        compare(
            AttentionShape(examples: 5, length: 18, headCount: 1, headSize: 40), scale: 1,
            tolerance: Self.tolerance)
    }

    /// Scores up to several hundreds: no overflow, and their own rounding (1e-7 · 300) is what is left.
    @Test func largeScoresNeitherOverflowNorLosePrecision() {
        compare(
            AttentionShape(examples: 1, length: 33, headCount: 2, headSize: 16), scale: 9,
            tolerance: 1e-4)
    }

    private func compare(_ shape: AttentionShape, scale: Double, tolerance: Double) {
        let (tokens, dOutput) = Self.random(shape, scale: scale, seed: 20)
        let found = Passes(
            tokens, dOutput: dOutput, shape: shape,
            scratch: AttentionScratch(longest: shape, forTraining: true))
        let expected = Naive.causalAttention(tokens.doubles, shape: shape)
        let gradient = Naive.causalAttentionBackward(
            dOutput: dOutput.doubles, queriesKeysValues: tokens.doubles, shape: shape)
        for (name, actual, wanted) in [
            ("output", found.output, expected.output),
            ("normalizer", found.logNormalizer, expected.logNormalizer),
            ("gradient", found.gradient, gradient),
        ] {
            let close = closeness(
                actual.view.doubles, wanted, relative: tolerance, scale: .largest)
            #expect(close.isWithin, "\(name) of \(shape): \(close)")
        }
        #expect(found.isIntact, "\(shape)")
    }

    @Test func theForwardScratchGivesTheSameBits() {
        for length in Self.lengths {
            let shape = AttentionShape(examples: 2, length: length, headCount: 2, headSize: 20)
            let (tokens, _) = Self.random(shape, seed: 21)
            let outputs = [true, false].map { forTraining in
                let output = FloatView(zeros: 2 * length * shape.channels)
                causalAttentionForward(
                    output: output, logNormalizer: FloatView(zeros: 4 * length),
                    queriesKeysValues: FloatView(tokens), positions: Self.all(shape), shape: shape,
                    scratch: AttentionScratch(longest: shape, forTraining: forTraining))
                return output.array
            }
            #expect(firstDifference(outputs[0], outputs[1]) == nil, "\(shape)")
        }
    }

    @Test func gradientAgreesWithDifferences() {
        for (length, headSize) in [(1, 8), (2, 5), (5, 4), (16, 16), (17, 20), (33, 8), (82, 32)] {
            let shape = AttentionShape(
                examples: 2, length: length, headCount: 2, headSize: headSize)
            let (tokens, c) = Self.random(shape, seed: 22)
            let scratch = AttentionScratch(longest: shape, forTraining: true)
            let gradient = Passes(tokens, dOutput: c, shape: shape, scratch: scratch).gradient
            let output = FloatView(zeros: c.count)
            let logNormalizer = FloatView(zeros: 4 * length)
            let point = FloatView(tokens)
            let check = checkGradient(at: point, gradient: gradient.view.array) {
                causalAttentionForward(
                    output: output, logNormalizer: logNormalizer, queriesKeysValues: point,
                    positions: Self.all(shape), shape: shape, scratch: scratch)
                return weightedSum(output, c)
            }
            #expect(check.isWithin, "\(shape): \(check)")
        }
    }

    /// With their own keys alone, rows do not mix: the gradient of each row by itself, taken at its own position.
    @Test func ownKeysKeepEachRowsGradientAtItsPosition() {
        let shape = AttentionShape(examples: 2, length: 19, headCount: 2, headSize: 5)
        let (tokens, dOutput) = Self.random(shape, seed: 23)
        let scratch = AttentionScratch(longest: shape, forTraining: true)
        let rows = shape.examples * shape.length
        let (channels, length) = (shape.channels, shape.length)
        let output = FloatView(zeros: rows * channels)
        let logNormalizer = FloatView(zeros: rows * shape.headCount)
        causalAttentionForward(
            output: output, logNormalizer: logNormalizer, queriesKeysValues: FloatView(tokens),
            positions: Self.all(shape), shape: shape, scratch: scratch)
        let gradient = Guarded(count: rows * 3 * channels)
        causalAttentionBackward(
            dQueriesKeysValues: gradient.view, dOutput: FloatView(dOutput), output: output,
            logNormalizer: logNormalizer, queriesKeysValues: FloatView(tokens),
            positions: Self.all(shape), shape: shape, keys: .own, scratch: scratch)
        var expected = [Double](repeating: 0, count: rows * 3 * channels)
        for position in 0..<length {
            var alone = [Double](repeating: 0, count: rows * channels)
            for example in 0..<shape.examples {
                let first = (example * length + position) * channels
                for place in first..<first + channels { alone[place] = Double(dOutput[place]) }
            }
            let whole = Naive.causalAttentionBackward(
                dOutput: alone, queriesKeysValues: tokens.doubles, shape: shape)
            for example in 0..<shape.examples {
                let first = (example * length + position) * 3 * channels
                for place in first..<first + 3 * channels { expected[place] = whole[place] }
            }
        }
        let close = closeness(
            gradient.view.doubles, expected, relative: Self.tolerance, scale: .largest)
        #expect(close.isWithin, "\(close)")
        #expect(gradient.isIntact)
    }
}
