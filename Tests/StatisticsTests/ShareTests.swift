import Randomness
import Statistics
import Testing

/// Shares and Fieller's interval against known answers.
@Suite struct ShareTests {
    private let bootstrap = CrossedBootstrap(prompts: 60, resamples: 200)

    private func normals(_ example: Int) -> [Float] {
        RandomKey(seed: 6, stream: .measurement, example: example).normals(60)
    }

    /// A denominator without variance leaves Student's t of the numerator, divided by it.
    @Test func fiellerOfAKnownDenominatorIsStudentsT() {
        let interval = Interval.fieller([1, 2, 3], [2, 2, 2])
        #expect(abs(interval.low - (2 - 4.302653 / 3.0.squareRoot()) / 2) < 1e-6)
        #expect(abs(interval.high - (2 + 4.302653 / 3.0.squareRoot()) / 2) < 1e-6)
        let negative = Interval.fieller([1, 2, 3], [-2, -2, -2])
        #expect(abs(negative.low + interval.high) < 1e-12)
        #expect(abs(negative.high + interval.low) < 1e-12)
    }

    /// The definition: at either end ρ the t interval of numerator − ρ · denominator touches 0.
    @Test(arguments: [0.9, 0.95])
    func fiellerInvertsStudentsT(level: Double) {
        let numerators = [1.0, 2.5, 2, 1.25]
        let denominators = [3.0, 4, 4.5, 3.5]
        let interval = Interval.fieller(numerators, denominators, level: level)
        #expect(interval.contains(6.75 / 15) && interval.width < 2)
        for (ratio, sign) in [(interval.low, 1.0), (interval.high, -1)] {
            let rests = zip(numerators, denominators).map { sign * ($0 - ratio * $1) }
            #expect(abs(Estimate.studentT(rests, level: level).interval.low) < 1e-12)
        }
    }

    @Test func fiellerIsUnboundedWhenTheDenominatorMayBeZero() {
        #expect(Interval.fieller([1, 2, 3], [-1, 1, 0.5]) == .unbounded)
        #expect(Interval.fieller([1, 2, 3], [0, 0, 0]) == .unbounded)
        #expect(Interval.fieller([0, 0], [0, 0]).isUnbounded)
        // With two seeds t = 12.7: a spread of a sixth of the mean is already too much.
        #expect(Interval.fieller([1, 1], [5, 7]) == .unbounded)
        #expect(!Interval.fieller([1, 1], [5.9, 6.1]).isUnbounded)
    }

    @Test(arguments: [1, 3, 12])
    func proportionalGapsHaveTheirFactorForShare(seeds: Int) throws {
        let denominator = (0..<seeds).map { seed in normals(seed).map { $0 + 5 } }
        let numerator = denominator.map { $0.map { $0 / 4 } }
        for sign in [Float(1), -1] {
            let share = bootstrap.share(
                numerator.map { $0.map { sign * $0 } }, of: denominator)
            let interval = try #require(share.interval)
            #expect(abs(share.mean - 0.25 * Double(sign)) < 1e-12)
            #expect(abs(interval.low - share.mean) < 1e-9 && interval.width < 1e-9)
            #expect(share.seeds == seeds && share.prompts == 60)
        }
        // Both gaps reversed: the same share.
        let reversed = bootstrap.share(
            numerator.map { $0.map { -$0 } }, of: denominator.map { $0.map { -$0 } })
        #expect(abs(reversed.mean - 0.25) < 1e-12)
        #expect(try #require(reversed.interval).width < 1e-9)
    }

    /// The interval of one seed is that of the ratios of paired replicates.
    @Test func shareOfOneSeedIsThePercentilesOfRatios() throws {
        let denominator = [normals(0).map { $0 + 3 }]
        let numerator = [zip(denominator[0], normals(1)).map { $0 / 2 + $1 }]
        let share = bootstrap.share(numerator, of: denominator, level: 0.9)
        let ratios = zip(
            bootstrap.replicates(numerator, columns: 1).values,
            bootstrap.replicates(denominator, columns: 1).values
        ).map { $0 / $1 }
        let expected = Replicates(values: ratios, columns: 1).interval(0, level: 0.9)
        let interval = try #require(share.interval)
        #expect(abs(interval.low - expected.low) < 1e-12)
        #expect(abs(interval.high - expected.high) < 1e-12)
        #expect(share.method == .bootstrap)
    }

    /// A few resamples in which the denominator changes its sign push both ends outwards: they count
    /// as lower than all at the low end and as higher than all at the high one.
    @Test func resamplesOfTheOtherSignLieBeyondBothEnds() throws {
        let mean = Float(Summary(normals(0)).mean)
        let denominator = [normals(0).map { $0 - mean + 0.29 }]
        let numerator = [normals(1).map { $0 / 10 + 1 }]
        let pairs = zip(
            bootstrap.replicates(numerator, columns: 1).values,
            bootstrap.replicates(denominator, columns: 1).values)
        let ratios = pairs.filter { $0.1 > 0 }.map { $0.0 / $0.1 }
        let others = 200 - ratios.count
        #expect((1...4).contains(others))
        let interval = try #require(bootstrap.share(numerator, of: denominator).interval)
        let far = [Double](repeating: 1e6, count: others)
        #expect(abs(interval.low - quantile(far.map { -$0 } + ratios, 0.025)) < 1e-12)
        #expect(abs(interval.high - quantile(ratios + far, 0.975)) < 1e-9)
        // At a higher level they reach the ends, and there is no bound.
        let wider = bootstrap.share(numerator, of: denominator, level: 0.99).interval
        #expect(wider == .unbounded)
    }

    @Test func theWiderIntervalIsReportedBelowTenSeeds() {
        func gaps(_ seeds: Int, apart: Float) -> [[Float]] {
            (0..<seeds).map { seed in normals(0).map { $0 + 5 + apart * Float(seed % 3) } }
        }
        let ones = { (seeds: Int) in
            [[Float]](repeating: [Float](repeating: 1, count: 60), count: seeds)
        }
        let apart = bootstrap.share(gaps(3, apart: 1), of: ones(3))
        #expect(apart.method == .fieller)
        #expect(bootstrap.share(gaps(3, apart: 0), of: ones(3)).method == .bootstrap)
        #expect(bootstrap.share(gaps(10, apart: 1), of: ones(10)).method == .bootstrap)
        // Over a denominator of 1 the share is the numerator, and Fieller's interval Student's t.
        let effect = bootstrap.estimates(gaps(3, apart: 1), columns: 1)[0]
        #expect(abs((apart.interval?.low ?? 0) - effect.interval.low) < 1e-9)
    }

    /// A gap that may be nothing has no share of bounded size, whichever interval is asked.
    @Test(arguments: [1, 3, 12])
    func theShareOfNoGapIsUnbounded(seeds: Int) {
        let nothing = (0..<seeds).map { seed in
            zip(normals(0), normals(1 + seed)).map { $0 + $1 / 10 }
        }
        let something = (0..<seeds).map { seed in normals(50 + seed).map { $0 + 3 } }
        let share = bootstrap.share(something, of: nothing)
        #expect(share.interval == .unbounded && !share.isPositive && !share.isNegative)
        let zero = [[Float]](repeating: [Float](repeating: 0, count: 60), count: seeds)
        #expect(bootstrap.share(zero, of: zero).interval == .unbounded)
        // The other way round it is bounded and near 0.
        let inverse = bootstrap.share(nothing, of: something)
        #expect(inverse.interval?.contains(0) == true && inverse.interval?.isUnbounded == false)
    }
}
