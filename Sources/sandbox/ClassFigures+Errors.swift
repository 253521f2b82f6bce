import InContextRegression
import Mechanism
import Plotting

/// Error against context length.
extension ClassFigures {
    func errorFigure() -> NamedFigure? {
        let layouts = groups.map(\.layout)
        let series =
            bayesSeries(layouts) + baselineSeries()
            + chosen.series(suffix: " (trained)") { $0.error }
        guard chosen.members.contains(where: { $0.error != nil }) else { return nil }
        return named(
            "error-vs-context", "Error against context length, own layout",
            .curves(
                Figure(
                    title: "\(title): error against context length",
                    subtitle: chosen.note
                        + "each model under its own layout; \(trained), "
                        + "\(results.plan.evaluation.examples) prompts; "
                        + "\(chosen.areAllNamed ? "bands: 95 % intervals; " : "")"
                        + "\(sizes)\(bayesNote(layouts))",
                    xLabel: "in-context examples k (points before the query)",
                    yLabel: "squared error (label units²)", yScale: .log10, series: series)),
            caption:
                "How wrong each model is after k composed examples, every model under the layout "
                + "it was trained under. Lower is better, but the layouts do not ask the same: under cft the "
                + "prefix already tells f. The dashed lines are the least error any predictor could "
                + "reach from the same prompt (the closed form where there is one, otherwise the mean "
                + "posterior variance over the same prompts); what a model can be blamed for is its "
                + "distance from its own line.")
    }

    func commonLayoutFigure() -> NamedFigure? {
        let layout = PromptLayout.cpt
        let curves = chosen.series(suffix: " (trained)") {
            summary.errorCurve($0.group, layout: layout)
        }
        guard !curves.isEmpty else { return nil }
        return named(
            "error-vs-context-cpt", "Error against context length, all under cpt",
            .curves(
                Figure(
                    title: "\(title): error against context length, all under cpt",
                    subtitle: chosen.note
                        + "every model on prompts without a prefix; \(trained), "
                        + "\(results.plan.evaluation.examples) prompts; "
                        + "\(chosen.areAllNamed ? "bands: 95 % intervals; " : "")"
                        + "\(sizes)\(bayesNote([layout]))",
                    xLabel: "in-context examples k (points before the query)",
                    yLabel: "squared error (label units²)", yScale: .log10,
                    series: bayesSeries([layout]) + baselineSeries() + curves)),
            caption:
                "All models on the very same prompts, which have no prefix (cpt). A model that was "
                + "trained with a prefix shows here what it keeps when the prefix is taken away: if "
                + "contextual prompts taught something that lasts, its curve lies below that of the model "
                + "trained under cpt.")
    }

    func excessFigure() -> NamedFigure? {
        var measured: [Bool] = []
        var left: [String] = []
        let series = chosen.series(suffix: " (trained)") { member in
            guard let excess = summary.excessCurve(member.group, layout: member.group.layout)
            else {
                left.append(member.group.layout.name)
                return nil
            }
            measured += zip(excess.curve.mean, excess.isMeasured).filter { !$0.0.isNaN }.map(\.1)
            return excess.curve
        }
        guard series.contains(where: { $0.y.contains { ($0 ?? 0) > 0 } }) else { return nil }
        let how =
            measured.allSatisfy(\.self)
            ? "mean of (M − E[g | prompt])²"
            : measured.contains(true)
                ? "mean of (M − E[g | prompt])² where the posterior is computed, elsewhere error − Bayes error"
                : "error − Bayes error, which noise may take below the picture"
        let gaps = left.isEmpty ? "" : "; no Bayes error known under \(unique(left))"
        return named(
            "excess-risk", "Excess risk against context length",
            .curves(
                Figure(
                    title: "\(title): excess risk against context length",
                    subtitle: chosen.note
                        + "\(how); each model under its own layout; \(trained)\(bands)\(gaps)",
                    xLabel: "in-context examples k (points before the query)",
                    yLabel: "excess risk (label units²)", yScale: .log10, series: series)),
            caption:
                "What is left of the error when the part is taken away that no predictor could "
                + "avoid under the same layout. Layouts can be compared here: a prompt that tells more no "
                + "longer counts as an advantage. A curve ends where the least possible error is not "
                + "known, and a point on or below 0 cannot be shown on the logarithmic axis.")
    }

    // MARK: References

    /// A Bayes error against k, and the layouts that share it.
    private struct BayesLine {
        let values: [Double?]
        var layouts: [String]

        /// How many values a logarithmic axis can show.
        var shown: Int { values.filter { ($0 ?? 0) > 0 }.count }
    }

    /// The distinct Bayes curves of the layouts in a picture.
    private func bayesCurves(_ layouts: [PromptLayout]) -> [BayesLine] {
        guard results.plan.evaluation.baselines.contains("bayes") else { return [] }
        let configuration = groups[0].runs[0].plan.configuration
        var curves: [BayesLine] = []
        for layout in layouts {
            let values =
                results.bayesCurve(configuration, EvaluationSetting(layout: layout))?.values
                ?? Array(repeating: nil, count: points)
            if let index = curves.firstIndex(where: { $0.values == values }) {
                if !curves[index].layouts.contains(layout.name) {
                    curves[index].layouts.append(layout.name)
                }
            } else {
                curves.append(BayesLine(values: values, layouts: [layout.name]))
            }
        }
        return curves
    }

    private func bayesSeries(_ layouts: [PromptLayout]) -> [Series] {
        bayesCurves(layouts).filter { $0.shown > 0 }.enumerated().map { index, curve in
            var style = SeriesStyle.reference(2 * index)
            var name = "Bayes, \(curve.layouts.joined(separator: ", "))"
            var values = curve.values
            // One that is known at one k alone is a point, not a line.
            if curve.shown == 1, let k = values.firstIndex(where: { ($0 ?? 0) > 0 }) {
                style.marker = .star
                style.line = .none
                name = "Bayes at k = \(k), \(curve.layouts.joined(separator: ", "))"
                values = values.map { ($0 ?? 0) > 0 ? $0 : nil }
            }
            return Series(
                name: name, x: values.indices.map(Double.init), y: values, style: style)
        }
    }

    /// What the picture cannot show: on a logarithmic axis a Bayes error of 0 lies below it, and some are not known.
    private func bayesNote(_ layouts: [PromptLayout]) -> String {
        let zero = bayesCurves(layouts).filter { $0.shown == 0 && $0.values.contains(0) }
        let names = zero.flatMap(\.layouts)
        let gaps = bayesCurves(layouts).flatMap { curve -> [String] in
            guard let first = curve.values.firstIndex(where: { $0 == nil }) else { return [] }
            return curve.layouts.map { first == 0 ? $0 : "\($0) from k = \(first)" }
        }
        return (names.isEmpty ? "" : "; Bayes error under \(names.joined(separator: ", ")): 0")
            + (gaps.isEmpty ? "" : "; no Bayes error known under \(gaps.joined(separator: ", "))")
    }

    /// The baselines of this class and size on prompts of a distribution.
    func baselines(_ prompt: PromptDistribution = .standard) -> [MeasuredBaseline] {
        results.baselines.filter {
            $0.functionClass == functionClass.name && $0.dims == model.inputDimension
                && $0.points == points && $0.prompt == prompt
        }
    }

    private func baselineSeries() -> [Series] {
        baselines().enumerated().map { index, baseline in
            let curve = summary.errorCurve(baseline)
            return Series(
                name: FigureWords.baseline(baseline.name), x: curve.x, y: curve.mean,
                // Least squares on composed labels explodes near k = d; it may leave the picture.
                style: .reference(2 * index + 1), shapesRange: baseline.name != "least_squares")
        }
    }

    private func unique(_ names: [String]) -> String {
        var seen: [String] = []
        for name in names where !seen.contains(name) { seen.append(name) }
        return seen.joined(separator: ", ")
    }
}
