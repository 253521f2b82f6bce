import Experiments
import Kernels
import Training
import Transformer

/// The section `training:` of a text run.
public struct TextTrainingConfiguration: Encodable, Sendable, Hashable {
    /// `full` or `lora`.
    public var method: String
    /// The adapters; nil for full fine-tuning.
    public var lora: LoRASection?
    /// The longest sequence, in tokens; nil for all positions of the model.
    public var sequenceLength: Int?
    /// Whether short sequences share the rows of one.
    public var packs: Bool
    /// Sequences (packed rows of them, pairs under dpo) in an update.
    public var batchSize: Int
    /// Of these, how many are in memory at a time: the others are accumulated, to the same update but for rounding.
    public var microBatchSize: Int
    /// Passes over the corpus; nil when ``steps`` is given.
    public var epochs: Int?
    /// Updates; nil when ``epochs`` is given.
    public var steps: Int?
    /// Adam's numbers.
    public var optimizer: OptimizerConfiguration
    /// What decays: `matrices` (not norms and biases) or `all`.
    public var decays: String
    /// Learning rate against step.
    public var schedule: ScheduleConfiguration
    /// What the operands of products with the model's matrices are rounded to; all else is fp32, adapters and
    /// evaluations too.
    public var precision: ProductPrecision
    /// What the trained model is stored as: `float32`, `float16`, `bfloat16` or `same` (as its source).
    public var savesAs: String

    enum CodingKeys: String, CodingKey {
        case method, lora
        case sequenceLength = "sequence_length"
        case packs = "packing"
        case batchSize = "batch_size"
        case microBatchSize = "micro_batch_size"
        case epochs, steps, optimizer
        case decays = "decay"
        case schedule, precision
        case savesAs = "save_dtype"
    }

    /// Reads the section.
    ///
    /// - Throws: `ConfigurationError` for a missing or impossible value.
    public init(_ reader: ConfigurationReader) throws {
        method = try reader.choice("method", default: "full", among: ["full", "lora"])
        if method == "lora" {
            lora = try reader.section("lora", LoRASection.init)
        } else {
            // Beside `method: full` a file's adapters say nothing, so that the command line can switch.
            _ = reader.node("lora")
        }
        sequenceLength =
            reader.contains("sequence_length")
            ? try reader.integer("sequence_length", in: 2...) : nil
        packs = try reader.boolean("packing", default: true)
        batchSize = try reader.integer("batch_size", default: 8, in: 1...1_000_000)
        microBatchSize = try reader.integer(
            "micro_batch_size", default: min(batchSize, 1), in: 1...1_000_000)
        epochs = reader.contains("epochs") ? try reader.integer("epochs", in: 1...100_000) : nil
        steps = reader.contains("steps") ? try reader.integer("steps", in: 1...) : nil
        if (epochs == nil) == (steps == nil) {
            throw reader.error("epochs", "or steps: exactly one of them says how long to train")
        }
        optimizer = try reader.section("optimizer", OptimizerConfiguration.init)
        decays = try reader.choice("decay", default: "matrices", among: ["matrices", "all"])
        schedule = try reader.section("schedule", ScheduleConfiguration.init)
        precision = try reader.choice(
            "precision", default: .fp32, accepted: ProductPrecision.allCases.map(\.rawValue),
            ProductPrecision.init(rawValue:))
        savesAs = try reader.choice(
            "save_dtype", default: "same", among: ["same", "float32", "float16", "bfloat16"])
    }
}

/// The section `training.lora:`.
public struct LoRASection: Encodable, Sendable, Hashable {
    /// r.
    public var rank: Int
    /// α.
    public var alpha: Double
    /// The share of an adapter's input that a step leaves out.
    public var dropout: Double
    /// The maps that have adapters.
    public var targets: [LlamaProjection]

    enum CodingKeys: String, CodingKey {
        case rank, alpha, dropout
        case targets = "target_modules"
    }

    /// Reads the section; defaults are PEFT's.
    ///
    /// - Throws: `ConfigurationError` for an impossible value, such as a target that a layer does not have.
    public init(_ reader: ConfigurationReader) throws {
        rank = try reader.integer("rank", default: 8, in: 1...65_536)
        alpha = try reader.double("alpha", default: 16, in: 1e-9...1e9)
        dropout = try reader.double("dropout", default: 0, in: 0..<1)
        let names = try reader.choices(
            "target_modules", default: [LlamaProjection.query, .value],
            accepted: LlamaProjection.allCases.map(\.rawValue), LlamaProjection.init(rawValue:))
        if names.isEmpty {
            throw reader.error("target_modules", "is an empty list; name at least one map")
        }
        targets = LlamaProjection.allCases.filter(names.contains)
    }

    /// As the model takes it.
    var configuration: LoRAConfiguration {
        LoRAConfiguration(rank: rank, alpha: alpha, dropout: dropout, targets: Set(targets))
    }
}

/// What decides no numbers: how often a text run writes, and what it spends memory on.
public struct TextRecordingConfiguration: Encodable, Sendable, Hashable {
    /// Steps between two metrics records.
    public var logEvery: Int
    /// Seconds between two checkpoints.
    public var checkpointSeconds: Double
    /// Whether each layer's activations are computed a second time instead of being kept, to the same bits.
    public var recomputes: Bool
    enum CodingKeys: String, CodingKey {
        case logEvery = "log_every"
        case checkpointSeconds = "checkpoint_seconds"
        case recomputes = "activation_checkpointing"
    }

    /// Reads the keys, which stand under `training`.
    ///
    /// - Throws: `ConfigurationError` for an impossible value.
    public init(_ reader: ConfigurationReader) throws {
        logEvery = try reader.integer("log_every", default: 10, in: 1...)
        checkpointSeconds = try reader.double("checkpoint_seconds", default: 300, in: 0...)
        recomputes = try reader.boolean("activation_checkpointing", default: false)
    }
}

/// The section `evaluate:` of a text sweep.
public struct TextEvaluationConfiguration: Encodable, Sendable, Hashable {
    /// Updates between two evaluations on what is held out; 0 for one at the beginning and one at the end.
    public var every: Int
    /// Held-out documents that are measured, the first of them; nil for all.
    public var documents: Int?

    /// Reads the section of a sweep file.
    ///
    /// - Throws: `ConfigurationError` for an impossible value.
    public init(of file: SweepFile) throws {
        let reader = try ConfigurationReader(file.evaluate, name: "evaluate")
        every = try reader.integer("every", default: 0, in: 0...)
        documents = reader.contains("documents") ? try reader.integer("documents", in: 1...) : nil
        try reader.finish()
    }
}
