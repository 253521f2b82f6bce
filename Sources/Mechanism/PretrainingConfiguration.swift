import Experiments
import InContextRegression

/// The section `pretraining:`: how the base model learns linear functions in context.
public struct PretrainingConfiguration: Encodable, Sendable, Hashable {
    /// `linear_regression`, the public code's name for the class `linear`.
    public var task: String
    /// Points, steps, batch and optimizer.
    public var phase: PhaseConfiguration
    /// Key of initialization and prompts; runs of all seeds share one base.
    public var seed: UInt64
    /// Garg's curriculum over dimensions and points.
    public var curriculum: CurriculumConfiguration

    /// Where the prompts' positions start: `none` at 0, `random` at an even offset drawn for each prompt.
    public var positionOffset: PositionOffset

    /// Reads the section.
    ///
    /// - Parameters:
    ///   - reader: the mapping under `pretraining`.
    ///   - model: the model the curriculum must fit.
    /// - Throws: `ConfigurationError` for a missing or impossible value.
    init(_ reader: ConfigurationReader, model: ModelConfiguration) throws {
        task = try reader.choice(
            "task", default: "linear_regression", among: ["linear_regression"])
        let phase = try PhaseConfiguration(reader)
        self.phase = phase
        seed = UInt64(try reader.integer("seed", default: 0, in: 0...))
        positionOffset = try reader.choice(
            "position_offset", default: .zero, accepted: PositionOffset.allCases.map(\.rawValue),
            PositionOffset.init(rawValue:))
        curriculum = try reader.section("curriculum") {
            try CurriculumConfiguration($0, dims: model.inputDimension, points: phase.points)
        }
        if curriculum.dims.end != model.inputDimension {
            throw reader.error(
                "curriculum",
                "ends at \(curriculum.dims.end) dims and model.n_dims is \(model.inputDimension); "
                    + "set curriculum.dims.end = n_dims, where the model is measured")
        }
        if curriculum.points.end != phase.points {
            throw reader.error(
                "curriculum",
                "ends at \(curriculum.points.end) points and n_points is \(phase.points); "
                    + "set curriculum.points.end = n_points, where the model is measured")
        }
        if phase.points > model.positionCount {
            throw reader.error(
                "n_points",
                "needs \(2 * phase.points) positions and the model has "
                    + "\(2 * model.positionCount); raise model.n_positions to at least \(phase.points)"
            )
        }
    }

    /// Writes the phase's keys beside the others, as they stand in a sweep file.
    public func encode(to encoder: any Encoder) throws {
        try phase.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(task, forKey: .task)
        try container.encode(seed, forKey: .seed)
        try container.encode(curriculum, forKey: .curriculum)
        // Bases that were trained before the key existed keep their hash.
        if positionOffset != .zero { try container.encode(positionOffset, forKey: .positionOffset) }
    }

    enum CodingKeys: String, CodingKey {
        case task
        case phase
        case seed
        case curriculum
        case positionOffset = "position_offset"
    }
}

/// Where the positions of a pretraining prompt start.
public enum PositionOffset: String, Codable, Sendable, CaseIterable {
    /// At 0, as in the public code: the embeddings of positions 2n and above are never trained.
    case zero = "none"
    /// At an even number drawn uniformly for each prompt, up to 2 · n_positions − 2n: every position is trained, at the
    /// price of a harder task.
    case random
}

/// The section `curriculum:` with `dims` and `points`.
public struct CurriculumConfiguration: Encodable, Sendable, Hashable {
    /// Active input dimensions against step.
    public var dims: RampConfiguration
    /// Points against step.
    public var points: RampConfiguration

    /// Reads the section; without it all dimensions and points are used from the first step.
    init(_ reader: ConfigurationReader, dims: Int, points: Int) throws {
        self.dims = try reader.section("dims") { try RampConfiguration($0, default: dims) }
        self.points = try reader.section("points") { try RampConfiguration($0, default: points) }
    }
}

/// `start`, then `inc` more every `interval` steps, up to `end`.
public struct RampConfiguration: Encodable, Sendable, Hashable {
    /// The value at step 0.
    public var start: Int
    /// The last value.
    public var end: Int
    /// The increment.
    public var inc: Int
    /// Steps between increments.
    public var interval: Int

    init(_ reader: ConfigurationReader, default fallback: Int) throws {
        start = try reader.integer("start", default: fallback, in: 1...)
        end = try reader.integer("end", default: fallback, in: 1...)
        inc = try reader.integer("inc", default: 0, in: 0...)
        interval = try reader.integer("interval", default: 1, in: 1...)
        if start > end {
            throw reader.error("start", "is \(start), above end = \(end); a curriculum only grows")
        }
        if start < end && inc == 0 {
            throw reader.error("inc", "is 0, so start = \(start) never grows to end = \(end)")
        }
    }
}
