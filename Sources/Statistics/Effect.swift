/// The size of an effect with its interval: a paired difference, a contrast or a share.
public struct Effect: Sendable, Hashable {
    /// The mean over seeds and prompts; of a share, the ratio of the two means.
    public let mean: Double
    /// The interval; nil when there is none: one seed without prompts, or a value that is not finite.
    ///
    /// The interval of a share may be unbounded; see ``Interval/isUnbounded``.
    public let interval: Interval?
    /// How the interval was computed; nil without one, and for bases whose methods differ.
    public let method: Estimate.Method?
    /// Seeds of fine-tuning. With 1 the interval says nothing about other seeds; it is that of the
    /// bootstrap over prompts alone. Of several bases, the fewest.
    public let seeds: Int
    /// Prompts per seed; nil when there is one number per seed. Of several bases, the fewest.
    public let prompts: Int?
    /// Base models. With 1 the effect is conditional on that base.
    public let bases: Int

    /// An effect with the given parts.
    public init(
        mean: Double, interval: Interval?, method: Estimate.Method?, seeds: Int, prompts: Int?,
        bases: Int = 1
    ) {
        self.mean = mean
        self.interval = interval
        self.method = method
        self.seeds = seeds
        self.prompts = prompts
        self.bases = bases
    }

    /// Whether there is an interval and the whole of it lies above 0; 0 itself is outside.
    public var isPositive: Bool { interval.map { $0.low > 0 } ?? false }

    /// Whether there is an interval and the whole of it lies below 0; 0 itself is outside.
    public var isNegative: Bool { interval.map { $0.high < 0 } ?? false }

    /// The effect with the other sign.
    public var negated: Effect {
        Effect(
            mean: -mean, interval: interval.map { Interval(low: -$0.high, high: -$0.low) },
            method: method, seeds: seeds, prompts: prompts, bases: bases)
    }

    /// The mean of a − b for conditions with one number per seed, such as ln loss.
    ///
    /// The interval is Student's t on the seeds' differences, with n − 1 degrees of freedom. One seed
    /// has no interval, and neither has a difference that is not finite.
    ///
    /// - Parameters:
    ///   - a: one number per seed.
    ///   - b: the numbers of the same seeds.
    ///   - level: 0.95 for a 95 % interval.
    public static func studentT(
        _ a: [Double], minus b: [Double], level: Double = 0.95
    ) -> Effect {
        precondition(
            a.count == b.count && !a.isEmpty, "\(a.count) and \(b.count) seeds are not pairs")
        let differences = zip(a, b).map { $0 - $1 }
        let estimate =
            differences.count >= 2 && differences.allSatisfy(\.isFinite)
            ? Estimate.studentT(differences, level: level) : nil
        return Effect(
            mean: Summary(differences).mean, interval: estimate?.interval,
            method: estimate?.method, seeds: a.count, prompts: nil)
    }

    /// One effect for several base models: the mean of theirs, with the hull of their intervals.
    ///
    /// low = least low, high = greatest high, so that the interval lies on one side of a bound exactly
    /// when every base's does: a verdict on it says "for every base", not "for the mean base". It is no
    /// interval over bases that were not measured. Without an interval for some base there is none.
    ///
    /// - Parameter effects: one per base, at least one.
    public static func overBases(_ effects: [Effect]) -> Effect {
        precondition(!effects.isEmpty, "an effect over bases needs at least one base")
        let intervals = effects.compactMap(\.interval)
        let prompts = effects.compactMap(\.prompts)
        let methods = Set(effects.map(\.method))
        return Effect(
            mean: Summary(effects.map(\.mean)).mean,
            interval: intervals.count == effects.count ? Interval(hullOf: intervals) : nil,
            method: methods.count == 1 ? effects[0].method : nil,
            seeds: effects.reduce(.max) { min($0, $1.seeds) },
            prompts: prompts.count == effects.count ? prompts.min() : nil,
            bases: effects.reduce(0) { $0 + $1.bases })
    }
}
