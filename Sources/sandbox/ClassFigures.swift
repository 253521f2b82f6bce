import InContextRegression
import Mechanism
import Plotting

/// The pictures of one class at one size.
struct ClassFigures {
    let summary: SweepSummary
    /// The beginning of every file's name.
    let file: String
    let groups: [RunGroup]
    let chosen: ChosenCurves

    init(summary: SweepSummary, file: String, groups: [RunGroup]) {
        self.summary = summary
        self.file = file
        self.groups = groups
        chosen = ChosenCurves(groups, summary: summary)
    }

    /// Those whose data are there.
    func all() -> [NamedFigure] {
        [
            errorFigure(), commonLayoutFigure(), excessFigure(), lossFigure(), stepsFigure(),
            alignmentFigure(), layoutsFigure(), excessLayoutsFigure(), outsideFigure(),
            probesFigure(),
        ].compactMap { $0 }
    }

    var results: SweepResults { summary.results }
    var functionClass: any FunctionClass { groups[0].functionClass }
    var title: String { FigureWords.title(ofClass: functionClass.name) }
    var model: ModelConfiguration { groups[0].runs[0].plan.configuration.model }
    var points: Int { groups[0].runs[0].plan.configuration.training.points }

    func named(
        _ name: String, _ heading: String, _ picture: Picture, caption: String
    ) -> NamedFigure {
        NamedFigure(
            name: "\(file)-\(name)", heading: heading, picture: picture, caption: caption,
            runs: groups.flatMap { $0.runs.map { "\(results.plan.name)/\($0.plan.name)" } })
    }

    // MARK: Words

    /// The model's sizes in words; the labels of the curves tell several sizes apart.
    var sizes: String {
        let all = Set(groups.map { $0.runs[0].plan.configuration.model.summary })
        return all.count == 1 ? model.summary : "\(all.count) sizes of models"
    }

    /// `1000 fine-tuning steps, 3 seeds, 1 base model`.
    var trained: String {
        let bases = Set(groups.flatMap { $0.runs.map(\.plan.base.hash) }).count
        return "\(steps) fine-tuning steps, \(seeds), \(FigureWords.count(bases, "base model"))"
    }

    /// `3 seeds`; of groups that have not equally many `1–3 seeds`.
    var seeds: String {
        let counts = groups.map(\.runs.count)
        let (fewest, most) = (counts.min() ?? 0, counts.max() ?? 0)
        let words = FigureWords.count(most, "seed")
        return fewest == most ? words : "\(fewest)–\(words)"
    }

    var steps: String {
        let all = Set(groups.map { $0.runs[0].plan.configuration.training.steps }).sorted()
        return all.map(String.init).joined(separator: ", ")
    }

    /// `; bands: 95 % intervals` where curves have bands.
    var bands: String { chosen.areAllNamed ? "; bands: 95 % intervals" : "" }
}
