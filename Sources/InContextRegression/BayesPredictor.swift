/// The predictor of least mean squared error under one class and one kind of prefix: the posterior mean of
/// g(x_{k+1}), with the posterior variance.
///
/// The mean variance over prompts is the Bayes error, and the mean of (M − posterior mean)² a model's excess risk:
/// the same expectations as plain differences of errors, without the heavy tail of g.
public protocol BayesPredictor: Sendable {
    /// Whether the posterior is computed at k = `contextLength`; elsewhere the entries are not touched.
    func covers(contextLength: Int) -> Bool

    /// The posterior of g at every query of one prompt, given what stands before it.
    ///
    /// It uses `prompt.inputs`, `.labels` and, as far as the prefix shows them, `.base`; at k the query is
    /// `prompt.queries[k]`.
    ///
    /// - Parameters:
    ///   - prompt: a batch of one prompt.
    ///   - means: [n]
    ///   - variances: [n]
    func posterior(
        of prompt: PromptBatch, means: inout MutableSpan<Double>,
        variances: inout MutableSpan<Double>)
}

extension BayesPredictor {
    /// The posterior means and variances of one prompt, [n] each; zeros where they are not computed.
    public func posterior(of prompt: PromptBatch) -> (means: [Double], variances: [Double]) {
        var means = [Double](repeating: 0, count: prompt.points)
        var variances = means
        var meanSpan = means.mutableSpan
        var varianceSpan = variances.mutableSpan
        posterior(of: prompt, means: &meanSpan, variances: &varianceSpan)
        return (means, variances)
    }
}
