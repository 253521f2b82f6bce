import InContextRegression
import Kernels
import Training

extension SweepResults {
    /// Classes whose labels are linear in x, for which least squares is a reference on every distribution.
    private static let linearClasses: Set<String> = [
        "linear", "multilinear", "sparse_linear", "noisy_linear",
    ]

    /// One measurement of each baseline for each class and size in the sweep; of predicting zero, and of least squares
    /// where the labels are linear, on the other distributions too. Slow ones see fewer prompts and are kept.
    ///
    /// - Throws: ``InterruptedError`` after a signal; `BaselineError` for one that does not apply to the class.
    static func measureBaselines(
        _ plan: SweepPlan, _ runs: [PlannedRun], _ store: BaselineStore
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
                let predictor = try Baselines.named(baseline)
                let isReference =
                    baseline == ZeroPredictor().name
                    || baseline == LeastSquares().name && linearClasses.contains(name)
                for prompt in plan.evaluation.prompts where prompt == .standard || isReference {
                    guard
                        let errors = try store.errors(
                            of: predictor, evaluator, distribution: prompt)
                    else { throw InterruptedError() }
                    let setting = EvaluationSetting(layout: .cpt, distribution: prompt)
                    measured.append(
                        MeasuredBaseline(
                            functionClass: name, dims: dims, points: points, name: baseline,
                            prompt: prompt,
                            examples: errors.count / evaluator.contextCount(setting),
                            errors: errors))
                }
            }
        }
        return measured
    }
}
