import Experiments
import Statistics

/// The claims of the paper about contextual fine-tuning, as they are tested here; see ``ClaimAssessment``.
public enum Claim: String, Codable, Sendable, CaseIterable {
    /// The pretrained model follows least squares on linear functions.
    case base
    /// At equal steps, fine-tuning loss is lower under CFT than under CPT and NEG-CFT.
    case loss
    /// Error against k under each model's own layout: CFT lies below CPT and NEG-CFT.
    case curve
    /// Gradient alignment rises sooner and higher under CFT.
    case gradient
    /// NEG-CFT has no such gain: content matters, not length.
    case semantics
    /// The gain is more than what the prompt contents imply.
    case information
    /// The benefit outlives the context.
    case transfer
    /// The gap survives without the query's base label.
    case leak

    /// The claim in words.
    public var sentence: String {
        switch self {
        case .base: "the pretrained model follows least squares on linear functions"
        case .loss: "at equal steps the loss is lower under CFT than under CPT and NEG-CFT"
        case .curve: "error against k, own layout: CFT below CPT and NEG-CFT"
        case .gradient: "gradient alignment rises sooner and higher under CFT"
        case .semantics: "NEG-CFT has no such gain: content matters, not length"
        case .information: "the gain is more than what the prompt contents imply"
        case .transfer: "the benefit outlives the context (both under cpt)"
        case .leak: "the gap survives without the query's base label"
        }
    }

    /// The layouts whose trained models it compares.
    public var layouts: [String] {
        switch self {
        case .base: []
        case .loss, .curve, .gradient, .semantics: ["cpt", "cft", "neg-cft"]
        case .information, .transfer: ["cpt", "cft"]
        case .leak: ["cpt", "cft", "cft-no-query"]
        }
    }

    /// What its effect is measured in.
    public var unit: String {
        switch self {
        case .base: "|model - least squares| / d"
        case .loss: "ln loss"
        case .curve, .semantics, .information, .transfer: "error / d"
        case .gradient: "cosine, mean over ln step"
        case .leak: "share of the gap under cft"
        }
    }
}

/// One comparison of a claim: a difference with its interval.
public struct ClaimEffect: Codable, Sendable, Hashable {
    /// What is compared, as `cpt - cft`.
    public let name: String
    /// The mean difference, in the claim's unit; nil when it is not a number.
    public let effect: Double?
    /// The lower end of the 95 % interval; nil when there is none, or no end.
    public let low: Double?
    /// The upper end.
    public let high: Double?

    init(_ name: String, _ effect: Effect) {
        func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }
        self.name = name
        self.effect = finite(effect.mean)
        low = finite(effect.interval?.low)
        high = finite(effect.interval?.high)
    }
}

/// What became of one claim for one class after one number of steps.
public struct ClaimResult: Codable, Sendable, Hashable {
    /// The claim.
    public let id: Claim
    /// The class.
    public let functionClass: String
    /// Other parameters in which the sweep's trials differ, as `steps=100`; nil when there are none.
    public let parameters: String?
    /// `supported`, `not supported` or `confounded`; nil when it cannot be said, which `reason` explains.
    public let verdict: String?
    /// The effect that decides: of several that must lie above 0 the one with the lowest lower end; of `base` the largest
    /// deviation over all k, where the bounds are those of the comparisons.
    public let effect: Double?
    /// The lower end of its 95 % interval.
    public let low: Double?
    /// The upper end of its 95 % interval.
    public let high: Double?
    /// What the effect is measured in.
    public let unit: String
    /// Fine-tuning steps.
    public let steps: Int
    /// Seeds of each layout, the fewest over the bases.
    public let seeds: Int
    /// Base models; with one the verdict is conditional on it.
    public let bases: Int
    /// Prompts behind the errors; nil where the claim uses none.
    public let prompts: Int?
    /// The runs it rests on.
    public let runs: [String]
    /// All comparisons.
    public let comparisons: [ClaimEffect]
    /// Why there is no verdict, or what has to be known about it.
    public let reason: String?
    /// The command that makes what is missing; nil when nothing is.
    public let command: String?

    enum CodingKeys: String, CodingKey {
        case id
        case functionClass = "class"
        case parameters, verdict, effect, low, high, unit, steps, seeds, bases, prompts, runs,
            comparisons,
            reason
        case command
    }

    /// The verdict as a word for tables: a claim that cannot be decided is `missing` or `undecidable`.
    public var word: String { verdict ?? (command == nil ? "undecidable" : "missing") }
}

/// The file `claims.json`: what a sweep says about the claims.
public struct ClaimsFile: Codable, Sendable {
    /// Version of the file's form.
    public var formatVersion = 1
    /// The sweep.
    public let sweep: String
    /// The model's sizes in words.
    public let model: String
    /// The SHA-256 of the summary.csv that was written with it.
    public let summaryHash: String?
    /// After the last step, claim by claim and class by class.
    public let claims: [ClaimResult]
    /// After earlier steps, on fewer prompts.
    public let alongSteps: [ClaimResult]

    enum CodingKeys: String, CodingKey {
        case formatVersion = "format_version"
        case sweep, model
        case summaryHash = "summary_sha256"
        case claims
        case alongSteps = "along_steps"
    }

    /// - Parameters:
    ///   - sweep: the sweep's name.
    ///   - model: the model's sizes in words.
    ///   - summaryHash: the SHA-256 of the summary.csv that was written with it.
    ///   - claims: after the last step.
    ///   - alongSteps: after earlier steps.
    public init(
        sweep: String, model: String, summaryHash: String?, claims: [ClaimResult],
        alongSteps: [ClaimResult]
    ) {
        self.sweep = sweep
        self.model = model
        self.summaryHash = summaryHash
        self.claims = claims
        self.alongSteps = alongSteps
    }

    /// Writes `claims.json`, whole or not at all.
    public func write(to path: String) throws { try JSONFile.write(self, to: path) }

    /// Reads `claims.json`.
    ///
    /// - Throws: one sentence with the cure when it is damaged; nil when there is none.
    public static func read(_ path: String) throws -> ClaimsFile? {
        try JSONFile.readIfPresent(
            path, as: ClaimsFile.self, version: 1,
            cure: "ask for the sweep again to write it anew")
    }
}
