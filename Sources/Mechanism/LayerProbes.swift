import InContextRegression
import Kernels
import Platform
import Transformer

/// What a linear read-out of each layer's residual stream at the query knows about f: ridge regressions from the
/// channels to f(x_query) and to w, fitted on one half of the prompts and scored on the other.
public struct LayerProbes: Sendable {
    /// Class, sizes and prompts.
    public let evaluator: Evaluator
    /// The ridge penalty, in units of the mean square of a channel times the number of prompts.
    public static let penalty = 1e-3

    /// - Parameter evaluator: class, sizes and prompts; the class has a base function.
    public init(_ evaluator: Evaluator) {
        precondition(evaluator.functionClass.hasBase && evaluator.examples >= 4)
        self.evaluator = evaluator
    }

    /// Explained shares of the variance, 1 − residual ÷ total on the held-out half, for each layer and k.
    public struct Scores: Sendable {
        /// Of f(x_query): `[L + 1, n]`.
        public let base: FloatView
        /// Of w, all coordinates together: `[L + 1, n]`.
        public let weights: FloatView
    }

    /// Fits the probes.
    ///
    /// - Parameters:
    ///   - model: a parallel decoder made for training, with room for the layout's prompts.
    ///   - weights: the parameters.
    ///   - layout: what a prompt looks like.
    /// - Returns: nil when a signal asked for a stop.
    public func scores(
        of model: ParallelDecoder, weights: DecoderWeights, layout: PromptLayout
    ) -> Scores? {
        let n = evaluator.points
        let layers = model.decoder.configuration.layerCount + 1
        let scores = Scores(
            base: FloatView(zeros: layers * n), weights: FloatView(zeros: layers * n))
        let setting = EvaluationSetting(layout: layout)
        let prompts = evaluator.prompts(0..<evaluator.examples, setting)
        for form in evaluator.forms(setting) {
            guard let states = states(of: model, weights: weights, prompts, form) else {
                return nil
            }
            for (column, query) in form.queryTokens.enumerated() {
                for layer in 0..<layers {
                    let fit = ridge(states[column * layers + layer], prompts, query.contextLength)
                    scores.base[layer * n + query.contextLength] = Float(fit.base)
                    scores.weights[layer * n + query.contextLength] = Float(fit.weights)
                }
            }
        }
        return scores
    }

    /// The residual stream of every layer at every query of a form: `[queries · layers]` views of `[examples, C]`.
    private func states(
        of model: ParallelDecoder, weights: DecoderWeights, _ prompts: PromptBatch,
        _ form: PromptForm
    ) -> [FloatView]? {
        let width = model.decoder.configuration.embeddingDimension
        let layers = model.decoder.configuration.layerCount + 1
        let tokens = form.queryTokens.map(\.token)
        let states = (0..<tokens.count * layers).map { _ in
            FloatView(zeros: prompts.exampleCount * width)
        }
        model.forward(
            weights: weights,
            batch: BatchShape(examples: prompts.exampleCount, length: form.tokenCount),
            filling: DrawnPrompts(prompts: prompts, form: form), predicting: .all,
            goesOn: { !InterruptFlag.isRaised }
        ) { rows, workspace in
            for (place, row) in rows.enumerated() {
                for (column, token) in tokens.enumerated() {
                    let from = (place * form.tokenCount + token) * width
                    for layer in 0..<layers {
                        states[column * layers + layer][row * width..<(row + 1) * width]
                            .copy(from: workspace.residual(layer)[from..<from + width])
                    }
                }
            }
        }
        return InterruptFlag.isRaised ? nil : states
    }

    /// Held-out scores of one layer at one k.
    private func ridge(
        _ states: FloatView, _ prompts: PromptBatch, _ k: Int
    ) -> (base: Double, weights: Double) {
        let (n, d) = (evaluator.points, evaluator.dims)
        let targets = (0..<prompts.exampleCount).map { row in
            [Double(prompts.base[row * n + k])]
                + (0..<d).map { Double(prompts.tasks[row * prompts.taskSize + $0]) }
        }
        let width = states.count / prompts.exampleCount
        let all = states.array
        let features = (0..<prompts.exampleCount).map { row in
            [1.0] + all[row * width..<(row + 1) * width].map(Double.init)
        }
        let half = prompts.exampleCount / 2
        let fit = RidgeRegression(
            features: Array(features[..<half]), targets: Array(targets[..<half]),
            penalty: Self.penalty)
        let (residuals, totals) = fit.squares(
            features: Array(features[half...]), targets: Array(targets[half...]))
        let residual = residuals.dropFirst().reduce(0, +)
        let total = totals.dropFirst().reduce(0, +)
        return (1 - residuals[0] / totals[0], 1 - residual / total)
    }
}

/// Linear regression with a quadratic penalty, for several targets at once.
struct RidgeRegression {
    /// `[targets][features]`
    let coefficients: [[Double]]

    /// Solves (ΦᵀΦ + λ trace(ΦᵀΦ)/F · I) c = Φᵀy by Cholesky's factorisation.
    ///
    /// - Parameters:
    ///   - features: Φ, a row for each example.
    ///   - targets: y, a row for each example.
    ///   - penalty: λ > 0
    init(features: [[Double]], targets: [[Double]], penalty: Double) {
        let size = features[0].count
        var gram = [[Double]](repeating: [Double](repeating: 0, count: size), count: size)
        var products = [[Double]](
            repeating: [Double](repeating: 0, count: size), count: targets[0].count)
        for (row, target) in zip(features, targets) {
            for i in 0..<size {
                let value = row[i]
                for j in 0...i { gram[i][j] += value * row[j] }
                for index in target.indices { products[index][i] += value * target[index] }
            }
        }
        let trace = (0..<size).reduce(0) { $0 + gram[$1][$1] }
        for i in 0..<size { gram[i][i] += penalty * trace / Double(size) }
        for i in 0..<size {
            for j in 0...i {
                var sum = gram[i][j]
                for inner in 0..<j { sum -= gram[i][inner] * gram[j][inner] }
                gram[i][j] = i == j ? sum.squareRoot() : sum / gram[j][j]
            }
        }
        coefficients = products.map { product in
            var solution = product
            for i in 0..<size {
                for j in 0..<i { solution[i] -= gram[i][j] * solution[j] }
                solution[i] /= gram[i][i]
            }
            for i in (0..<size).reversed() {
                for j in i + 1..<size { solution[i] -= gram[j][i] * solution[j] }
                solution[i] /= gram[i][i]
            }
            return solution
        }
    }

    /// Σ (y − prediction)² and Σ (y − mean)² of every target.
    func squares(
        features: [[Double]], targets: [[Double]]
    ) -> (residuals: [Double], totals: [Double]) {
        var residuals = [Double](repeating: 0, count: coefficients.count)
        var totals = residuals
        for index in coefficients.indices {
            let mean = targets.reduce(0) { $0 + $1[index] } / Double(targets.count)
            for (row, target) in zip(features, targets) {
                let prediction = zip(row, coefficients[index]).reduce(0) { $0 + $1.0 * $1.1 }
                residuals[index] += (target[index] - prediction) * (target[index] - prediction)
                totals[index] += (target[index] - mean) * (target[index] - mean)
            }
        }
        return (residuals, totals)
    }
}
