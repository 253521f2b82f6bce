import Kernels
import TestSupport
import Testing

/// GELU against its naive twin and against differences.
@Suite struct GELUTests {
    static let counts = [0, 1, 3, 8, 15, 16, 17, 20, 31, 64, 333]

    /// A few roundings of 6e-8 and one polynomial exponential; absolute where x · σ(2u) vanishes.
    static let tolerance = (relative: 2e-6, absolute: 1e-7)

    /// From −12 to 12, where both tails are flat, and a few numbers beyond.
    private func inputs(_ count: Int) -> [Float] {
        var generator = TestGenerator(seed: 5)
        return (0..<count).map { index in
            index % 16 == 15
                ? Float([-1e4, -60, -12, 0, 12, 60, 1e4][index / 16 % 7])
                : Float(24 * generator.uniform() - 12)
        }
    }

    @Test func forwardEqualsItsNaiveTwin() {
        for count in Self.counts {
            let x = inputs(count)
            let output = Guarded(count: count)
            geluForward(output: output.view, input: Guarded(x).view, count: count)
            let close = closeness(
                output.view.doubles, x.doubles.map(Naive.gelu),
                relative: Self.tolerance.relative, absolute: Self.tolerance.absolute)
            #expect(close.isWithin, "\(count) elements: \(close)")
            #expect(output.isIntact)
        }
    }

    @Test func backwardEqualsItsNaiveTwin() {
        for count in Self.counts {
            let x = inputs(count)
            var generator = TestGenerator(seed: 6)
            let dOutput = generator.normals(count)
            let dInput = Guarded(count: count)
            geluBackward(
                dInput: dInput.view, dOutput: Guarded(dOutput).view, input: Guarded(x).view,
                count: count)
            let expected = zip(x.doubles, dOutput.doubles).map { Naive.geluDerivative($0) * $1 }
            let close = closeness(
                dInput.view.doubles, expected, relative: Self.tolerance.relative,
                absolute: 5 * Self.tolerance.absolute)
            #expect(close.isWithin, "\(count) elements: \(close)")
            #expect(dInput.isIntact)
        }
    }

    @Test func bothWorkInPlaceWithTheSameBits() {
        let x = inputs(77)
        var generator = TestGenerator(seed: 7)
        let dOutput = generator.normals(77)
        let apart = FloatView(zeros: 77)
        geluForward(output: apart, input: FloatView(x), count: 77)
        let inPlace = FloatView(x)
        geluForward(output: inPlace, input: inPlace, count: 77)
        #expect(firstDifference(inPlace.array, apart.array) == nil)
        geluBackward(dInput: apart, dOutput: FloatView(dOutput), input: FloatView(x), count: 77)
        let gradient = FloatView(dOutput)
        geluBackward(dInput: gradient, dOutput: gradient, input: FloatView(x), count: 77)
        #expect(firstDifference(gradient.array, apart.array) == nil)
    }

    @Test func gradientAgreesWithDifferences() {
        for count in [1, 17, 64] {
            var generator = TestGenerator(seed: 8)
            let x = FloatView(generator.normals(count))
            let c = generator.normals(count)
            let dInput = FloatView(zeros: count)
            geluBackward(dInput: dInput, dOutput: FloatView(c), input: x, count: count)
            let output = FloatView(zeros: count)
            let check = checkGradient(at: x, gradient: dInput.array) {
                geluForward(output: output, input: x, count: count)
                return weightedSum(output, c)
            }
            #expect(check.isWithin, "\(count) elements: \(check)")
        }
    }
}
