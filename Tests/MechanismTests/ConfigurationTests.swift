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
        (
            "n_embd: 16", "n_embd: 15",
            ":7:11: model.n_embd is 15, not a multiple of n_head = 2; choose n_embd = n_head × head size"
        ),
        ("n_embd: 16", "n_embd: 0", ":7:11: model.n_embd is 0; expected an integer, 1 to 65536"),
        ("  n_embd: 16\n", "", ":5:3: model.n_embd is missing; expected an integer, 1 to 65536"),
        (
            "n_head: 2", "n_heads: 2",
            ":5:3: model.n_head is missing; expected an integer, 1 to 65536 (is 'n_heads' at tiny.yaml:9:3 meant?)"
        ),
        (
            "n_head: 2", "n_head: 2\n  family: lama",
            ":10:11: model.family is 'lama' (accepted: gpt2)"
        ),
        (
            "steps: 12", "steps: 1e3",
            ":20:10: training.steps is 1e3; expected an integer, 0 to 1000000000"
        ),
        (
            "n_points: 6\n  steps: 12", "n_points: 7\n  steps: 12",
            ":19:3: training has n_points = 7, which needs 28 positions under the layout cft and the model has 24 (two for each of n_positions); raise model.n_positions to 14"
        ),
        (
            "n_positions: 12", "n_positions: 6",
            ":19:3: training has n_points = 6, which needs 24 positions under the layout cft and the model has 12 (two for each of n_positions); raise model.n_positions to 12"
        ),
        (
            "batch_size: 32", "batch_size: 0",
            ":21:15: training.batch_size is 0; expected an integer, 1 to 1000000"
        ),
        (
            "dims: {start: 1, end: 2", "dims: {start: 1, end: 3",
            ":16:5: pretraining.curriculum ends at 3 dims and model.n_dims is 2; set curriculum.dims.end = n_dims, where the model is measured"
        ),
        (
            "dims: {start: 1, end: 2", "dims: {start: 2, end: 1",
            ":16:19: pretraining.curriculum.dims.start is 2, above end = 1; a curriculum only grows"
        ),
        (
            "end: 2, inc: 1", "end: 2, inc: 0",
            ":16:35: pretraining.curriculum.dims.inc is 0, so start = 1 never grows to end = 2"
        ),
        (
            "points: {start: 4, end: 6", "points: {start: 4, end: 5",
            ":16:5: pretraining.curriculum ends at 5 points and n_points is 6; set curriculum.points.end = n_points, where the model is measured"
        ),
        (
            "n_positions: 12", "n_positions: 5",
            ":19:3: training has n_points = 6, which needs 24 positions under the layout cft and the model has 10 (two for each of n_positions); raise model.n_positions to 12"
        ),
        (
            "{learning_rate: 1.0e-3}", "{learning_rate: 1.0e-3, betas: [0.9]}",
            ":22:45: training.optimizer.betas has 1 values; expected two: β₁ and β₂"
        ),
        (
            "{learning_rate: 1.0e-3}", "{learning_rate: 1.0e-3, betas: [0.9, 1.0]}",
            ":22:51: training.optimizer.betas[1] is 1.0; expected a number, at least 0.0 and below 1.0"
        ),
        (
            "{learning_rate: 1.0e-3}", "{learning_rate: -1.0}",
            ":22:30: training.optimizer.learning_rate is -1.0; expected a number, at least 0.0"
        ),
        (
            "{learning_rate: 1.0e-3}", "{lr: 1.0e-3}",
            ":22:14: training.optimizer.learning_rate is missing; expected a number, at least 0.0"
        ),
        (
            "{learning_rate: 1.0e-3}", "{learning_rate: 1.0e-3, name: adamm}",
            ":22:44: training.optimizer.name is 'adamm'; did you mean 'adam'? (accepted: adam, adamw)"
        ),
        (
            "steps: 12", "steps: 12\n  schedule: {name: cosin}",
            ":21:20: training.schedule.name is 'cosin'; did you mean 'cosine'? (accepted: constant, linear, cosine)"
        ),
        (
            "steps: 12", "steps: 12\n  precision: bf1",
            ":21:14: training.precision is 'bf1'; did you mean 'bf16'? (accepted: fp32, bf16)"
        ),
        (
            "value: multilinear", "value: multilinar",
            ":24:47: task.function_class is 'multilinar'; did you mean 'multilinear'? (accepted: linear, linear_regression, polynomial, multilinear, sumdot, relu, relu_2nn_regression, sigmoid, tanh, proddot, sparse_linear, sparse_linear_regression, noisy_linear, noisy_linear_regression, quadratic, quadratic_regression, two_layer_relu, decision_tree)"
        ),
        (
            "values: [cpt, cft]", "values: [cpt, ctf]",
            ":25:26: layout is 'ctf'; did you mean 'cft'? (accepted: cpt, uft, cft, neg-cft, cft-shuffled, cft-disjoint, cpt-shifted, cft-no-query, cft-prefix-M)"
        ),
        (
            "values: [cpt, cft]", "values: [cpt, uft]",
            ": the trials cpt-s0-a919dac7 and uft-s0-a919dac7 are one and the same run, perhaps under an alias; remove one of the values"
        ),
        (
            "layouts: [cpt, cft]", "layouts: [cpt, neg-ctf]",
            ":27:18: evaluate.layouts[1] is 'neg-ctf'; did you mean 'neg-cft'? (accepted: cpt, uft, cft, neg-cft, cft-shuffled, cft-disjoint, cpt-shifted, cft-no-query, cft-prefix-M)"
        ),
        (
            "layouts: [cpt, cft]", "layouts: [cpt, uft]",
            ":27:12: evaluate.layouts has cpt more than once; keep one"
        ),
        (
            "layouts: [cpt, cft]", "baselines: [zero, least_square]",
            ":27:21: evaluate.baselines[1] is 'least_square'; did you mean 'least_squares'? (accepted: bayes, zero, least_squares, averaging, knn3, ridge, lasso, two_layer_network, decision_tree)"
        ),
        (
            "layouts: [cpt, cft]", "baselines: [zero, zero]",
            ":27:14: evaluate.baselines has zero more than once; keep one"
        ),
        (
            "layouts: [cpt, cft]", "prompts: [skewd]",
            ":27:13: evaluate.prompts[0] is 'skewd'; did you mean 'skewed'? (accepted: grid, standard, random_quadrants, opposite_quadrants, orthogonal_train_test, overlapping_train_test, half_subspace, skewed, scale-x=0.333, scale-x=0.5, scale-x=2, scale-x=3, scale-y=0.333, scale-y=0.5, scale-y=2, scale-y=3, noisyLR)"
        ),
        (
            "value: multilinear", "value: decision_tree",
            ":24:47: task is the class decision_tree, which has no base function f for the layout cft to show; leave cft out of layout and evaluate.layouts, or take cpt or neg-cft"
        ),
        (
            "values: [cpt, cft]", "values: [cft-prefix-7]",
            ":25:21: layout does not fit: cft-prefix-7 shows the first 7 points and n_points is 6; take a prefix of at most 6"
        ),
        (
            "layouts: [cpt, cft]", "baselines: [lasso]",
            ":24:47: task does not fit evaluate.baselines: the baseline 'lasso' does not apply to the function class 'multilinear', only to linear, sparse_linear, noisy_linear: choose among zero, least_squares, averaging, knn3, ridge, two_layer_network, decision_tree"
        ),
        (
            "examples: 64", "examples: 1",
            ":28:13: evaluate.examples is 1; expected an integer, 2 to 10000000"
        ),
        (
            "examples: 64", "example: 64",
            ":28:3: unknown key 'example' in evaluate; did you mean 'examples'? (accepted: layouts, prompts, baselines, examples, ood_examples, seed, dynamics, probes)"
        ),
        (
            "layout: {values: [cpt, cft]}", "seed: {values: [1, 2]}",
            ":25:9: unknown parameter 'seed' (accepted: model, pretraining, training, task, layout)"
        ),
        (
            "layout: {values: [cpt, cft]}",
            "layout: {value: cpt}\n  training: {parameters: {steps: {values: [5, x]}}}",
            ":26:47: training.steps is 'x'; expected an integer, 0 to 1000000000"
        ),
    ])
    func refuses(old: String, new: String, message: String) {
        let yaml = tinySweep.replacingOccurrences(of: old, with: new)
        #expect(yaml != tinySweep)
        let error = #expect(throws: ConfigurationError.self) { try tinyPlan(yaml: yaml) }
        #expect(error?.description == "tiny.yaml" + message)
    }
}
