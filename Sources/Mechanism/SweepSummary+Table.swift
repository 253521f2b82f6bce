import Experiments
import InContextRegression
import Kernels
import Statistics

extension SweepSummary {
    /// The tidy table `summary.csv`: one row per run × evaluation cell × k, the baselines, the base and the losses.
    ///
    /// A row's interval is the 95 % bootstrap over that run's prompts alone; a baseline's rows carry its name in
    /// `train_layout`, and a loss row has no k.
    public func table() -> CSVTable {
        var table = CSVTable(header: SweepDirectory.summaryColumns)
        let bootstrap = CrossedBootstrap(prompts: results.plan.evaluation.examples)
        for base in results.bases { append(base, bootstrap, to: &table) }
        for run in results.runs {
            for cell in run.cells {
                append(run, cell, bootstrap, to: &table)
            }
            for loss in run.losses {
                table.append(row(run, metric: "train_loss", step: loss.step, mean: loss.loss))
            }
        }
        for baseline in results.baselines { append(baseline, bootstrap, to: &table) }
        return table
    }

    private func append(
        _ run: MeasuredRun, _ cell: EvaluationCell, _ bootstrap: CrossedBootstrap,
        to table: inout CSVTable
    ) {
        let configuration = run.plan.configuration
        let points = configuration.training.points
        let estimates = bootstrap.estimates([cell.errors.array], columns: points)
        for (k, estimate) in estimates.enumerated() {
            let bayes = cell.layout.bayesError(
                of: configuration.functionClass, contextLength: k,
                dims: configuration.model.inputDimension)
            table.append(
                row(
                    run, metric: "squared_error", step: configuration.training.steps,
                    mean: estimate.mean, evalLayout: cell.layout.name, prompt: cell.prompt, k: k,
                    estimate: estimate, bayes: bayes))
        }
    }

    private func row(
        _ run: MeasuredRun, metric: String, step: Int, mean: Double, evalLayout: String = "",
        prompt: String = "", k: Int? = nil, estimate: Estimate? = nil, bayes: Double? = nil
    ) -> [String] {
        let configuration = run.plan.configuration
        return [
            results.plan.file.name, run.plan.name, run.plan.base.name, String(configuration.seed),
            String(step), configuration.functionClass.name, configuration.layout.name, evalLayout,
            prompt, metric, k.map(String.init) ?? "",
        ] + cells(mean: mean, estimate: estimate, bayes: bayes)
    }

    private func append(
        _ base: MeasuredBase, _ bootstrap: CrossedBootstrap, to table: inout CSVTable
    ) {
        let dims = base.plan.configuration.model.inputDimension
        let seed = base.plan.configuration.pretraining.map { String($0.seed) } ?? ""
        let step = base.plan.configuration.pretraining.map { String($0.phase.steps) } ?? ""
        for (name, errors) in [("base", base.errors), ("least_squares", base.leastSquares)] {
            let isModel = name == "base"
            let estimates = bootstrap.estimates([errors.array], columns: base.points)
            for (k, estimate) in estimates.enumerated() {
                let bayes = PromptLayout.cpt.bayesError(
                    of: LinearFunction(), contextLength: k, dims: dims)
                table.append(
                    [
                        results.plan.file.name, isModel ? base.plan.name : "", base.plan.name,
                        isModel ? seed : "", isModel ? step : "", "linear", name, "cpt",
                        "standard", "squared_error", String(k),
                    ] + cells(mean: estimate.mean, estimate: estimate, bayes: bayes))
            }
        }
    }

    private func append(
        _ baseline: MeasuredBaseline, _ bootstrap: CrossedBootstrap, to table: inout CSVTable
    ) {
        let points = baseline.errors.count / results.plan.evaluation.examples
        let estimates = bootstrap.estimates([baseline.errors.array], columns: points)
        for (k, estimate) in estimates.enumerated() {
            table.append(
                [
                    results.plan.file.name, "", "", "", "", baseline.functionClass, baseline.name,
                    "cpt", "standard", "squared_error", String(k),
                ] + cells(mean: estimate.mean, estimate: estimate, bayes: nil))
        }
    }

    /// The columns mean … examples.
    private func cells(mean: Double, estimate: Estimate?, bayes: Double?) -> [String] {
        [
            CSVTable.cell(mean), CSVTable.cell(estimate?.standardError),
            CSVTable.cell(estimate?.interval.low), CSVTable.cell(estimate?.interval.high),
            CSVTable.cell(bayes), CSVTable.cell(bayes.map { mean - $0 }),
            estimate == nil ? "" : String(results.plan.evaluation.examples),
        ]
    }
}
