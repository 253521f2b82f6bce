import ArgumentParser
import Experiments
import Foundation
import InContextRegression
import Mechanism
import Platform
import Training

/// `sandbox claims`: the paper's claims, recomputed from the runs.
struct ClaimsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "claims",
        abstract: "Decide the paper's claims: verdicts with effects and 95 % intervals.",
        discussion: """
            Claims are recomputed from the runs of the sweeps named. A sweep whose runs are not all finished here is \
            taken from its committed plots/<sweep>/claims.json, if there is one, which is said. Without a name: all sweeps in plots/ and in the \
            folder of the runs.

            Supported: the 95 % interval lies wholly on the claimed side. Not supported: otherwise. Confounded: the \
            difference is there, and what the prompt contains explains it.

            Exit status: 0 whatever the verdicts, 1 when data are missing (the command that makes them is printed), \
            64 a usage error.

            Examples:
              sandbox claims
              sandbox claims polynomial multilinear --json
              sandbox claims polynomial --along-steps
            """)

    @Argument(help: ArgumentHelp("Sweeps: names or folders.", valueName: "sweep"))
    var sweeps: [String] = []

    @Flag(help: "The verdicts after 1, 2, 5, … steps too.")
    var alongSteps = false

    @Option(help: "The folder with the committed claims.json files.")
    var plots = "plots"

    @OptionGroup var place: RunPlace

    func run() throws { try reportingErrors { try claims() } }

    private func claims() throws {
        let sources = ClaimSources(runs: place.runs, plots: plots, workers: place.workerCount)
        let found = try sources.claims(of: sweeps)
        if place.json {
            let results = found.flatMap { source in
                (source.file.claims + (alongSteps ? source.file.alongSteps : [])).map {
                    $0.json(sweep: source.file.sweep, source: source)
                }
            }
            try Terminal.print(CanonicalJSON.text(of: .array(results)) + "\n")
        } else {
            try Terminal.print(ClaimsTable(found).text)
            if alongSteps { try Terminal.print(ClaimsTable(found).alongSteps) }
        }
        if found.contains(where: { $0.file.claims.contains { $0.command != nil } }) {
            throw ExitCode(1)
        }
    }
}

/// What a sweep says about the claims, and where that comes from.
struct SourcedClaims {
    let file: ClaimsFile
    /// `runs/polynomial`, or `plots/polynomial/claims.json`.
    let origin: String
    /// Whether they come from a committed file instead of the runs.
    let isCommitted: Bool
    /// The runs that are not there, and the command that makes them; nil when all are.
    let absence: String?
}

/// Finds claims among the runs and the committed files.
struct ClaimSources {
    let runs: String
    let plots: String
    let workers: Int

    /// The claims of the sweeps named, or of all there are.
    ///
    /// - Throws: one sentence with the cure for a sweep that is nowhere, or when there is none at all.
    func claims(of names: [String]) throws -> [SourcedClaims] {
        let found = try (names.isEmpty ? all() : names).compactMap { name in
            try claims(of: name, isNamed: !names.isEmpty)
        }
        if found.isEmpty {
            throw RunError(
                description:
                    "there is no finished sweep in '\(runs)' and no claims.json in '\(plots)'; "
                    + "make one with `sandbox sweep --class polynomial`")
        }
        return found
    }

    private func all() throws -> [String] {
        let committed = try Folder.contents(of: plots).filter {
            Folder.holdsFile("\(plots)/\($0)/claims.json")
        }
        // The claims are about the synthetic side.
        let texts = Set(try RunCatalog(root: runs).sweeps().filter(\.isText).map(\.name))
        let here = try Folder.contents(of: runs).filter {
            !texts.contains($0)
                && Folder.holdsFile(SweepDirectory(path: "\(runs)/\($0)").manifestPath)
        }
        return Set(committed + here).sorted()
    }

    private func claims(of name: String, isNamed: Bool) throws -> SourcedClaims? {
        let isName = name == Path.name(of: name) && name != "." && name != ".."
        let directory = SweepDirectory(path: isName ? "\(runs)/\(name)" : name).placed
        let folder = directory.path
        let short = Path.name(of: folder)
        let committed = "\(plots)/\(short)/claims.json"
        let progress = try SweepProgress(directory)
        // A sweep that has only begun must not hide what a whole one has said.
        if progress?.absence != nil || progress == nil, let file = try ClaimsFile.read(committed) {
            return SourcedClaims(
                file: file, origin: committed, isCommitted: true,
                absence: progress?.absence ?? "no runs here")
        }
        if let progress, progress.finished > 0 {
            return SourcedClaims(
                file: try recomputed(directory), origin: folder, isCommitted: false,
                absence: progress.absence)
        }
        if !isNamed { return nil }
        let what = "there is neither a finished run in '\(folder)' nor '\(committed)'"
        if let absence = progress?.absence {
            throw RunError(description: "\(what): \(absence)")
        }
        let others = try all().joined(separator: ", ")
        throw RunError(
            description: "\(what); make the runs with `sandbox sweep --class \(short)`"
                + (others.isEmpty ? "" : ", or name one of: \(others)"))
    }

    /// The claims from the runs of a sweep: nothing is trained or measured.
    func recomputed(_ directory: SweepDirectory) throws -> ClaimsFile {
        let root = Path.parent(of: directory.path)
        try (try? RunCatalog(root: root).sweep(directory.path))?.requireErrorCurves()
        let (plan, manifest) = try SweepPlan.finished(in: directory, root: root)
        let results = try SweepResults(
            plan, runs: plan.runs, root: root, workers: workers, withBaselines: false)
        return ClaimsFile(
            SweepSummary(results, workers: workers), command: ReportWords.command(manifest),
            summaryHash: nil)
    }
}

extension ClaimsFile {
    /// The claims of a sweep's results.
    ///
    /// - Parameters:
    ///   - summary: the statistics of the sweep.
    ///   - command: the command that asked for it.
    ///   - summaryHash: the SHA-256 of the summary.csv that is written with it.
    init(_ summary: SweepSummary, command: String, summaryHash: String?) {
        let (last, earlier) = ClaimAssessment.claims(summary, command: command)
        self.init(
            sweep: summary.results.plan.name,
            model: summary.results.runs.first?.plan.configuration.model.summary ?? "",
            summaryHash: summaryHash, claims: last, alongSteps: earlier)
    }
}

extension ClaimResult {
    /// The result with all its keys, `null` where there is nothing to say.
    func json(sweep: String, source: SourcedClaims) -> JSONValue {
        [
            "id": .string(id.rawValue), "class": .string(functionClass),
            "parameters": parameters.map(JSONValue.string) ?? .null,
            "verdict": verdict.map(JSONValue.string) ?? .null, "effect": .optional(effect),
            "low": .optional(low), "high": .optional(high), "unit": .string(unit),
            "steps": .integer(steps), "seeds": .integer(seeds), "bases": .integer(bases),
            "prompts": prompts.map(JSONValue.integer) ?? .null,
            "runs": .array(runs.map(JSONValue.string)),
            "comparisons": .array(
                comparisons.map {
                    [
                        "name": .string($0.name), "effect": .optional($0.effect),
                        "low": .optional($0.low), "high": .optional($0.high),
                    ]
                }),
            "reason": reason.map(JSONValue.string) ?? .null,
            "command": command.map(JSONValue.string) ?? .null,
            "sweep": .string(sweep), "source": .string(source.origin),
            "absent_runs": source.absence.map(JSONValue.string) ?? .null,
        ]
    }
}
