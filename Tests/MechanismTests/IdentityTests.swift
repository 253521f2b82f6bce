import Experiments
import Testing

@testable import Mechanism

/// Run ids: frozen, because a changed one trains everything again.
@Suite struct IdentityTests {
    @Test func hashesAreFrozen() throws {
        let plan = try tinyPlan()
        #expect(
            plan.bases.map(\.hash) == [
                "68d49e3b52754cc3a631bd98f93772ca4186bb7e81ae6cfe32c0cc394dc36b1e"
            ])
        #expect(
            plan.runs.map(\.hash) == [
                "a919dac730536a0cce94c243ecd516c57672c7d11967a5d434e9ffd07cf4adeb",
                "46c8e88f5b0b6419b1b1ca91027068e8f2d0eb44cbdef838f8cf3f5532441e7a",
            ])
        #expect(plan.runs.map(\.name) == ["cpt-s0-a919dac7", "cft-s0-46c8e88f"])
        #expect(plan.bases.map(\.name) == ["linear-s0-68d49e3b"])
    }

    @Test(arguments: [
        "name=other", "training.log_every=3", "training.checkpoint_seconds=1.0",
        "pretraining.log_every=3", "evaluate.examples=99", "evaluate.layouts=[cft]",
        "evaluate.seed=5", "evaluate.baselines=[zero]", "seeds=1",
        "training.optimizer.learning_rate=0.001", "pretraining.seed=0",
        "task.function_class=sumdot",
        "layout=[uft, cft]",
    ])
    func namesRecordsAndEvaluationDecideNothing(_ override: String) throws {
        let plan = try tinyPlan()
        let changed = try tinyPlan(override)
        #expect(changed.runs.map(\.hash) == plan.runs.map(\.hash))
        #expect(changed.bases.map(\.hash) == plan.bases.map(\.hash))
    }

    @Test(arguments: [
        "seeds=[1]", "layout=[neg-cft, cpt-shifted]", "training.steps=13",
        "training.batch_size=16", "training.n_points=5",
        "training.optimizer.learning_rate=2.0e-3", "training.optimizer.name=adamw",
        "training.optimizer.weight_decay=0.1", "training.optimizer.clip_norm=1.0",
        "training.schedule.name=linear", "task.function_class=polynomial",
        "training.precision=bf16",
    ])
    func fineTuningDecidesTheRunButNotTheBase(_ override: String) throws {
        let plan = try tinyPlan()
        let changed = try tinyPlan(override)
        #expect(Set(changed.runs.map(\.hash)).isDisjoint(with: plan.runs.map(\.hash)))
        #expect(changed.bases.map(\.hash) == plan.bases.map(\.hash))
    }

    @Test(arguments: [
        "pretraining.seed=1", "pretraining.steps=21", "pretraining.optimizer.learning_rate=2.0e-3",
        "pretraining.schedule.warmup_steps=2", "pretraining.curriculum.dims.start=2",
        "model.n_embd=32", "model.n_layer=2", "model.n_positions=13", "pretraining.precision=bf16",
    ])
    func theBaseDecidesEveryRun(_ override: String) throws {
        let plan = try tinyPlan()
        let changed = try tinyPlan(override)
        #expect(Set(changed.bases.map(\.hash)).isDisjoint(with: plan.bases.map(\.hash)))
        #expect(Set(changed.runs.map(\.hash)).isDisjoint(with: plan.runs.map(\.hash)))
    }

    @Test func classesLayoutsAndSeedsShareOneBase() throws {
        let plan = try tinyPlan(
            "task.function_class=[linear, polynomial, multilinear]",
            "layout=[cpt, cft, neg-cft, cpt-shifted]", "seeds=3")
        #expect(plan.runs.count == 36 && plan.bases.count == 1)
        #expect(Set(plan.runs.map(\.hash)).count == 36 && Set(plan.runs.map(\.name)).count == 36)
        #expect(plan.runs.allSatisfy { $0.base.hash == plan.bases[0].hash })
    }

    @Test func twoBasesStandInOrderOfFirstUse() throws {
        let yaml = tinySweep.replacingOccurrences(
            of: "layout: {values: [cpt, cft]}",
            with: "layout: {value: cpt}\n  pretraining: {parameters: {seed: {values: [4, 2]}}}")
        let plan = try tinyPlan(yaml: yaml)
        #expect(plan.runs.map(\.base.hash) == plan.bases.map(\.hash))
        #expect(plan.bases.map { $0.configuration.pretraining?.seed } == [4, 2])
    }
}
