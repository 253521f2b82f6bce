/// The claim `base`: the pretrained model follows least squares on linear functions.
///
/// Effect: largest |model − least squares| / d over k. Rule: within 0.1 for k ≠ d, 0.15 at k = d (least squares is
/// exactly 0 there, a model cannot be), below 0.02 for k ≥ 2d.
public struct BaseClaim: Sendable {
    /// |model − least squares| / d for every k.
    public let deviations: [Double]
    /// d.
    public let dims: Int

    /// - Parameters:
    ///   - base: the measured base.
    ///   - summary: the statistics of the sweep it belongs to.
    public init(_ base: MeasuredBase, summary: SweepSummary) {
        let curves = summary.errorCurves(base)
        let dims = base.plan.configuration.model.inputDimension
        self.dims = dims
        deviations = zip(curves.model.mean, curves.leastSquares.mean).map {
            abs($0 - $1) / Double(dims)
        }
    }

    /// The largest deviation for k ≠ d.
    public var largest: Double {
        deviations.enumerated().filter { $0.offset != dims }.map(\.element).max() ?? 0
    }

    /// The deviation at k = d; nil when no prompt is that long.
    public var atDims: Double? { deviations.indices.contains(dims) ? deviations[dims] : nil }

    /// The largest deviation for k ≥ 2d; nil when no prompt is that long.
    public var tail: Double? { deviations.dropFirst(2 * dims).max() }

    /// Whether every part of the rule holds.
    public var holds: Bool {
        deviations.allSatisfy(\.isFinite) && largest <= 0.1 && (atDims ?? 0) <= 0.15
            && (tail ?? 0) < 0.02
    }

    /// The figures in one sentence.
    public var sentence: String {
        func text(_ value: Double?) -> String {
            guard let value else { return "–" }
            return String((value * 10_000).rounded() / 10_000)
        }
        return
            "\(holds ? "follows" : "does not follow") least squares: |model − LS| / d at most \(text(largest)) "
            + "for k ≠ d, \(text(atDims)) at k = d, \(text(tail)) for k ≥ 2d "
            + "(allowed 0.1, 0.15, 0.02)"
    }
}
