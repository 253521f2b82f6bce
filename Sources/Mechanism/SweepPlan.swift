import Experiments
import Foundation
import InContextRegression
import Platform

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

    init(_ configuration: BaseConfiguration) throws {
        self.configuration = configuration
        if let identity = try configuration.identity(), let pretraining = configuration.pretraining
        {
            hash = try CanonicalJSON.hash(identity)
            name = RunDirectory.name(label: "linear-s\(pretraining.seed)", hash: hash)
        } else {
            let stored = try StoredModel(folder: configuration.source ?? "")
            if let size = stored.configuration.firstDifference(from: configuration.model) {
                throw ModelFolderError(
                    description:
                        "\(configuration.source ?? "") holds a model with \(size.key) = \(size.own), and the section "
                        + "model asks for \(size.other); make them agree")
            }
            hash = sha256Hex(try WholeFile.read(stored.weightsPath))
            name = RunDirectory.name(label: "from", hash: hash)
        }
    }
}

/// Everything a sweep asks for, before any of it is run.
public struct SweepPlan: Sendable {
    /// Top-level sections of a sweep file that this side knows.
    public static let sections = ["model", "pretraining", "training", "task", "layout"]

    /// The sweep as written.
    public let file: SweepFile
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
        self.file = file
        let reader = try ConfigurationReader(file.evaluate, name: "evaluate")
        let evaluation = try EvaluationConfiguration(reader)
        try reader.finish()
        self.evaluation = evaluation
        let present = try Folder.contents(of: root + "/" + file.name)
        var bases: [PlannedBase] = []
        runs = try file.trials().map { trial in
            let configuration = try RunConfiguration(
                trial.configuration, evaluation: evaluation, seed: trial.seed)
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
        self.bases = bases
        for (index, run) in runs.enumerated() {
            guard let twin = runs[..<index].first(where: { $0.hash == run.hash }) else { continue }
            throw ConfigurationError(
                SourceMark(source: file.path),
                "the trials \(twin.name) and \(run.name) are one and the same run, perhaps under an alias; "
                    + "remove one of the values")
        }
    }
}
