import Statistics

/// The claim `base`: the pretrained model follows least squares on linear functions.
///
/// Effect: largest |model − least squares| / d over k, of the mean errors. Rule: within 0.1 for k ≠ d, 0.15 at k = d (least
/// squares is exactly 0 there, a model cannot be), below 0.02 for k ≥ 2d; the upper end of each 95 % interval counts. The
/// interval is that of the bootstrap over prompts, the same resamples for the model and for least squares.
public struct BaseClaim: Sendable {
    /// One part of the rule.
    public struct Part: Sendable, Hashable {
        /// Which k it is about, and its bound.
        public let name: String
        /// The largest deviation over these k.
        public let value: Double
        /// The 95 % interval over prompts; nil when a deviation is not a number.
        public let interval: Interval?
        /// What `interval` must stay within.
        let bound: Double
        let isStrict: Bool

        /// Whether the whole interval lies within the bound.
        var holds: Bool {
            guard let high = interval?.high else { return false }
            return isStrict ? high < bound : high <= bound
        }
    }

    /// |model − least squares| / d for every k.
    public let deviations: [Double]
    /// d.
    public let dims: Int
    /// The largest deviation over all k, without a bound of its own.
    public let overall: Part
    /// k ≠ d; k = d and k ≥ 2d as far as prompts are that long.
    public let parts: [Part]

    /// - Parameters:
    ///   - base: the measured base.
    ///   - summary: the statistics of the sweep it belongs to.
    public init(_ base: MeasuredBase, summary: SweepSummary) {
        let dims = base.plan.configuration.model.inputDimension
        let points = base.points
        let bootstrap = summary.bootstrap()
        let model = bootstrap.replicates([base.errors.array], columns: points)
        let leastSquares = bootstrap.replicates([base.leastSquares.array], columns: points)
        let curves = summary.errorCurves(base)
        let deviations = zip(curves.model.mean, curves.leastSquares.mean).map {
            abs($0 - $1) / Double(dims)
        }
        let replicates = (0..<points).map { k in
            zip(model.column(k), leastSquares.column(k)).map { abs($0 - $1) / Double(dims) }
        }
        func part(_ name: String, _ contexts: [Int], _ bound: Double, strict: Bool = false) -> Part?
        {
            if contexts.isEmpty { return nil }
            let values = contexts.map { deviations[$0] }
            let largest = (0..<bootstrap.resamples).map { resample in
                contexts.map { replicates[$0][resample] }.max() ?? 0
            }
            let isFinite = values.allSatisfy(\.isFinite) && largest.allSatisfy(\.isFinite)
            return Part(
                name: name, value: isFinite ? values.max() ?? 0 : .nan,
                interval: isFinite ? Replicates(values: largest, columns: 1).interval(0) : nil,
                bound: bound, isStrict: strict)
        }
        self.dims = dims
        self.deviations = deviations
        overall =
            part("all k", Array(0..<points), .infinity)
            ?? Part(name: "all k", value: .nan, interval: nil, bound: .infinity, isStrict: false)
        parts = [
            part("k != d, at most 0.1", (0..<points).filter { $0 != dims }, 0.1),
            part("k = d, at most 0.15", (0..<points).filter { $0 == dims }, 0.15),
            part("k >= 2d, below 0.02", (0..<points).filter { $0 >= 2 * dims }, 0.02, strict: true),
        ].compactMap { $0 }
    }

    /// The largest deviation for k ≠ d.
    public var largest: Double { deviation("k != d") ?? .nan }

    /// The deviation at k = d; nil when no prompt is that long.
    public var atDims: Double? { deviation("k = d") }

    /// The largest deviation for k ≥ 2d; nil when no prompt is that long.
    public var tail: Double? { deviation("k >= 2d") }

    private func deviation(_ name: String) -> Double? {
        parts.first { $0.name.hasPrefix(name) }?.value
    }

    /// Whether every part of the rule holds.
    public var holds: Bool { parts.allSatisfy(\.holds) }

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
