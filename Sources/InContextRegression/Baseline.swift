/// A predictor that is not trained: it sees the pairs (x_1, y_1) … (x_k, y_k) and predicts y_{k+1}.
///
/// All arithmetic is in double. Source: Garg et al. (2022), appendix A.3, and its public code.
public protocol Baseline: Sendable {
    /// The name in configurations, files and plots.
    var name: String { get }
    /// Whether a prompt takes tens of milliseconds: callers measure it on fewer prompts and show progress.
    var isSlow: Bool { get }
    /// The names of the only function classes it is meant for; nil where it applies to every class.
    var functionClasses: [String]? { get }

    /// Predicts every label of one prompt from the pairs before it.
    ///
    /// - Parameters:
    ///   - inputs: x: [n, d], row-major.
    ///   - labels: y: [n]
    ///   - queries: [n, d]; at k the label of the k-th row is predicted. They are x itself, but for prompts whose
    ///     queries come from another distribution.
    ///   - predictions: [n]; element k uses the first k pairs.
    func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>)
}

extension Baseline {
    /// False.
    public var isSlow: Bool { false }
    /// Nil.
    public var functionClasses: [String]? { nil }

    /// Whether it is meant for `functionClass`.
    public func applies(to functionClass: any FunctionClass) -> Bool {
        functionClasses?.contains(functionClass.name) ?? true
    }

    /// Refuses a function class that it is not meant for.
    ///
    /// - Throws: ``BaselineError``, which names the baselines that apply.
    public func requireApplies(to functionClass: any FunctionClass) throws(BaselineError) {
        if !applies(to: functionClass) {
            throw BaselineError(baseline: self, functionClass: functionClass)
        }
    }

    /// The squared errors on the class labels g of a batch: [b, n].
    public func squaredErrors(on batch: PromptBatch) -> [Float] {
        var errors = [Float](repeating: 0, count: batch.exampleCount * batch.points)
        var predictions = [Double](repeating: 0, count: batch.points)
        for row in 0..<batch.exampleCount {
            let prompt = batch.rows(row..<row + 1)
            prompt.inputs.withSpan { x in
                prompt.labels.withSpan { y in
                    prompt.queries.withSpan { queries in
                        var span = predictions.mutableSpan
                        predict(inputs: x, labels: y, queries: queries, into: &span)
                    }
                }
            }
            for point in 0..<batch.points {
                let difference = predictions[point] - Double(prompt.queryLabels[point])
                errors[row * batch.points + point] = Float(difference * difference)
            }
        }
        return errors
    }
}
