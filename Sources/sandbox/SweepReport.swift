import Experiments
import Foundation
import InContextRegression
import Mechanism
import Platform
import Reporting
import Statistics

/// A sweep's results as a page to read: what was trained, what became of the claims, the errors, the pictures, and every
/// run behind them.
struct SweepReport {
    let summary: SweepSummary
    let manifest: SweepManifest
    private let directory: SweepDirectory
    private let published: PublishedCurves?

    /// - Parameters:
    ///   - summary: the statistics of the finished runs.
    ///   - manifest: what was asked for.
    ///   - directory: the sweep's folder.
    ///   - published: curves of another publication, shown beside the sweep's own.
    init(
        _ summary: SweepSummary, manifest: SweepManifest, directory: SweepDirectory,
        published: PublishedCurves? = nil
    ) {
        self.summary = summary
        self.manifest = manifest
        self.directory = directory
        self.published = published
    }

    var results: SweepResults { summary.results }

    /// The page.
    func page() throws -> ReportPage {
        let figures = SweepFigures(summary: summary, published: published)
        let chapters = figures.chapters()
        var sections = [try trained(chapters)] + claims() + [errors(chapters)]
        for chapter in chapters {
            sections.append(
                ReportSection(title: chapter.title, blocks: try blocks(chapter.figures)))
        }
        sections.append(try bases(figures.bases()))
        let classes = chapters.map(\.title).joined(separator: " · ")
        return ReportPage(
            title: "Sweep \(results.plan.name)",
            subtitle: "\(classes) — \(source)", sections: sections, runs: try runs())
    }

    /// The program that wrote the page.
    private var source: String {
        let provenance = Provenance.current()
        let dirty = provenance.gitIsDirty == true ? " with local changes" : ""
        let commit = provenance.gitCommit.map { ", commit \($0.prefix(12))\(dirty)" } ?? ""
        return "written by sandbox \(Version.text)\(commit)"
    }

    // MARK: What was trained

    private func trained(_ chapters: [SweepFigures.Chapter]) throws -> ReportSection {
        var blocks: [ReportBlock] = []
        for chapter in chapters {
            if chapters.count > 1 { blocks.append(.heading(chapter.title)) }
            blocks.append(.definitions(definitions(chapter)))
        }
        blocks.append(.definitions(layouts(chapters)))
        let unfinished = manifest.trials.count - results.runs.count
        if unfinished > 0 {
            blocks.append(
                .paragraph(
                    "\(unfinished) of the \(manifest.trials.count) runs asked for are not finished "
                        + "and not shown."))
        }
        blocks.append(
            .code(
                ReportCode(
                    ReportWords.command(manifest) + "\nsandbox report \(manifest.name)",
                    caption: "Commands that make these results and this page again")))
        let text = String(decoding: try WholeFile.read(directory.sweepPath), as: UTF8.self)
        blocks.append(
            .code(
                ReportCode(
                    text.trimmingCharacters(in: .newlines),
                    caption: "The sweep file \(Path.name(of: manifest.file)), as it was asked for"))
        )
        return ReportSection(title: "What was trained", blocks: blocks)
    }

    private func definitions(_ chapter: SweepFigures.Chapter) -> [ReportDefinition] {
        let runs = chapter.groups.flatMap(\.runs).map(\.plan)
        func distinct(_ value: (RunConfiguration) -> String) -> String {
            ReportWords.distinct(runs.map { value($0.configuration) })
        }
        let evaluation = results.plan.evaluation
        let outside = evaluation.prompts.count { $0 != .standard }
        return [
            ReportDefinition("class", chapter.title),
            ReportDefinition("model", distinct { "\($0.model.summary)" }),
            ReportDefinition("points in a prompt", distinct { "n = \($0.training.points)" }),
            ReportDefinition("layouts trained", distinct { $0.layout.name }),
            ReportDefinition(
                "fine-tuning",
                distinct { "\($0.training.steps) steps of \($0.training.batchSize) prompts" }),
            ReportDefinition("seeds", distinct { String($0.seed) }),
            ReportDefinition(
                "base models",
                ReportWords.distinct(
                    runs.map { run in
                        let phase = run.base.configuration.pretraining?.phase
                        return run.base.name + (phase.map { " (\($0.steps) steps)" } ?? "")
                    })),
            ReportDefinition(
                "evaluation",
                "\(evaluation.examples) prompts, the same for every model"
                    + (outside > 0
                        ? "; \(evaluation.outsideExamples) of each of \(outside) other distributions"
                        : "")),
        ]
    }

    /// The layouts that something was trained or evaluated under.
    private func layouts(_ chapters: [SweepFigures.Chapter]) -> [ReportDefinition] {
        var found: [PromptLayout] = []
        for chapter in chapters {
            let matrix = summary.layoutMatrix(chapter.groups)
            for layout in matrix.groups.map(\.layout) + matrix.layouts
            where !found.contains(layout) {
                found.append(layout)
            }
        }
        return found.map { ReportDefinition($0.name, FigureWords.layout($0)) }
    }

    // MARK: Errors

    private func errors(_ chapters: [SweepFigures.Chapter]) -> ReportSection {
        let tables = chapters.map { chapter -> ReportBlock in
            let matrix = summary.layoutMatrix(chapter.groups)
            let rows = matrix.groups.enumerated().map { row, group in
                let losses = group.runs.compactMap { $0.losses.last?.loss }
                let loss = losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count)
                let cells = matrix.cells[row].enumerated().map { column, estimate in
                    ReportCell.number(
                        ReportWords.text(estimate) + (matrix.isOwn(row, column) ? " *" : ""))
                }
                return ReportRow(
                    [
                        .text(group.label), .number(String(group.runs.count)),
                        .number(TextTable.number(loss)),
                        .number(
                            FigureWords.escape(
                                summary.escapeSteps(group), earliest: summary.earliestEscape(group))
                        ),
                    ] + cells, runs: group.runs.map(path))
            }
            return .table(
                ReportTable(
                    caption:
                        "\(chapter.title): squared error averaged over k, by the layout a model was "
                        + "trained under (rows) and evaluated under (columns), with 95 % intervals over "
                        + "seeds and prompts. * marks the layout it was trained under. The loss is that "
                        + "of the last training record; the plateau is left at the step from which the mean of "
                        + "\(SweepSummary.escapeWindow) records stays below half of E[g²].",
                    header: ["trained", "seeds", "loss", "plateau left"]
                        + matrix.layouts.map(\.name), rows: rows))
        }
        return ReportSection(title: "Errors", blocks: tables)
    }

    func path(_ run: MeasuredRun) -> String { "\(results.plan.name)/\(run.plan.name)" }

    // MARK: Pictures and bases

    private func blocks(_ figures: [NamedFigure]) throws -> [ReportBlock] {
        try figures.flatMap { figure -> [ReportBlock] in
            let subtitle = figure.picture.subtitle.map { ": \($0)" } ?? ""
            return [
                .heading(figure.heading),
                .figure(
                    try ReportFigure(
                        png: try figure.picture.png(),
                        alternativeText: figure.picture.title + subtitle,
                        caption: figure.caption, runs: figure.runs)),
            ]
        }
    }

    private func bases(_ figures: [NamedFigure]) throws -> ReportSection {
        let claims = results.bases.map {
            ReportDefinition($0.plan.name, BaseClaim($0, summary: summary).sentence)
        }
        return ReportSection(
            title: "Base models", blocks: [.definitions(claims)] + (try blocks(figures)))
    }

    // MARK: Runs

    private func runs() throws -> [ReportRun] {
        let all =
            results.bases.map { (id: "bases/\($0.plan.name)", folder: $0.path) }
            + results.runs.map { (id: path($0), folder: $0.path) }
        return try all.map { id, folder in
            let directory = RunDirectory(path: folder)
            let metadata = try directory.metadata()
            let provenance = metadata?.provenance
            let dirty = provenance?.gitIsDirty == true ? "+" : ""
            let text = try? WholeFile.read(directory.configurationPath)
            return ReportRun(
                id: id, hash: metadata.map { String($0.hash.prefix(16)) } ?? "–",
                commit: provenance?.gitCommit.map { $0.prefix(12) + dirty } ?? "–",
                config: text.map { String(decoding: $0, as: UTF8.self) }
                    ?? directory.configurationPath)
        }
    }
}
