import InContextRegression
import Kernels
import Platform
import Transformer

/// Cosine between the gradient of a model's prediction by the query and ∇g there.
///
/// Prompts whose true gradient is 0 have no cosine: NaN. Where the model's own gradient is 0 the cosine counts as 0.
/// Source: the "inner product" of Choi et al. (ICLR 2025), with each class's own gradient.
public struct GradientAlignment: Sendable {
    /// Class, sizes and prompts.
    public let evaluator: Evaluator

    /// The context lengths at which `both` is measured: 0, d/2, d, 2d and the last, as far as a prompt reaches.
    public var contexts: [Int] {
        let (d, last) = (evaluator.dims, evaluator.points - 1)
        return Set([0, d / 2, d, 2 * d, last].filter { $0 <= last }).sorted()
    }

    /// - Parameter evaluator: class, sizes and prompts; the class has a gradient.
    public init(_ evaluator: Evaluator) {
        precondition(evaluator.functionClass.hasGradient)
        self.evaluator = evaluator
    }

    /// The shapes of the batches that it takes under a layout.
    func shapes(_ layout: PromptLayout) -> [BatchShape] {
        let forms = contexts.map { layout.form(query: $0, points: evaluator.points) }
        return (forms + evaluator.forms(EvaluationSetting(layout: layout))).map {
            BatchShape(examples: min(evaluator.examples, Evaluator.chunk), length: $0.tokenCount)
        }
    }

    /// The alignment of each prompt at each of ``contexts``, the query moved in every place: `[examples, contexts]`; one
    /// backward pass for each context length.
    ///
    /// - Returns: nil when a signal asked for a stop.
    public func both(
        of model: ParallelDecoder, weights: DecoderWeights, layout: PromptLayout
    ) -> FloatView? {
        let contexts = contexts
        return measure(layout, columns: contexts.count) { prompts, gradients, write in
            for (column, k) in contexts.enumerated() {
                let form = layout.form(query: k, points: evaluator.points)
                let places = form.places(ofQuery: k)
                model.inputGradients(
                    weights: weights,
                    batch: BatchShape(examples: prompts.exampleCount, length: form.tokenCount),
                    position: form.tokenCount - 1,
                    filling: DrawnPrompts(prompts: prompts, form: form),
                    goesOn: { !InterruptFlag.isRaised }
                ) { rows, workspace in
                    for (place, row) in rows.enumerated() {
                        let tokens = places.map { place * form.tokenCount + $0 }
                        write(row, column, cosine(workspace, tokens, gradients, row, k))
                    }
                }
            }
        }
    }

    /// The alignment of each prompt at each k, the query token moved alone: `[examples, n]`; one backward pass for all k
    /// that one sequence predicts.
    ///
    /// - Returns: nil when a signal asked for a stop.
    public func token(
        of model: ParallelDecoder, weights: DecoderWeights, layout: PromptLayout
    ) -> FloatView? {
        measure(layout, columns: evaluator.points) { prompts, gradients, write in
            for form in evaluator.forms(EvaluationSetting(layout: layout)) {
                let queries = form.queryTokens
                model.tokenGradients(
                    weights: weights,
                    batch: BatchShape(examples: prompts.exampleCount, length: form.tokenCount),
                    filling: DrawnPrompts(prompts: prompts, form: form),
                    goesOn: { !InterruptFlag.isRaised }
                ) { rows, workspace in
                    for (place, row) in rows.enumerated() {
                        for (k, token) in queries {
                            let tokens = [place * form.tokenCount + token]
                            write(row, k, cosine(workspace, tokens, gradients, row, k))
                        }
                    }
                }
            }
        }
    }

    /// The alignment of the Bayes predictor without a prefix, by central differences of its posterior mean: `[examples,
    /// n]`, NaN where it has none.
    ///
    /// - Returns: nil where no posterior is known.
    public func ofBayesPredictor() -> FloatView? {
        let layout = PromptLayout.cpt
        let information = layout.information(points: evaluator.points)
        guard
            let predictor = evaluator.functionClass.bayesPredictor(
                dims: evaluator.dims, prefix: information)
        else { return nil }
        // Queries are fp32: a step that their rounding does not blur.
        let step: Float = 1 / 256
        let (d, n) = (evaluator.dims, evaluator.points)
        return measure(layout, columns: n) { prompts, gradients, write in
            for row in 0..<prompts.exampleCount {
                let prompt = prompts.rows(row..<row + 1)
                var slopes = [Float](repeating: 0, count: n * d)
                for coordinate in 0..<d {
                    let up = predictor.posterior(
                        of: prompt.movingQueries(along: coordinate, by: step)
                    ).means
                    let down = predictor.posterior(
                        of: prompt.movingQueries(along: coordinate, by: -step)
                    ).means
                    for k in 0..<n { slopes[k * d + coordinate] = Float(up[k] - down[k]) }
                }
                for k in 0..<n {
                    let truth = gradients[(row * n + k) * d..<(row * n + k + 1) * d].array
                    let isCovered = predictor.covers(contextLength: k)
                    write(
                        row, k,
                        isCovered ? cosine(Array(slopes[k * d..<(k + 1) * d]), truth) : .nan)
                }
            }
        }
    }

    /// Draws the prompts and their gradients, lets `body` measure, and gathers what it writes.
    private func measure(
        _ layout: PromptLayout, columns: Int,
        _ body: (
            _ prompts: PromptBatch, _ gradients: FloatView,
            _ write: @escaping @Sendable (_ row: Int, _ column: Int, _ value: Float) -> Void
        ) -> Void
    ) -> FloatView? {
        let found = FloatView(zeros: evaluator.examples * columns)
        let setting = EvaluationSetting(layout: layout)
        for range in evaluator.ranges(setting) {
            let prompts = evaluator.prompts(range, setting)
            let gradients = FloatView(zeros: range.count * evaluator.points * evaluator.dims)
            prompts.gradients(evaluator.functionClass, into: gradients)
            body(prompts, gradients) { row, column, value in
                found[(range.lowerBound + row) * columns + column] = value
            }
            if InterruptFlag.isRaised { return nil }
        }
        return found
    }

    /// The cosine between the sum of the gradients at `tokens` and ∇g at the query after k examples of prompt `row`.
    private func cosine(
        _ workspace: DecoderWorkspace, _ tokens: [Int], _ gradients: FloatView, _ row: Int, _ k: Int
    ) -> Float {
        let d = evaluator.dims
        var slope = [Float](repeating: 0, count: d)
        for token in tokens {
            for coordinate in 0..<d {
                slope[coordinate] += workspace.dInputs[token * d + coordinate]
            }
        }
        let first = (row * evaluator.points + k) * d
        return cosine(slope, gradients[first..<first + d].array)
    }

    private func cosine(_ slope: [Float], _ truth: [Float]) -> Float {
        var (dot, a, b) = (0.0, 0.0, 0.0)
        for (x, y) in zip(slope, truth) {
            dot += Double(x) * Double(y)
            a += Double(x) * Double(x)
            b += Double(y) * Double(y)
        }
        if b == 0 { return .nan }
        return a == 0 ? 0 : Float(dot / (a * b).squareRoot())
    }
}
