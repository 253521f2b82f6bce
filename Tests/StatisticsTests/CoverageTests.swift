import Statistics
import Testing

/// How often nominal 95 % intervals hold the truth in 400 made-up experiments, seeds crossed with
/// prompts. Two standard errors of a coverage of 95 % are 2.2 %.
@Suite struct CoverageTests {
    /// Prompt effects with the heavy tail that polynomial errors have.
    @Test(arguments: [3, 5, 10])
    func ofAnEffectWithHeavyTailedPrompts(seeds: Int) {
        let experiment = CrossedExperiment(
            seeds: seeds, prompts: 400, promptEffect: 1, seedEffect: 0.1)
        let coverage = experiment.coverage { $0.effect($1, minus: $2).interval }
        #expect(coverage >= 0.92, "\(coverage)")
    }

    /// Normal prompt effects: the intervals are not far too wide either.
    @Test(arguments: [3, 5, 10])
    func ofAnEffectWithNormalPrompts(seeds: Int) {
        let experiment = CrossedExperiment(
            seeds: seeds, promptEffect: 1, seedEffect: 0.1, isHeavyTailed: false)
        let coverage = experiment.coverage { $0.effect($1, minus: $2).interval }
        #expect(coverage >= 0.92 && coverage <= 0.999, "\(coverage)")
    }

    /// One seed: the bootstrap over prompts covers the mean of that seed, and no more is claimed.
    @Test func ofAnEffectOfOneSeed() {
        var experiment = CrossedExperiment(seeds: 1, prompts: 400, promptEffect: 1)
        let known = experiment.coverage { $0.effect($1, minus: $2).interval }
        #expect(known >= 0.92 && known <= 0.999, "\(known)")
        experiment.seedEffect = 1
        let unknown = experiment.coverage { $0.effect($1, minus: $2).interval }
        #expect(unknown < 0.4, "\(unknown)")
    }

    /// Prompts drawn anew for each seed promise that more seeds average the prompts out. They do not:
    /// with six seeds the interval is √6 too short, and covers erf(1.96 / √12) = 58 %.
    @Test func ofTheNestedBootstrap() {
        let experiment = CrossedExperiment(seeds: 6, promptEffect: 1, seedEffect: 0.1)
        let nested = experiment.coverage { bootstrap, a, b in
            nestedInterval(pairedDifferences(a, b), Int(bootstrap.seed))
        }
        let crossed = experiment.coverage { $0.effect($1, minus: $2).interval }
        #expect(nested > 0.48 && nested < 0.70, "nested: \(nested)")
        #expect(crossed >= 0.92, "crossed: \(crossed)")
    }

    /// With three seeds more than 2.5 % of the resamples draw one seed three times, so the percentiles
    /// are the least and the greatest seed mean, which hold the truth in 1 − 2 / 2³ = 75 % of cases.
    @Test func ofPercentilesOverThreeSeeds() {
        let experiment = CrossedExperiment(seeds: 3, promptEffect: 0.1, seedEffect: 0.3)
        let percentile = experiment.coverage { bootstrap, a, b in
            bootstrap.replicates(pairedDifferences(a, b), columns: 1).interval(0)
        }
        let reported = experiment.coverage { $0.effect($1, minus: $2).interval }
        #expect(percentile > 0.66 && percentile < 0.84, "percentile: \(percentile)")
        #expect(reported >= 0.92, "reported: \(reported)")
    }

    /// A share of ½ whose numerator and denominator have prompts and seeds in common.
    @Test(arguments: [3, 5, 10])
    func ofAShare(seeds: Int) {
        let coverage = shareCoverage(seeds: seeds, seedEffect: 0.1)
        #expect(coverage.held >= 0.92 && coverage.held <= 0.999, "\(coverage)")
        #expect(coverage.unbounded == 0)
    }

    /// Three seeds whose mean denominator is 2.3 standard errors from 0, and t = 4.3: most intervals
    /// are unbounded, and those that are not still hold the truth.
    @Test func ofAShareOfAnUncertainGap() {
        let coverage = shareCoverage(seeds: 3, seedEffect: 0.75)
        #expect(coverage.held >= 0.92, "\(coverage)")
        #expect(coverage.unbounded > 0.5 && coverage.unbounded < 0.95, "\(coverage)")
    }

    /// The share of intervals that hold ½, and of those that are unbounded, for
    /// numerator = ½ denominator + an effect of mean 0 of its own.
    private func shareCoverage(
        seeds: Int, seedEffect: Double
    ) -> (held: Double, unbounded: Double) {
        let whole = CrossedExperiment(seeds: seeds, promptEffect: 0.5, seedEffect: seedEffect)
        let rest = CrossedExperiment(
            seeds: seeds, truth: 0, promptEffect: 0.1, seedEffect: seedEffect / 2)
        let intervals = (0..<400).compactMap { index in
            let (a, b) = whole.conditions(index)
            let (c, d) = rest.conditions(1000 + index)
            let denominator = pairedDifferences(a, b)
            let numerator = zip(denominator, pairedDifferences(c, d)).map {
                zip($0, $1).map { $0 / 2 + $1 }
            }
            let bootstrap = CrossedBootstrap(prompts: 200, resamples: 200, seed: UInt64(index))
            return bootstrap.share(numerator, of: denominator).interval
        }
        #expect(intervals.count == 400)
        return (
            Double(intervals.count { $0.contains(0.5) }) / 400,
            Double(intervals.count { $0.isUnbounded }) / 400
        )
    }
}
