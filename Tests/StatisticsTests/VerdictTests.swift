import Randomness
import Statistics
import Testing

/// Each rule on effects made by hand and, where it combines several, on errors of known answer.
@Suite struct VerdictTests {
    private func effect(_ low: Double, _ high: Double) -> Effect {
        Effect(
            mean: (low + high) / 2, interval: Interval(low: low, high: high), method: .bootstrap,
            seeds: 3, prompts: 100)
    }

    private let absent = Effect.studentT([2], minus: [1])

    /// The words of the design, which published tables carry.
    @Test func words() {
        #expect(
            Verdict.allCases.map(\.rawValue) == ["supported", "not supported", "confounded"])
    }

    @Test func positiveNeedsEveryWholeIntervalAboveZero() {
        #expect(Verdict.positive([effect(0.1, 2)]) == .supported)
        #expect(Verdict.positive([effect(0.1, 2), effect(3, 4)]) == .supported)
        #expect(Verdict.positive([effect(0.1, 2), effect(-0.1, 4)]) == .notSupported)
        #expect(Verdict.positive([effect(0, 2)]) == .notSupported)
        #expect(Verdict.positive([effect(0, 0)]) == .notSupported)
        #expect(Verdict.positive([effect(-2, -1)]) == .notSupported)
        #expect(Verdict.positive([effect(0.1, 2), absent]) == .notSupported)
        #expect(Verdict.positive([absent]) == .notSupported)
    }

    @Test func semanticsOnHandMadeIntervals() {
        func verdict(_ gain: Effect, _ beyondHalf: Effect) -> Verdict {
            .semantics(
                ControlContrast(control: effect(-9, 9), gain: gain, beyondHalf: beyondHalf))
        }
        #expect(verdict(effect(1, 2), effect(-2, -1)) == .supported)
        #expect(verdict(effect(1, 2), effect(-2, 0)) == .notSupported)
        #expect(verdict(effect(1, 2), effect(1, 2)) == .notSupported)
        #expect(verdict(effect(-1, 2), effect(-2, -1)) == .notSupported)
        #expect(verdict(effect(1, 2), absent) == .notSupported)
        #expect(verdict(absent, effect(-2, -1)) == .notSupported)
    }

    /// Errors (reference, control, treatment): the control gains nothing, all, a little less and a
    /// little more than half; it does harm with and without a gain of the treatment.
    @Test(arguments: [
        (10, 10, 4, true), (10, 4, 4, false), (10, 7.5, 4, true), (10, 6.5, 4, false),
        (10, 14, 4, true), (10, 14, 10, false), (10, 14, 16, false),
    ])
    func semanticsOnErrors(reference: Float, control: Float, treatment: Float, holds: Bool) {
        let prompts = 100
        func errors(_ mean: Float, _ condition: Int) -> [[Float]] {
            let levels = RandomKey(seed: 8, stream: .measurement).normals(prompts)
            return (0..<5).map { seed in
                let key = RandomKey(
                    seed: 8, stream: .measurement, step: 1 + condition, example: seed)
                return zip(levels, key.normals(prompts)).map { mean + 30 * $0 + 0.3 * $1 }
            }
        }
        let bootstrap = CrossedBootstrap(prompts: prompts, resamples: 200)
        let contrast = bootstrap.controlContrast(
            reference: errors(reference, 0), control: errors(control, 1),
            treatment: errors(treatment, 2))
        #expect(Verdict.semantics(contrast) == (holds ? .supported : .notSupported))
    }

    /// A mean gain of 6 whose half, 3, lies above the control's upper end, 2.4, but is itself known
    /// only to ± 1.7: against the mean the rule would pass, the contrast says that it is not known.
    @Test func semanticsCountsTheUncertaintyOfTheGain() {
        let prompts = 50
        let shared = RandomKey(seed: 9, stream: .measurement).normals(prompts)
        let mean = Float(Summary(shared).mean)
        let reference = [shared.map { _ in Float(10) }]
        let control = [shared.map { 10 - 1.6 - 3 * ($0 - mean) }]
        let treatment = [shared.map { 10 - 6 + 12 * ($0 - mean) }]
        let contrast = CrossedBootstrap(prompts: prompts, resamples: 400)
            .controlContrast(reference: reference, control: control, treatment: treatment)
        let upper = contrast.control.interval?.high ?? .nan
        #expect(upper < contrast.gain.mean / 2 && contrast.gain.isPositive)
        #expect(Verdict.semantics(contrast) == .notSupported)
    }

    @Test func informationIsConfoundedWhenOnlyTheCurvesDiffer() {
        let above = [effect(0.1, 1)]
        let around = [effect(-0.1, 1)]
        #expect(Verdict.information(curve: .supported, excess: above) == .supported)
        #expect(Verdict.information(curve: .supported, excess: around) == .confounded)
        #expect(Verdict.information(curve: .supported, excess: [effect(-2, -1)]) == .confounded)
        #expect(Verdict.information(curve: .supported, excess: [absent]) == .confounded)
        #expect(Verdict.information(curve: .supported, excess: above + around) == .confounded)
        #expect(Verdict.information(curve: .notSupported, excess: above) == .supported)
        #expect(Verdict.information(curve: .notSupported, excess: around) == .notSupported)
    }

    @Test func leakIsConfoundedWhenTheShareMayBeZero() {
        let gap = effect(1, 2)
        #expect(Verdict.leak(share: effect(0.2, 0.9), reference: gap) == .supported)
        #expect(Verdict.leak(share: effect(-0.1, 0.9), reference: gap) == .confounded)
        #expect(Verdict.leak(share: effect(0, 0.9), reference: gap) == .confounded)
        #expect(Verdict.leak(share: effect(-0.9, -0.1), reference: gap) == .notSupported)
        #expect(Verdict.leak(share: effect(0.2, 0.9), reference: effect(-1, 2)) == .notSupported)
        #expect(Verdict.leak(share: effect(0.2, 0.9), reference: effect(-2, -1)) == .notSupported)
        #expect(Verdict.leak(share: absent, reference: gap) == .notSupported)
        let unbounded = Effect(
            mean: 1, interval: .unbounded, method: .fieller, seeds: 3, prompts: 100)
        #expect(Verdict.leak(share: unbounded, reference: gap) == .confounded)
    }
}
