import Foundation
import InContextRegression
import Kernels
import Testing

/// The untrained predictors: their definitions, and the figures that Garg et al. published.
@Suite struct BaselineTests {
    private struct Published: Decodable {
        struct Curve: Decodable {
            let mean: [Double]
            let bootstrap_low: [Double]
            let bootstrap_high: [Double]
        }
        let baselines: [String: Curve]
    }

    /// 12,800 prompts at 20 dimensions and 41 points against the published means of 1,280: inside the
    /// published 5–95 % band widened by its own width on either side, or, where the band is narrower
    /// than 0.02 (rounding noise), below 0.02.
    @Test func publishedFiguresOfLinearRegression() throws {
        let fixture = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../Fixtures/garg2022-standard.json")
        let published = try JSONDecoder().decode(Published.self, from: Data(contentsOf: fixture))
        #expect(Set(published.baselines.keys) == ["least_squares", "knn3", "averaging"])
        let prompts = 12_800
        let points = 41
        let batch = PromptBatch(
            examples: prompts, points: points, dims: 20, functionClass: LinearFunction())
        batch.sample(LinearFunction(), seed: 0, phase: .evaluation, firstExample: 0)
        for (name, curve) in published.baselines {
            let errors = try Baselines.named(name).squaredErrors(on: batch)
            #expect(curve.mean.count == points)
            for k in 0..<points {
                var mean = 0.0
                for row in 0..<prompts { mean += Double(errors[row * points + k]) }
                mean /= Double(prompts)
                let low = curve.bootstrap_low[k]
                let high = curve.bootstrap_high[k]
                if high - low < 0.02 {
                    #expect(abs(mean) < 0.02, "\(name) at k = \(k)")
                } else {
                    #expect(
                        mean > low - (high - low) && mean < high + (high - low),
                        "\(name) at k = \(k): \(mean), published \(low) to \(high)")
                }
            }
        }
    }

    /// On linear functions least squares is Bayes-optimal: its error is (d − k)₊.
    @Test func leastSquaresReachesTheBayesError() throws {
        let linear = LinearFunction()
        let batch = PromptBatch(examples: 20_000, points: 9, dims: 5, functionClass: linear)
        batch.sample(linear, seed: 8, phase: .evaluation, firstExample: 0)
        let errors = LeastSquares().squaredErrors(on: batch)
        for k in 0..<9 {
            let column = (0..<20_000).map { errors[$0 * 9 + k] }
            let (mean, error) = meanAndStandardError(column)
            let bayes = try #require(
                linear.bayesError(contextLength: k, dims: 5, knowledge: .nothing))
            // From k = d on what is left is the labels' rounding to Float, magnified near k = d.
            #expect(abs(mean - bayes) < 4 * error + 1e-4, "k = \(k): \(mean)")
        }
    }

    /// Inconsistent labels, where the solution is not an interpolation, against the normal equations.
    @Test func leastSquaresSolvesTheNormalEquations() {
        let dims = 3
        let points = 12
        let prompt = samplePrompt(PolynomialFunction(), points: points, dims: dims, seed: 12)
        let predictions = predict(LeastSquares(), prompt)
        let x = prompt.inputs.array.map(Double.init)
        let y = prompt.labels.array.map(Double.init)
        for k in dims + 1..<points {
            var matrix = [Double](repeating: 0, count: 9)
            var right = [0.0, 0, 0]
            for point in 0..<k {
                for a in 0..<3 {
                    right[a] += x[point * 3 + a] * y[point]
                    for b in 0..<3 { matrix[a * 3 + b] += x[point * 3 + a] * x[point * 3 + b] }
                }
            }
            let w = cramer(matrix, right)
            let expected = (0..<3).reduce(0.0) { $0 + w[$1] * x[k * 3 + $1] }
            #expect(abs(predictions[k] - expected) < 1e-6 * max(1, abs(expected)), "k = \(k)")
        }
    }

    /// Below k = d the solution interpolates and has no part outside the inputs seen.
    @Test func leastSquaresHasMinimumNorm() {
        let x: [Float] = [3, 4, 0, 0, 0, 2, 3, 4, 7, 6, 8, 0]
        let y: [Float] = [10, 5, 30, 0]
        var predictions = [Double](repeating: .nan, count: 4)
        var span = predictions.mutableSpan
        LeastSquares().predict(inputs: x.span, labels: y.span, queries: x.span, into: &span)
        // The second input is orthogonal to the first. The third is (3, 4, 0) plus 3.5 times the second:
        // 10 + 3.5 · 5. It repeats the span with another label, 30: the fit spreads the misfit.
        #expect(abs(predictions[0]) < 1e-12 && abs(predictions[1]) < 1e-12)
        #expect(abs(predictions[2] - 27.5) < 1e-9)
        // Unknowns a (first direction), b (second): least squares of a = 10, b = 5, a + 3.5 b = 30.
        let a = 10 + 2.5 / 14.25
        #expect(abs(predictions[3] - 2 * a) < 1e-9)
    }

    /// A repeated input and inputs in a subspace leave no division by zero.
    @Test func leastSquaresStandsDependentInputs() {
        let linear = LinearFunction()
        let batch = PromptBatch(examples: 1, points: 12, dims: 6, functionClass: linear)
        batch.sample(linear, seed: 2, phase: .evaluation, firstExample: 0, activeDims: 3)
        for coordinate in 0..<6 { batch.inputs[6 + coordinate] = batch.inputs[coordinate] }
        batch.labels[1] = batch.labels[0]
        let predictions = predict(LeastSquares(), batch)
        #expect(abs(predictions[1] - Double(batch.labels[1])) < 1e-5)
        for k in 4..<12 {
            #expect(abs(predictions[k] - Double(batch.labels[k])) < 1e-4, "k = \(k)")
        }
        let zeros = [Float](repeating: 0, count: 6)
        var out = [Double](repeating: .nan, count: 3)
        var span = out.mutableSpan
        LeastSquares().predict(
            inputs: zeros.span, labels: zeros.span.extracting(0..<3), queries: zeros.span,
            into: &span)
        #expect(out == [0, 0, 0])
    }

    @Test func averagingAndNeighboursByHand() {
        let x: [Float] = [0, 1, 10, 2, 1.4]
        let y: [Float] = [1, 2, 30, 4, 0]
        #expect(predictions(NearestNeighbors(count: 3), x: x, y: y) == [0, 1, 1.5, 11, 7.0 / 3])
        #expect(predictions(NearestNeighbors(count: 1), x: x, y: y) == [0, 1, 2, 2, 2])
        let averaged = predictions(Averaging(), x: x, y: y)
        let expected = [0, 0, 10, 302.0 / 3 * 2, 310.0 / 4 * 1.4]
        for (value, reference) in zip(averaged, expected) { #expect(abs(value - reference) < 1e-5) }
        #expect(predictions(ZeroPredictor(), x: x, y: y) == [0, 0, 0, 0, 0])
    }

    private func predict(_ baseline: any Baseline, _ prompt: PromptBatch) -> [Double] {
        predictions(baseline, x: prompt.inputs.array, y: prompt.labels.array)
    }

    /// Solves a 3 × 3 system by Cramer's rule.
    private func cramer(_ m: [Double], _ right: [Double]) -> [Double] {
        func determinant(_ m: [Double]) -> Double {
            m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6])
                + m[2] * (m[3] * m[7] - m[4] * m[6])
        }
        return (0..<3).map { column in
            var replaced = m
            for row in 0..<3 { replaced[row * 3 + column] = right[row] }
            return determinant(replaced) / determinant(m)
        }
    }
}
