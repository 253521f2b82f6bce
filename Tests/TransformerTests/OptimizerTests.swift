import TestSupport
import Testing
import Transformer

/// Learning-rate schedules and the clipping factor.
@Suite struct OptimizerTests {
    private func rates(
        _ decay: LearningRateSchedule.Decay, warmup: Int, total: Int, _ steps: [Int]
    ) -> [Double] {
        let schedule = LearningRateSchedule(
            decay: decay, peak: 2, warmupSteps: warmup, totalSteps: total)
        return steps.map(schedule.rate)
    }

    @Test func knownRates() {
        #expect(
            rates(.constant, warmup: 4, total: 8, [0, 1, 2, 4, 8, 99]) == [0, 0.5, 1, 2, 2, 2])
        #expect(
            rates(.linear, warmup: 4, total: 8, [0, 2, 4, 6, 7, 8, 9]) == [0, 1, 2, 1, 0.5, 0, 0])
        let cosine = rates(.cosine, warmup: 0, total: 6, [0, 2, 3, 4, 6, 7, 60])
        let close = closeness(cosine, [2, 1.5, 1, 0.5, 0, 0, 0], relative: 1e-14, absolute: 1e-15)
        #expect(close.isWithin, "\(close)")
        #expect(rates(.linear, warmup: 0, total: 0, [0, 1]) == [0, 0])
    }

    struct ScheduleCase: Decodable {
        let kind: LearningRateSchedule.Decay
        let warmup_steps: Int
        let total_steps: Int
        let factors: [Double]
    }

    /// Up to the last step; past it Hugging Face's cosine rises again and ours stays at 0.
    @Test func factorsAreHuggingFaces() throws {
        let cases = try Fixture.json("schedules.json", as: [ScheduleCase].self)
        #expect(Set(cases.map(\.kind)) == Set(LearningRateSchedule.Decay.allCases))
        for expected in cases {
            let schedule = LearningRateSchedule(
                decay: expected.kind, peak: 1, warmupSteps: expected.warmup_steps,
                totalSteps: expected.total_steps)
            let factors = Array(expected.factors[0...expected.total_steps])
            let close = closeness(
                factors.indices.map(schedule.rate), factors, relative: 1e-12, absolute: 1e-16)
            #expect(close.isWithin, "\(expected.kind), warm-up \(expected.warmup_steps): \(close)")
        }
    }

    @Test func clippingScalesOnlyGradientsThatAreTooLong() {
        #expect(AdamOptions().clipScale(gradientNorm: 1e9) == 1)
        let options = AdamOptions(clipNorm: 2)
        #expect(options.clipScale(gradientNorm: 0) == 1)
        #expect(options.clipScale(gradientNorm: 1.9) == 1)
        let close = closeness(
            [options.clipScale(gradientNorm: 8)], [2 / (8 + 1e-6)], relative: 1e-15)
        #expect(close.isWithin, "\(close)")
    }
}
