/// A closed interval of numbers.
public struct Interval: Sendable, Hashable {
    /// The lower end.
    public let low: Double
    /// The upper end.
    public let high: Double

    /// The interval from `low` to `high`.
    public init(low: Double, high: Double) {
        self.low = low
        self.high = high
    }

    /// high − low
    public var width: Double { high - low }

    /// Whether `value` lies between the ends or on one.
    public func contains(_ value: Double) -> Bool { low <= value && value <= high }

    /// The whole line, −∞ to ∞: the data exclude nothing.
    public static let unbounded = Interval(low: -.infinity, high: .infinity)

    /// Whether an end is infinite, as of the ratio to a mean that may be 0.
    public var isUnbounded: Bool { low == -.infinity || high == .infinity }

    /// The shortest interval that holds all of `intervals`: from the least low to the greatest high.
    ///
    /// - Parameter intervals: at least one.
    public init(hullOf intervals: [Interval]) {
        precondition(!intervals.isEmpty, "no intervals have no hull")
        low = intervals.reduce(.infinity) { min($0, $1.low) }
        high = intervals.reduce(-.infinity) { max($0, $1.high) }
    }
}

/// A mean with its uncertainty.
public struct Estimate: Sendable, Hashable {
    /// What an interval was computed by.
    public enum Method: String, Sendable, Hashable {
        /// Percentiles of crossed resamples.
        case bootstrap
        /// Student's t on the seeds' means.
        case studentT
        /// Fieller's interval for a ratio, with Student's t, on the seeds' means.
        case fieller
    }

    /// The mean over seeds and prompts.
    public let mean: Double
    /// The standard error that belongs to `method`.
    public let standardError: Double
    /// The interval at the level asked for.
    public let interval: Interval
    /// How the interval was computed.
    public let method: Method

    /// An estimate with the given parts.
    public init(mean: Double, standardError: Double, interval: Interval, method: Method) {
        self.mean = mean
        self.standardError = standardError
        self.interval = interval
        self.method = method
    }

    /// The mean of `values` ± t · standard error, t the quantile with n − 1 degrees of freedom.
    ///
    /// - Precondition: two or more values, 0 < level < 1.
    public static func studentT(_ values: [Double], level: Double = 0.95) -> Estimate {
        precondition(values.count >= 2, "a t interval needs two or more values")
        let summary = Summary(values)
        let t = StudentT(degreesOfFreedom: Double(values.count - 1)).quantile((1 + level) / 2)
        let half = t * summary.standardError
        return Estimate(
            mean: summary.mean, standardError: summary.standardError,
            interval: Interval(low: summary.mean - half, high: summary.mean + half),
            method: .studentT)
    }
}
