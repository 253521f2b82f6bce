import Experiments
import Foundation
import Platform
import Training

/// One run of a text sweep with the names its configuration gives it.
public struct PlannedFineTuning: Sendable {
    /// The resolved configuration.
    public let configuration: FineTuningConfiguration
    /// The hash of what decides its weights.
    public let hash: String
    /// Its folder inside the sweep's folder.
    public let name: String
    /// The parameters in which the sweep's trials differ.
    public let varying: [Trial.Value]
    let inputs: InputHashes
}

/// Everything a text sweep asks for, before any of it is run.
public struct FineTuningPlan: Sendable {
    /// The sweep's name, also its folder's.
    public let name: String
    /// The runs in order.
    public let runs: [PlannedFineTuning]
    /// What is measured.
    public let evaluation: TextEvaluationConfiguration

    /// Whether the file at `path` describes fine-tuning of language models: it has a section `corpus`.
    public static func describes(_ path: String, searchFolders: [String]) throws -> Bool {
        guard Folder.holdsFile(path) else { return false }
        let file = try ConfigurationFile.load(path: path, searchFolders: searchFolders)
        return file.tree["corpus"] != nil
    }

    /// Makes sure that every trial of the sweep file at `path` is one that can be run, but for its model and corpus, which a
    /// recipe need not name; pools of prompts are read.
    ///
    /// - Returns: how many trials there are.
    /// - Throws: `ConfigurationError` for anything a section refuses; what is wrong with a pool.
    public static func check(_ path: String, searchFolders: [String]) throws -> Int {
        func load(_ overrides: [String]) throws -> SweepFile {
            try SweepFile.load(
                path: path, sections: FineTuningConfiguration.sections, overrides: overrides,
                searchFolders: searchFolders)
        }
        let bare = try load([]).configuration
        let missing = ["model.path", "corpus.path"].filter { bare.value(at: $0) == nil }
        let file = try load(missing.map { "\($0)=some/path" })
        let evaluation = try TextEvaluationConfiguration(of: file)
        let trials = try file.trials()
        let inputs = FineTuningInputs(searchFolders: searchFolders)
        for trial in trials {
            let run = try FineTuningConfiguration(
                trial.configuration, evaluation: evaluation, seed: trial.seed)
            do {
                if let pool = run.objective.prompts { _ = try inputs.pool(pool) }
            } catch {
                throw ConfigurationError(SourceMark(source: path), "objective.prompts: \(error)")
            }
        }
        return trials.count
    }

    /// Expands a sweep file, and reads what its runs read.
    ///
    /// - Parameters:
    ///   - file: the sweep.
    ///   - root: the folder that holds the runs; a run that is there keeps its folder.
    ///   - inputs: models, corpora and prompts.
    /// - Throws: `ConfigurationError` for anything a section refuses; what is wrong with a model, corpus or pool.
    public init(_ file: SweepFile, root: String, inputs: FineTuningInputs) throws {
        name = file.name
        let evaluation = try TextEvaluationConfiguration(of: file)
        self.evaluation = evaluation
        let present = try Folder.contents(of: root + "/" + file.name)
        let runs = try file.trials().map { trial in
            let configuration = try FineTuningConfiguration(
                trial.configuration, evaluation: evaluation, seed: trial.seed)
            let hashes = try inputs.hashes(configuration)
            let hash = try CanonicalJSON.hash(configuration.identity(hashes))
            let found = present.first { $0.hasSuffix("-" + hash.prefix(8)) }
            let rest = trial.label(without: ["objective", "objective.name"])
            let label = "\(configuration.objective.name)-\(rest)"
            return PlannedFineTuning(
                configuration: configuration, hash: hash,
                name: found ?? RunDirectory.name(label: label, hash: hash),
                varying: trial.varying, inputs: hashes)
        }
        for (index, run) in runs.enumerated() {
            guard let twin = runs[..<index].first(where: { $0.hash == run.hash }) else { continue }
            throw ConfigurationError(
                SourceMark(source: file.path),
                "the trials \(twin.name) and \(run.name) are one and the same run; remove one of the values"
            )
        }
        self.runs = runs
    }
}
