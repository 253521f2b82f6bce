import InContextRegression
import Mechanism
import Plotting

/// What happens along the steps of fine-tuning.
extension ClassFigures {
    func lossFigure() -> NamedFigure? {
        guard groups.contains(where: { !$0.runs[0].losses.isEmpty }) else { return nil }
        let every = groups[0].runs[0].plan.configuration.recording.logEvery
        return named(
            "training-loss", "Loss against steps",
            .curves(
                Figure(
                    title: "\(title): fine-tuning loss",
                    subtitle: chosen.note
                        + "mean over all k, \(seeds) and "
                        + "\(every) steps\(chosen.areAllNamed ? "; bands: lowest and highest seed" : "")"
                        + escapes,
                    xLabel: "fine-tuning step (optimizer updates)",
                    yLabel: "mean squared error (label units²)", yScale: .log10,
                    series: chosen.series { summary.lossCurve($0.group) })),
            caption:
                "The loss that training itself sees, each model under its own layout, on fresh "
                + "prompts at every step. The noise is that of single batches: composed labels have heavy "
                + "tails. A run has left the plateau when the mean of \(SweepSummary.escapeWindow) records lies below "
                + "half of E[g²], what predicting zero costs, and stays there.")
    }

    /// When the groups have left the plateau.
    private var escapes: String {
        let texts = chosen.named.map {
            "\($0.label) \(FigureWords.escape(summary.escapeSteps($0), earliest: summary.earliestEscape($0)))"
        }
        return texts.isEmpty ? "" : "; plateau left at step: \(texts.joined(separator: ", "))"
    }

    func stepsFigure() -> NamedFigure? {
        let own = chosen.series { summary.errorAlongSteps($0.group, layout: $0.group.layout) }
        let common = chosen.series { summary.errorAlongSteps($0.group, layout: .cpt) }
        guard !own.isEmpty else { return nil }
        // Equal axes side by side: the same height is the same error.
        let series = own + common
        let edges = series.flatMap { ($0.low ?? []) + ($0.high ?? []) }
        let shown = (series.flatMap(\.y) + edges).compactMap(\.self).filter {
            $0.isFinite && $0 > 0
        }
        guard let least = shown.min(), let most = shown.max() else { return nil }
        func panel(_ title: String, _ series: [Series]) -> Panel {
            Panel(
                title: title, xLabel: "fine-tuning step", yLabel: "squared error (label units²)",
                xScale: .log10, yScale: .log10, series: series,
                yRange: max(least, most / 1e6) / 1.1...most * 1.1)
        }
        let panels =
            [panel("each under its own layout", own)]
            + (common.isEmpty ? [] : [panel("all under cpt", common)])
        let examples = results.plan.evaluation.dynamics?.examples ?? 0
        return named(
            "error-vs-steps", "Error against steps",
            .curves(
                Figure(
                    title: "\(title): error against fine-tuning steps",
                    subtitle: chosen.note
                        + "mean over k; the same \(examples) prompts after every step shown; \(seeds)\(bands)",
                    panels: panels)),
            caption:
                "The error on one fixed set of prompts after 1, 2, 5, 10, … steps. Left, where "
                + "training takes each model under its own layout; right, what the same weights are worth "
                + "without any prefix. When the order of the curves changes along the axis, a verdict "
                + "depends on when training was stopped.")
    }

    func alignmentFigure() -> NamedFigure? {
        let steps = chosen.series { summary.alignmentAlongSteps($0.group) }
        let contexts = chosen.series { summary.alignmentAgainstContext($0.group) }
        guard !steps.isEmpty, !contexts.isEmpty else { return nil }
        let bayes = summary.alignmentOfBayesPredictor(groups[0]).map { curve in
            Series(
                name: "Bayes predictor under cpt", x: curve.x, y: curve.mean, style: .reference(0))
        }
        // Equal axes side by side; 1 is the most a cosine can be.
        let all = steps + contexts + (bayes.map { [$0] } ?? [])
        let least = all.flatMap { $0.y + ($0.low ?? []) }.compactMap { $0 }.filter(\.isFinite).min()
        let bottom = min(0, ((least ?? 0) * 10).rounded(.down) / 10)
        func panel(_ title: String, _ x: String, _ scale: AxisScale, _ series: [Series]) -> Panel {
            Panel(
                title: title, xLabel: x, yLabel: "cosine to the true gradient", xScale: scale,
                series: series, yRange: (bottom - 0.02)...1.02)
        }
        let examples = results.plan.evaluation.dynamics?.alignmentExamples ?? 0
        return named(
            "gradient-alignment", "Gradient alignment",
            .curves(
                Figure(
                    title: "\(title): alignment of ∂M/∂x with ∇g at the query",
                    subtitle: chosen.note
                        + "each model under its own layout; left: mean over k, right: after the last step; "
                        + "\(examples) prompts, those without a gradient left out; \(seeds)\(bands)",
                    panels: [
                        panel(
                            "x moved in prefix and query", "fine-tuning step", .log10,
                            steps),
                        panel(
                            "x moved as the query token alone", "in-context examples k",
                            .linear, (bayes.map { [$0] } ?? []) + contexts),
                    ])),
            caption:
                "Whether the prediction moves with the query as the true function does: the cosine "
                + "between the gradient of the prediction and ∇g, 1 when they point the same way. Left, the "
                + "point is moved in every place where it stands, prefix and query (the published number); "
                + "right, the query token alone, so that a model that copies from the prefix is told from one "
                + "that computes. The two readings can disagree.")
    }
}
