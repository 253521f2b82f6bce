import InContextRegression
import Mechanism
import Plotting

/// Trained models under other prompts than their own, and what their layers know.
extension ClassFigures {
    func layoutsFigure() -> NamedFigure? {
        matrixFigure(
            summary.layoutMatrix(chosen.named), "layouts", "Error under every layout", "error",
            valueLabel: "squared error, mean over k (label units²)",
            caption:
                "Every trained model (rows) on the same prompts in every layout (columns); light is "
                + "a small error, a frame marks the layout that a model was trained under. The mean over k is "
                + "the area under the curve of error against k, divided by n. Along a row: what a model loses "
                + "away from its layout. Down the column cpt: what training with a prefix is worth without it."
        )
    }

    func excessLayoutsFigure() -> NamedFigure? {
        matrixFigure(
            summary.excessMatrix(chosen.named), "excess-layouts", "Excess risk under every layout",
            "excess risk", valueLabel: "excess risk, mean over k (label units²)",
            caption:
                "The same matrix less what no predictor can avoid: the distance from the best predictor "
                + "of each column's layout. Columns can be compared here, because a prompt that tells more no longer "
                + "counts as an advantage. A dash: the least possible error of that layout is not known at every k."
        )
    }

    private func matrixFigure(
        _ matrix: LayoutMatrix, _ name: String, _ heading: String, _ what: String,
        valueLabel: String, caption: String
    ) -> NamedFigure? {
        let isMeasured = matrix.layouts.indices.filter { column in
            matrix.cells.contains { $0[column] != nil }
        }
        let hasPositive = matrix.cells.joined().contains { ($0?.mean ?? 0) > 0 }
        guard isMeasured.count > 1, hasPositive else { return nil }
        let cells = matrix.cells.enumerated().map { row, cells in
            isMeasured.map { column -> HeatMapCell in
                guard let estimate = cells[column] else { return HeatMapCell(nil) }
                var cell = HeatMapCell(
                    estimate.mean, low: estimate.interval.low, high: estimate.interval.high)
                cell.isFramed = matrix.isOwn(row, column)
                return cell
            }
        }
        return named(
            name, heading,
            .matrix(
                HeatMap(
                    title: "\(title): \(what) under every layout",
                    subtitle: chosen.note
                        + "mean over k, 95 % intervals in brackets; framed: the layout it was trained under; "
                        + "\(trained), \(results.plan.evaluation.examples) prompts",
                    rowCaption: "trained under", columnCaption: "evaluated under",
                    rows: matrix.groups.map(\.label),
                    columns: isMeasured.map { matrix.layouts[$0].name }, cells: cells,
                    valueLabel: valueLabel, scale: .log10)),
            caption: caption)
    }

    func outsideFigure() -> NamedFigure? {
        let distributions = summary.distributions(groups)
        guard distributions.contains(where: { $0 != .standard }) else { return nil }
        let hasLeastSquares = distributions.contains { distribution in
            distribution != .standard
                && baselines(distribution).contains { $0.name == LeastSquares().name }
        }
        let panels = distributions.map { distribution in
            Panel(
                title: FigureWords.distribution(distribution), xLabel: "in-context examples k",
                yLabel: "squared error (label units²)", yScale: .log10,
                series: references(distribution, leastSquares: hasLeastSquares)
                    + chosen.series { member in
                        summary.errorCurve(
                            member.group,
                            EvaluationSetting(
                                layout: member.group.layout, distribution: distribution))
                    })
        }.filter { $0.series.contains { $0.y.contains { ($0 ?? 0) > 0 } } }
        if panels.isEmpty { return nil }
        let evaluation = results.plan.evaluation
        return named(
            "out-of-distribution", "Error out of distribution",
            .curves(
                Figure(
                    title: "\(title): error out of distribution",
                    subtitle: chosen.note
                        + "each model under its own layout; \(trained), \(evaluation.outsideExamples) prompts "
                        + "(\(evaluation.examples) as in training); each panel has its own vertical axis\(bands)",
                    panels: panels, columns: panels.count > 6 ? 4 : min(3, panels.count))),
            caption:
                "Error against context length on prompts that no model was trained on, one panel "
                + "for each way in which they differ, beside prompts as in training. Compare shapes with the "
                + "first panel: where a curve that fell there stays up or rises, the model depends on its "
                + "training distribution. The vertical axes differ."
                + (hasLeastSquares ? " Least squares knows nothing of distributions." : ""))
    }

    /// What is not trained: predicting zero, and least squares where the labels are linear.
    private func references(
        _ distribution: PromptDistribution, leastSquares: Bool
    ) -> [Series] {
        let names = (leastSquares ? [LeastSquares().name] : []) + [ZeroPredictor().name]
        return names.enumerated().flatMap { index, name in
            baselines(distribution).filter { $0.name == name }.map { baseline in
                let curve = summary.errorCurve(baseline)
                return Series(
                    name: FigureWords.baseline(name), x: curve.x, y: curve.mean,
                    style: .reference(index), shapesRange: false)
            }
        }
    }

    func probesFigure() -> NamedFigure? {
        let base = chosen.series { summary.probeCurves($0.group)?.base }
        let weights = chosen.series { summary.probeCurves($0.group)?.weights }
        guard !base.isEmpty else { return nil }
        let all = base + weights
        let values = all.flatMap { $0.y + ($0.low ?? []) }.compactMap { $0 }.filter(\.isFinite)
        let bottom = min(0, ((values.min() ?? 0) * 10).rounded(.down) / 10)
        func panel(_ title: String, _ series: [Series]) -> Panel {
            Panel(
                title: title, xLabel: "layer (0: embedding)",
                yLabel: "explained share of variance R²", series: series,
                yRange: (bottom - 0.02)...1.02)
        }
        let hasBands = chosen.areAllNamed && groups.contains { $0.runs.count > 1 }
        return named(
            "probes", "What the layers know",
            .curves(
                Figure(
                    title: "\(title): what a linear read-out of each layer knows",
                    subtitle: chosen.note
                        + "residual stream at the query, each model under its own layout; mean over k, held-out "
                        + "prompts; \(seeds)\(hasBands ? "; bands: 95 % over seeds" : "")",
                    panels: [
                        panel("the base function f(x) at the query", base),
                        panel("its weights w", weights),
                    ])),
            caption:
                "How much of f(x) at the query, and of the weights w behind it, can be read off the "
                + "residual stream of each layer by a linear regression, fitted on one half of the prompts and "
                + "scored on the other. 1 is all of it, 0 nothing. f without w is knowledge of this one "
                + "value, which under cft stands in the prefix; w is knowledge of the function.")
    }
}
