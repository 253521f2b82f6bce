import Randomness
import Statistics
import Testing

/// Paired effects, shares and their combination over bases, on data of known answers.
@Suite struct EffectTests {
    private let bootstrap = CrossedBootstrap(prompts: 60, resamples: 200)

    private func normals(_ example: Int) -> [Float] {
        RandomKey(seed: 5, stream: .measurement, example: example).normals(60)
    }

    // MARK: Paired differences

    @Test func effectIsTheEstimateOfTheDifferences() {
        let a = (0..<3).map { seed in normals(seed).map { $0 + 2 + Float(seed) } }
        let b = (3..<6).map { normals($0) }
        let effect = bootstrap.effect(a, minus: b, level: 0.9)
        let estimate = bootstrap.estimates(pairedDifferences(a, b), columns: 1, level: 0.9)[0]
        #expect(effect.mean == estimate.mean && effect.interval == estimate.interval)
        #expect(effect.method == .studentT)
        #expect(effect.seeds == 3 && effect.prompts == 60 && effect.bases == 1)
        // The opposite effect is the mirror image.
        let opposite = bootstrap.effect(b, minus: a, level: 0.9)
        #expect(abs(opposite.mean + effect.mean) < 1e-12)
        #expect(effect.isPositive && !effect.isNegative)
        #expect(opposite.isNegative && !opposite.isPositive)
    }

    @Test func oneSeedIsFlaggedAndHasTheIntervalOverPrompts() {
        let effect = bootstrap.effect([normals(0)], minus: [normals(1)])
        #expect(effect.seeds == 1 && effect.method == .bootstrap)
        #expect((effect.interval?.width ?? 0) > 0.3)
    }

    @Test func conditionsThatAreAlikeHaveAnEffectOfExactlyZero() {
        let sample = (0..<3).map { normals($0) }
        let effect = bootstrap.effect(sample, minus: sample)
        #expect(effect.mean == 0 && effect.interval == Interval(low: 0, high: 0))
        #expect(!effect.isPositive && !effect.isNegative)
    }

    @Test func differencesThatAreAllEqualHaveAnIntervalWithoutWidth() throws {
        let low = [[Float]](repeating: [Float](repeating: 1, count: 60), count: 4)
        let high = [[Float]](repeating: [Float](repeating: 1.5, count: 60), count: 4)
        let effect = bootstrap.effect(high, minus: low)
        let interval = try #require(effect.interval)
        #expect(effect.mean == 0.5 && abs(interval.low - 0.5) < 1e-12 && interval.width < 1e-12)
        #expect(effect.isPositive)
    }

    @Test(arguments: [Float.nan, .infinity])
    func aValueThatIsNotFiniteLeavesNoInterval(value: Float) {
        var a = [normals(0), normals(1)]
        a[1][7] = value
        let b = [normals(2), normals(3)]
        for effect in [
            bootstrap.effect(a, minus: b), bootstrap.effect(b, minus: a),
            bootstrap.share(a, of: b), bootstrap.share(b, of: a),
        ] {
            #expect(effect.interval == nil && effect.method == nil)
            #expect(!effect.isPositive && !effect.isNegative)
            #expect(effect.seeds == 2 && effect.prompts == 60)
        }
    }

    // MARK: One number per seed

    @Test func effectOfSeedsIsStudentsTOfTheDifferences() throws {
        let effect = Effect.studentT([5, 5, 5], minus: [4, 3, 2])
        let interval = try #require(effect.interval)
        #expect(effect.mean == 2 && effect.method == .studentT)
        #expect(effect.seeds == 3 && effect.prompts == nil)
        #expect(abs(interval.high - (2 + 4.302653 / 3.0.squareRoot())) < 1e-5)
        #expect(abs(interval.low - (2 - 4.302653 / 3.0.squareRoot())) < 1e-5)
    }

    @Test func oneSeedWithoutPromptsHasNoInterval() {
        let effect = Effect.studentT([3], minus: [1])
        #expect(effect.mean == 2 && effect.seeds == 1)
        #expect(effect.interval == nil && effect.method == nil && !effect.isPositive)
        let diverged = Effect.studentT([3, .infinity], minus: [1, 1])
        #expect(diverged.interval == nil && diverged.mean == .infinity)
    }

    // MARK: Several bases

    @Test func overBasesHoldsForEveryBase() {
        let first = Effect(
            mean: 2, interval: Interval(low: 1, high: 3), method: .studentT, seeds: 3, prompts: 90)
        let second = Effect(
            mean: 4, interval: Interval(low: 3.5, high: 4.5), method: .bootstrap, seeds: 5,
            prompts: 80)
        let both = Effect.overBases([first, second])
        #expect(both.mean == 3 && both.interval == Interval(low: 1, high: 4.5))
        #expect(both.seeds == 3 && both.prompts == 80 && both.bases == 2 && both.method == nil)
        #expect(both.isPositive)
        #expect(Effect.overBases([first]) == first)
        // One base that does not hold is enough, whatever the mean.
        let third = Effect(
            mean: 0.1, interval: Interval(low: -0.1, high: 0.3), method: .studentT, seeds: 3,
            prompts: 90)
        #expect(!Effect.overBases([first, second, third]).isPositive)
        #expect(Effect.overBases([first, third]).method == .studentT)
        let none = Effect.studentT([9], minus: [1])
        let unknown = Effect.overBases([first, none])
        #expect(unknown.interval == nil && unknown.prompts == nil && unknown.mean == 5)
    }

    @Test func anUnboundedIntervalStaysSoOverBases() {
        let bounded = Effect(
            mean: 1, interval: Interval(low: 0.5, high: 2), method: .fieller, seeds: 3, prompts: 9)
        let unbounded = Effect(
            mean: 1, interval: .unbounded, method: .fieller, seeds: 3, prompts: 9)
        let both = Effect.overBases([bounded, unbounded])
        #expect(both.interval == .unbounded && both.interval?.isUnbounded == true)
        #expect(bounded.interval?.isUnbounded == false)
    }

    // MARK: Control contrast

    @Test func controlContrastIsTheContrastOfTheMeans() throws {
        let levels = (0..<3).map { seed in normals(seed).map { 100 * $0 } }
        func errors(_ mean: Float, _ example: Int) -> [[Float]] {
            levels.indices.map { seed in
                zip(levels[seed], normals(example + seed)).map { $0 + mean + $1 / 10 }
            }
        }
        let contrast = bootstrap.controlContrast(
            reference: errors(10, 20), control: errors(9, 30), treatment: errors(4, 40))
        #expect(abs(contrast.control.mean - 1) < 0.1 && abs(contrast.gain.mean - 6) < 0.1)
        #expect(
            abs(contrast.beyondHalf.mean - (contrast.control.mean - contrast.gain.mean / 2)) < 1e-4)
        // What the conditions share, a hundred times the noise, has cancelled.
        let interval = try #require(contrast.beyondHalf.interval)
        #expect(interval.width < 1 && contrast.beyondHalf.isNegative)
        let bases = ControlContrast.overBases([contrast, contrast])
        #expect(bases.beyondHalf.bases == 2 && bases.beyondHalf.interval == interval)
        #expect(bases.control.mean == contrast.control.mean && bases.gain.bases == 2)
    }
}
