import Experiments
import Foundation
import Training

/// One fine-tuning run of a language model, fully resolved.
public struct FineTuningConfiguration: Sendable {
    /// Top-level sections of a text sweep file.
    public static let sections = ["model", "corpus", "objective", "training"]

    /// Version of everything that decides numbers on the text side; part of every run's hash. 2: blocks of
    /// weight gradients and of logits.
    static let numericsVersion = 2

    /// The folder of the model to start from.
    public let model: String
    /// The folder or file of the tokenizer; nil for the model's own.
    public let tokenizer: String?
    /// What is learned from.
    public let corpus: CorpusConfiguration
    /// How it becomes training examples.
    public let objective: ObjectiveConfiguration
    /// How long, and how.
    public let training: TextTrainingConfiguration
    /// How often it writes.
    public let recording: TextRecordingConfiguration
    /// What is measured.
    public let evaluation: TextEvaluationConfiguration
    /// Decides order, prompts, dropout and fresh adapters.
    public let seed: UInt64

    /// Reads the resolved tree of one trial.
    ///
    /// - Parameters:
    ///   - node: the sections.
    ///   - evaluation: what is measured.
    ///   - seed: the trial's seed.
    /// - Throws: `ConfigurationError` with file, line, column, key and what is accepted.
    public init(
        _ node: ConfigurationNode, evaluation: TextEvaluationConfiguration, seed: Int
    ) throws {
        for (key, example) in [("model.path", "path/to/llama"), ("corpus.path", "notes.jsonl")]
        where node.value(at: key)?.isNull != false {
            throw ConfigurationError(
                node.mark,
                "\(key) is missing; add it to the file, or \(key)=\(example) to the command line")
        }
        let reader = try ConfigurationReader(node)
        (model, tokenizer) = try reader.section("model") {
            (try $0.string("path"), try $0.stringIfPresent("tokenizer"))
        }
        corpus = try reader.section("corpus", CorpusConfiguration.init)
        objective = try reader.section("objective", ObjectiveConfiguration.init)
        (training, recording) = try reader.section("training") {
            (try TextTrainingConfiguration($0), try TextRecordingConfiguration($0))
        }
        try reader.finish()
        self.evaluation = evaluation
        self.seed = UInt64(seed)
    }

    /// What decides what a run leaves, as JSON: the run's id is the hash of its canonical form.
    ///
    /// - Parameter inputs: hashes of what is read: model, tokenizer, corpus, prompts.
    func identity(_ inputs: InputHashes) throws -> JSONValue {
        var objective = try JSONValue(encoding: objective)
        // What the prompts say counts, not where they stand or who is asked with which patience.
        if case .object(var members) = objective {
            members["prompts"] = nil
            members["generator"] = self.objective.generator.map { generator in
                [
                    "model": .string(generator.model),
                    "temperature": .number(generator.temperature),
                    "max_tokens": .integer(generator.maximumTokens),
                ]
            }
            objective = .object(members)
        }
        var corpus: [String: JSONValue] = ["held_out": .number(self.corpus.heldOut)]
        corpus["documents"] = .string(inputs.corpus)
        return [
            "version": .integer(Self.numericsVersion),
            "model": .string(inputs.model),
            "tokenizer": .string(inputs.tokenizer),
            "corpus": .object(corpus),
            "prompts": inputs.prompts.map(JSONValue.string) ?? .null,
            "objective": objective,
            "training": try JSONValue(encoding: training),
            // It decides which model is the best one, and what was measured.
            "evaluate": try JSONValue(encoding: evaluation),
            "seed": .integer(Int(seed)),
        ]
    }

    /// The whole configuration as `config.yaml` shows it, defaults included: a file that `sandbox text train` takes.
    ///
    /// - Parameters:
    ///   - sweep: the sweep's name.
    ///   - pool: where the pool of prompts was found; nil where there is none.
    func resolved(sweep: String, pool: String?) throws -> ConfigurationNode {
        var model: [String: JSONValue] = ["path": .string(Self.absolute(self.model))]
        model["tokenizer"] = tokenizer.map { .string(Self.absolute($0)) }
        var corpus = self.corpus
        corpus.path = corpus.path.map(Self.absolute)
        var objective = self.objective
        objective.prompts = pool.map(Self.absolute)
        if let cache = objective.generator?.cache {
            objective.generator?.cache = Self.absolute(cache)
        }
        return ConfigurationNode(
            [
                "version": 1,
                "name": .string(sweep),
                "model": .object(model),
                "corpus": try JSONValue(encoding: corpus),
                "objective": try JSONValue(encoding: objective),
                "training": try JSONValue(encoding: training).merging(
                    JSONValue(encoding: recording)),
                "seeds": [.integer(Int(seed))],
                "evaluate": try JSONValue(encoding: evaluation),
            ], source: "resolved configuration")
    }

    /// The run may be looked at from another working directory.
    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }
}

/// Hashes of what a run reads.
struct InputHashes: Sendable, Hashable {
    /// See ``ModelFingerprint``.
    let model: String
    /// Of the files that decide the tokens.
    let tokenizer: String
    /// Of the documents in their order.
    let corpus: String
    /// Of the contextual prompts; nil where there are none.
    let prompts: String?
}
