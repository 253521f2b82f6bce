import Kernels
import TestSupport
import Testing

/// Layer normalisation against its naive twin and against differences.
@Suite struct LayerNormTests {
    static let epsilon: Float = 1e-5
    static let shapes = [1, 3, 8, 16, 17, 20, 64].flatMap { width in
        [1, 2, 7].map { (rows: $0, width: width) }
    }

    /// Relative to the largest element: about thirty roundings of 6e-8 (mean, variance, root, product, sum).
    static let tolerance = 2e-6

    struct Case {
        let x, gamma, beta, dOutput: [Float]
        init(rows: Int, width: Int, seed: UInt64) {
            var generator = TestGenerator(seed: seed)
            // An offset, so that a variance computed as E[x²] − μ² would show.
            x = generator.normals(rows * width).map { 2 * $0 + 3 }
            gamma = generator.normals(width).map { 1 + 0.3 * $0 }
            beta = generator.normals(width)
            dOutput = generator.normals(rows * width)
        }
    }

    @Test func forwardEqualsItsNaiveTwin() {
        for (rows, width) in Self.shapes {
            let given = Case(rows: rows, width: width, seed: 1)
            let input = Guarded(given.x)
            let output = Guarded(count: rows * width)
            let (mean, scale) = (Guarded(count: rows), Guarded(count: rows))
            layerNormForward(
                output: output.view, mean: mean.view, reciprocalDeviation: scale.view,
                input: input.view, weight: Guarded(given.gamma).view,
                bias: Guarded(given.beta).view, rows: rows, width: width, epsilon: Self.epsilon)
            let expected = Naive.layerNorm(
                given.x.doubles, weight: given.gamma.doubles, bias: given.beta.doubles,
                epsilon: Double(Self.epsilon))
            let close = closeness(
                output.view.doubles, expected, relative: Self.tolerance, scale: .largest)
            #expect(close.isWithin, "\(rows) × \(width): \(close)")
            #expect(output.isIntact && mean.isIntact && scale.isIntact)
            #expect(input.view.array == given.x)
        }
    }

    @Test func backwardEqualsItsNaiveTwinAndAddsToWhatIsThere() {
        for (rows, width) in Self.shapes {
            let given = Case(rows: rows, width: width, seed: 2)
            var generator = TestGenerator(seed: 3)
            let before = (
                x: generator.normals(rows * width), gamma: generator.normals(width),
                beta: generator.normals(width)
            )
            let found = backward(given, rows: rows, width: width, before: before)
            let expected = Naive.layerNormBackward(
                dOutput: given.dOutput.doubles, input: given.x.doubles,
                weight: given.gamma.doubles, epsilon: Double(Self.epsilon))
            func expect(_ name: String, _ found: Guarded, _ start: [Float], _ change: [Double]) {
                let wanted = zip(start.doubles, change).map { $0 + $1 }
                let close = closeness(
                    found.view.doubles, wanted, relative: Self.tolerance, scale: .largest)
                #expect(close.isWithin, "\(name), \(rows) × \(width): \(close)")
                #expect(found.isIntact)
            }
            expect("dx", found.dInput, before.x, expected.dInput)
            expect("dγ", found.dWeight, before.gamma, expected.dWeight)
            expect("dβ", found.dBias, before.beta, expected.dBias)
        }
    }

    @Test func gradientsAgreeWithDifferences() {
        for (rows, width) in Self.shapes where width > 3 {
            let given = Case(rows: rows, width: width, seed: 4)
            let (x, gamma, beta) = (
                FloatView(given.x), FloatView(given.gamma), FloatView(given.beta)
            )
            let output = FloatView(zeros: rows * width)
            let statistics = FloatView(zeros: 2 * rows)
            func loss() -> Double {
                layerNormForward(
                    output: output, mean: statistics[0..<rows],
                    reciprocalDeviation: statistics[rows..<2 * rows], input: x, weight: gamma,
                    bias: beta, rows: rows, width: width, epsilon: Self.epsilon)
                return weightedSum(output, given.dOutput)
            }
            let zeros = (
                x: [Float](repeating: 0, count: rows * width),
                gamma: [Float](repeating: 0, count: width),
                beta: [Float](repeating: 0, count: width)
            )
            let found = backward(given, rows: rows, width: width, before: zeros)
            for (name, point, gradient) in [
                ("x", x, found.dInput), ("γ", gamma, found.dWeight), ("β", beta, found.dBias),
            ] {
                let check = checkGradient(at: point, gradient: gradient.view.array, loss: loss)
                #expect(check.isWithin, "\(name), \(rows) × \(width): \(check)")
            }
        }
    }

    private func backward(
        _ given: Case, rows: Int, width: Int, before: (x: [Float], gamma: [Float], beta: [Float])
    ) -> (dInput: Guarded, dWeight: Guarded, dBias: Guarded) {
        let (mean, scale) = (Guarded(count: rows), Guarded(count: rows))
        let input = Guarded(given.x)
        let weight = Guarded(given.gamma)
        layerNormForward(
            output: FloatView(zeros: rows * width), mean: mean.view,
            reciprocalDeviation: scale.view, input: input.view, weight: weight.view,
            bias: FloatView(given.beta), rows: rows, width: width, epsilon: Self.epsilon)
        let found = (
            dInput: Guarded(before.x), dWeight: Guarded(before.gamma), dBias: Guarded(before.beta)
        )
        layerNormBackward(
            dInput: found.dInput.view, dWeight: found.dWeight.view, dBias: found.dBias.view,
            dOutput: Guarded(given.dOutput).view, input: input.view, mean: mean.view,
            reciprocalDeviation: scale.view, weight: weight.view, rows: rows, width: width)
        return found
    }
}
