import ArgumentParser
import Experiments
import Foundation
import InContextRegression
import Mechanism
import Platform

/// `sandbox eval`: measures a finished run, or predictors that are not trained.
struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure a finished run, or baselines, on fresh prompts.",
        discussion: """
            `sandbox eval RUN` is `sandbox eval run RUN`.

            Examples:
              sandbox eval runs/polynomial/cft-s0-1a2b3c4d
              sandbox eval baselines --class linear --prompts random_quadrants

            \(exitStatusHelp)
            """,
        subcommands: [EvalRunCommand.self, EvalBaselinesCommand.self],
        defaultSubcommand: EvalRunCommand.self)
}

/// `sandbox eval run`: measures a finished run.
struct EvalRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Measure a finished run on fresh prompts; what is measured already is read.",
        discussion: """
            The run's own section `evaluate` says on what, unless the options do. Per-prompt errors go to the run's \
            evaluations/, means to its evaluations.jsonl, curves to its TensorBoard files.

            Examples:
              sandbox eval runs/polynomial/cft-s0-1a2b3c4d
              sandbox eval cft-s0-1a2b3c4d --layouts cpt,cft --examples 20480 --json

            \(exitStatusHelp)
            """)

    @Argument(
        help: ArgumentHelp(
            "A run: its folder, its name, or the first digits of its hash.", valueName: "run"))
    var name: String

    @Option(help: "Evaluation layouts, separated by commas; the run's own is always among them.")
    var layouts: String?

    @Option(help: "Number of prompts.")
    var examples: Int?

    @Option(help: "Key of the prompts.")
    var seed: Int?

    @OptionGroup var place: RunPlace

    func run() throws { try reportingErrors { try evaluate() } }

    private func evaluate() throws {
        InterruptFlag.install()
        let directory = try RunCatalog(root: place.runs).run(name).directory.placed
        let sweep = Path.parent(of: directory.path)
        let root = Path.parent(of: sweep)
        let planned = try PlannedRun(directory, root: root, overrides: overrides())
        let trainer = place.trainer(root: root)
        try place.waiting(trainer, for: directory) {
            try trainer.complete(planned, sweep: Path.name(of: sweep), policy: .measuring)
        }
        try RunReport(
            directory, trainer.measurements(planned, sweep: Path.name(of: sweep))
        ).print(json: place.json)
    }

    private func overrides() throws -> [String] {
        var all: [String] = []
        if let layouts {
            all.append("evaluate.layouts=[\(try Self.layoutNames(layouts).joined(separator: ","))]")
        }
        if let examples { all.append("evaluate.examples=\(examples)") }
        if let seed { all.append("evaluate.seed=\(seed)") }
        return all
    }

    /// The names in a list such as `cpt,cft`, as the option --layouts takes it.
    ///
    /// - Throws: `ConfigurationError` for an empty list or entry, and for a name of no layout.
    private static func layoutNames(_ list: String) throws -> [String] {
        let mark = SourceMark(source: "command line: --layouts \(list)")
        return try list.split(separator: ",", omittingEmptySubsequences: false).map { entry in
            let name = entry.trimmingCharacters(in: .whitespaces)
            if name.isEmpty {
                throw ConfigurationError(
                    mark,
                    "a name is empty; name layouts with one comma between two, such as cpt,cft")
            }
            do {
                return try PromptLayout.named(name).name
            } catch {
                throw ConfigurationError(mark, "\(error)")
            }
        }
    }
}
