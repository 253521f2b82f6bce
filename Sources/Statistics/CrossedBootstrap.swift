import Randomness

/// The bootstrap for values of seeds × prompts, where every seed is measured on the same prompts.
///
/// Prompts are crossed with seeds, so a resample draws seeds with replacement and, independently, one
/// set of prompts with replacement that serves all drawn seeds (Owen, "The pigeonhole bootstrap", 2007).
/// The draws are made once, as counts, and shared by every column, model and condition: replicates of
/// two conditions are paired, so a difference or a ratio of replicates is a replicate of it.
///
/// Resample r draws its prompts as ``CounterGenerator/integer(below:)`` of the key (seed, bootstrap,
/// step 0, example r), and its seeds of the key with step 1.
public struct CrossedBootstrap: Sendable {
    /// Prompts per seed.
    public let prompts: Int
    /// Number of resamples.
    public let resamples: Int
    /// The Philox key of the draws.
    public let seed: UInt64
    /// With fewer seeds than this, Student's t on the seeds' means is computed too: a percentile
    /// bootstrap over three seeds covers 76 %, not 95.
    public static let seedsForPercentiles = 10

    /// How often a prompt occurs in a resample, eight resamples together:
    /// [⌈resamples / 8⌉, prompts, 8].
    private let counts: [UInt8]

    /// Draws the prompts of all resamples; costs one byte per prompt and resample.
    ///
    /// - Parameters:
    ///   - prompts: prompts per seed, 1 or more.
    ///   - resamples: 2 or more.
    ///   - seed: the Philox key of the draws.
    public init(prompts: Int, resamples: Int = 1000, seed: UInt64 = 0) {
        precondition(
            prompts >= 1 && resamples >= 2,
            "\(resamples) resamples of \(prompts) prompts are not a bootstrap")
        self.prompts = prompts
        self.resamples = resamples
        self.seed = seed
        let blocks = (resamples + 7) / 8
        var counts = [UInt8](repeating: 0, count: blocks * prompts * 8)
        for resample in 0..<resamples {
            var generator = CounterGenerator(
                RandomKey(seed: seed, stream: .bootstrap, step: 0, example: resample))
            let start = resample / 8 * prompts * 8 + resample % 8
            for _ in 0..<prompts {
                counts[start + 8 * generator.integer(below: prompts)] += 1
            }
        }
        self.counts = counts
    }

    /// The mean of every column in every resample.
    ///
    /// - Parameters:
    ///   - samples: one array per seed: [prompts, columns], row-major.
    ///   - columns: values per prompt, such as one for each context length.
    public func replicates(_ samples: [[Float]], columns: Int) -> Replicates {
        precondition(
            !samples.isEmpty && columns >= 1
                && samples.allSatisfy { $0.count == prompts * columns },
            "samples of \(samples.map(\.count)) values are not \(prompts) prompts of \(columns)")
        var values = [Double](repeating: 0, count: resamples * columns)
        let weights = seedWeights(samples.count)
        for (index, sample) in samples.enumerated() {
            for block in 0..<(resamples + 7) / 8 {
                let sums = weightedSums(sample, columns: columns, block: block)
                for resample in block * 8..<min(block * 8 + 8, resamples) {
                    let weight = weights[resample * samples.count + index] / Double(prompts)
                    for column in 0..<columns {
                        values[resample * columns + column] += weight * sums[column][resample % 8]
                    }
                }
            }
        }
        return Replicates(values: values, columns: columns)
    }

    /// Mean, standard error and interval of every column.
    ///
    /// One seed: the bootstrap over its prompts. Two to nine seeds: the wider of the crossed bootstrap's
    /// percentile interval and Student's t interval on the seeds' means. Ten or more: the former.
    ///
    /// - Parameters:
    ///   - samples: one array per seed: [prompts, columns], row-major.
    ///   - columns: values per prompt.
    ///   - level: 0.95 for the 2.5 and 97.5 percentiles, 0.9 for the 5 and 95 percentiles.
    public func estimates(
        _ samples: [[Float]], columns: Int, level: Double = 0.95
    ) -> [Estimate] {
        let replicates = replicates(samples, columns: columns)
        let seedMeans = samples.map { columnMeans($0, columns: columns) }
        return (0..<columns).map { column in
            let means = seedMeans.map { $0[column] }
            let bootstrap = Estimate(
                mean: Summary(means).mean,
                standardError: replicates.standardError(column),
                interval: replicates.interval(column, level: level), method: .bootstrap)
            guard means.count >= 2 && means.count < Self.seedsForPercentiles else {
                return bootstrap
            }
            let seeds = Estimate.studentT(means, level: level)
            return seeds.interval.width > bootstrap.interval.width ? seeds : bootstrap
        }
    }

    /// The share of each seed in each resample: [resamples, seeds], rows summing to 1.
    private func seedWeights(_ seeds: Int) -> [Double] {
        var weights = [Double](repeating: 0, count: resamples * seeds)
        for resample in 0..<resamples {
            var generator = CounterGenerator(
                RandomKey(seed: seed, stream: .bootstrap, step: 1, example: resample))
            for _ in 0..<seeds {
                weights[resample * seeds + generator.integer(below: seeds)] += 1 / Double(seeds)
            }
        }
        return weights
    }

    /// Σ over prompts of count · value in the eight resamples of `block`: [columns].
    ///
    /// Eight resamples at a time read the sample once for all of them.
    private func weightedSums(
        _ sample: [Float], columns: Int, block: Int
    ) -> [SIMD8<Double>] {
        var sums = [SIMD8<Double>](repeating: SIMD8(), count: columns)
        let blockCounts = counts.span.extracting(block * prompts * 8..<(block + 1) * prompts * 8)
        let values = sample.span
        var totals = sums.mutableSpan
        for prompt in 0..<prompts {
            var weight = SIMD8<Double>()
            for lane in 0..<8 { weight[lane] = Double(blockCounts[prompt * 8 + lane]) }
            for column in 0..<columns {
                totals[column] += weight * Double(values[prompt * columns + column])
            }
        }
        return sums
    }

    /// The mean of every column of one seed's sample.
    private func columnMeans(_ sample: [Float], columns: Int) -> [Double] {
        var sums = [Double](repeating: 0, count: columns)
        for prompt in 0..<prompts {
            for column in 0..<columns { sums[column] += Double(sample[prompt * columns + column]) }
        }
        return sums.map { $0 / Double(prompts) }
    }
}

/// Bootstrap replicates of the means of several columns.
public struct Replicates: Sendable {
    /// [resamples, columns], row-major.
    public let values: [Double]
    /// Number of columns.
    public let columns: Int

    /// Replicates from plain values, such as the ratio of two conditions' replicates.
    ///
    /// - Parameters:
    ///   - values: [resamples, columns], row-major.
    ///   - columns: 1 or more.
    public init(values: [Double], columns: Int) {
        precondition(
            columns >= 1 && values.count.isMultiple(of: columns) && values.count > columns,
            "\(values.count) values are not two or more replicates of \(columns) columns")
        self.values = values
        self.columns = columns
    }

    /// The replicates of one column.
    public func column(_ column: Int) -> [Double] {
        stride(from: column, to: values.count, by: columns).map { values[$0] }
    }

    /// The standard deviation of a column's replicates.
    public func standardError(_ column: Int) -> Double {
        Summary(self.column(column)).standardDeviation
    }

    /// The percentile interval of a column: (1 − level) / 2 of the replicates lie beyond each end.
    public func interval(_ column: Int, level: Double = 0.95) -> Interval {
        precondition(level > 0 && level < 1, "a level of \(level) has no interval")
        let sorted = self.column(column).sorted()
        return Interval(
            low: quantile(sorted: sorted, (1 - level) / 2),
            high: quantile(sorted: sorted, (1 + level) / 2))
    }
}
