import Experiments
import Foundation
import InContextRegression

/// Version of everything that decides numbers; part of every run's hash. 2: products, attention and GELU of our own.
/// 3: weight gradients are summed over 256 operands at a time.
public let numericsVersion = 3

/// One fine-tuning run, fully resolved: model, base, task, layout, training and seed.
public struct RunConfiguration: Sendable {
    /// The model's sizes.
    public let model: ModelConfiguration
    /// How the base is obtained.
    public let base: BaseConfiguration
    /// The composed class g.
    public let functionClass: any FunctionClass
    /// What a training prompt looks like.
    public let layout: PromptLayout
    /// Points, steps, batch and optimizer of fine-tuning.
    public let training: PhaseConfiguration
    /// How often it writes.
    public let recording: RecordingConfiguration
    /// Key of the fine-tuning prompts.
    public let seed: UInt64
    /// What is measured at the end.
    public let evaluation: EvaluationConfiguration

    /// Reads the resolved tree of one trial.
    ///
    /// - Parameters:
    ///   - node: the sections `model`, `pretraining`, `training`, `task` and the key `layout`.
    ///   - evaluation: what is measured at the end.
    ///   - seed: the trial's seed.
    /// - Throws: `ConfigurationError` with file, line, column, key and what is accepted.
    public init(
        _ node: ConfigurationNode, evaluation: EvaluationConfiguration, seed: Int
    ) throws {
        let reader = try ConfigurationReader(node)
        let model = try reader.section("model", ModelConfiguration.init)
        let functionClass = try reader.section("task") { try readFunctionClass($0) }
        let layout = try readLayout(reader)
        let (training, recording) = try reader.section("training") {
            (try PhaseConfiguration($0), try RecordingConfiguration($0, snapshots: .log))
        }
        try checkApplies(
            to: functionClass, layout, evaluation, points: training.points, reader)
        let longest =
            ([layout] + evaluation.layouts)
            .map { (layout: $0, positions: $0.positions(points: training.points).upperBound) }
            .reduce((layout, 0)) { $1.positions > $0.1 ? $1 : $0 }
        if longest.1 > 2 * model.positionCount {
            let pretrained = node.value(at: "pretraining.n_points")?.scalarValue
            let least = if case .integer(let points) = pretrained { points } else { 0 }
            throw reader.error(
                "training",
                "has n_points = \(training.points), which needs \(longest.1) positions under the layout "
                    + "\(longest.0.name) and the model has \(2 * model.positionCount) (two for each of "
                    + "n_positions); raise model.n_positions to \(max(least, (longest.1 + 1) / 2))",
                concerning: ["training.n_points", "model.n_positions", "layout"])
        }
        let base = try reader.section("pretraining") {
            try BaseConfiguration($0, model: model)
        }
        try reader.finish()
        self.model = model
        self.base = base
        self.functionClass = functionClass
        self.layout = layout
        self.training = training
        self.recording = recording
        self.seed = UInt64(seed)
        self.evaluation = evaluation
    }

    /// The layouts it is measured under: those of `evaluate`, and always its own, which the error curves show.
    public var evaluationLayouts: [PromptLayout] {
        evaluation.layouts.contains(layout) ? evaluation.layouts : evaluation.layouts + [layout]
    }

    /// Under what it is measured: on standard prompts under its ``evaluationLayouts``, on the others under its own layout.
    public var evaluationSettings: [EvaluationSetting] {
        evaluationLayouts.map { EvaluationSetting(layout: $0) }
            + evaluation.prompts.filter { $0 != .standard }.map {
                EvaluationSetting(layout: layout, distribution: $0)
            }
    }

    /// What decides the weights, as JSON: the run's id is the hash of its canonical form.
    ///
    /// - Parameter baseHash: the full hash of the base.
    public func identity(baseHash: String) throws -> JSONValue {
        [
            "version": .integer(numericsVersion),
            "model": try JSONValue(encoding: model),
            "task": ["function_class": .string(functionClass.name)],
            "layout": .string(layout.name),
            "training": try JSONValue(encoding: training),
            "seed": .integer(Int(seed)),
            "base": .string(baseHash),
        ]
    }

    /// The whole configuration as `config.yaml` shows it, defaults included: a file that `sandbox train` takes.
    ///
    /// - Parameter sweep: the sweep's name.
    public func resolved(sweep: String) throws -> ConfigurationNode {
        let training = try JSONValue(encoding: training).merging(JSONValue(encoding: recording))
        return ConfigurationNode(
            [
                "version": .integer(1),
                "name": .string(sweep),
                "model": try JSONValue(encoding: model),
                "pretraining": try base.json(),
                "task": ["function_class": .string(functionClass.name)],
                "layout": .string(layout.name),
                "training": training,
                "seeds": [.integer(Int(seed))],
                "evaluate": evaluation.json,
            ], source: "resolved configuration")
    }
}

private func readFunctionClass(_ reader: ConfigurationReader) throws -> any FunctionClass {
    try reader.choice(
        "function_class", accepted: FunctionClasses.all.flatMap { [$0.name] + $0.aliases }
    ) { try? FunctionClasses.named($0) }
}

/// Refuses layouts and baselines that mean nothing for the class, and a prefix longer than the prompt.
private func checkApplies(
    to functionClass: any FunctionClass, _ layout: PromptLayout,
    _ evaluation: EvaluationConfiguration, points: Int, _ reader: ConfigurationReader
) throws {
    for each in [layout] + evaluation.layouts {
        if each.showsBase && !functionClass.hasBase {
            throw reader.error(
                "task",
                "is the class \(functionClass.name), which has no base function f for the layout \(each.name) to show; "
                    + "leave \(each.name) out of layout and evaluate.layouts, or take cpt or neg-cft"
            )
        }
        if case .first(let count) = each.prefix?.extent, count > points {
            throw reader.error(
                each == layout ? "layout" : "training",
                "does not fit: \(each.name) shows the first \(count) points and n_points is \(points); take a prefix of "
                    + "at most \(points)")
        }
    }
    for name in evaluation.baselines where name != "bayes" {
        do {
            try Baselines.named(name).requireApplies(to: functionClass)
        } catch {
            throw reader.error("task", "does not fit evaluate.baselines: \(error)")
        }
    }
}

private func readLayout(_ reader: ConfigurationReader) throws -> PromptLayout {
    try reader.choice("layout", accepted: layoutNames) { try? PromptLayout.named($0) }
}

/// Every accepted spelling of a layout.
let layoutNames = PromptLayout.acceptedNames

/// Where the base model comes from: trained here, or taken from a folder.
public struct BaseConfiguration: Sendable {
    /// The model's sizes.
    public let model: ModelConfiguration
    /// The pretraining run; nil when ``source`` is given.
    public let pretraining: PretrainingConfiguration?
    /// How often pretraining writes.
    public let recording: RecordingConfiguration?
    /// A run, a checkpoint or a folder in the public form to take instead of training one.
    public let source: String?
    /// Where ``source`` is named.
    let sourceMark: SourceMark?

    /// Reads the section `pretraining`.
    init(_ reader: ConfigurationReader, model: ModelConfiguration) throws {
        self.model = model
        source = try reader.stringIfPresent("from")
        if source == nil {
            pretraining = try PretrainingConfiguration(reader, model: model)
            recording = try RecordingConfiguration(reader, snapshots: .never)
        } else {
            pretraining = nil
            recording = nil
            // With `from` a preset's own pretraining keys stand beside it and say nothing.
            for key in [
                "task", "n_points", "steps", "batch_size", "seed", "optimizer", "schedule",
                "curriculum", "precision", "log_every", "checkpoint_seconds",
                "snapshots", "position_offset",
            ] { _ = reader.node(key) }
        }
        sourceMark = reader.node("from")?.mark
    }

    /// Refuses a `from` that names no finished model of the sizes asked for, at the place where it is named.
    ///
    /// Only who plans to use it asks: a run that is there has its base's copy. Weights that cannot be read are a damaged
    /// file, not a mistake of the configuration: reading them says so.
    public func checkSource() throws {
        guard let source, let sourceMark else { return }
        func error(_ problem: String) -> ConfigurationError {
            ConfigurationError(sourceMark, "pretraining.from does not work: \(problem)")
        }
        let folder: ModelFolder
        do {
            folder = try ModelFolder(path: source)
        } catch let problem as ModelFolderError {
            throw error(problem.description)
        }
        if let status = try folder.run?.metadata()?.status, status != .finished {
            throw error(
                "the run \(source) is \(status.rawValue); finish it first, or name one of its checkpoints "
                    + "(\(source)/checkpoints/step_…)")
        }
        let stored = try folder.modelConfiguration()
        if let size = stored.firstDifference(from: model) {
            throw error(
                "\(source) holds a model with \(size.key) = \(size.own), and the section model asks for "
                    + "\(size.other); make them agree")
        }
    }

    /// What decides the base's weights, when it is trained here.
    func identity() throws -> JSONValue? {
        guard let pretraining else { return nil }
        return [
            "version": .integer(numericsVersion),
            "model": try JSONValue(encoding: model),
            "pretraining": try JSONValue(encoding: pretraining),
        ]
    }

    /// The whole configuration as a base's `config.yaml` shows it.
    func resolved() throws -> ConfigurationNode {
        ConfigurationNode(
            ["version": 1, "model": try JSONValue(encoding: model), "pretraining": try json()],
            source: "resolved configuration")
    }

    func json() throws -> JSONValue {
        guard let pretraining, let recording else {
            // The run may be looked at from another working directory.
            let path = URL(fileURLWithPath: source ?? "").standardizedFileURL.path
            return .object(["from": .string(path)])
        }
        return try JSONValue(encoding: pretraining).merging(JSONValue(encoding: recording))
    }
}
