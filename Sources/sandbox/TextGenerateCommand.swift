import ArgumentParser
import Experiments
import FineTuning
import Foundation
import LanguageModeling
import Platform
import Tokenizers

/// `sandbox text generate`: a language model continues a text.
struct TextGenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Continue a text with a language model.",
        discussion: """
            Without --prompt the text begins with the model's first token (BOS). It ends with a token that the model's \
            files name as an end, after --max-tokens tokens, or where the model's positions end. On a terminal the text \
            appears as it is made.

            Draws divide the logits by the temperature, keep the --top-k most probable tokens, and of these the most \
            probable that together reach --top-p; the seed decides them. Without options the draws are at temperature 1 \
            from all tokens: settings of generation_config.json such as do_sample are not read, its eos_token_id is.

            Examples:
              sandbox text generate --model path/to/llama --prompt "Once upon a time" --greedy
              sandbox text generate --model path/to/llama --temperature 0.8 --top-p 0.95 --seed 1
              sandbox text generate --model path/to/llama --adapter runs/cft-lora/…/adapter --greedy

            Exit status: 0 success, 1 a model or prompt that cannot be used, 64 a usage error.
            """)

    @Option(help: "A folder with config.json, safetensors and a tokenizer.")
    var model: String

    @Option(help: "A tokenizer of another place: tokenizer.json, tokenizer.model or a folder.")
    var tokenizer: String?

    @Option(help: adapterHelp)
    var adapter: String?

    @Option(help: "The beginning of the text.")
    var prompt: String?

    @Flag(help: "Take the most probable token each time.")
    var greedy = false

    @Option(help: "What the logits are divided by; 0 is --greedy. (default: 1)")
    var temperature: Double?

    @Option(help: "Draw from this many of the most probable tokens.")
    var topK: Int?

    @Option(help: "Draw from the most probable tokens that together reach this probability.")
    var topP: Double?

    @Option(help: "Tokens to add at most.")
    var maxTokens = 256

    @Option(help: "Decides the draws.")
    var seed: UInt64 = 0

    @Flag(help: "Do not end where the model says so.")
    var ignoreEnd = false

    @Flag(help: "Print ids, those of the prompt included, instead of text.")
    var ids = false

    @Flag(help: "Print {text}, or {ids, text} with --ids, as JSON.")
    var json = false

    @OptionGroup var workers: WorkersOption

    func validate() throws {
        if greedy && (temperature ?? 0) != 0 {
            throw ValidationError("--greedy and --temperature exclude each other")
        }
        let draws = !greedy && temperature != 0
        if !draws && (topK != nil || topP != nil) {
            throw ValidationError("--top-k and --top-p are for draws, not for --greedy")
        }
        if let temperature, !(temperature >= 0 && temperature.isFinite) {
            throw ValidationError("--temperature is 0 or more, not \(temperature)")
        }
        if let topP, !(topP > 0 && topP <= 1) {
            throw ValidationError("--top-p is above 0 and at most 1, not \(topP)")
        }
        try checkRanges([
            ("top-k", topK ?? 1, 1...Int(Int32.max)), ("max-tokens", maxTokens, 1...1 << 24),
        ])
    }

    func run() throws { try reportingErrors { try generate() } }

    private func generate() throws {
        let directory = try ModelDirectory(path: model)
        let tokenizer = try directory.tokenizer(at: tokenizer)
        let beginning = try firstIDs(directory, tokenizer)
        try directory.requireKnown(beginning, from: tokenizer)
        let positions = directory.configuration.llama.positionCount
        guard beginning.count <= positions else {
            throw LanguageModelError(
                path: model,
                "the prompt has \(beginning.count) tokens and the model \(positions) positions "
                    + "(max_position_embeddings); shorten it.")
        }
        let adapters = try adapter.map {
            try AdapterDirectory(path: $0, base: directory).adapters(of: directory)
        }
        let generator = TextGenerator(
            directory.configuration.llama, weights: directory.weights, adapters: adapters,
            capacity: min(positions, beginning.count + maxTokens), workers: workers.count,
            source: model)
        let stops = ignoreEnd ? [] : Set(try directory.endIDs())
        let options =
            greedy
            ? .greedy
            : SamplingOptions(temperature: temperature ?? 1, topK: topK, topP: topP)
        let streams = !ids && !json && Terminal.isTerminal(.output)
        if streams { try Terminal.print(tokenizer.decode(beginning)) }
        var stream = tokenizer.makeStreamingDecoder(after: beginning)
        let added = try generator.generate(
            prompt: beginning, maximum: maxTokens,
            sampler: TokenSampler(options, seed: seed),
            stops: stops
        ) { id in
            if streams { try Terminal.print(stream.append(id)) }
            return true
        }
        if streams { return try Terminal.print(stream.finish() + "\n") }
        try Terminal.print(report(beginning + added, tokenizer) + "\n")
    }

    /// The prompt's ids, or the first token of any text.
    private func firstIDs(_ directory: ModelDirectory, _ tokenizer: Tokenizer) throws -> [Int] {
        let found = prompt.map { tokenizer.encode($0) } ?? []
        if !found.isEmpty { return found }
        guard let first = directory.configuration.beginningID ?? tokenizer.beginningID else {
            throw LanguageModelError(
                path: model,
                "names no first token (bos_token_id in config.json); give a --prompt.")
        }
        return [first]
    }

    private func report(_ all: [Int], _ tokenizer: Tokenizer) -> String {
        let text = JSONValue.string(tokenizer.decode(all))
        let list = JSONValue.array(all.map(JSONValue.integer))
        switch (ids, json) {
        case (true, true): return CanonicalJSON.text(of: ["ids": list, "text": text])
        case (false, true): return CanonicalJSON.text(of: ["text": text])
        case (true, false): return all.map(String.init).joined(separator: " ")
        case (false, false): return tokenizer.decode(all)
        }
    }
}
