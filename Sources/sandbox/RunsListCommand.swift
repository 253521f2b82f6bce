import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform

/// `sandbox runs ls`: one line for each run.
struct RunsListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List runs and bases with status, last loss and mean error.",
        discussion: """
            A run whose process died is shown as interrupted: the same sweep continues it. The error is the squared \
            error averaged over k under the run's own layout. A run whose metadata.json cannot be read is shown as \
            damaged, with the reason below the table.

            Exit status: 0 listed, damaged runs included; 64 a usage error or an unknown sweep.

            Example:
              sandbox runs ls
              sandbox runs ls polynomial --status interrupted
            """)

    @Argument(help: "A sweep's name or folder, or bases; all without it.")
    var sweep: String?

    @Option(
        help:
            "Only runs with this status: queued, running, finished, failed, interrupted or damaged."
    )
    var status: String?

    @OptionGroup var folder: RunsFolder

    @Flag(help: "Print the list as JSON.")
    var json = false

    private static let damaged = "damaged"

    func validate() throws {
        let accepted = RunStatus.allCases.map(\.rawValue) + [Self.damaged]
        if let status, !accepted.contains(status) {
            throw ValidationError(
                "unknown status '\(status)'" + Spelling.hint(for: status, among: accepted))
        }
    }

    func run() throws {
        try reportingErrors {
            let catalog = folder.catalog
            if sweep == nil && !Folder.isFolder(folder.runs) {
                throw ConfigurationError(
                    SourceMark(source: "command line: --runs \(folder.runs)"),
                    "there is no folder '\(folder.runs)'; give the folder that holds the runs, or make one with "
                        + "'sandbox sweep'")
            }
            // A listing does not fail over what it may not clear.
            try? catalog.clearDiscarded()
            let all = try sweep.map { try catalog.sweep($0).runs } ?? catalog.runs()
            let rows = all.filter { run in
                status == nil || status == run.status?.rawValue ?? Self.damaged
            }.map(RunRow.init)
            if json {
                try Terminal.print(CanonicalJSON.text(of: .array(rows.map(\.json))) + "\n")
            } else {
                try Terminal.print(text(rows))
            }
        }
    }

    private func text(_ rows: [RunRow]) -> String {
        if rows.isEmpty { return "no runs\n" }
        let header = [
            "run", "status", "step", "class", "layout", "seed", "finished", "loss", "error",
        ]
        return TextTable.text([header] + rows.map(\.cells))
            + rows.compactMap { row in
                row.run.problem.map { "\(row.run.qualifiedName): \($0)\n" }
            }.joined()
    }
}

/// A run as one line of a list.
struct RunRow {
    let run: CatalogedRun
    private let functionClass: String?
    private let layout: String?
    private let seed: Int?
    private let loss: Double?
    private let error: Double?

    init(_ run: CatalogedRun) {
        self.run = run
        // Untyped: a list shows what it can, also of a configuration that this program no longer accepts.
        let configuration = (try? run.configuration())?.json
        let task =
            configuration?["task"]?["function_class"] ?? configuration?["pretraining"]?["task"]
        functionClass = task?.stringValue
        layout = configuration?["layout"]?.stringValue
        let seeds = configuration?["seeds"]
        seed =
            (seeds?.arrayValue?.first ?? seeds ?? configuration?["pretraining"]?["seed"])?
            .integerValue
        loss =
            RecordReader.last(run.directory.metricsPath) { $0["train/loss"]?.doubleValue != nil }?[
                "train/loss"]?.doubleValue
        let own = layout ?? "cpt"
        let key = "eval/\(own)/squared_error"
        // Its own measurement: a later one on other prompts says something else.
        let examples = configuration?["evaluate"]?["examples"]?.integerValue
        let curve = RecordReader.last(run.directory.evaluationsPath) {
            $0[key]?.arrayValue != nil && $0["prompt"]?.stringValue == "standard"
                && (examples == nil || $0["examples"]?.integerValue == examples)
        }?[key]?.arrayValue?.compactMap(\.doubleValue)
        error = curve.flatMap { $0.isEmpty ? nil : $0.reduce(0, +) / Double($0.count) }
    }

    private var status: String { run.status?.rawValue ?? "damaged" }

    var cells: [String] {
        [
            run.qualifiedName, status, run.metadata?.step.map(String.init) ?? "–",
            functionClass ?? "–", layout ?? "–", seed.map(String.init) ?? "–",
            TextTable.date(run.metadata?.finished), TextTable.number(loss),
            TextTable.number(error),
        ]
    }

    var json: JSONValue {
        [
            "run": .string(run.qualifiedName), "sweep": .string(run.sweep),
            "name": .string(run.name), "path": .string(run.directory.path),
            "status": .string(status), "resumable": .boolean(run.isResumable),
            "step": .optional(run.metadata?.step), "function_class": .optional(functionClass),
            "layout": .optional(layout), "seed": .optional(seed),
            "finished": .optional(run.metadata?.finished), "train_loss": .optional(loss),
            "squared_error": .optional(error), "problem": .optional(run.problem),
        ]
    }
}
