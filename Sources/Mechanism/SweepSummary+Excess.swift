import InContextRegression
import Kernels
import Statistics

/// Excess risk against context length: how far a model stays behind the best predictor.
public struct ExcessCurve: Sendable {
    /// The curve, NaN at a k whose Bayes error is not known.
    public let curve: Curve
    /// Whether the value at k is the mean of (M − E[g | prompt])²; elsewhere it is error − Bayes error.
    public let isMeasured: [Bool]
}

extension SweepSummary {
    /// The excess risk of a group under an evaluation layout.
    ///
    /// At a k whose posterior was computed it is the mean of (M − E[g | prompt])², otherwise the mean error less the
    /// Bayes error: the same expectation with more noise, which may fall below 0.
    ///
    /// - Parameters:
    ///   - group: runs that differ in their seed alone.
    ///   - layout: the evaluation layout.
    /// - Returns: nil when it was not measured, or the Bayes error is known at no k.
    public func excessCurve(_ group: RunGroup, layout: PromptLayout) -> ExcessCurve? {
        guard let errors = errorCurve(group, layout: layout) else { return nil }
        let configuration = group.runs[0].plan.configuration
        let bayes = results.bayesCurve(configuration, EvaluationSetting(layout: layout))?.values
        let excess = group.runs.compactMap { $0.cell(layout)?.excess?.array }
        let measured =
            excess.count == group.runs.count
            ? knownEstimates(excess, prompts: results.plan.evaluation.examples)
            : Array(repeating: nil, count: errors.x.count)
        let values = errors.x.indices.map { k -> (mean: Double, low: Double, high: Double) in
            if let estimate = measured[k] {
                return (estimate.mean, estimate.interval.low, estimate.interval.high)
            }
            guard let least = bayes?[k] else { return (.nan, .nan, .nan) }
            return (errors.mean[k] - least, errors.low[k] - least, errors.high[k] - least)
        }
        if values.allSatisfy(\.mean.isNaN) { return nil }
        return ExcessCurve(
            curve: Curve(
                x: errors.x, mean: values.map(\.mean), low: values.map(\.low),
                high: values.map(\.high)),
            isMeasured: measured.map { $0 != nil })
    }

    /// The excess risk averaged over k, with its interval: the area under the curve ÷ n.
    ///
    /// Where the posterior is computed at every k it is the mean of (M − E[g | prompt])², otherwise the mean error less
    /// the mean Bayes error.
    ///
    /// - Returns: nil when it was not measured, or a Bayes error is not known.
    public func meanExcess(_ group: RunGroup, layout: PromptLayout) -> Estimate? {
        let configuration = group.runs[0].plan.configuration
        let points = configuration.training.points
        let excess = group.runs.compactMap { $0.cell(layout)?.excess?.array }
        if excess.count == group.runs.count, excess.allSatisfy({ $0.allSatisfy(\.isFinite) }) {
            let means = excess.map { rowMeans($0, columns: points) }
            return bootstrap().estimates(means, columns: 1)[0]
        }
        let bayes = results.bayesCurve(configuration, EvaluationSetting(layout: layout))?.values
        let known = bayes?.compactMap { $0 } ?? []
        guard known.count == points, let error = meanError(group, layout: layout) else {
            return nil
        }
        let least = known.reduce(0, +) / Double(points)
        return Estimate(
            mean: error.mean - least, standardError: error.standardError,
            interval: Interval(low: error.interval.low - least, high: error.interval.high - least),
            method: error.method)
    }

    /// The estimates of every column that is known at all prompts; nil of the others.
    ///
    /// - Parameters:
    ///   - samples: one array per seed, `[prompts, columns]`; an unknown column is NaN at every prompt.
    ///   - prompts: prompts per seed.
    func knownEstimates(_ samples: [[Float]], prompts: Int) -> [Estimate?] {
        let columns = samples[0].count / prompts
        let isKnown = (0..<columns).map { column in
            samples.allSatisfy { sample in
                stride(from: column, to: sample.count, by: columns).allSatisfy {
                    sample[$0].isFinite
                }
            }
        }
        // Resampled together, with something finite in the place of what is not known.
        let filled = samples.map { $0.map { $0.isFinite ? $0 : 0 } }
        let estimates = bootstraps.of(prompts: prompts).estimates(filled, columns: columns)
        return zip(estimates, isKnown).map { $1 ? $0 : nil }
    }
}
