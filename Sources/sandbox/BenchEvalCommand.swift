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
        abstract: "Time the evaluation of a model on many prompts, and its gradient alignment.",
        discussion: """
            Evaluation is one pass forward over the prompts. Alignment is, for one context length k, the gradient of one \
            prediction in each prompt with respect to its tokens: a pass forward and back; the cosine with ∇g costs nothing \
            beside it.

            Example:
              sandbox bench eval --model tiny --layout cft

            Exit status: 0 measured, 64 a usage error.
            """)

    @OptionGroup var subject: BenchSubject

    @Option(help: "Prompts.")
    var examples = 1280

    @OptionGroup var workers: WorkersOption

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
            let (forward, alignment) = measure(workers: workers.count)
            let median = { (seconds: [Double]) in quantile(seconds, 0.5) }
            let rate = { (seconds: [Double]) in Double(examples) / median(seconds) }
            guard json else {
                try Terminal.print(
                    String(
                        format:
                            "%@ under %@, %@, %d prompts of %d dimensions and %d points: %.1f ms to evaluate "
                            + "(%.0f prompts/s), %.1f ms for the alignment at one k (%.0f prompts/s)\n",
                        subject.model.rawValue, subject.layout.rawValue,
                        subject.precision.rawValue, examples, subject.dims,
                        subject.points,
                        median(forward) * 1e3, rate(forward), median(alignment) * 1e3,
                        rate(alignment)))
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
                "alignment_ms": rounded(median(alignment) * 1e3),
            ]
            try Terminal.print(CanonicalJSON.text(of: report) + "\n")
        }
    }

    /// Seconds of each round: all predictions of all prompts, and the alignment of the last one of each.
    private func measure(workers: Int) -> (forward: [Double], alignment: [Double]) {
        let source = subject.source(batchSize: examples, workers: workers)
        let batch = source.shape(points: subject.points)
        let parallel = subject.parallel(source, workers: workers)
        let decoder = parallel.decoder
        let weights = decoder.weights(in: decoder.initialParameters(seed: 0))
        let filling = source.batch(
            .evaluation, points: subject.points, activeDims: subject.dims)
        let query = subject.layout.prompts.0.trainingForm(points: subject.points).tokenCount - 1
        let clock = ContinuousClock()
        func time(_ body: () -> Void) -> [Double] {
            body()
            return (0..<rounds).map { _ in clock.measure(body) / .seconds(1) }
        }
        return (
            time { parallel.forward(weights: weights, batch: batch, filling: filling) { _, _ in } },
            time {
                parallel.inputGradients(
                    weights: weights, batch: batch, position: query, filling: filling
                ) { _, _ in }
            }
        )
    }
}
