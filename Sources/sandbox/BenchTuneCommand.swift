import ArgumentParser
import Experiments
import FineTuning
import Foundation
import Kernels
import LanguageModeling
import Platform
import Statistics
import Transformer

/// `sandbox bench tune`: whole updates of a language model.
struct BenchTuneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "Time updates of a language model: forward, backward, clipping, AdamW.",
        discussion: """
            Sequences of made-up ids; --masked of each carry no loss, as a contextual prompt. GFLOP/s count six operations \
            a weight and token (four with frozen weights) and attention's products in full, whatever was left out.

            --turns waits for a line on standard input before each update and answers it with one JSON object, so that \
            other programs can be timed in turn.

            Example:
              sandbox bench tune --model path/to/llama --batch 8 --length 256

            Exit status: 0 measured, 1 a model that cannot be used, 64 a usage error.
            """)

    @Option(help: "A folder with config.json and safetensors.")
    var model: String

    @Option(help: "Sequences of an update.")
    var batch = 8

    @Option(help: "Of these, how many are in memory at a time.")
    var microBatch: Int?

    @Option(help: "Tokens of a sequence.")
    var length = 256

    @Option(help: "Tokens of a sequence that carry no loss.")
    var masked = 0

    @Option(
        help:
            "Rank of LoRA adapters at all seven maps of a layer; left out, all parameters are trained."
    )
    var lora: Int?

    @Flag(help: "Compute activations a second time instead of keeping them.")
    var activationCheckpointing = false

    @Option(
        help:
            "What the operands of products with the model's matrices are rounded to; all else is fp32. bf16 is fast on a CPU with AVX512-BF16 alone."
    )
    var precision = ProductPrecision.fp32

    @OptionGroup var workers: WorkersOption

    @Option(help: "Timed updates.")
    var steps = 5

    @Flag(help: "Leave out the update that warms everything up.")
    var cold = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @Flag(help: "Time an update for each line of standard input.")
    var turns = false

    func validate() throws {
        try checkRanges([
            ("batch", batch, 1...1 << 20), ("micro-batch", microBatch ?? 1, 1...1 << 20),
            ("length", length, 1...1 << 20), ("masked", masked, 0...length - 1),
            ("lora", lora ?? 1, 1...65_536), ("steps", steps, 1...10_000),
        ])
    }

    func run() throws {
        try reportingErrors {
            let directory = try ModelDirectory(path: model)
            let llama = directory.configuration.llama
            guard length <= llama.positionCount else {
                throw LanguageModelError(
                    path: model,
                    "the model has \(llama.positionCount) positions (max_position_embeddings); lower --length."
                )
            }
            let benchmark = try TuningBenchmark(
                directory,
                lora: lora.map {
                    LoRAConfiguration(rank: $0, targets: Set(LlamaProjection.allCases))
                }, batch: batch, microBatch: microBatch ?? batch, length: length, masked: masked,
                recomputes: activationCheckpointing, precision: precision, workers: workers.count)
            func seconds() -> Double {
                ContinuousClock().measure { benchmark.step() } / .seconds(1)
            }
            if precision == .bf16, let notice = ProductPrecision.missingBF16Notice {
                Terminal.write(notice + "\n", to: .error)
            }
            if !cold { _ = seconds() }
            if turns {
                try Terminal.print("ready\n")
                while readLine() != nil {
                    let rate = Double(benchmark.tokenCount) / seconds()
                    try Terminal.print(CanonicalJSON.text(of: ["train": .number(rate)]) + "\n")
                }
                return
            }
            let times = (0..<steps).map { _ in seconds() }
            let report = TuneReport(
                model: model, precision: precision, tokens: benchmark.tokenCount,
                workers: workers.count, times: times,
                operations: llama.trainingOperations(
                    tokens: benchmark.tokenCount, length: length, isFrozen: lora != nil),
                peakRate: matrixProductRate(workers: workers.count),
                peakBytes: MemoryStatistics.current().peakResidentBytes)
            try Terminal.print(json ? CanonicalJSON.text(of: report.json) + "\n" : report.text)
        }
    }
}

/// The figures of `bench tune`.
private struct TuneReport {
    let model: String
    let precision: ProductPrecision
    let tokens, workers: Int
    /// Seconds.
    let times: [Double]
    let operations: Double
    /// GFLOP/s of matrix products alone.
    let peakRate: Double
    let peakBytes: Int

    private var rate: Double { operations / quantile(times, 0.5) / 1e9 }

    var json: JSONValue {
        func rounded(_ value: Double) -> JSONValue { .number((value * 1000).rounded() / 1000) }
        return [
            "model": .string(model), "precision": .string(precision.rawValue),
            "tokens": .integer(tokens), "workers": .integer(workers),
            "steps": .integer(times.count), "median_ms": rounded(quantile(times, 0.5) * 1e3),
            "p10_ms": rounded(quantile(times, 0.1) * 1e3),
            "p90_ms": rounded(quantile(times, 0.9) * 1e3),
            "tokens_per_second": rounded(Double(tokens) / quantile(times, 0.5)),
            "gflops": rounded(rate), "peak_gflops": rounded(peakRate),
            "peak_rss_bytes": .integer(peakBytes),
        ]
    }

    var text: String {
        String(
            format: """
                %@, %@: %.0f ms (p10 %.0f, p90 %.0f) an update of %d tokens, %.1f tokens/s, %d workers
                %.0f GFLOP/s, %.0f %% of %.0f in fp32 products alone; peak resident memory %.0f MiB

                """, model, precision.rawValue, quantile(times, 0.5) * 1e3,
            quantile(times, 0.1) * 1e3,
            quantile(times, 0.9) * 1e3, tokens, Double(tokens) / quantile(times, 0.5), workers,
            rate, 100 * rate / peakRate, peakRate, Double(peakBytes) / 1_048_576)
    }
}
