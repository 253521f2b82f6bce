import TestSupport
import Testing

@testable import Kernels

/// GELU and its derivative against their naive twins.
@Suite struct GELUTests {
    /// From −12 to 12, where both tails are flat, and a few numbers beyond.
    private let arguments: [Float] = {
        var generator = TestGenerator(seed: 5)
        return [-1e4, -60, -12, 0, 12, 60, 1e4, -0.0]
            + (0..<328).map { _ in Float(24 * generator.uniform() - 12) }
    }()

    /// Allowed: a few roundings of 6e-8 and one polynomial exponential; absolute where x · σ(2u) vanishes.
    @Test func valueAndSlopeEqualTheirNaiveTwins() {
        var values: [Double] = []
        var slopes: [Double] = []
        for first in stride(from: 0, to: arguments.count, by: 16) {
            let found = gelu(Lanes(arguments[first..<first + 16]))
            for lane in 0..<16 {
                values.append(Double(found.value[lane]))
                slopes.append(Double(found.slope[lane]))
            }
        }
        let value = closeness(
            values, arguments.doubles.map(Naive.gelu), relative: 2e-6, absolute: 1e-7)
        #expect(value.isWithin, "\(value)")
        let slope = closeness(
            slopes, arguments.doubles.map(Naive.geluDerivative), relative: 2e-6, absolute: 5e-7)
        #expect(slope.isWithin, "\(slope)")
    }
}
