import ArgumentParser
import Experiments
import Foundation
import Kernels
import Mechanism
import Platform
import Statistics
import Transformer

/// `sandbox bench eval`: how long measuring a model takes.
struct BenchEvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Time the evaluation of a model on many prompts, and the same with gradients.",
        discussion: """
            One pass over the prompts forward, and one forward and back, both with memory for training.

            Example:
              sandbox bench eval --model tiny --layout cft

            Exit status: 0 measured, 64 a usage error.
            """)

    @OptionGroup var subject: BenchSubject

    @Option(help: "Prompts.")
    var examples = 1280

    @OptionGroup var workers: BenchWorkers

    @Option(help: "Timed rounds.")
    var rounds = 5

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        try checkRanges([("examples", examples, 1...10_000_000), ("rounds", rounds, 1...10_000)])
    }

    func run() throws {
        try reportingErrors {
            subject.tell()
            let (forward, gradients) = measure(workers: workers.count)
            let median = { (seconds: [Double]) in quantile(seconds, 0.5) }
            let rate = { (seconds: [Double]) in Double(examples) / median(seconds) }
            guard json else {
                try Terminal.print(
                    String(
                        format:
                            "%@ under %@, %@, %d prompts of %d dimensions and %d points: %.1f ms to evaluate "
                            + "(%.0f prompts/s), %.1f ms with gradients (%.0f prompts/s)\n",
                        subject.model.rawValue, subject.layout.rawValue,
                        subject.precision.rawValue, examples, subject.dims,
                        subject.points,
                        median(forward) * 1e3, rate(forward), median(gradients) * 1e3,
                        rate(gradients)))
                return
            }
            func rounded(_ value: Double) -> JSONValue { .number((value * 1000).rounded() / 1000) }
            let report: JSONValue = [
                "model": .string(subject.model.rawValue),
                "layout": .string(subject.layout.rawValue),
                "precision": .string(subject.precision.rawValue), "examples": .integer(examples),
                "n_dims": .integer(subject.dims), "points": .integer(subject.points),
                "workers": .integer(workers.count),
                "evaluation_ms": rounded(median(forward) * 1e3),
                "gradients_ms": rounded(median(gradients) * 1e3),
            ]
            try Terminal.print(CanonicalJSON.text(of: report) + "\n")
        }
    }

    /// Seconds of each round, forward and with gradients.
    private func measure(workers: Int) -> (forward: [Double], gradients: [Double]) {
        let source = subject.source(batchSize: examples, workers: workers)
        let batch = source.shape(points: subject.points)
        let parallel = subject.parallel(source, workers: workers)
        let decoder = parallel.decoder
        let weights = decoder.weights(in: decoder.initialParameters(seed: 0))
        let filling = source.batch(
            .evaluation, points: subject.points, activeDims: subject.dims)
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
