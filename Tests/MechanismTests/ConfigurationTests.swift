import Experiments
import Testing

@testable import Mechanism

/// What a section refuses, with place and cure.
@Suite struct ConfigurationTests {
    @Test func readsTheWholeSweep() throws {
        let plan = try tinyPlan()
        #expect(plan.runs.count == 2 && plan.bases.count == 1)
        let run = plan.runs[1].configuration
        #expect(run.layout == .cft && run.functionClass.name == "multilinear" && run.seed == 0)
        #expect(run.training.steps == 12 && run.recording.logEvery == 10)
        #expect(run.training.optimizer.betas == [0.9, 0.999])
        #expect(run.training.schedule.name == .constant)
        #expect(run.recording.checkpointSeconds == 60)
        let pretraining = try #require(run.base.pretraining)
        #expect(pretraining.curriculum.dims.start == 1 && pretraining.curriculum.points.end == 6)
        #expect(pretraining.seed == 0 && pretraining.task == "linear_regression")
        #expect(plan.evaluation.layouts == [.cpt, .cft] && plan.evaluation.examples == 64)
        #expect(plan.evaluation.baselines == ["bayes", "least_squares", "zero"])
        #expect(run.model.decoder.configuration.positionCount == 24)
    }

    @Test(arguments: [
        ("n_embd: 16", "n_embd: 15", "?"),
        ("n_embd: 16", "n_embd: 0", "?"),
        ("  n_embd: 16\n", "", "?"),
        ("n_head: 2", "n_heads: 2", "?"),
        ("n_head: 2", "n_head: 2\n  family: lama", "?"),
        ("steps: 12", "steps: 1e3", "?"),
        ("n_points: 6\n  steps: 12", "n_points: 7\n  steps: 12", "?"),
        ("n_positions: 12", "n_positions: 6", "?"),
        ("batch_size: 32", "batch_size: 0", "?"),
        ("dims: {start: 1, end: 2", "dims: {start: 1, end: 3", "?"),
        ("dims: {start: 1, end: 2", "dims: {start: 2, end: 1", "?"),
        ("end: 2, inc: 1", "end: 2, inc: 0", "?"),
        ("points: {start: 4, end: 6", "points: {start: 4, end: 5", "?"),
        ("n_points: 6\n  steps: 20", "n_points: 13\n  steps: 20", "?"),
        ("{learning_rate: 1.0e-3}", "{learning_rate: 1.0e-3, betas: [0.9]}", "?"),
        ("{learning_rate: 1.0e-3}", "{learning_rate: 1.0e-3, betas: [0.9, 1.0]}", "?"),
        ("{learning_rate: 1.0e-3}", "{learning_rate: -1.0}", "?"),
        ("{learning_rate: 1.0e-3}", "{lr: 1.0e-3}", "?"),
        ("{learning_rate: 1.0e-3}", "{learning_rate: 1.0e-3, name: adamm}", "?"),
        ("steps: 12", "steps: 12\n  schedule: {name: cosin}", "?"),
        ("value: multilinear", "value: multilinar", "?"),
        ("values: [cpt, cft]", "values: [cpt, ctf]", "?"),
        ("values: [cpt, cft]", "values: [cpt, uft]", "?"),
        ("layouts: [cpt, cft]", "layouts: [cpt, neg-ctf]", "?"),
        ("layouts: [cpt, cft]", "layouts: [cpt, uft]", "?"),
        ("layouts: [cpt, cft]", "baselines: [zero, least_square]", "?"),
        ("layouts: [cpt, cft]", "baselines: [zero, zero]", "?"),
        ("layouts: [cpt, cft]", "prompts: [skewed]", "?"),
        ("examples: 64", "examples: 1", "?"),
        ("examples: 64", "example: 64", "?"),
        ("layout: {values: [cpt, cft]}", "seed: {values: [1, 2]}", "?"),
        ("layout: {values: [cpt, cft]}", "training: {parameters: {steps: {values: [5, x]}}}", "?"),
    ])
    func refuses(old: String, new: String, message: String) {
        let yaml = tinySweep.replacingOccurrences(of: old, with: new)
        #expect(yaml != tinySweep)
        let error = #expect(throws: ConfigurationError.self) { try tinyPlan(yaml: yaml) }
        #expect(error?.description == message)
    }
}
