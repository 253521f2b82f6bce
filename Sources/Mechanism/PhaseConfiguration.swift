import Experiments
import Kernels
import Training
import Transformer

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
            schedule: schedule.schedule(peak: optimizer.learningRate, steps: steps),
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
