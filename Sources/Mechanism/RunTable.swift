import Experiments
import InContextRegression
import Kernels
import Platform
import Statistics

/// The tidy table of one run, with the columns and the numbers of its sweep's summary.csv, and `evaluation` behind
/// them.
public enum RunTable {
    /// One row per evaluation and k, computed from the per-prompt errors, then one per loss in metrics.jsonl.
    ///
    /// What was measured later on other prompts comes behind the first measurements; `evaluation`, eight digits of the
    /// hash that evaluations.jsonl has too, tells prompts apart where layout and number of examples do not.
    ///
    /// A row's interval is the 95 % bootstrap over the run's prompts; `bayes` is the closed form or the mean posterior
    /// variance, and empty where neither is known.
    ///
    /// - Throws: an error that names the damaged file.
    public static func table(of recorded: RecordedRun) throws -> CSVTable {
        var table = CSVTable(header: SweepDirectory.summaryColumns + ["evaluation"])
        var bootstraps: [Int: CrossedBootstrap] = [:]
        for evaluation in try recorded.allEvaluations() {
            let bootstrap =
                bootstraps[evaluation.examples] ?? CrossedBootstrap(prompts: evaluation.examples)
            bootstraps[evaluation.examples] = bootstrap
            let estimates = bootstrap.estimates([evaluation.errors], columns: evaluation.points)
            let layout = try? PromptLayout.named(evaluation.layout)
            let curve = try layout.flatMap { try bayes(recorded, evaluation, $0) }
            for (k, estimate) in estimates.enumerated() {
                let bayes = curve?[k]
                table.append(
                    leading(
                        recorded, metric: "squared_error", step: evaluation.step,
                        evalLayout: evaluation.layout, prompt: evaluation.prompt, k: k)
                        + [
                            CSVTable.cell(estimate.mean), CSVTable.cell(estimate.standardError),
                            CSVTable.cell(estimate.interval.low),
                            CSVTable.cell(estimate.interval.high), CSVTable.cell(bayes),
                            CSVTable.cell(bayes.map { estimate.mean - $0 }),
                            String(evaluation.examples), String((evaluation.hash ?? "").prefix(8)),
                        ])
            }
        }
        for loss in try recorded.losses() {
            table.append(
                leading(recorded, metric: "train_loss", step: loss.step)
                    + [CSVTable.cell(loss.loss)] + Array(repeating: "", count: 7))
        }
        return table
    }

    /// The Bayes error on the prompts of an evaluation, as its sweep computes it; nil where the prompts are not those the
    /// closed forms are for.
    private static func bayes(
        _ recorded: RecordedRun, _ evaluation: RecordedEvaluation, _ layout: PromptLayout
    ) throws -> [Double?]? {
        guard evaluation.prompt == PromptDistribution.standard.name else { return nil }
        let evaluator = Evaluator(
            functionClass: recorded.functionClass, dims: recorded.model.inputDimension,
            points: evaluation.points, examples: evaluation.examples,
            seed: recorded.evaluation?.seed ?? 0)
        let root = Path.parent(of: Path.parent(of: recorded.run.directory.path))
        return try BayesCurve(
            evaluator, EvaluationSetting(layout: layout), root: root, pool: WorkerPool(workers: 1)
        ).values
    }

    /// The columns sweep … k.
    private static func leading(
        _ recorded: RecordedRun, metric: String, step: Int, evalLayout: String = "",
        prompt: String = "", k: Int? = nil
    ) -> [String] {
        let run = recorded.run
        let base: String
        let trainLayout: String
        switch recorded.kind {
        case .run(let configuration):
            base = run.baseName() ?? ""
            trainLayout = configuration.layout.name
        case .base:
            base = run.name
            trainLayout = "base"
        }
        return [
            run.sweep, run.name, base, recorded.seed.map(String.init) ?? "", String(step),
            recorded.functionClass.name, trainLayout, evalLayout, prompt, metric,
            k.map(String.init) ?? "",
        ]
    }
}
