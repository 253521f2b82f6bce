import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform
import Training

/// `sandbox runs show`: everything a run's folder says.
struct RunsShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run's configuration, history, checkpoints, errors and files.",
        discussion: """
            Exit status: 0 shown, 1 a run whose evaluations are damaged, 64 a usage error or an unknown run.

            Example:
              sandbox runs show polynomial/cft-s0-b582770a
              sandbox runs show b582770a --json
            """)

    @Argument(
        help: ArgumentHelp(
            "A run: folder, SWEEP/RUN, bases/NAME, name, or beginning of its hash.",
            valueName: "run"))
    var name: String

    @OptionGroup var folder: RunsFolder

    @Flag(help: "Print everything as JSON.")
    var json = false

    func run() throws {
        try reportingErrors {
            let description = try RunDescription(folder.catalog.run(name))
            try Terminal.print(
                json ? CanonicalJSON.text(of: description.json) + "\n" : try description.text())
        }
    }
}

/// What `runs show` prints.
private struct RunDescription {
    private let run: CatalogedRun
    private let configuration: ConfigurationNode?
    private let configurationProblem: String?
    private let checkpoints: [Int]
    private let latest: Int?
    private let loss: Double?
    private let evaluations: [RecordedEvaluation]
    private let files: [(path: String, bytes: Int)]

    init(_ run: CatalogedRun) throws {
        self.run = run
        var problem: String?
        do {
            configuration = try run.configuration()
        } catch {
            configuration = nil
            problem = "\(error)"
        }
        checkpoints = try run.directory.checkpointSteps()
        latest = try run.directory.latestCheckpointStep()
        loss =
            RecordReader.last(run.directory.metricsPath) { $0["train/loss"]?.doubleValue != nil }?[
                "train/loss"]?.doubleValue
        var recorded: RecordedRun?
        if problem == nil, !run.isText {
            do {
                recorded = try RecordedRun(run)
            } catch let error as RunError {
                problem = "\(error)"
            }
        }
        evaluations = try recorded?.allEvaluations() ?? []
        configurationProblem = problem
        files = try run.files()
    }

    private var status: String {
        guard let status = run.status else { return "damaged" }
        return run.isResumable
            ? "\(status.rawValue) (the same command continues it)" : status.rawValue
    }

    func text() throws -> String {
        var text = "\(run.qualifiedName)\n\n" + TextTable.text(facts)
        if let problem = run.problem { text += "\n\(problem)\n" }
        if let problem = configurationProblem { text += "\n\(problem)\n" }
        if let configuration {
            text += "\nconfiguration\n" + indented(try configuration.yaml())
        }
        if !evaluations.isEmpty {
            text += "\nsquared error averaged over prompts and k\n"
            text += indented(
                TextTable.text(
                    evaluations.map {
                        [
                            $0.layout, $0.prompt, TextTable.number($0.mean),
                            "\($0.examples) prompts after step \($0.step)",
                        ]
                    }))
        }
        let total = files.reduce(0) { $0 + $1.bytes }
        text += "\nfiles, \(TextTable.bytes(total)) in all\n"
        return text
            + indented(TextTable.text(files.map { [$0.path, TextTable.bytes($0.bytes)] }))
    }

    private var facts: [[String]] {
        var facts = [["folder", run.directory.path], ["status", status]]
        if let metadata = run.metadata {
            let provenance = metadata.provenance
            let dirty = provenance.gitIsDirty == true ? ", with changes" : ""
            facts += [
                ["step", metadata.step.map(String.init) ?? "–"],
                ["created", TextTable.date(metadata.created)],
                ["started", TextTable.date(metadata.started)],
                ["ended", TextTable.date(metadata.finished)],
                ["commit", provenance.gitCommit.map { $0 + dirty } ?? "–"],
                ["program", "sandbox \(metadata.sandboxVersion)"],
                [
                    "machine",
                    "\(provenance.hostName), \(provenance.cpu), \(provenance.coreCount) cores, "
                        + provenance.architecture,
                ],
                ["BLAS kernel", metadata.blasKernel ?? "–"],
                [
                    "libraries",
                    metadata.libraries.sorted { $0.key < $1.key }.map(\.value)
                        .joined(separator: ", "),
                ],
                ["command", provenance.arguments.joined(separator: " ")],
            ]
            if let error = metadata.error { facts.append(["error", error]) }
        }
        if let base = run.baseName() { facts.append(["base", "bases/\(base)"]) }
        facts.append(["last loss", TextTable.number(loss)])
        facts.append([
            "checkpoints",
            checkpoints.isEmpty
                ? "none"
                : checkpoints.map { $0 == latest ? "\($0) (latest)" : String($0) }
                    .joined(separator: ", "),
        ])
        return facts
    }

    var json: JSONValue {
        [
            "run": .string(run.qualifiedName), "path": .string(run.directory.path),
            "status": .string(run.status?.rawValue ?? "damaged"),
            "resumable": .boolean(run.isResumable), "held": .boolean(run.isHeld),
            "problems": .array(
                [run.problem, configurationProblem].compactMap { $0 }.map(JSONValue.string)),
            "metadata": run.metadataJSON ?? .null, "configuration": configuration?.json ?? .null,
            "base": .optional(run.baseName()), "train_loss": .optional(loss),
            "checkpoints": .array(checkpoints.map(JSONValue.integer)),
            "latest_checkpoint": .optional(latest),
            "evaluations": .array(
                evaluations.map {
                    [
                        "layout": .string($0.layout), "prompt": .string($0.prompt),
                        "step": .integer($0.step), "examples": .integer($0.examples),
                        "mean": .number($0.mean), "means": JSONValue($0.means),
                        "hash": .optional($0.hash),
                    ]
                }),
            "files": .array(
                files.map { ["path": .string($0.path), "bytes": .integer($0.bytes)] }),
            "bytes": .integer(files.reduce(0) { $0 + $1.bytes }),
        ]
    }

    private func indented(_ text: String) -> String {
        text.split(separator: "\n").map { "  \($0)\n" }.joined()
    }
}
