import Statistics

/// The claim `base`: the pretrained model follows least squares on linear functions.
///
/// Effect: largest |model − least squares| / d over k, of the mean errors. Rule: within 0.1 for k ≠ d, 0.15 at k = d (least
/// squares is exactly 0 there, a model cannot be), below 0.02 for k ≥ 2d; the upper end of each 95 % interval counts. The
/// interval is that of the bootstrap over prompts, the same resamples for the model and for least squares.
public struct BaseClaim: Sendable {
    /// Context lengths that have a bound of their own.
    public enum ContextRange: Sendable, Hashable, CaseIterable {
        /// k ≠ d.
        case apart
        /// k = d.
        case atDims
        /// k ≥ 2d.
        case tail

        /// The range and its bound in words.
        var name: String {
            switch self {
            case .apart: "k != d, at most 0.1"
            case .atDims: "k = d, at most 0.15"
            case .tail: "k >= 2d, below 0.02"
            }
        }

        func contains(_ contextLength: Int, dims: Int) -> Bool {
            switch self {
            case .apart: contextLength != dims
            case .atDims: contextLength == dims
            case .tail: contextLength >= 2 * dims
            }
        }

        /// Whether the upper end of an interval keeps within the bound.
        func allows(_ high: Double) -> Bool {
            switch self {
            case .apart: high <= 0.1
            case .atDims: high <= 0.15
            case .tail: high < 0.02
            }
        }
    }

    /// The largest deviation over some k.
    public struct Part: Sendable, Hashable {
        /// Which k it is about, and its bound; nil of all k, which have none.
        public let range: ContextRange?
        /// The largest deviation over these k.
        public let value: Double
        /// The 95 % interval over prompts; nil when a deviation is not a number.
        public let interval: Interval?

        /// Whether the whole interval lies within the bound.
        var holds: Bool {
            guard let high = interval?.high else { return false }
            return range?.allows(high) ?? true
        }
    }

    /// |model − least squares| / d for every k.
    public let deviations: [Double]
    /// d.
    public let dims: Int
    /// The largest deviation over all k, without a bound of its own.
    public let overall: Part
    /// One for each range, as far as prompts are that long.
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
        func part(_ range: ContextRange?, _ contexts: [Int]) -> Part {
            let values = contexts.map { deviations[$0] }
            let largest = (0..<bootstrap.resamples).map { resample in
                contexts.map { replicates[$0][resample] }.max() ?? 0
            }
            let isFinite = values.allSatisfy(\.isFinite) && largest.allSatisfy(\.isFinite)
            return Part(
                range: range, value: isFinite ? values.max() ?? 0 : .nan,
                interval: isFinite ? Replicates(values: largest, columns: 1).interval(0) : nil)
        }
        self.dims = dims
        self.deviations = deviations
        overall = part(nil, Array(0..<points))
        parts = ContextRange.allCases.compactMap { range in
            let contexts = (0..<points).filter { range.contains($0, dims: dims) }
            return contexts.isEmpty ? nil : part(range, contexts)
        }
    }

    /// The part of a range; nil when no prompt is that long.
    func part(_ range: ContextRange) -> Part? { parts.first { $0.range == range } }

    /// The largest deviation for k ≠ d.
    public var largest: Double { part(.apart)?.value ?? .nan }

    /// The deviation at k = d; nil when no prompt is that long.
    public var atDims: Double? { part(.atDims)?.value }

    /// The largest deviation for k ≥ 2d; nil when no prompt is that long.
    public var tail: Double? { part(.tail)?.value }

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
