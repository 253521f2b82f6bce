import Experiments
import Foundation
import Platform
import TensorStorage
import Training

/// What a file or folder was found to be, and everything that is wrong with it.
public struct Validation: Sendable {
    /// The path as it was given.
    public let path: String
    /// What a sound one is, such as `9 runs on 1 base`; empty when ``problems`` leave nothing to say.
    public internal(set) var summary = ""
    /// What is wrong, in the order in which it was found.
    public internal(set) var problems: [StoredProblem] = []

    /// What another room found about the file at `path`.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - summary: what a sound one is.
    ///   - problem: what is wrong; nil for nothing.
    public init(path: String, summary: String = "", problem: StoredProblem? = nil) {
        self.path = path
        self.summary = summary
        problems = problem.map { [$0] } ?? []
    }

    /// Whether nothing is wrong.
    public var isSound: Bool { problems.isEmpty }

    /// Looks at `path`: a sweep or configuration file, a safetensors file, a state.json, a checkpoint's, run's or
    /// sweep's folder.
    ///
    /// - Parameters:
    ///   - path: what to look at.
    ///   - root: the folder that holds the runs, for the names of a sweep's runs.
    public init(_ path: String, root: String) {
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else {
            note(path, "'\(path)' is missing; name a file or folder that is there", isDamage: false)
            return
        }
        if Folder.isFolder(path) {
            checkFolder(root: root)
        } else if Folder.holdsFile(path) {
            checkFile(root: root)
        } else {
            // Reading a pipe would wait for somebody to write into it.
            note(
                path, "'\(path)' is a pipe or a device; name a file or a folder", isDamage: false)
        }
    }

    // MARK: Kinds

    private mutating func checkFolder(root: String) {
        let path = path
        func has(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(path)/\(name)")
        }
        if has("state.json") {
            attempt(path) { try Self.checkpointSummary(path) }
        } else if has("model.safetensors") && has("config.yaml") && !has("metadata.json") {
            attempt(path) {
                "public form, \(try StoredModel(folder: path).configuration.summary)"
            }
        } else if let run = CatalogedRun(path: path) {
            let check = RunCheck(run)
            summary = check.summary
            problems += check.problems
        } else if let sweep = (try? RunCatalog(root: root).sweep(path)) {
            let checks = sweep.runs.map { RunCheck($0) }
            problems += checks.flatMap(\.problems)
            attempt(path) {
                _ = try sweep.directory.manifest()
                return counted(sweep.runs.count, "run")
            }
        } else {
            note(
                path,
                "'\(path)' holds neither a run (metadata.json), a checkpoint (state.json), a sweep (manifest.json) "
                    + "nor a model (config.yaml and model.safetensors); name one of these",
                isDamage: false)
        }
    }

    private mutating func checkFile(root: String) {
        let path = path
        let name = Path.name(of: path)
        if name == "state.json" {
            attempt(path) {
                "checkpoint state, step \(try Checkpoint.readState(Self.folder(of: path)).step)"
            }
        } else if EventFile.isName(name) {
            attempt(path) { counted(try EventReader.read(path).count, "event") }
        } else if name.hasSuffix(".safetensors") {
            attempt(path) { try Self.safetensorsSummary(path) }
        } else if name.hasSuffix(".jsonl") {
            let check = RecordCheck(path: path, isEvaluations: name == "evaluations.jsonl")
            problems += check.problems
            summary = "\(check.count) records"
        } else if name == "metadata.json", let run = CatalogedRun(path: Self.folder(of: path)) {
            if let problem = run.problem { note(path, problem) }
            summary = "metadata of a run, \(run.status?.rawValue ?? "")"
        } else if name == "manifest.json" {
            attempt(path) {
                let trials = try SweepDirectory(path: Self.folder(of: path)).manifest()?.trials
                return "manifest of \(counted(trials?.count ?? 0, "run"))"
            }
        } else if name.hasSuffix(".csv") {
            attempt(path) { counted(try CSVTable.read(path).rows.count, "row") }
        } else if name == "config.yaml" {
            attempt(path, isDamage: false) { try Self.configurationSummary(path) }
        } else {
            attempt(path, isDamage: false) { try Self.sweepSummary(path, root: root) }
        }
    }

    // MARK: Summaries

    /// What `sandbox sweep -f` would run.
    private static func sweepSummary(_ path: String, root: String) throws -> String {
        let file = try SweepFile.load(
            path: path, sections: SweepPlan.sections,
            searchFolders: SweepFile.defaultSearchFolders())
        let plan = try SweepPlan(file, root: root)
        let note = try file.drawNote().map { " (\($0))" } ?? ""
        return "\(counted(plan.runs.count, "run")) on \(counted(plan.bases.count, "base"))\(note)"
    }

    private static func configurationSummary(_ path: String) throws -> String {
        let node = try ConfigurationNode.read(path: path).node
        if node["corpus"] != nil { return "configuration of a language model's fine-tuning" }
        if node["pretraining"] == nil && node["task"] == nil {
            return "public form, \(try ModelFolder.readModel(path).summary)"
        }
        switch try RecordedRun.kind(of: node) {
        case .run(let configuration):
            return "configuration of a run, \(configuration.functionClass.name) under "
                + "\(configuration.layout.name), \(configuration.model.summary)"
        case .base(let configuration):
            return "configuration of a base, \(configuration.model.summary)"
        }
    }

    private static func safetensorsSummary(_ path: String) throws -> String {
        let file = try SafetensorsFile(path: path)
        let bytes = file.tensors.reduce(0) { $0 + $1.byteRange.count }
        return "\(counted(file.tensors.count, "tensor")), \(bytes) bytes"
    }

    private static func checkpointSummary(_ folder: String) throws -> String {
        let state = try Checkpoint.readState(folder)
        let parent = Path.parent(
            of: Path.parent(of: URL(fileURLWithPath: folder).resolvingSymlinksInPath().path))
        if CatalogedRun(path: parent)?.isText == true {
            _ = try Checkpoint.checkedState(folder)
            return "checkpoint of a language model at step \(state.step)"
        }
        let model = try StoredModel(folder: folder)
        _ = try RunCheck.readCheckpoint(folder, decoder: model.decoder)
        return "checkpoint at step \(state.step), \(model.configuration.summary)"
    }

    // MARK: Problems

    private mutating func note(_ file: String, _ message: String, isDamage: Bool = true) {
        problems.append(StoredProblem(file: file, message: message, isDamage: isDamage))
    }

    /// Runs a check; what it throws becomes a problem. A `ConfigurationError` is one of the configuration unless it
    /// was met inside stored data.
    ///
    /// - Parameter check: gives the summary.
    private mutating func attempt(
        _ file: String, isDamage: Bool = true, _ check: () throws -> String
    ) {
        do {
            summary = try check()
        } catch {
            let isOwn = error is ConfigurationError
            problems.append(.init(error, about: file, isDamage: isDamage || !isOwn))
        }
    }

    private static func folder(of path: String) -> String {
        let parent = Path.parent(of: path)
        return parent.isEmpty ? "." : parent
    }
}

/// `1 run`, `9 runs`.
private func counted(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
}
