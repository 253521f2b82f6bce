import Foundation
import Randomness
import Testing

/// The bulk fills: their definition, their distribution, their independence.
@Suite struct NormalTests {
    /// The documented formula, word by word, with Foundation's functions.
    private func reference(_ key: RandomKey, count: Int) -> [Float] {
        (0..<count).map { index in
            let words = key.block(UInt32(index / 4))
            let first = index % 4 < 2 ? 0 : 2
            let radius = (-2 * log((Double(words[first]) + 0.5) * 0x1p-32)).squareRoot()
            let angle = 2 * Double.pi * Double(words[first + 1]) * 0x1p-32
            return Float(radius * (index % 2 == 0 ? cos(angle) : sin(angle)))
        }
    }

    /// The vector arithmetic is exact to about 1e-13, so only a rounding tie to Float may differ; near
    /// a zero of sine or cosine the reference's own 2π rounds, hence the absolute term.
    @Test(arguments: [1, 2, 3, 5, 31, 32, 33, 100_003])
    func normalsFollowTheirFormula(count: Int) {
        let key = RandomKey(seed: 0xfeed_beef_cafe, stream: .trainingInputs, step: 9, example: 4)
        let values = key.normals(count)
        let expected = reference(key, count: count)
        var worst: Float = 0
        for (value, reference) in zip(values, expected) {
            worst = max(worst, abs(value - reference) / (abs(reference) + 1e-7))
        }
        #expect(worst <= 1.2e-7, "one unit in the last place of a Float")
    }

    /// First values of a fixed key: any change of algorithm shows here before it breaks a fixture.
    @Test func firstNormalsAreFrozen() {
        let values = RandomKey(seed: 0, stream: .initialization).normals(4)
        let words = SIMD4<UInt32>(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
        #expect(RandomKey(seed: 0, stream: .initialization).block(0) == words)
        let expected: [UInt32] = [0x3f7d_bb33, 0xbf6c_b6b0, 0xbf1e_1b9f, 0xbef6_d1b2]
        #expect(values.map(\.bitPattern) == expected)
    }

    @Test func momentsAreThoseOfAStandardNormal() {
        let values = RandomKey(seed: 1, stream: .evaluationInputs).normals(400_000).map(Double.init)
        let n = Double(values.count)
        let moment = { (power: Double) in values.reduce(0) { $0 + pow($1, power) } / n }
        // Standard deviations of the sample moments: √(1/n), √(2/n), √(15/n), √(96/n); four of each.
        #expect(abs(moment(1)) < 4 * (1 / n).squareRoot())
        #expect(abs(moment(2) - 1) < 4 * (2 / n).squareRoot())
        #expect(abs(moment(3)) < 4 * (15 / n).squareRoot())
        #expect(abs(moment(4) - 3) < 4 * (96 / n).squareRoot())
    }

    @Test func kolmogorovSmirnovAgainstTheNormalDistribution() {
        let values = RandomKey(seed: 2, stream: .evaluationInputs).normals(200_000).sorted()
        #expect(kolmogorovSmirnov(values) { 0.5 * erfc(-$0 / 2.0.squareRoot()) } < 1.95)
        // The same test sees a scale that is off by three per cent.
        #expect(kolmogorovSmirnov(values) { 0.5 * erfc(-$0 / 1.03 / 2.0.squareRoot()) } > 1.95)
    }

    @Test func uniformsAreUniformOnTheHalfOpenInterval() {
        var values = [Float](repeating: -1, count: 100_001)
        var span = values.mutableSpan
        RandomKey(seed: 3, stream: .measurement).fillUniforms(&span)
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(kolmogorovSmirnov(values.sorted()) { $0 } < 1.95)
        var generator = CounterGenerator(RandomKey(seed: 3, stream: .measurement))
        let draws = (0..<10_000).map { _ in Float(generator.uniform()) }.sorted()
        #expect(kolmogorovSmirnov(draws) { $0 } < 1.95)
    }

    /// Keys that differ in one part only give unrelated numbers, neighbours of one sequence too.
    @Test func differentKeysAndNeighboursAreUncorrelated() {
        let base = RandomKey(seed: 10, stream: .trainingInputs, step: 5, example: 6)
        var others = [base, base, base, base]
        others[0].seed = 11
        others[1].stream = .trainingTask
        others[2].step = 6
        others[3].example = 7
        let count = 100_000
        let values = base.normals(count)
        let bound = 4 / Double(count).squareRoot()
        for other in others {
            #expect(abs(correlation(values, other.normals(count))) < bound)
        }
        for lag in 1...4 {
            #expect(
                abs(correlation(Array(values.dropLast(lag)), Array(values.dropFirst(lag)))) < bound)
        }
        #expect(correlation(values, base.normals(count)) > 0.999)
    }

    /// √n times the largest distance between the sample's and the given distribution function; 1.95
    /// is exceeded once in a thousand samples.
    private func kolmogorovSmirnov(_ sorted: [Float], _ cdf: (Double) -> Double) -> Double {
        let n = Double(sorted.count)
        var distance = 0.0
        for (index, value) in sorted.enumerated() {
            let probability = cdf(Double(value))
            distance = max(
                distance, probability - Double(index) / n, Double(index + 1) / n - probability)
        }
        return distance * n.squareRoot()
    }

    private func correlation(_ a: [Float], _ b: [Float]) -> Double {
        var ab = 0.0
        var aa = 0.0
        var bb = 0.0
        for (x, y) in zip(a, b) {
            ab += Double(x) * Double(y)
            aa += Double(x) * Double(x)
            bb += Double(y) * Double(y)
        }
        return ab / (aa * bb).squareRoot()
    }
}
