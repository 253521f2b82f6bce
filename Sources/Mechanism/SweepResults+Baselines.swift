import InContextRegression
import Kernels

extension SweepResults {
    /// Classes whose labels are linear in x, for which least squares is a reference on every distribution.
    private static let linearClasses: Set<String> = [
        "linear", "multilinear", "sparse_linear", "noisy_linear",
    ]

    /// One measurement of each baseline for each class and size in the sweep; of least squares on the other
    /// distributions too, where the labels are linear.
    static func measureBaselines(
        _ plan: SweepPlan, _ runs: [PlannedRun], pool: WorkerPool
    ) throws -> [MeasuredBaseline] {
        var measured: [MeasuredBaseline] = []
        for run in runs {
            let configuration = run.configuration
            let name = configuration.functionClass.name
            let dims = configuration.model.inputDimension
            let points = configuration.training.points
            let isMeasured = measured.contains {
                $0.functionClass == name && $0.dims == dims && $0.points == points
            }
            if isMeasured { continue }
            let evaluator = Evaluator(
                functionClass: configuration.functionClass, dims: dims, points: points,
                examples: plan.evaluation.examples,
                outsideExamples: plan.evaluation.outsideExamples, seed: plan.evaluation.seed)
            for baseline in plan.evaluation.baselines where baseline != "bayes" {
                let others =
                    baseline == LeastSquares().name && linearClasses.contains(name)
                    ? plan.evaluation.prompts.filter { $0 != .standard } : []
                for prompt in [.standard] + others {
                    measured.append(
                        MeasuredBaseline(
                            functionClass: name, dims: dims, points: points, name: baseline,
                            prompt: prompt,
                            errors: evaluator.squaredErrors(
                                of: try Baselines.named(baseline), distribution: prompt,
                                pool: pool)))
                }
            }
        }
        return measured
    }
}
