import Experiments
import Foundation
import InContextRegression
import Kernels
import Platform
import TensorStorage
import Training

/// A run or base read back from its folder, with types: its configuration, losses and per-prompt errors.
public struct RecordedRun: Sendable {
    /// What config.yaml describes.
    public enum Kind: Sendable {
        /// A fine-tuned model.
        case run(RunConfiguration)
        /// A base model.
        case base(BaseConfiguration)
    }

    /// The run as the catalogue has it.
    public let run: CatalogedRun
    /// What config.yaml describes.
    public let kind: Kind

    /// Reads config.yaml.
    ///
    /// - Throws: ``RunError`` with file, line, column, key, what is accepted and the cure.
    public init(_ run: CatalogedRun) throws {
        self.run = run
        if run.isText { throw RunError(text: run.directory.path) }
        kind = try run.directory.readingConfiguration { try Self.kind(of: run.configuration()) }
    }

    /// Reads the tree of a config.yaml: one with `task` is a run's, one without is a base's.
    static func kind(of node: ConfigurationNode) throws -> Kind {
        let reader = try ConfigurationReader(node)
        _ = try reader.integer("version", default: 1, in: 1...1)
        // Keys beside the sections that a run's own reader knows.
        let beside = ["version", "name", "method", "seeds", "base", "evaluate"]
        let sections = ConfigurationNode(
            .mapping((node.entries ?? []).filter { !beside.contains($0.key) }), mark: node.mark)
        if node["task"] == nil {
            let reader = try ConfigurationReader(sections)
            let model = try reader.section("model", ModelConfiguration.init)
            let base = try reader.section("pretraining") {
                try BaseConfiguration($0, model: model)
            }
            try reader.finish()
            return .base(base)
        }
        let seeds = try reader.integers("seeds", in: 0...)
        guard seeds.count == 1 else {
            throw reader.error(
                "seeds", "has \(seeds.count) seeds; a run's configuration has exactly one")
        }
        let evaluate = try ConfigurationReader(
            node["evaluate"] ?? .emptyMapping(mark: node.mark), name: "evaluate")
        let evaluation = try EvaluationConfiguration(evaluate)
        try evaluate.finish()
        return .run(try RunConfiguration(sections, evaluation: evaluation, seed: seeds[0]))
    }

    // MARK: What it is

    /// The model's sizes.
    public var model: ModelConfiguration {
        switch kind {
        case .run(let configuration): configuration.model
        case .base(let configuration): configuration.model
        }
    }

    /// The class it was trained on: `linear` for a base.
    public var functionClass: any FunctionClass {
        switch kind {
        case .run(let configuration): configuration.functionClass
        case .base: LinearFunction()
        }
    }

    /// The layout it was trained under: `cpt` for a base.
    public var layout: PromptLayout {
        switch kind {
        case .run(let configuration): configuration.layout
        case .base: .cpt
        }
    }

    /// The seed; nil for an imported base.
    public var seed: UInt64? {
        switch kind {
        case .run(let configuration): configuration.seed
        case .base(let configuration): configuration.pretraining?.seed
        }
    }

    /// Updates it was asked for; nil for an imported base.
    public var steps: Int? {
        switch kind {
        case .run(let configuration): configuration.training.steps
        case .base(let configuration): configuration.pretraining?.phase.steps
        }
    }

    /// What it is measured on; nil for a base, which every sweep measures in its own way.
    public var evaluation: EvaluationConfiguration? {
        switch kind {
        case .run(let configuration): configuration.evaluation
        case .base: nil
        }
    }

    // MARK: What it recorded

    /// The training losses in metrics.jsonl.
    ///
    /// - Throws: what is missing or damaged, and the cure.
    public func losses() throws -> [LossRecord] { try LossRecord.read(run.directory) }

    /// What was measured first under each layout after the highest step that has any, in the order of the
    /// configuration's layouts.
    ///
    /// - Throws: ``RunError`` naming a file that is damaged, and the cure.
    public func evaluations() throws -> [RecordedEvaluation] {
        try allEvaluations().filter(\.isFirst)
    }

    /// ``evaluations()``, and behind them what was measured later on other prompts.
    ///
    /// - Throws: ``RunError`` naming a file that is damaged, and the cure.
    public func allEvaluations() throws -> [RecordedEvaluation] {
        let root = run.directory.path + "/evaluations"
        let steps = try Folder.contents(of: root).compactMap { name in
            name.hasPrefix("step_") ? Int(name.dropFirst("step_".count)) : nil
        }
        guard let step = steps.max() else { return [] }
        let folder = run.directory.evaluationFolder(step: step)
        let found = try RecordedEvaluation.paths(in: folder).map {
            try RecordedEvaluation(path: $0, step: step)
        }
        let order = (evaluation?.layouts ?? []).map(\.name) + [layout.name]
        func rank(_ evaluation: RecordedEvaluation) -> Int {
            order.firstIndex(of: evaluation.layout) ?? order.count
        }
        return found.sorted {
            ($0.isFirst ? 0 : 1, rank($0), $0.layout, $0.examples, $0.path)
                < ($1.isFirst ? 0 : 1, rank($1), $1.layout, $1.examples, $1.path)
        }
    }
}

extension RunError {
    /// The folder `path` is that of a run or sweep of language models.
    init(text path: String) {
        self.init(
            description:
                "'\(path)' is the fine-tuning of a language model, which has no error curves; its losses are in "
                + "metrics.jsonl and in its sweep's summary.csv")
    }
}

extension CatalogedSweep {
    /// Refuses a sweep of language models, which has no error curves.
    ///
    /// - Throws: ``RunError`` that says where its numbers are.
    public func requireErrorCurves() throws {
        if isText { throw RunError(text: directory.path) }
    }
}

/// The squared errors of one run on one kind of prompts, as its evaluations folder holds them.
public struct RecordedEvaluation: Sendable {
    /// The file.
    public let path: String
    /// Updates done.
    public let step: Int
    /// Layout of the evaluation prompts.
    public let layout: String
    /// Distribution of the evaluation prompts.
    public let prompt: String
    /// Whether nothing else was measured under the layout before.
    public let isFirst: Bool
    /// The hash of everything that decides the numbers besides the weights: equal hashes mean the same prompts.
    public let hash: String?
    /// Number of prompts.
    public let examples: Int
    /// n: errors are taken at k = 0 … n − 1.
    public let points: Int
    /// `[examples, points]`, row-major.
    public let errors: [Float]

    /// The files of a step's folder, and of `other/` in it: what was measured later on other prompts.
    ///
    /// - Parameter folder: the step's folder; a missing one has none.
    static func paths(in folder: String) throws -> [String] {
        try [folder, "\(folder)/\(otherFolder)"].flatMap { folder in
            try Folder.contents(of: folder).filter {
                $0.hasSuffix(".safetensors") && !Folder.isUnfinished($0)
            }.map { "\(folder)/\($0)" }
        }
    }

    /// The folder, inside a step's, of what was measured later on other prompts.
    static let otherFolder = "other"

    /// Reads `<layout>.<prompt>.safetensors`, or `other/<layout>.<prompt>.<8 hex of its hash>.safetensors`.
    ///
    /// - Throws: ``RunError`` when it is damaged or holds no `squared_error` F32 [prompts, k].
    public init(path: String, step: Int) throws {
        do {
            try self.init(intact: path, step: step)
        } catch let error as TensorStorageError {
            let sentence = "\(error)"
            throw RunError(
                description: (sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence)
                    + "; delete it: the same sweep measures it again")
        }
    }

    private init(intact path: String, step: Int) throws {
        let file = try SafetensorsFile(path: path)
        let shape = try file.tensor(named: "squared_error").shape
        guard shape.count == 2, shape[0] >= 1, shape[1] >= 1 else {
            throw TensorStorageError(
                path: path, tensor: "squared_error",
                "has the shape \(shape); [prompts, k] is expected.")
        }
        let stem = Path.stem(of: path)
        let parts = stem.split(separator: ".", maxSplits: 1)
        self.path = path
        self.step = step
        layout = String(parts.first ?? "")
        hash = file.metadata["hash"]
        isFirst = Path.name(of: Path.parent(of: path)) != Self.otherFolder
        let kind = parts.count > 1 ? String(parts[1]) : "standard"
        // In `other/` the hash keeps the names apart.
        prompt = isFirst ? kind : Path.stem(of: kind)
        examples = shape[0]
        points = shape[1]
        errors = try file.floats("squared_error")
        guard file.metadata["sha256"] == FloatView(errors).sha256 else {
            throw TensorStorageError(
                path: path, tensor: "squared_error",
                "is not what was written there (its SHA-256 differs).")
        }
    }

    /// The mean over prompts for every k.
    public var means: [Double] {
        var sums = [Double](repeating: 0, count: points)
        for (index, error) in errors.enumerated() { sums[index % points] += Double(error) }
        return sums.map { $0 / Double(examples) }
    }

    /// The mean over prompts and k.
    public var mean: Double { means.reduce(0, +) / Double(points) }

    /// Whether the other run was measured on the very same prompts.
    public func isOnTheSamePrompts(as other: RecordedEvaluation) -> Bool {
        hash != nil && hash == other.hash && examples == other.examples && points == other.points
    }
}
