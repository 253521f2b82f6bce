import Foundation
import InContextRegression
import Mechanism
import Plotting

/// A picture with the name of its file.
struct NamedFigure {
    /// File name without extension.
    let name: String
    /// What is drawn.
    let figure: Figure
    /// The runs and bases the data come from, as paths below the folder of the runs.
    let runs: [String]
}

/// The pictures of a finished sweep.
struct SweepFigures {
    let summary: SweepSummary

    private var results: SweepResults { summary.results }

    /// All pictures: per class error-versus-k and loss, and one for each base.
    func all() -> [NamedFigure] {
        var figures: [NamedFigure] = []
        // One picture holds one class at one size.
        func key(_ group: RunGroup) -> [String] {
            let configuration = group.runs[0].plan.configuration
            return [
                group.functionClass.name, "d\(configuration.model.inputDimension)",
                "n\(configuration.training.points)",
            ]
        }
        var keys: [[String]] = []
        for group in summary.groups where !keys.contains(key(group)) { keys.append(key(group)) }
        for pictured in keys {
            let groups = summary.groups.filter { key($0) == pictured }
            let isAlone = keys.filter { $0[0] == pictured[0] }.count == 1
            let name = isAlone ? pictured[0] : pictured.joined(separator: "-")
            let chosen = ChosenCurves(groups, summary: summary)
            figures.append(errorFigure(name, groups, chosen))
            if groups.contains(where: { !$0.runs[0].losses.isEmpty }) {
                figures.append(lossFigure(name, groups, chosen))
            }
        }
        for base in results.bases { figures.append(baseFigure(base)) }
        return figures
    }

    // MARK: Error against context length

    private func errorFigure(
        _ file: String, _ groups: [RunGroup], _ chosen: ChosenCurves
    ) -> NamedFigure {
        let name = groups[0].functionClass.name
        let model = groups[0].runs[0].plan.configuration.model
        let seeds = groups[0].runs.count
        let bases = Set(groups.flatMap { $0.runs.map(\.plan.base.hash) }).count
        let series =
            bayesSeries(groups) + baselineSeries(name, groups)
            + chosen.series(suffix: " (trained)") { $0.error }
        let examples = results.plan.evaluation.examples
        return NamedFigure(
            name: "\(file)-error-vs-context",
            figure: Figure(
                title: "\(title(name)): error against context length",
                subtitle: chosen.note
                    + "each model under its own layout; \(steps(groups)) fine-tuning steps, "
                    + "\(seeds) \(seeds == 1 ? "seed" : "seeds"), \(bases) base \(bases == 1 ? "model" : "models"), "
                    + "\(examples) prompts; \(chosen.areAllNamed ? "bands: 95 % intervals; " : "")\(model.summary)\(bayesNote(groups))",
                xLabel: "in-context examples k (points before the query)",
                yLabel: "squared error (label units²)", yScale: .log10, series: series),
            runs: paths(groups))
    }

    /// A Bayes error against k, and the layouts that share it.
    private struct BayesLine {
        let values: [Double?]
        var layouts: [String]

        /// How many values a logarithmic axis can show.
        var shown: Int { values.filter { ($0 ?? 0) > 0 }.count }
    }

    /// The distinct Bayes curves of the layouts in a picture.
    private func bayesCurves(_ groups: [RunGroup]) -> [BayesLine] {
        guard results.plan.evaluation.baselines.contains("bayes") else { return [] }
        let configuration = groups[0].runs[0].plan.configuration
        var curves: [BayesLine] = []
        for group in groups {
            let values =
                results.bayesCurve(configuration, EvaluationSetting(layout: group.layout))?.values
                ?? Array(repeating: nil, count: configuration.training.points)
            if let index = curves.firstIndex(where: { $0.values == values }) {
                if !curves[index].layouts.contains(group.layout.name) {
                    curves[index].layouts.append(group.layout.name)
                }
            } else {
                curves.append(BayesLine(values: values, layouts: [group.layout.name]))
            }
        }
        return curves
    }

    private func bayesSeries(_ groups: [RunGroup]) -> [Series] {
        bayesCurves(groups).filter { $0.shown > 0 }.enumerated().map { index, curve in
            var style = SeriesStyle.reference(2 * index)
            var name = "Bayes, \(curve.layouts.joined(separator: ", "))"
            var values = curve.values
            // A closed form that is known at one k alone (polynomial, k = 0) is a point, not a line.
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

    /// What the picture cannot show: on a logarithmic axis a Bayes error of 0 lies below it.
    private func bayesNote(_ groups: [RunGroup]) -> String {
        let zero = bayesCurves(groups).filter { $0.shown == 0 && $0.values.contains(0) }
        let layouts = zero.flatMap(\.layouts)
        return layouts.isEmpty ? "" : "; Bayes error under \(layouts.joined(separator: ", ")): 0"
    }

    private func baselineSeries(_ name: String, _ groups: [RunGroup]) -> [Series] {
        let model = groups[0].runs[0].plan.configuration.model
        let points = groups[0].runs[0].plan.configuration.training.points
        return results.baselines.filter {
            $0.functionClass == name && $0.dims == model.inputDimension && $0.points == points
        }.enumerated().map { index, baseline in
            let curve = summary.errorCurve(baseline)
            return Series(
                name: spoken(baseline.name), x: curve.x, y: curve.mean,
                // Least squares on composed labels explodes near k = d; it may leave the picture.
                style: .reference(2 * index + 1), shapesRange: baseline.name != "least_squares")
        }
    }

    // MARK: Loss against step

    private func lossFigure(
        _ file: String, _ groups: [RunGroup], _ chosen: ChosenCurves
    ) -> NamedFigure {
        let name = groups[0].functionClass.name
        let series = chosen.series { summary.lossCurve($0.group) }
        let seeds = groups[0].runs.count
        let every = groups[0].runs[0].plan.configuration.recording.logEvery
        return NamedFigure(
            name: "\(file)-training-loss",
            figure: Figure(
                title: "\(title(name)): fine-tuning loss",
                subtitle: chosen.note
                    + "mean over all k, \(seeds) \(seeds == 1 ? "seed" : "seeds") and "
                    + "\(every) steps\(chosen.areAllNamed ? "; bands: lowest and highest seed" : "")",
                xLabel: "fine-tuning step (optimizer updates)",
                yLabel: "mean squared error (label units²)", yScale: .log10,
                series: series),
            runs: paths(groups))
    }

    // MARK: The base model

    private func baseFigure(_ base: MeasuredBase) -> NamedFigure {
        let curves = summary.errorCurves(base)
        let model = base.plan.configuration.model
        let steps =
            base.plan.configuration.pretraining.map { "\($0.phase.steps) steps" } ?? "imported"
        let zero = Array(repeating: Double(model.inputDimension) as Double?, count: base.points)
        func panel(_ title: String, _ scale: AxisScale) -> Panel {
            Panel(
                title: title, xLabel: "in-context examples k",
                yLabel: "squared error (label units²)", yScale: scale,
                series: [
                    Series(
                        name: "predicting zero", x: curves.model.x, y: zero, style: .reference(1)),
                    // Rounding noise from k = d on: it may leave the logarithmic picture.
                    Series(
                        name: "least squares", x: curves.leastSquares.x,
                        y: curves.leastSquares.mean,
                        style: .reference(0), shapesRange: scale == .linear),
                    Series(
                        name: "base model", x: curves.model.x, y: curves.model.mean,
                        low: curves.model.low, high: curves.model.high, style: .curve(0)),
                ])
        }
        return NamedFigure(
            name: "base-\(base.plan.name)",
            figure: Figure(
                title: "Base model: linear functions in context",
                subtitle:
                    "\(model.summary); \(steps); \(results.plan.evaluation.examples) prompts; "
                    + "bands: 95 % over prompts",
                panels: [panel("linear axis", .linear), panel("logarithmic axis", .log10)]),
            runs: ["bases/\(base.plan.name)"])
    }

    private func paths(_ groups: [RunGroup]) -> [String] {
        groups.flatMap { $0.runs.map { "\(results.plan.name)/\($0.plan.name)" } }
    }

    // MARK: Words

    private func title(_ name: String) -> String {
        switch name {
        case "polynomial": "Polynomial g = f + f²"
        case "multilinear": "Multilinear g = f + w₂·x"
        case "linear": "Linear g = f = w·x"
        default: name
        }
    }

    private func spoken(_ baseline: String) -> String {
        switch baseline {
        case "zero": "predicting zero"
        case "least_squares": "least squares on g"
        default: baseline
        }
    }

    private func steps(_ groups: [RunGroup]) -> String {
        let all = Set(groups.map { $0.runs[0].plan.configuration.training.steps }).sorted()
        return all.map(String.init).joined(separator: ", ")
    }
}
