import Randomness
import Statistics
import Testing

/// The crossed bootstrap against a plain resampling loop, and its coverage.
@Suite struct CrossedBootstrapTests {
    /// The same draws, made one by one: the definition that the counts must reproduce.
    @Test func replicatesAreThoseOfPlainResampling() {
        let prompts = 37
        let columns = 3
        let resamples = 21
        let samples = (0..<4).map { seed in
            RandomKey(seed: 1, stream: .measurement, example: seed).normals(prompts * columns)
        }
        let bootstrap = CrossedBootstrap(prompts: prompts, resamples: resamples, seed: 6)
        let replicates = bootstrap.replicates(samples, columns: columns)
        for resample in 0..<resamples {
            var promptDraws = CounterGenerator(
                RandomKey(seed: 6, stream: .bootstrap, step: 0, example: resample))
            var seedDraws = CounterGenerator(
                RandomKey(seed: 6, stream: .bootstrap, step: 1, example: resample))
            let drawnPrompts = (0..<prompts).map { _ in promptDraws.integer(below: prompts) }
            let drawnSeeds = (0..<4).map { _ in seedDraws.integer(below: 4) }
            for column in 0..<columns {
                var sum = 0.0
                for seed in drawnSeeds {
                    for prompt in drawnPrompts {
                        sum += Double(samples[seed][prompt * columns + column])
                    }
                }
                let expected = sum / Double(4 * prompts)
                let value = replicates.values[resample * columns + column]
                #expect(abs(value - expected) < 1e-12)
            }
        }
    }

    /// For one seed the replicates' spread is the standard error of the mean.
    @Test func spreadOfOneSeedIsTheStandardError() {
        let sample = RandomKey(seed: 2, stream: .measurement).normals(500)
        let bootstrap = CrossedBootstrap(prompts: 500, resamples: 4000)
        let estimate = bootstrap.estimates([sample], columns: 1)[0]
        let summary = Summary(sample)
        #expect(estimate.method == .bootstrap)
        #expect(abs(estimate.mean - summary.mean) < 1e-9)
        #expect(abs(estimate.standardError / summary.standardError - 1) < 0.06)
        #expect(abs(estimate.interval.width / (2 * 1.96 * summary.standardError) - 1) < 0.08)
        let narrower = bootstrap.estimates([sample], columns: 1, level: 0.9)[0]
        #expect(abs(narrower.interval.width / (2 * 1.645 * summary.standardError) - 1) < 0.08)
    }

    /// Two conditions on the same prompts: replicates are paired, so that of a difference is the
    /// difference of replicates, and what the conditions share cancels.
    @Test func replicatesOfTwoConditionsArePaired() {
        let shared = RandomKey(seed: 3, stream: .measurement).normals(200)
        let a = (0..<3).map { seed in shared.map { 10 * $0 + Float(seed) + 1 } }
        let b = (0..<3).map { seed in shared.map { 10 * $0 + Float(seed) } }
        let bootstrap = CrossedBootstrap(prompts: 200, resamples: 64)
        let first = bootstrap.replicates(a, columns: 1).values
        let second = bootstrap.replicates(b, columns: 1).values
        for (x, y) in zip(first, second) { #expect(abs(x - y - 1) < 1e-5) }
        let difference = bootstrap.estimates(pairedDifferences(a, b), columns: 1)[0]
        #expect(difference.interval.width < 1e-5 && abs(difference.mean - 1) < 1e-5)
    }

    @Test func theWiderIntervalIsReportedBelowTenSeeds() {
        let prompts = 50
        let noise = (0..<10).map {
            RandomKey(seed: 4, stream: .measurement, example: $0).normals(prompts)
        }
        let bootstrap = CrossedBootstrap(prompts: prompts, resamples: 200)
        // Seeds far apart, prompts alike: t with two degrees of freedom is the wider one.
        let apart = (0..<3).map { seed in noise[seed].map { 0.01 * $0 + Float(seed) } }
        let t = bootstrap.estimates(apart, columns: 1)[0]
        #expect(t.method == .studentT)
        #expect(abs(t.interval.width - 2 * 4.3027 / 3.0.squareRoot()) < 0.05)
        // The same prompts for every seed and no seed effect: t would be far too narrow.
        let alike = [noise[0], noise[0], noise[0]]
        #expect(bootstrap.estimates(alike, columns: 1)[0].method == .bootstrap)
        let ten = (0..<10).map { seed in noise[seed].map { 0.01 * $0 + Float(seed) } }
        #expect(bootstrap.estimates(ten, columns: 1)[0].method == .bootstrap)
    }

    /// 300 experiments with a prompt effect that all seeds share, a seed effect and noise. The share of
    /// nominal 95 % intervals that hold the truth: the reported one near 95 %, the nested bootstrap,
    /// which takes the seeds' prompts for different ones, far below.
    @Test(arguments: [3, 12])
    func coverageOfCrossedAndNestedIntervals(seeds: Int) {
        let prompts = 40
        let experiments = 300
        var crossed = 0
        var nested = 0
        for experiment in 0..<experiments {
            let samples = experimentData(
                experiment, seeds: seeds, prompts: prompts, promptEffect: 2, seedEffect: 0.3)
            let bootstrap = CrossedBootstrap(
                prompts: prompts, resamples: 200, seed: UInt64(experiment))
            if bootstrap.estimates(samples, columns: 1)[0].interval.contains(0) { crossed += 1 }
            if nestedInterval(samples, experiment).contains(0) { nested += 1 }
        }
        let crossedShare = Double(crossed) / Double(experiments)
        let nestedShare = Double(nested) / Double(experiments)
        #expect(crossedShare > 0.90, "crossed: \(crossedShare)")
        #expect(seeds == 3 || crossedShare < 0.99, "crossed: \(crossedShare)")
        #expect(nestedShare < 0.85, "nested: \(nestedShare)")
        #expect(nestedShare < crossedShare - 0.1)
    }

    /// Three seeds that differ more than the prompts: percentiles alone cover far less than 95 %, the
    /// reported interval does not.
    @Test func coverageWithThreeSeedsThatDiffer() {
        let experiments = 300
        var percentile = 0
        var reported = 0
        for experiment in 0..<experiments {
            let samples = experimentData(
                experiment, seeds: 3, prompts: 40, promptEffect: 0.2, seedEffect: 1)
            let bootstrap = CrossedBootstrap(prompts: 40, resamples: 200, seed: UInt64(experiment))
            if bootstrap.replicates(samples, columns: 1).interval(0).contains(0) { percentile += 1 }
            if bootstrap.estimates(samples, columns: 1)[0].interval.contains(0) { reported += 1 }
        }
        #expect(Double(percentile) / Double(experiments) < 0.85, "percentile: \(percentile)")
        #expect(Double(reported) / Double(experiments) > 0.91, "reported: \(reported)")
    }

    /// Values of true mean 0: prompt effect + seed effect + noise of deviation ½.
    private func experimentData(
        _ experiment: Int, seeds: Int, prompts: Int, promptEffect: Float, seedEffect: Float
    ) -> [[Float]] {
        func normals(_ example: Int, _ count: Int) -> [Float] {
            RandomKey(seed: 77, stream: .measurement, step: experiment, example: example)
                .normals(count)
        }
        let promptEffects = normals(0, prompts)
        let seedEffects = normals(1, seeds)
        return (0..<seeds).map { seed in
            zip(promptEffects, normals(2 + seed, prompts)).map {
                promptEffect * $0 + seedEffect * seedEffects[seed] + 0.5 * $1
            }
        }
    }
}
