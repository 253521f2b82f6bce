import InContextRegression
import Testing

/// Ridge and lasso against the conditions that define them.
@Suite struct PenalizedRegressionTests {
    /// The gradient of ‖y − Xw‖² + λ‖w‖² is 0, below k = d and above, whatever λ is.
    @Test(arguments: [1e-3, 1, 1e3])
    func ridgeSolvesItsEquations(_ penalty: Double) {
        let prompt = samplePrompt(PolynomialFunction(), points: 12, dims: 5, seed: 3)
        let (x, y) = (prompt.inputs.array, prompt.labels.array)
        let weights = weights(Ridge(penalty: penalty), x: x, y: y)
        for k in 0..<12 {
            let w = weights.map { $0[k] }
            let correlations = correlations(x, y, w, k)
            for coordinate in 0..<5 {
                let scale = y.prefix(k).reduce(1.0) { $0 + abs(Double($1)) }
                #expect(
                    abs(correlations[coordinate] - penalty * w[coordinate]) < 1e-11 * scale,
                    "k = \(k), coordinate \(coordinate)")
            }
        }
    }

    /// A vanishing penalty leaves the solution of minimum norm, a large one leaves Xᵀy / λ.
    @Test func ridgeBetweenItsLimits() {
        let prompt = samplePrompt(LinearFunction(), points: 12, dims: 6, seed: 4)
        let (x, y) = (prompt.inputs.array, prompt.labels.array)
        let least = predictions(LeastSquares(), x: x, y: y)
        for penalty in [1e-300, 1e-14] {
            let ridge = predictions(Ridge(penalty: penalty), x: x, y: y)
            for k in 0..<12 { #expect(abs(ridge[k] - least[k]) < 1e-8, "k = \(k)") }
        }
        let shrunk = predictions(Ridge(penalty: 1e6), x: x, y: y)
        let averaged = predictions(Averaging(), x: x, y: y)
        for k in 0..<12 {
            let expected = averaged[k] * Double(k) / 1e6
            #expect(abs(shrunk[k] - expected) < 1e-4 * abs(expected) + 1e-12, "k = \(k)")
        }
    }

    /// The optimality conditions: c = Xᵀ(y − Xw) is kα sign(w) where w is not 0 and within ±kα elsewhere.
    @Test(arguments: [0.01, 0.1, 1])
    func lassoMeetsItsConditions(_ penalty: Double) {
        let dims = 6
        for seed in UInt64(0)..<4 {
            let prompt = samplePrompt(LinearFunction(), points: 15, dims: dims, seed: seed)
            let (x, y) = (prompt.inputs.array, prompt.labels.array)
            let weights = weights(Lasso(penalty: penalty), x: x, y: y)
            for k in 1..<15 {
                let w = weights.map { $0[k] }
                let threshold = Double(k) * penalty
                // The gap is at most 1e-8 yᵀy, so c is off by at most √(2 · gap · largest curvature).
                let squares = y.prefix(k).reduce(0.0) { $0 + Double($1) * Double($1) }
                let curvature = x.prefix(k * dims).reduce(0.0) { $0 + Double($1) * Double($1) }
                let slack = (2e-8 * squares * curvature).squareRoot()
                for (weight, correlation) in zip(w, correlations(x, y, w, k)) {
                    #expect(abs(correlation) <= threshold + slack, "k = \(k)")
                    if abs(weight) > 0.05 {
                        let side = weight > 0 ? threshold : -threshold
                        #expect(abs(correlation - side) < slack, "k = \(k)")
                    }
                }
            }
        }
    }

    /// The objective is not above what 20,000 steps of proximal gradient descent (ISTA) from 0 reach.
    @Test func lassoIsNotAboveProximalDescent() {
        let dims = 5
        let penalty = 0.1
        let prompt = samplePrompt(LinearFunction(), points: 9, dims: dims, seed: 6)
        let (x, y) = (prompt.inputs.array, prompt.labels.array)
        let weights = weights(Lasso(penalty: penalty), x: x, y: y)
        for k in [1, 3, 5, 8] {
            let threshold = Double(k) * penalty
            let step = 1 / x.prefix(k * dims).reduce(0.0) { $0 + Double($1) * Double($1) }
            var w = [Double](repeating: 0, count: dims)
            for _ in 0..<20_000 {
                let c = correlations(x, y, w, k)
                for index in 0..<dims {
                    let moved = w[index] + step * c[index]
                    let size = max(abs(moved) - step * threshold, 0)
                    w[index] = moved < 0 ? -size : size
                }
            }
            let found = objective(x, y, weights.map { $0[k] }, k, threshold)
            let expected = objective(x, y, w, k, threshold)
            let squares = y.prefix(k).reduce(0.0) { $0 + Double($1) * Double($1) }
            #expect(found <= expected + 1e-8 * squares, "k = \(k)")
            #expect(found >= expected - 1e-6 * squares, "k = \(k)")
        }
    }

    /// One coordinate by hand: w = max(xy − kα, 0) / x² with the sign of xy.
    @Test func lassoInOneDimension() {
        let found = predictions(Lasso(penalty: 0.5), x: [2, -1, 1, 1], y: [3, 1, -8, 0])
        // k = 1: (6 − 0.5) / 4 at −1; k = 2: (6 − 1 − 1) / 5 at 1; k = 3: |6 − 1 − 8| − 1.5, negative, over 6.
        let expected = [0, -5.5 / 4, 4.0 / 5, -1.5 / 6]
        for (value, reference) in zip(found, expected) { #expect(abs(value - reference) < 1e-3) }
        let zeros = predictions(Lasso(), x: [0, 0, 0], y: [0, 0, 0])
        #expect(zeros == [0, 0, 0])
    }

    /// Xᵀ(y − Xw) of the first k pairs.
    private func correlations(_ x: [Float], _ y: [Float], _ w: [Double], _ k: Int) -> [Double] {
        var sums = [Double](repeating: 0, count: w.count)
        for point in 0..<k {
            let row = x[point * w.count..<(point + 1) * w.count].map(Double.init)
            let residual = Double(y[point]) - zip(row, w).reduce(0.0) { $0 + $1.0 * $1.1 }
            for index in w.indices { sums[index] += residual * row[index] }
        }
        return sums
    }

    /// ½‖y − Xw‖² + t‖w‖₁ of the first k pairs.
    private func objective(
        _ x: [Float], _ y: [Float], _ w: [Double], _ k: Int, _ threshold: Double
    ) -> Double {
        var sum = threshold * w.reduce(0) { $0 + abs($1) }
        for point in 0..<k {
            var residual = Double(y[point])
            for index in w.indices { residual -= Double(x[point * w.count + index]) * w[index] }
            sum += residual * residual / 2
        }
        return sum
    }
}
