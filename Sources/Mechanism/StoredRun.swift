import Experiments
import Foundation
import Platform
import Training

extension RunConfiguration {
    /// The configuration of a run that is there, from its `config.yaml`.
    ///
    /// - Parameters:
    ///   - run: the run's folder.
    ///   - evaluation: what is measured; the run's own section `evaluate` unless given.
    ///   - overrides: `key=value` arguments.
    /// - Throws: ``RunError`` with the cure when the file is missing or damaged, `ConfigurationError` for an override.
    public init(
        run: RunDirectory, evaluation: EvaluationConfiguration? = nil, overrides: [String] = []
    ) throws {
        // First as it stands there: what is wrong then is the run's damage, and everything else was asked for wrongly.
        let stored = try run.readingConfiguration {
            try RunConfiguration(stored: run, evaluation: evaluation, overrides: [])
        }
        if overrides.isEmpty {
            self = stored
            return
        }
        do {
            self = try RunConfiguration(
                stored: run, evaluation: evaluation, overrides: overrides)
        } catch let error as ConfigurationError where error.mark.source == run.configurationPath {
            throw ConfigurationError(
                SourceMark(source: "command line: \(overrides.joined(separator: " "))"),
                error.message)
        }
    }

    private init(
        stored run: RunDirectory, evaluation: EvaluationConfiguration?, overrides: [String]
    ) throws {
        let file = try SweepFile.load(
            path: run.configurationPath, sections: SweepPlan.sections, overrides: overrides)
        let trials = try file.trials()
        guard trials.count == 1 else {
            throw RunError(
                description:
                    "'\(run.configurationPath)' describes \(trials.count) runs and a run's configuration "
                    + "describes one; \(run.cure)")
        }
        try self.init(
            trials[0].configuration, evaluation: evaluation ?? EvaluationConfiguration(of: file),
            seed: trials[0].seed)
    }

    /// The hash of the run that a `config.yaml` describes.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - base: the base it was trained from, for a base that was taken from elsewhere.
    static func hash(ofFile path: String, base: PlannedBase) throws -> String {
        let configuration = try RunConfiguration(
            run: RunDirectory(path: Path.parent(of: path)))
        let trained = try configuration.base.identity().map { try CanonicalJSON.hash($0) }
        return try CanonicalJSON.hash(
            configuration.identity(baseHash: trained ?? base.hash))
    }
}

extension RunDirectory {
    /// Reads config.yaml with `body`; what is wrong in the file is the run's damage, nothing was asked for wrongly.
    ///
    /// - Throws: ``RunError`` with the cure; what `body` throws about anything else.
    func readingConfiguration<Value>(_ body: () throws -> Value) throws -> Value {
        guard Folder.holdsFile(configurationPath) else {
            throw RunError(description: "there is no file '\(configurationPath)'; \(cure)")
        }
        do {
            return try body()
        } catch let error as ConfigurationError where error.mark.source == configurationPath {
            throw RunError(description: "\(error); \(cure)")
        }
    }
}

extension BaseConfiguration {
    /// The configuration of a base that is there, from its `config.yaml`.
    ///
    /// - Throws: ``RunError`` with the cure when the file is missing or damaged.
    public init(file path: String) throws {
        self = try RunDirectory(path: Path.parent(of: path)).readingConfiguration {
            let file = try SweepFile.load(path: path, sections: ["model", "pretraining"])
            return try BaseConfiguration(ConfigurationReader(file.configuration))
        }
    }

    /// Reads the sections `model` and `pretraining`.
    public init(_ reader: ConfigurationReader) throws {
        let model = try reader.section("model", ModelConfiguration.init)
        self = try reader.section("pretraining") { try BaseConfiguration($0, model: model) }
        try reader.finish()
    }

    /// The model of a base that is taken from elsewhere.
    ///
    /// - Throws: one sentence when there is none, or one of another shape.
    func storedModel() throws -> StoredModel {
        let folder = source ?? ""
        let stored = try StoredModel(folder: folder)
        if let size = stored.configuration.firstDifference(from: model) {
            throw ModelFolderError(
                description:
                    "\(folder) holds a model with \(size.key) = \(size.own), and the section model asks for "
                    + "\(size.other); make them agree")
        }
        return stored
    }
}

extension PlannedBase {
    /// A base that is there already.
    ///
    /// - Parameters:
    ///   - name: its folder's name under `bases`.
    ///   - root: the folder that holds the runs.
    ///   - model: the model's sizes, for the message when it is not there.
    init(stored name: String?, root: String, model: ModelConfiguration) throws {
        let directory = RunDirectory(path: "\(root)/bases/\(name ?? "")")
        guard let name, let metadata = try directory.metadata() else {
            throw RunError(
                description:
                    "the base '\(directory.path)' is missing; run the sweep again to train it")
        }
        self.init(
            try BaseConfiguration(file: directory.configurationPath), name: name,
            hash: metadata.hash)
    }
}

extension PlannedRun {
    /// A run that is there, to be measured anew.
    ///
    /// - Parameters:
    ///   - directory: its folder, `<root>/<sweep>/<run>`.
    ///   - root: the folder that holds the runs.
    ///   - overrides: `key=value` arguments, such as `evaluate.examples=1000`.
    /// - Throws: one sentence that names the file and the cure.
    public init(_ directory: RunDirectory, root: String, overrides: [String]) throws {
        guard let metadata = try directory.metadata() else {
            throw RunError(
                description:
                    "'\(directory.path)' holds no run (no metadata.json); `sandbox runs ls` lists the runs"
            )
        }
        if CatalogedRun(path: directory.path)?.isText == true {
            throw RunError(text: directory.path)
        }
        if metadata.base == nil {
            throw RunError(
                description:
                    "'\(directory.path)' is a base, which the sweeps that start from it measure; give a run"
            )
        }
        guard metadata.status == .finished else {
            let hint =
                metadata.status == .failed ? " --retry-failed` tries it again" : "` finishes it"
            throw RunError(
                description: "'\(directory.path)' is not finished (\(metadata.status.rawValue)); "
                    + "`sandbox train \(directory.configurationPath) --runs \(root)\(hint)")
        }
        let configuration = try RunConfiguration(run: directory, overrides: overrides)
        self.init(
            configuration: configuration,
            base: try PlannedBase(stored: metadata.base, root: root, model: configuration.model),
            hash: metadata.hash, name: directory.name, varying: [])
    }
}
