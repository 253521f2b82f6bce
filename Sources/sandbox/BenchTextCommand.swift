import ArgumentParser
import Experiments
import Foundation
import Kernels
import LanguageModeling
import Platform
import Statistics

/// `sandbox bench text`: how fast a language model is opened, reads and writes.
struct BenchTextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text",
        abstract: "Time a language model: opening it, reading a prompt, writing tokens.",
        discussion: """
            Reads a prompt of made-up ids, then adds tokens one at a time with the cache. Tokens a second are medians of \
            the rounds; memory is what the process holds resident, mapped files included, after opening and at most.

            --turns waits for a line on standard input before each round and answers it with one JSON object, so that \
            other programs can be timed in turn.

            Example:
              sandbox bench text --model path/to/llama --prompt-tokens 256 --tokens 64 --json

            Exit status: 0 measured, 1 a model that cannot be used, 64 a usage error.
            """)

    @Option(help: "A folder with config.json and safetensors.")
    var model: String

    @Option(help: "Tokens of the prompt.")
    var promptTokens = 256

    @Option(help: "Tokens to add.")
    var tokens = 64

    @OptionGroup var workers: WorkersOption

    @Option(help: "Timed rounds.")
    var rounds = 5

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Time a round for each line of standard input.")
    var turns = false

    func validate() throws {
        try checkRanges([
            ("prompt-tokens", promptTokens, 1...1 << 20), ("tokens", tokens, 1...1 << 20),
            ("rounds", rounds, 1...10_000),
        ])
    }

    func run() throws {
        try reportingErrors {
            let clock = ContinuousClock()
            let start = clock.now
            let directory = try ModelDirectory(path: model)
            let opening = start.duration(to: clock.now) / .seconds(1)
            let opened = MemoryStatistics.current().residentBytes
            let llama = directory.configuration.llama
            guard promptTokens + tokens <= llama.positionCount else {
                throw LanguageModelError(
                    path: model,
                    "the model has \(llama.positionCount) positions (max_position_embeddings); lower --prompt-tokens or "
                        + "--tokens.")
            }
            let generator = TextGenerator(
                llama, weights: directory.weights, capacity: promptTokens + tokens,
                workers: workers.count)
            let prompt = (0..<promptTokens).map { ($0 * 7919 + 3) % llama.vocabularySize }
            func round() -> (read: Double, write: Double) {
                let read = clock.measure { _ = generator.begin(prompt) } / .seconds(1)
                let write =
                    clock.measure {
                        for place in 0..<tokens {
                            _ = generator.append((place * 104_729 + 5) % llama.vocabularySize)
                        }
                    } / .seconds(1)
                return (Double(promptTokens) / read, Double(tokens) / write)
            }
            _ = round()
            if turns {
                try Terminal.print("ready\n")
                while readLine() != nil {
                    let (read, write) = round()
                    try Terminal.print(
                        CanonicalJSON.text(of: ["prefill": rounded(read), "decode": rounded(write)])
                            + "\n")
                }
                return
            }
            let times = (0..<rounds).map { _ in round() }
            let report = TextReport(
                model: model, parameters: llama.parameterCount, promptTokens: promptTokens,
                tokens: tokens, workers: workers.count, opening: opening, openedBytes: opened,
                peakBytes: MemoryStatistics.current().peakResidentBytes,
                prefill: times.map(\.read), decode: times.map(\.write))
            try Terminal.print(json ? CanonicalJSON.text(of: report.json) + "\n" : report.text)
        }
    }
}

private func rounded(_ value: Double) -> JSONValue { .number((value * 10).rounded() / 10) }

/// The figures of `bench text`.
private struct TextReport {
    let model: String
    let parameters: Int
    let promptTokens, tokens, workers: Int
    let opening: Double
    let openedBytes, peakBytes: Int
    let prefill, decode: [Double]

    var json: JSONValue {
        func spread(_ rates: [Double]) -> JSONValue {
            [
                "median": rounded(quantile(rates, 0.5)), "p10": rounded(quantile(rates, 0.1)),
                "p90": rounded(quantile(rates, 0.9)),
            ]
        }
        return [
            "model": .string(model), "parameters": .integer(parameters),
            "prompt_tokens": .integer(promptTokens), "tokens": .integer(tokens),
            "workers": .integer(workers), "open_ms": rounded(opening * 1e3),
            "opened_rss_bytes": .integer(openedBytes), "peak_rss_bytes": .integer(peakBytes),
            "prefill_tokens_per_second": spread(prefill),
            "decode_tokens_per_second": spread(decode),
        ]
    }

    var text: String {
        func spread(_ rates: [Double]) -> String {
            String(
                format: "%.0f tokens/s (p10 %.0f, p90 %.0f)", quantile(rates, 0.5),
                quantile(rates, 0.1), quantile(rates, 0.9))
        }
        let mebibytes = { (bytes: Int) in String(format: "%.0f MiB", Double(bytes) / 1_048_576) }
        return """
            \(model): \(parameters) parameters, \(workers) workers
            Opening    \(String(format: "%.1f ms", opening * 1e3)), \(mebibytes(openedBytes)) resident
            Reading    \(spread(prefill)) in prompts of \(promptTokens)
            Writing    \(spread(decode)), \(tokens) tokens after it
            Memory     \(mebibytes(peakBytes)) resident at most

            """
    }
}
