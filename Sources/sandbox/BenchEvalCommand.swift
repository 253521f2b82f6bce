import ArgumentParser
import Experiments
import Foundation
import Kernels
import Mechanism
import Platform
import Transformer

/// `sandbox bench eval`: how long measuring a model takes.
struct BenchEvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Time the evaluation of a model on many prompts, and the same with gradients.",
        discussion: """
            One pass over the prompts forward, and one forward and back.

            Example:
              sandbox bench eval --model tiny --layout cft --examples 1280

            Exit status: 0 measured, 64 a usage error.
            """)

    @Option(
        help: "Garg's tiny (3 layers, 2 heads, width 64), small (6, 4, 128), standard (12, 8, 256)."
    )
    var model = BenchModel.tiny

    @Option(help: "linear and cpt: 2 tokens a point; cft: 4.")
    var layout = BenchLayout.cpt

    @Option(help: "Prompts.")
    var examples = 1280

    @Option(help: "Input dimension d.")
    var dims = 20

    @Option(help: "Points of a prompt.")
    var points = 41

    @Option(help: "Workers.")
    var workers: Int?

    @Option(help: "Timed rounds.")
    var rounds = 5

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        for (name, value, range) in [
            ("examples", examples, 1...10_000_000), ("dims", dims, 1...10_000),
            ("points", points, 1...10_000), ("workers", workers ?? 1, 1...64),
            ("rounds", rounds, 1...10_000),
        ] where !range.contains(value) {
            throw ValidationError(
                "--\(name) is \(value); expected \(range.lowerBound) to \(range.upperBound)")
        }
    }

    func run() throws {
        try reportingErrors {
            let (forward, gradients) = measure()
            let median = { (seconds: [Double]) in seconds.sorted()[seconds.count / 2] }
            let rate = { (seconds: [Double]) in Double(examples) / median(seconds) }
            guard json else {
                try Terminal.print(
                    String(
                        format:
                            "%@ under %@, %d prompts of %d dimensions and %d points: %.1f ms to evaluate "
                            + "(%.0f prompts/s), %.1f ms with gradients (%.0f prompts/s)\n",
                        model.rawValue, layout.rawValue, examples, dims, points,
                        median(forward) * 1e3, rate(forward), median(gradients) * 1e3,
                        rate(gradients)))
                return
            }
            func rounded(_ value: Double) -> JSONValue { .number((value * 1000).rounded() / 1000) }
            let report: JSONValue = [
                "model": .string(model.rawValue), "layout": .string(layout.rawValue),
                "examples": .integer(examples), "n_dims": .integer(dims),
                "points": .integer(points),
                "workers": .integer(workers ?? CPU.current().coreCount),
                "evaluation_ms": rounded(median(forward) * 1e3),
                "gradients_ms": rounded(median(gradients) * 1e3),
            ]
            try Terminal.print(CanonicalJSON.text(of: report) + "\n")
        }
    }

    /// Seconds of each round, forward and with gradients.
    private func measure() -> (forward: [Double], gradients: [Double]) {
        let (prompts, functionClass) = layout.prompts
        let workers = workers ?? CPU.current().coreCount
        let decoder = Decoder(
            model.configuration(
                dims: dims, positions: prompts.positions(points: points).upperBound))
        let source = PromptSource(
            functionClass, layout: prompts, seed: 0, dims: dims, batchSize: examples,
            points: [points], workers: workers)
        let batch = source.shape(points: points)
        let parallel = ParallelDecoder(
            decoder, workers: workers, batches: [batch], forTraining: true)
        let weights = decoder.weights(in: decoder.initialParameters(seed: 0))
        let filling = source.batch(.evaluation, points: points, activeDims: dims)
        let clock = ContinuousClock()
        func time(_ body: () -> Void) -> [Double] {
            body()
            return (0..<rounds).map { _ in clock.measure(body) / .seconds(1) }
        }
        return (
            time { parallel.forward(weights: weights, batch: batch, filling: filling) { _, _ in } },
            time {
                _ = parallel.lossAndGradients(weights: weights, batch: batch, filling: filling)
            }
        )
    }
}
