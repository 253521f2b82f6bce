import Experiments
import Foundation
import InContextRegression
import Mechanism
import Platform
import Plotting
import Statistics
import Training

extension SweepOutput {
    /// Writes summary.csv and the pictures, publishes them when asked, and prints table and paths.
    ///
    /// - Parameters:
    ///   - results: the finished sweep.
    ///   - failures: the runs that could not be finished.
    ///   - directory: the sweep's folder.
    ///   - published: curves of another publication, drawn beside the sweep's own.
    func write(
        _ results: SweepResults, failures: [RunFailure], to directory: SweepDirectory,
        published: PublishedCurves? = nil
    ) throws {
        let summary = SweepSummary(results, workers: place.workerCount)
        let table = summary.table()
        try table.write(to: directory.summaryPath)
        var written = [directory.summaryPath]
        if let path = try writeParameters(summary, to: directory.path) { written.append(path) }
        let claims = ClaimsFile(
            summary, command: try directory.manifest().map(ReportWords.command) ?? "sandbox sweep",
            summaryHash: sha256Hex(Data(table.text.utf8)))
        try claims.write(to: directory.claimsPath)
        written.append(directory.claimsPath)
        let report = SweepTable(summary)
        // The table first: a picture that cannot be drawn must not hide the results.
        if !place.json { try Terminal.print(report.text + "\n") }
        let figures = SweepFigures(summary: summary, published: published).all()
        let root = Path.parent(of: directory.path)
        written += try draw(figures, in: directory.plotsPath, root: root, summaryText: table.text)
        try showInTensorBoard(figures, in: directory.plotsPath)
        var removed: [String] = []
        if publish {
            let files = try publish(
                summary, table: table, claims: claims, figures: figures, root: root)
            written += files.written
            removed = files.removed
        }
        if place.json {
            let json = report.json(written: written, removed: removed, failures: failures)
            try Terminal.print(CanonicalJSON.text(of: json) + "\n")
        } else {
            try Terminal.print(
                written.map { "wrote \($0)\n" }.joined()
                    + removed.map { "removed \($0), left by an earlier --publish\n" }.joined())
        }
    }

    /// Prints the table, when a run is finished, and writes nothing.
    func show(_ outcome: SweepOutcome) throws {
        let report = outcome.results.map {
            SweepTable(SweepSummary($0, workers: place.workerCount))
        }
        if place.json {
            let json = (report ?? SweepTable()).json(
                written: [], removed: [], failures: outcome.failures)
            try Terminal.print(CanonicalJSON.text(of: json) + "\n")
        } else if let report {
            try Terminal.print(report.text + "\n")
        }
    }

    /// Draws pictures into a folder, each with a sidecar that says what is behind it.
    ///
    /// - Returns: the pictures written.
    func draw(
        _ figures: [NamedFigure], in folder: String, root: String, summaryText: String
    ) throws -> [String] {
        try Folder.create(folder)
        let provenance = Provenance.current()
        let hash = sha256Hex(Data(summaryText.utf8))
        var written: [String] = []
        for figure in figures {
            for format in try formats() {
                let path = "\(folder)/\(figure.name).\(format.rawValue)"
                try figure.picture.write(to: path, format: format)
                written.append(path)
            }
            let sidecar: JSONValue = [
                "title": .string(figure.picture.title),
                "runs": .array(try figure.runs.map { try source($0, root: root) }),
                "commit": provenance.gitCommit.map(JSONValue.string) ?? .null,
                "dirty": provenance.gitIsDirty.map(JSONValue.boolean) ?? .null,
                "data": "summary.csv", "data_sha256": .string(hash),
                "command": .string(
                    (["sandbox"] + CommandLine.arguments.dropFirst()).joined(separator: " ")),
            ]
            try AtomicFile.write(
                CanonicalJSON.text(of: sidecar) + "\n", to: "\(folder)/\(figure.name).json")
        }
        return written
    }

    /// A run that a picture shows: its folder below the runs, its hash, and the commit that trained it.
    private func source(_ run: String, root: String) throws -> JSONValue {
        let metadata = try RunDirectory(path: "\(root)/\(run)").metadata()
        return [
            "run": .string(run), "hash": metadata.map { .string($0.hash) } ?? .null,
            "commit": metadata?.provenance.gitCommit.map(JSONValue.string) ?? .null,
        ]
    }

    /// Puts the pictures beside the curves that TensorBoard shows.
    private func showInTensorBoard(_ figures: [NamedFigure], in folder: String) throws {
        guard try formats().contains(.png) else { return }
        let now = Date()
        let events = try figures.map { figure in
            let png = try WholeFile.read("\(folder)/\(figure.name).png")
            let image = Event.Value(tag: figure.name, content: .image(try Event.Image(png: png)))
            return Event(wallTime: now.timeIntervalSince1970, step: 0, values: [image])
        }
        let shown = try? EventFile.paths(in: folder).flatMap { try EventReader.read($0) }
        if shown?.map(\.values) == events.map(\.values) { return }
        try EventFile.replace(in: folder, events: events)
    }
}

/// The table at the end of a sweep: error averaged over k, under each evaluation layout.
struct SweepTable {
    private struct Row {
        let functionClass: String
        let label: String
        let seeds: Int
        /// Nil when no step was trained.
        let finalLoss: Double?
        let errors: [(layout: String, estimate: Estimate)]
    }

    private let rows: [Row]
    private let layouts: [String]
    private let baseLine: String
    private let bases: JSONValue

    /// The table of a sweep without a finished run.
    init() {
        (rows, layouts, baseLine, bases) = ([], [], "", [])
    }

    init(_ summary: SweepSummary) {
        var measured: [PromptLayout] = []
        for run in summary.results.plan.runs {
            measured += run.configuration.evaluationLayouts.filter { !measured.contains($0) }
        }
        layouts = measured.map(\.name)
        rows = summary.groups.map { group in
            let losses = group.runs.compactMap { $0.losses.last?.loss }
            return Row(
                functionClass: group.functionClass.name, label: group.label,
                seeds: group.runs.count,
                finalLoss: losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count),
                errors: measured.compactMap { layout in
                    summary.meanError(group, layout: layout).map { (layout.name, $0) }
                })
        }
        let claims = summary.results.bases.map { ($0.plan.name, BaseClaim($0, summary: summary)) }
        baseLine = claims.map { name, claim in "base \(name): \(claim.sentence)\n" }.joined()
        bases = .array(
            claims.map { name, claim in
                [
                    "base": .string(name), "follows_least_squares": .boolean(claim.holds),
                    "largest": .number(claim.largest),
                    "at_dims": claim.atDims.map(JSONValue.number) ?? .null,
                    "tail": claim.tail.map(JSONValue.number) ?? .null,
                ]
            })
    }

    /// The table for people.
    var text: String {
        var lines = [["class", "trained", "seeds", "loss"] + layouts.map { "error | \($0)" }]
        for row in rows {
            lines.append(
                [
                    row.functionClass, row.label, String(row.seeds),
                    TextTable.number(row.finalLoss),
                ]
                    + layouts.map { layout in
                        row.errors.first { $0.layout == layout }.map { text($0.estimate) } ?? "–"
                    })
        }
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        let table = lines.map { line in
            zip(line, widths).map { cell, width in
                cell.padding(toLength: width, withPad: " ", startingAt: 0)
            }.joined(separator: "  ").trimmingCharacters(in: .whitespaces) + "\n"
        }.joined()
        return
            "\nSquared error averaged over k under each evaluation layout, with 95 % intervals over seeds and prompts\n"
            + table + baseLine
    }

    private func text(_ estimate: Estimate) -> String {
        String(
            format: "%.3g [%.3g, %.3g]", estimate.mean, estimate.interval.low,
            estimate.interval.high)
    }

    /// The table for programs.
    func json(written: [String], removed: [String], failures: [RunFailure]) -> JSONValue {
        [
            "rows": .array(
                rows.map { row in
                    [
                        "class": .string(row.functionClass), "layout": .string(row.label),
                        "seeds": .integer(row.seeds), "loss": .optional(row.finalLoss),
                        "errors": .object(
                            Dictionary(
                                uniqueKeysWithValues: row.errors.map { layout, estimate in
                                    (
                                        layout,
                                        [
                                            "mean": .number(estimate.mean),
                                            "low": .number(estimate.interval.low),
                                            "high": .number(estimate.interval.high),
                                        ]
                                    )
                                })),
                    ]
                }),
            "bases": bases,
            "failures": .array(
                failures.map { ["run": .string($0.run), "error": .string($0.sentence)] }),
            "written": .array(written.map(JSONValue.string)),
            "removed": .array(removed.map(JSONValue.string)),
        ]
    }
}
