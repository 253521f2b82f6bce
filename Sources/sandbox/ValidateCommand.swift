import ArgumentParser
import ContextualPrompts
import Experiments
import FineTuning
import Foundation
import Mechanism
import Platform
import Training

/// `sandbox validate`: whether files and runs are sound.
struct ValidateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Check sweep files, configurations, safetensors files, checkpoints and runs.",
        discussion: """
            A YAML file is read as 'sandbox sweep -f' reads it, a pool of contextual prompts as training does, and a run's \
            config.yaml as the run's. Of a run's folder \
            everything is read: metadata, configuration, every line of metrics.jsonl and evaluations.jsonl, the event \
            files, the latest checkpoint as a resumed run would, the evaluations; of a sweep's folder every run. A \
            problem is one line with the file and the cure.

            Exit status: 0 all sound, 1 a damaged run or file, 64 a bad configuration, a missing file or a usage error.

            Example:
              sandbox validate sweeps/polynomial.yaml
              sandbox validate runs/polynomial runs/bases/linear-s0-c7744882
            """)

    @Argument(help: "Files and folders to check.")
    var files: [String]

    @OptionGroup var folder: RunsFolder

    @Flag(help: "Print the findings as JSON.")
    var json = false

    func run() throws {
        try reportingErrors {
            let findings = try files.map { file in
                try TextValidation(file)?.validation ?? Validation(file, root: folder.runs)
            }
            if json {
                try Terminal.print(CanonicalJSON.text(of: .array(findings.map(report))) + "\n")
            } else {
                for finding in findings {
                    if finding.isSound {
                        try Terminal.print("\(finding.path): ok, \(finding.summary)\n")
                    }
                    for problem in finding.problems {
                        Terminal.write("\(problem.message)\n", to: .error)
                    }
                }
            }
            let problems = findings.flatMap(\.problems)
            if problems.isEmpty { return }
            throw ExitCode(problems.contains(where: \.isDamage) ? 1 : 64)
        }
    }

    private func report(_ finding: Validation) -> JSONValue {
        [
            "file": .string(finding.path), "ok": .boolean(finding.isSound),
            "summary": finding.summary.isEmpty ? .null : .string(finding.summary),
            "problems": .array(
                finding.problems.map {
                    [
                        "file": .string($0.file), "message": .string($0.message),
                        "kind": .string($0.isDamage ? "damage" : "configuration"),
                    ]
                }),
        ]
    }
}

/// A text sweep's file as `validate` sees it; nil for any other file.
private struct TextValidation {
    let validation: Validation

    init?(_ path: String) throws {
        let folders = SweepFile.defaultSearchFolders()
        if let pool = Self.pool(path) {
            validation = pool
            return
        }
        guard Path.name(of: path).hasSuffix(".yaml"), Path.name(of: path) != "config.yaml",
            (try? FineTuningPlan.describes(path, searchFolders: folders)) == true
        else { return nil }
        do {
            let count = try FineTuningPlan.check(path, searchFolders: folders)
            let runs = count == 1 ? "1 run" : "\(count) runs"
            validation = Validation(path: path, summary: "\(runs) of language models")
        } catch {
            validation = Validation(
                path: path,
                problem: StoredProblem(file: path, message: "\(error)", isDamage: false))
        }
    }

    /// A pool of contextual prompts; nil for any other file.
    private static func pool(_ path: String) -> Validation? {
        guard Path.name(of: path).hasSuffix(".yaml"), Folder.holdsFile(path),
            let file = try? ConfigurationFile.load(path: path, searchFolders: []),
            file.tree["prompts"] != nil
        else { return nil }
        do {
            let count = try PromptPool.read(path: path).prompts.count
            return Validation(path: path, summary: "\(count) contextual prompts")
        } catch {
            return Validation(
                path: path,
                problem: StoredProblem(file: path, message: "\(error)", isDamage: false))
        }
    }
}
