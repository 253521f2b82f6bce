import ContextualPrompts
import Experiments
import Objectives
import Platform
import Tokenizers

/// The section `objective:` of a text run.
public struct ObjectiveConfiguration: Encodable, Sendable, Hashable {
    /// Which objective.
    public var kind: ObjectiveKind
    /// The pool of contextual prompts (cft, neg-cft).
    public var prompts: String?
    /// The member of a JSONL line that holds the document's own prompt (text-adapt-cft).
    public var field: String?
    /// Who makes the documents' own prompts (text-adapt-cft).
    public var generator: GeneratorConfiguration?
    /// How conversations become text (ift, dpo): `plain`, `llama-2` or `chatml`; nil takes the tokenizer's own where it is one
    /// of them, else `plain`.
    public var chatTemplate: String?
    /// Whether questions that are too long lose their beginning (ift, dpo).
    public var truncates: Bool
    /// β (dpo).
    public var beta: Double
    /// ε (dpo).
    public var labelSmoothing: Double

    enum CodingKeys: String, CodingKey {
        case kind = "name"
        case prompts, field, generator
        case chatTemplate = "chat_template"
        case truncates = "truncate"
        case beta
        case labelSmoothing = "label_smoothing"
    }

    /// The objective's name.
    public var name: String { kind.rawValue }

    /// Reads the section.
    ///
    /// - Throws: `ConfigurationError` for a missing or impossible value, and for one that the objective has no use for.
    public init(_ reader: ConfigurationReader) throws {
        kind = try reader.choice(
            "name", accepted: ObjectiveKind.allCases.map(\.rawValue), ObjectiveKind.init(rawValue:))
        prompts = try reader.stringIfPresent("prompts") ?? Self.usualPools[kind]
        field = try reader.stringIfPresent("field")
        generator =
            reader.contains("generator")
            ? try reader.section("generator", GeneratorConfiguration.init) : nil
        chatTemplate =
            reader.contains("chat_template")
            ? try reader.choice("chat_template", among: Self.templates) : nil
        truncates = try reader.boolean("truncate", default: false)
        beta = try reader.double("beta", default: 0.1, in: 1e-6...1e6)
        labelSmoothing = try reader.double("label_smoothing", default: 0, in: 0..<0.5)
        try check(reader)
    }

    /// Found below the folders of the sweep files.
    private static let usualPools: [ObjectiveKind: String] = [
        .cft: "text/prompts/contextual.yaml", .negCFT: "text/prompts/negative.yaml",
    ]

    static let templates = ["plain"] + ChatTemplate.allCases.map(\.rawValue)

    private func check(_ reader: ConfigurationReader) throws {
        if Self.usualPools[kind] == nil, reader.contains("prompts") {
            throw reader.error(
                "prompts",
                "means nothing to \(name), which draws no prompts from a pool; leave it out")
        }
        for key in ["field", "generator"] where kind != .textAdaptCFT && reader.contains(key) {
            throw reader.error(
                key, "means nothing to \(name); leave it out, or take text-adapt-cft")
        }
        if kind == .textAdaptCFT, (field == nil) == (generator == nil) {
            throw reader.error(
                "field",
                "or generator: text-adapt-cft takes a prompt of each document's own from exactly one of them"
            )
        }
    }
}

/// The section `objective.generator:`: an OpenAI-compatible endpoint that makes contextual prompts.
public struct GeneratorConfiguration: Encodable, Sendable, Hashable {
    /// Where it is.
    public var url: String
    /// The model it is asked for.
    public var model: String
    /// The answers that are kept; beside the corpus unless given.
    public var cache: String?
    /// Sampling temperature.
    public var temperature: Double
    /// Tokens of an answer at most.
    public var maximumTokens: Int
    /// Seconds an answer may take.
    public var timeout: Double
    /// Further attempts.
    public var retries: Int
    /// Requests a minute at most; nil for no limit.
    public var requestsPerMinute: Double?
    /// The environment variable that holds the key; nil for none.
    public var keyVariable: String?

    enum CodingKeys: String, CodingKey {
        case url, model, cache, temperature
        case maximumTokens = "max_tokens"
        case timeout, retries
        case requestsPerMinute = "requests_per_minute"
        case keyVariable = "key_variable"
    }

    /// Reads the section.
    ///
    /// - Throws: `ConfigurationError` for a missing or impossible value.
    public init(_ reader: ConfigurationReader) throws {
        url = try reader.string("url")
        model = try reader.string("model")
        cache = try reader.stringIfPresent("cache")
        temperature = try reader.double("temperature", default: 0.7, in: 0...2)
        maximumTokens = try reader.integer("max_tokens", default: 200, in: 1...4096)
        timeout = try reader.double("timeout", default: 60, in: 0.001...3600)
        retries = try reader.integer("retries", default: 4, in: 0...100)
        requestsPerMinute = try reader.doubleIfPresent("requests_per_minute", in: 0.001...1e6)
        keyVariable = try reader.stringIfPresent("key_variable")
    }

    /// As the generator takes them.
    var options: PromptGeneratorOptions {
        var options = PromptGeneratorOptions(url: url, model: model)
        options.temperature = temperature
        options.maximumTokens = maximumTokens
        options.timeout = timeout
        options.retries = retries
        options.requestsPerMinute = requestsPerMinute
        options.keyVariable = keyVariable
        return options
    }
}
