import Experiments
import InContextRegression
import Kernels
import Statistics

extension SweepSummary {
    /// Rows of metric `excess_loss`: the training loss ÷ (Σ_{i < n} max(d − i, 0) / n), as the paper's public code has
    /// it for every class: the divisor is the Bayes error of *linear* functions without a prefix, averaged over k.
    func appendPublicLosses(to table: inout CSVTable) {
        for run in results.runs {
            let configuration = run.plan.configuration
            let (d, n) = (configuration.model.inputDimension, configuration.training.points)
            let normalizer = Double((0..<n).reduce(0) { $0 + max(d - $1, 0) }) / Double(n)
            for loss in run.losses {
                table.append(
                    row(
                        run, metric: "excess_loss", step: loss.step, mean: loss.loss / normalizer))
            }
        }
    }

    /// Rows of metric `escape_step`: the mean is the step of ``escapeSteps(_:)``, empty where the plateau was never left.
    func appendEscapes(to table: inout CSVTable) {
        for group in groups {
            for (run, escape) in zip(group.runs, escapeSteps(group)) {
                table.append(
                    row(
                        run, metric: "escape_step", step: run.plan.configuration.training.steps,
                        mean: escape.map(Double.init) ?? .nan))
            }
        }
    }

    /// Rows of metric `excess_risk`: the mean of (M − E[g | prompt])² at every k whose posterior is known, with the
    /// value again in the column of that name.
    func appendExcess(to table: inout CSVTable) {
        for run in results.runs {
            let configuration = run.plan.configuration
            for cell in run.cells {
                guard let excess = cell.excess else { continue }
                let examples = results.plan.evaluation.examples(cell.prompt)
                let bayes = results.bayesCurve(configuration, cell.setting)?.values
                for (k, estimate) in knownEstimates([excess.array], prompts: examples).enumerated()
                {
                    guard let estimate else { continue }
                    table.append(
                        row(
                            run, metric: "excess_risk", step: configuration.training.steps,
                            mean: estimate.mean, evalLayout: cell.layout.name,
                            prompt: cell.prompt.name, k: k, estimate: estimate, bayes: bayes?[k],
                            excess: estimate.mean, examples: examples))
                }
            }
        }
    }

    /// Rows of metric `gradient_alignment`, the query moved in every place, at the context lengths where that is
    /// measured, and of `gradient_alignment_token`, the query token moved alone, at every k: after each step that was
    /// measured, under the own layout. `examples` counts the prompts that have a gradient.
    func appendAlignment(to table: inout CSVTable) {
        for run in results.runs {
            guard let dynamics = run.dynamics else { continue }
            let layout = run.plan.configuration.layout.name
            for (metric, measured, contexts) in [
                ("gradient_alignment", dynamics.both, dynamics.contexts),
                ("gradient_alignment_token", dynamics.token, Array(0..<dynamics.points)),
            ] {
                for (step, values) in zip(dynamics.steps, measured) {
                    let cells = finiteEstimates([values.array], columns: contexts.count)
                    for (k, cell) in zip(contexts, cells) {
                        guard let cell else { continue }
                        table.append(
                            row(
                                run, metric: metric, step: step, mean: cell.estimate.mean,
                                evalLayout: layout, prompt: PromptDistribution.standard.name, k: k,
                                estimate: cell.estimate, examples: cell.prompts))
                    }
                }
            }
        }
    }
}
