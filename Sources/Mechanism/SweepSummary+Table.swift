import Experiments
import InContextRegression
import Kernels
import Statistics

extension SweepSummary {
    /// The tidy table `summary.csv`: one row per run × evaluation cell × k, the baselines, the base and the losses, and
    /// behind them what ``appendPublicLosses(to:)``, ``appendEscapes(to:)``, ``appendExcess(to:)`` and
    /// ``appendAlignment(to:)`` say.
    ///
    /// A row's interval is the 95 % bootstrap over that run's prompts alone; a baseline's rows carry its name in
    /// `train_layout`, and a loss row has no k.
    public func table() -> CSVTable {
        var table = CSVTable(header: SweepDirectory.summaryColumns)
        for base in results.bases { append(base, to: &table) }
        let cells = results.runs.flatMap { run in run.cells.map { (run, $0) } }
        let measured = cells.map { (errors: $1.errors, bootstrap: bootstrap($1.prompt)) }
        let estimates = pool.map(measured) { errors, bootstrap in
            bootstrap.estimates([errors.array], columns: errors.count / bootstrap.prompts)
        }
        for ((run, cell), estimates) in zip(cells, estimates) {
            append(run, cell, estimates, to: &table)
        }
        for run in results.runs {
            for loss in run.losses {
                table.append(row(run, metric: "train_loss", step: loss.step, mean: loss.loss))
            }
        }
        appendPublicLosses(to: &table)
        appendEscapes(to: &table)
        for baseline in results.baselines { append(baseline, to: &table) }
        appendExcess(to: &table)
        appendAlignment(to: &table)
        return table
    }

    private func append(
        _ run: MeasuredRun, _ cell: EvaluationCell, _ estimates: [Estimate],
        to table: inout CSVTable
    ) {
        let configuration = run.plan.configuration
        for (k, estimate) in estimates.enumerated() {
            let bayes = results.bayesCurve(configuration, cell.setting)?.values[k]
            table.append(
                row(
                    run, metric: "squared_error", step: configuration.training.steps,
                    mean: estimate.mean, evalLayout: cell.layout.name, prompt: cell.prompt.name,
                    k: k,
                    estimate: estimate, bayes: bayes,
                    examples: results.plan.evaluation.examples(cell.prompt)))
        }
    }

    /// A row of a run; `excess` is what stands under `excess_risk`, mean − Bayes unless given.
    func row(
        _ run: MeasuredRun, metric: String, step: Int, mean: Double, evalLayout: String = "",
        prompt: String = "", k: Int? = nil, estimate: Estimate? = nil, bayes: Double? = nil,
        excess: Double? = nil, examples: Int? = nil
    ) -> [String] {
        let configuration = run.plan.configuration
        return [
            results.plan.name, run.plan.name, run.plan.base.name, String(configuration.seed),
            String(step), configuration.functionClass.name, configuration.layout.name, evalLayout,
            prompt, metric, k.map(String.init) ?? "",
        ]
            + cells(
                mean: mean, estimate: estimate, bayes: bayes, excess: excess, examples: examples)
    }

    private func append(_ base: MeasuredBase, to table: inout CSVTable) {
        let dims = base.plan.configuration.model.inputDimension
        let seed = base.plan.configuration.pretraining.map { String($0.seed) } ?? ""
        let step = base.plan.configuration.pretraining.map { String($0.phase.steps) } ?? ""
        for (name, errors) in [("base", base.errors), ("least_squares", base.leastSquares)] {
            let isModel = name == "base"
            let estimates = bootstrap().estimates([errors.array], columns: base.points)
            for (k, estimate) in estimates.enumerated() {
                let bayes = PromptLayout.cpt.bayesError(
                    of: LinearFunction(), contextLength: k, points: base.points, dims: dims)
                table.append(
                    [
                        results.plan.name, isModel ? base.plan.name : "", base.plan.name,
                        isModel ? seed : "", isModel ? step : "", "linear", name, "cpt",
                        "standard", "squared_error", String(k),
                    ]
                        + cells(
                            mean: estimate.mean, estimate: estimate, bayes: bayes,
                            examples: results.plan.evaluation.examples))
            }
        }
    }

    private func append(_ baseline: MeasuredBaseline, to table: inout CSVTable) {
        for (k, estimate) in estimates(baseline).enumerated() {
            table.append(
                [
                    results.plan.name, "", "", "", "", baseline.functionClass, baseline.name,
                    "cpt", baseline.prompt.name, "squared_error", String(k),
                ]
                    + cells(
                        mean: estimate.mean, estimate: estimate, bayes: nil,
                        examples: baseline.examples))
        }
    }

    /// The columns mean … examples.
    private func cells(
        mean: Double, estimate: Estimate?, bayes: Double?, excess: Double? = nil, examples: Int?
    ) -> [String] {
        [
            CSVTable.cell(mean), CSVTable.cell(estimate?.standardError),
            CSVTable.cell(estimate?.interval.low), CSVTable.cell(estimate?.interval.high),
            CSVTable.cell(bayes), CSVTable.cell(excess ?? bayes.map { mean - $0 }),
            examples.map(String.init) ?? "",
        ]
    }
}
