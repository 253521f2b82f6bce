import Experiments
import Foundation
import InContextRegression
import Platform
import Training

/// One run of a sweep with the names its configuration gives it.
public struct PlannedRun: Sendable {
    /// The resolved configuration.
    public let configuration: RunConfiguration
    /// The base it starts from.
    public let base: PlannedBase
    /// The hash of what decides its weights.
    public let hash: String
    /// Its folder inside the sweep's folder.
    public let name: String
    /// The parameters in which the sweep's trials differ.
    public let varying: [Trial.Value]
}

/// One base model: its configuration, hash and folder under `runs/bases`.
public struct PlannedBase: Sendable {
    /// How it is obtained.
    public let configuration: BaseConfiguration
    /// The hash of what decides its weights.
    public let hash: String
    /// Its folder's name.
    public let name: String

    /// Names a base.
    ///
    /// - Throws: what is wrong with the folder of a base that is taken from elsewhere.
    public init(_ configuration: BaseConfiguration) throws {
        self.configuration = configuration
        if let identity = try configuration.identity(), let pretraining = configuration.pretraining
        {
            hash = try CanonicalJSON.hash(identity)
            name = RunDirectory.name(label: "linear-s\(pretraining.seed)", hash: hash)
        } else {
            hash = sha256Hex(try WholeFile.read(try configuration.storedModel().weightsPath))
            name = RunDirectory.name(label: "from", hash: hash)
        }
    }

    /// A base that is there already.
    init(_ configuration: BaseConfiguration, name: String, hash: String) {
        self.configuration = configuration
        self.name = name
        self.hash = hash
    }
}

/// Everything a sweep asks for, before any of it is run.
public struct SweepPlan: Sendable {
    /// Top-level sections of a sweep file that this side knows.
    public static let sections = ["model", "pretraining", "training", "task", "layout"]

    /// The sweep's name, also its folder's.
    public let name: String
    /// The runs in order.
    public let runs: [PlannedRun]
    /// The distinct bases in order of first use.
    public let bases: [PlannedBase]
    /// What is measured.
    public let evaluation: EvaluationConfiguration

    /// Expands a sweep file.
    ///
    /// - Parameters:
    ///   - file: the sweep.
    ///   - root: the folder that holds the runs. A run that is there already keeps its folder, whatever label the
    ///     present file gives it: one more or one fewer value of a parameter trains nothing again.
    /// - Throws: `ConfigurationError` for anything a section refuses.
    public init(_ file: SweepFile, root: String) throws {
        let evaluation = try EvaluationConfiguration(of: file)
        let present = try Folder.contents(of: root + "/" + file.name)
        var bases: [PlannedBase] = []
        let runs = try file.trials().map { trial in
            let configuration = try RunConfiguration(
                trial.configuration, evaluation: evaluation, seed: trial.seed)
            try configuration.base.checkSource()
            let planned = try PlannedBase(configuration.base)
            let base = bases.first { $0.hash == planned.hash } ?? planned
            if !bases.contains(where: { $0.hash == base.hash }) { bases.append(base) }
            let hash = try CanonicalJSON.hash(configuration.identity(baseHash: base.hash))
            let found = present.first { $0.hasSuffix("-" + hash.prefix(8)) }
            return PlannedRun(
                configuration: configuration, base: base, hash: hash,
                name: found ?? RunDirectory.name(label: trial.label, hash: hash),
                varying: trial.varying)
        }
        self.init(name: file.name, runs: runs, bases: bases, evaluation: evaluation)
        for (index, run) in runs.enumerated() {
            guard let twin = runs[..<index].first(where: { $0.hash == run.hash }) else { continue }
            throw ConfigurationError(
                SourceMark(source: file.path),
                "the trials \(twin.name) and \(run.name) are one and the same run, perhaps under an alias; "
                    + "remove one of the values")
        }
    }

    /// The finished runs of what was last asked for under a sweep's name, from its manifest and their configurations.
    ///
    /// - Parameters:
    ///   - directory: the sweep's folder.
    ///   - root: the folder that holds the runs.
    /// - Returns: the plan, and the manifest, which lists the other runs too.
    /// - Throws: one sentence that names the file and the cure, also when no run is finished.
    public static func finished(
        in directory: SweepDirectory, root: String
    ) throws -> (plan: SweepPlan, manifest: SweepManifest) {
        guard let manifest = try directory.manifest() else {
            throw RunError(
                description:
                    "'\(directory.manifestPath)' is missing: no sweep was run there; give the name of a sweep "
                    + "under '\(root)' or run one with `sandbox sweep`")
        }
        let node = ConfigurationNode(manifest.evaluate, source: directory.manifestPath)
        let evaluation = try EvaluationConfiguration(ConfigurationReader(node, name: "evaluate"))
        var bases: [PlannedBase] = []
        // The others may have no folder yet, nor a base.
        let finished = try manifest.trials.filter {
            try directory.run($0.run).metadata()?.status == .finished
        }
        if finished.isEmpty {
            throw RunError(
                description:
                    "'\(directory.path)' has no finished run; ask for the sweep again to train them"
            )
        }
        let runs = try finished.map { entry in
            let run = directory.run(entry.run)
            let configuration = try RunConfiguration(run: run, evaluation: evaluation)
            let base =
                try bases.first { $0.name == entry.base }
                ?? PlannedBase(stored: entry.base, root: root, model: configuration.model)
            if !bases.contains(where: { $0.name == base.name }) { bases.append(base) }
            return PlannedRun(
                configuration: configuration, base: base, hash: entry.hash, name: entry.run,
                varying: entry.varying)
        }
        let plan = SweepPlan(
            name: manifest.name, runs: runs, bases: bases, evaluation: evaluation)
        return (plan, manifest)
    }

    /// The plan with some of its runs alone.
    func with(_ runs: [PlannedRun]) -> SweepPlan {
        SweepPlan(
            name: name, runs: runs,
            bases: bases.filter { base in runs.contains { $0.base.hash == base.hash } },
            evaluation: evaluation)
    }

    /// - Parameters:
    ///   - name: the sweep's name.
    ///   - runs: the runs in order.
    ///   - bases: the distinct bases.
    ///   - evaluation: what is measured.
    init(
        name: String, runs: [PlannedRun], bases: [PlannedBase], evaluation: EvaluationConfiguration
    ) {
        self.name = name
        self.runs = runs
        self.bases = bases
        self.evaluation = evaluation
    }
}

extension EvaluationConfiguration {
    /// Reads the section `evaluate` of a sweep file.
    init(of file: SweepFile) throws {
        let reader = try ConfigurationReader(file.evaluate, name: "evaluate")
        try self.init(reader)
        try reader.finish()
    }
}
