import Experiments
import Kernels
import Training
import Transformer

/// The sections `optimizer:` and `schedule:` of a phase.
public struct OptimizerConfiguration: Encodable, Sendable, Hashable {
    /// `adam` (L2 decay) or `adamw` (decoupled decay).
    public var name: String
    /// Peak learning rate.
    public var learningRate: Double
    /// β₁ and β₂.
    public var betas: [Double]
    /// ε.
    public var epsilon: Double
    /// λ.
    public var weightDecay: Double
    /// Largest global gradient norm; nil for no clipping.
    public var clipNorm: Double?

    enum CodingKeys: String, CodingKey {
        case name
        case learningRate = "learning_rate"
        case betas
        case epsilon
        case weightDecay = "weight_decay"
        case clipNorm = "clip_norm"
    }

    /// Reads the section.
    ///
    /// - Parameter reader: the mapping under `optimizer`.
    /// - Throws: `ConfigurationError` for a missing or impossible value.
    public init(_ reader: ConfigurationReader) throws {
        name = try reader.choice("name", default: "adam", among: ["adam", "adamw"])
        learningRate = try reader.double("learning_rate", in: 0...)
        betas = try reader.doubles("betas", default: [0.9, 0.999], in: 0..<1)
        if betas.count != 2 {
            throw reader.error("betas", "has \(betas.count) values; expected two: β₁ and β₂")
        }
        epsilon = try reader.double("epsilon", default: 1e-8, in: 1e-30...1)
        weightDecay = try reader.double("weight_decay", default: 0, in: 0...)
        clipNorm = try reader.doubleIfPresent("clip_norm", in: 0...)
    }

    var adamOptions: AdamOptions {
        AdamOptions(
            beta1: betas[0], beta2: betas[1], epsilon: epsilon, weightDecay: weightDecay,
            decoupledDecay: name == "adamw", clipNorm: clipNorm)
    }
}

/// The section `schedule:`.
public struct ScheduleConfiguration: Encodable, Sendable, Hashable {
    /// `constant`, `linear` or `cosine`.
    public var name: LearningRateSchedule.Decay
    /// Steps of linear warm-up.
    public var warmupSteps: Int

    enum CodingKeys: String, CodingKey {
        case name
        case warmupSteps = "warmup_steps"
    }

    /// Reads the section; constant without warm-up when it is absent.
    ///
    /// - Parameter reader: the mapping under `schedule`.
    /// - Throws: `ConfigurationError` for an impossible value.
    public init(_ reader: ConfigurationReader) throws {
        name = try reader.choice(
            "name", default: .constant,
            accepted: LearningRateSchedule.Decay.allCases.map(\.rawValue),
            LearningRateSchedule.Decay.init(rawValue:))
        warmupSteps = try reader.integer("warmup_steps", default: 0, in: 0...)
    }
}

/// What both phases have in common: how many prompts of how many points for how many steps, and the optimizer.
public struct PhaseConfiguration: Encodable, Sendable, Hashable {
    /// n: points of a prompt (at the end of the curriculum).
    public var points: Int
    /// Optimizer updates.
    public var steps: Int
    /// Prompts in a step.
    public var batchSize: Int
    /// Adam's numbers.
    public var optimizer: OptimizerConfiguration
    /// Learning rate against step.
    public var schedule: ScheduleConfiguration
    /// What the operands of the blocks' linear maps are rounded to.
    public var precision: ProductPrecision

    enum CodingKeys: String, CodingKey {
        case points = "n_points"
        case steps
        case batchSize = "batch_size"
        case optimizer
        case schedule
        case precision
    }

    init(_ reader: ConfigurationReader) throws {
        points = try reader.integer("n_points", in: 1...100_000)
        steps = try reader.integer("steps", in: 0...1_000_000_000)
        batchSize = try reader.integer("batch_size", in: 1...1_000_000)
        optimizer = try reader.section("optimizer", OptimizerConfiguration.init)
        schedule = try reader.section("schedule", ScheduleConfiguration.init)
        precision = try reader.choice(
            "precision", default: .fp32, accepted: ProductPrecision.allCases.map(\.rawValue),
            ProductPrecision.init(rawValue:))
    }

    func trainingOptions(recording: RecordingConfiguration, workers: Int) -> TrainingOptions {
        TrainingOptions(
            steps: steps,
            schedule: LearningRateSchedule(
                decay: schedule.name, peak: optimizer.learningRate,
                warmupSteps: schedule.warmupSteps, totalSteps: steps),
            adam: optimizer.adamOptions, logEvery: recording.logEvery,
            checkpointSeconds: recording.checkpointSeconds, snapshots: recording.snapshots,
            workers: workers)
    }
}

/// How often a phase writes: it decides no weights and is no part of a run's identity.
public struct RecordingConfiguration: Encodable, Sendable, Hashable {
    /// Steps between two metrics records.
    public var logEvery: Int
    /// Seconds between two checkpoints.
    public var checkpointSeconds: Double
    /// The steps after which the weights are kept for good.
    public var snapshots: SnapshotSteps

    enum CodingKeys: String, CodingKey {
        case logEvery = "log_every"
        case checkpointSeconds = "checkpoint_seconds"
        case snapshots
    }

    /// Reads the keys.
    ///
    /// - Parameters:
    ///   - reader: the mapping under a phase.
    ///   - snapshots: what holds when the file does not say.
    init(_ reader: ConfigurationReader, snapshots fallback: SnapshotSteps) throws {
        logEvery = try reader.integer("log_every", default: 10, in: 1...)
        checkpointSeconds = try reader.double("checkpoint_seconds", default: 60, in: 0...)
        snapshots = try reader.choice(
            "snapshots", default: fallback, accepted: SnapshotSteps.allCases.map(\.rawValue),
            SnapshotSteps.init(rawValue:))
    }
}
