import Experiments
import InContextRegression

/// The section `evaluate:`: on which layouts, prompts and baselines a finished run is measured.
///
/// It decides no weights: a changed section evaluates again and trains nothing.
public struct EvaluationConfiguration: Sendable {
    /// Layouts of the evaluation prompts; every trained model is measured under each.
    public let layouts: [PromptLayout]
    /// Distributions of the evaluation prompts, `standard` first; the others under each model's own layout alone.
    public let prompts: [PromptDistribution]
    /// Names of the reference predictors; `bayes` is the closed form where there is one.
    public let baselines: [String]
    /// Fresh standard prompts.
    public let examples: Int
    /// Prompts of every other distribution: their queries need a pass for each k.
    public let outsideExamples: Int
    /// Key of the evaluation prompts, the same for every model.
    public let seed: UInt64

    /// What is measured along the steps of fine-tuning; nil when nothing is.
    public let dynamics: DynamicsConfiguration?
    /// Prompts of the layer probes; nil when none are fitted.
    public let probeExamples: Int?

    /// Reads the section.
    ///
    /// - Parameter reader: the mapping under `evaluate`.
    /// - Throws: `ConfigurationError` for an unknown name or an impossible number.
    public init(_ reader: ConfigurationReader) throws {
        layouts = try reader.choices(
            "layouts", default: [.cpt, .cft, .negCFT], accepted: layoutNames
        ) { try? PromptLayout.named($0) }
        let asked = try reader.choices(
            "prompts", default: [[.standard]],
            accepted: ["grid"] + PromptDistribution.all.map(\.name)
        ) {
            $0 == "grid"
                ? PromptDistribution.grid : (try? PromptDistribution.named($0)).map { [$0] }
        }.flatMap { $0 }
        // What the others are compared with comes first, asked for or not.
        prompts = [.standard] + asked.filter { $0 != .standard }
        baselines = try reader.choices(
            "baselines", default: ["bayes", "least_squares", "zero"],
            accepted: ["bayes"] + (Baselines.all + Baselines.special).map(\.name)
        ) { $0 == "bayes" ? $0 : (try? Baselines.named($0))?.name }
        try refuseRepeats(layouts.map(\.name), "layouts", reader)
        try refuseRepeats(asked.map(\.name), "prompts", reader)
        try refuseRepeats(baselines, "baselines", reader)
        examples = try reader.integer("examples", default: 10_240, in: 2...10_000_000)
        outsideExamples = try reader.integer(
            "ood_examples", default: min(examples, 1280), in: 2...10_000_000)
        seed = UInt64(try reader.integer("seed", default: 0, in: 0...))
        dynamics =
            reader.node("dynamics") != nil
            ? try reader.section("dynamics", DynamicsConfiguration.init) : nil
        probeExamples =
            reader.node("probes") != nil
            ? try reader.section("probes") {
                try $0.integer("examples", default: 2048, in: 4...1_000_000)
            } : nil
    }

    /// Number of prompts of a distribution.
    func examples(_ distribution: PromptDistribution) -> Int {
        distribution == .standard ? examples : outsideExamples
    }

    var json: JSONValue {
        var optional: [String: JSONValue] = [:]
        if let dynamics { optional["dynamics"] = dynamics.json }
        if let probeExamples { optional["probes"] = ["examples": .integer(probeExamples)] }
        return JSONValue.object(optional).merging([
            "layouts": .array(layouts.map { .string($0.name) }),
            "prompts": .array(prompts.map { .string($0.name) }),
            "baselines": .array(baselines.map(JSONValue.string)),
            "examples": .integer(examples),
            "ood_examples": .integer(outsideExamples),
            "seed": .integer(Int(seed)),
        ])
    }
}

/// The section `dynamics:` of `evaluate`: what is measured after 1, 2, 5, 10, … steps of fine-tuning, under the run's own
/// layout and under `cpt`.
public struct DynamicsConfiguration: Sendable, Hashable {
    /// Prompts of the errors.
    public let examples: Int
    /// Prompts of the gradient alignment; 0 for none.
    public let alignmentExamples: Int

    init(_ reader: ConfigurationReader) throws {
        examples = try reader.integer("examples", default: 1024, in: 2...1_000_000)
        alignmentExamples = try reader.integer(
            "alignment_examples", default: 256, in: 0...1_000_000)
    }

    var json: JSONValue {
        ["examples": .integer(examples), "alignment_examples": .integer(alignmentExamples)]
    }
}

/// Refuses a list that names one thing twice, perhaps under an alias: it would be measured and counted twice.
private func refuseRepeats(
    _ names: [String], _ key: String, _ reader: ConfigurationReader
) throws {
    for (index, name) in names.enumerated() where names[..<index].contains(name) {
        throw reader.error(key, "has \(name) more than once; keep one")
    }
}
