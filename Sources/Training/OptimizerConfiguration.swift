import Experiments
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
        if clipNorm == 0 {
            throw reader.error(
                "clip_norm",
                "is 0, which leaves nothing of a gradient; write null, or leave it out, for no clipping"
            )
        }
    }

    /// As the optimizer takes them.
    public var adamOptions: AdamOptions {
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
    /// Warm-up as a share of all steps, rounded up; nil where it is given in steps.
    public var warmupRatio: Double?

    enum CodingKeys: String, CodingKey {
        case name
        case warmupSteps = "warmup_steps"
        case warmupRatio = "warmup_ratio"
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
        warmupRatio = try reader.doubleIfPresent("warmup_ratio", in: 0...1)
        if warmupRatio != nil && warmupSteps > 0 {
            throw reader.error("warmup_ratio", "and warmup_steps exclude each other; keep one")
        }
    }

    /// The schedule over `steps` updates with the peak `learningRate`.
    public func schedule(peak learningRate: Double, steps: Int) -> LearningRateSchedule {
        let share = warmupRatio.map { Int(($0 * Double(steps)).rounded(.up)) }
        return LearningRateSchedule(
            decay: name, peak: learningRate, warmupSteps: share ?? warmupSteps, totalSteps: steps)
    }
}
