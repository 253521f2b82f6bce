import InContextRegression
import Mechanism
import Plotting

/// The pictures of a finished sweep.
struct SweepFigures {
    /// The pictures of one class at one size, under its title.
    struct Chapter {
        let title: String
        let groups: [RunGroup]
        let figures: [NamedFigure]
    }

    let summary: SweepSummary
    /// Curves of another publication to be shown beside the sweep's own.
    var published: PublishedCurves?

    private var results: SweepResults { summary.results }

    /// All pictures: those of each class, and one for each base.
    func all() -> [NamedFigure] { chapters().flatMap(\.figures) + bases() }

    /// The pictures class by class.
    func chapters() -> [Chapter] {
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
        return keys.map { pictured in
            let groups = summary.groups.filter { key($0) == pictured }
            let isAlone = keys.filter { $0[0] == pictured[0] }.count == 1
            let title = FigureWords.title(ofClass: pictured[0])
            let figures = ClassFigures(
                summary: summary, file: isAlone ? pictured[0] : pictured.joined(separator: "-"),
                groups: groups)
            return Chapter(
                title: isAlone
                    ? title : "\(title), \(pictured.dropFirst().joined(separator: ", "))",
                groups: groups,
                figures: figures.all()
                    + [published.flatMap(figures.publishedFigure)].compactMap { $0 })
        }
    }

    /// The picture of each base.
    func bases() -> [NamedFigure] { results.bases.map(baseFigure) }

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
        let figure = Figure(
            title: "Base model: linear functions in context",
            subtitle:
                "\(model.summary); \(steps); \(results.plan.evaluation.examples) prompts; "
                + "bands: 95 % over prompts",
            panels: [panel("linear axis", .linear), panel("logarithmic axis", .log10)])
        return NamedFigure(
            name: "base-\(base.plan.name)", heading: base.plan.name, picture: .curves(figure),
            caption:
                "The pretrained model that every run starts from, on fresh linear functions. A "
                + "model that regresses in context lies on the line of least squares: it falls to 0 at "
                + "k = d, where d examples determine the function. On the logarithmic axis least "
                + "squares falls out of the picture there, and what remains is the model's own error.",
            runs: ["bases/\(base.plan.name)"])
    }
}
