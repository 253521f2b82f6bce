import Experiments
import Testing
import Training
import Transformer

/// The section `schedule:`.
@Suite struct ScheduleConfigurationTests {
    private func configuration(_ text: String) throws -> ScheduleConfiguration {
        let node = try ConfigurationNode.parse(document: text, source: "s.yaml")
        return try ScheduleConfiguration(ConfigurationReader(node, name: "schedule"))
    }

    /// As transformers' `warmup_ratio`: ⌈ratio · steps⌉.
    @Test func aShareOfTheStepsIsRoundedUp() throws {
        let share = try configuration("{name: cosine, warmup_ratio: 0.05}")
        #expect(share.schedule(peak: 2, steps: 100).warmupSteps == 5)
        #expect(share.schedule(peak: 2, steps: 101).warmupSteps == 6)
        #expect(share.schedule(peak: 2, steps: 101).totalSteps == 101)
        let steps = try configuration("{name: linear, warmup_steps: 7}")
        #expect(steps.schedule(peak: 2, steps: 100).warmupSteps == 7)
        #expect(steps.schedule(peak: 2, steps: 100).peak == 2)
    }

    @Test(arguments: [
        ("{warmup_ratio: 0.1, warmup_steps: 3}", "exclude each other"),
        ("{warmup_ratio: 1.5}", "warmup_ratio is 1.5"),
    ])
    func whatMakesNoSenseIsSaid(text: String, sentence: String) {
        #expect { try configuration(text) } throws: { "\($0)".contains(sentence) }
    }
}
