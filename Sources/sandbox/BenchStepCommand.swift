import ArgumentParser
import Experiments
import Foundation
import Kernels
import Mechanism
import Platform
import Statistics
import Transformer

/// `sandbox bench step`: how long one training step takes.
struct BenchStepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "step",
        abstract: "Time whole training steps: prompts, forward, backward, clipping and Adam.",
        discussion: """
            Counts the operations of forward and backward products and of full attention, so that leaving out the \
            masked half shows as speed: 72 · L · C² · B · T + 12 · L · C · T² · B.

            Example:
              sandbox bench step --model standard --layout cft --steps 10 --json

            Exit status: 0 measured, 1 OpenBLAS is missing, 64 a usage error.
            """)

    @OptionGroup var subject: BenchSubject

    @Option(help: "Prompts in a step.")
    var batch = 64

    @OptionGroup var workers: WorkersOption

    @Option(help: "Timed steps.")
    var steps = 20

    @Option(help: "Steps before the timed ones.")
    var warmup = 3

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        try checkRanges([
            ("batch", batch, 1...100_000), ("steps", steps, 1...1_000_000),
            ("warmup", warmup, 0...1_000_000),
        ])
    }

    func run() throws {
        try reportingErrors {
            subject.tell()
            let report = measure(workers: workers.count)
            try Terminal.print(json ? CanonicalJSON.text(of: report.json) + "\n" : report.text)
        }
    }

    /// Trains on fresh prompts and times each step.
    private func measure(workers: Int) -> StepReport {
        let (points, dims) = (subject.points, subject.dims)
        let source = subject.source(batchSize: batch, workers: workers)
        let shape = source.shape(points: points)
        let parallel = subject.parallel(source, workers: workers)
        let decoder = parallel.decoder
        let parameters = decoder.initialParameters(seed: 0)
        let weights = decoder.weights(in: parameters)
        let moments = AdamMoments(count: decoder.layout.count)
        let adam = AdamOptions(clipNorm: 1)
        let (untimed, total) = (warmup, warmup + steps)
        var durations: [Double] = []
        var phases: [StepTimes] = []
        durations.reserveCapacity(steps)
        phases.reserveCapacity(steps)
        for step in 0..<total {
            let start = ContinuousClock.now
            let (_, norm) = parallel.lossAndGradients(
                weights: weights, batch: shape,
                filling: source.batch(
                    .training(step: step), points: points, activeDims: dims))
            parallel.adamStep(
                parameters: parameters, moments: moments,
                step: AdamStep(
                    number: step + 1, learningRate: 1e-4, beta1: adam.beta1, beta2: adam.beta2,
                    epsilon: adam.epsilon, weightDecay: 0, decoupled: false,
                    gradientScale: adam.clipScale(gradientNorm: norm)))
            if step < untimed { continue }
            durations.append(start.duration(to: .now) / .seconds(1))
            phases.append(parallel.lastTimes)
        }
        let length = subject.layout.prompts.0.tokenCount(points: points)
        return StepReport(
            subject: subject, batch: batch, workers: workers, length: length,
            durations: durations.sorted(),
            phases: phases,
            operations: decoder.configuration.trainingOperations(examples: batch, length: length),
            peakRate: matrixProductRate(workers: workers),
            peakResidentBytes: MemoryStatistics.current().peakResidentBytes)
    }
}

/// The figures of `bench step`.
struct StepReport {
    let subject: BenchSubject
    let batch: Int
    let workers: Int
    /// T, last label included.
    let length: Int
    /// Seconds, ascending.
    let durations: [Double]
    let phases: [StepTimes]
    let operations: Double
    /// GFLOP/s of matrix products alone.
    let peakRate: Double
    let peakResidentBytes: Int

    private func seconds(_ q: Double) -> Double { quantile(sorted: durations, q) }

    private var rate: Double { operations / seconds(0.5) / 1e9 }

    /// Milliseconds by phase, medians.
    private var phaseTimes: [(name: String, milliseconds: Double)] {
        func median(_ phase: (StepTimes) -> Double) -> Double {
            quantile(sorted: phases.map(phase).sorted(), 0.5) * 1e3
        }
        let known = [
            ("sampling", median(\.sampling)), ("forward", median(\.forward)),
            ("backward", median(\.backward)), ("packing", median(\.packing)),
            ("reduction", median(\.reduction)),
            ("update", median(\.update)),
        ]
        let rest = seconds(0.5) * 1e3 - known.reduce(0) { $0 + $1.1 }
        return known + [("waiting", max(0, rest))]
    }

    var json: JSONValue {
        func rounded(_ value: Double) -> JSONValue { .number((value * 1000).rounded() / 1000) }
        return [
            "model": .string(subject.model.rawValue), "layout": .string(subject.layout.rawValue),
            "batch": .integer(batch), "n_dims": .integer(subject.dims),
            "points": .integer(subject.points), "tokens": .integer(length),
            "precision": .string(subject.precision.rawValue), "workers": .integer(workers),
            "steps": .integer(durations.count), "median_ms": rounded(seconds(0.5) * 1e3),
            "p10_ms": rounded(seconds(0.1) * 1e3), "p90_ms": rounded(seconds(0.9) * 1e3),
            "tokens_per_second": rounded(Double(batch * length) / seconds(0.5)),
            "gflops": rounded(rate), "peak_gflops": rounded(peakRate),
            "peak_rss_bytes": .integer(peakResidentBytes),
            "phases": .object(
                Dictionary(
                    uniqueKeysWithValues: phaseTimes.map { ($0.name, rounded($0.milliseconds)) })),
        ]
    }

    var text: String {
        let steps = String(
            format: "%.2f ms (p10 %.2f, p90 %.2f) a step of %d × %d tokens, %.0f tokens/s\n",
            seconds(0.5) * 1e3, seconds(0.1) * 1e3, seconds(0.9) * 1e3, batch, length,
            Double(batch * length) / seconds(0.5))
        let rates = String(
            format:
                "%.0f GFLOP/s, %.0f %% of %.0f in products alone; peak resident memory %.0f MiB\n",
            rate, 100 * rate / peakRate, peakRate, Double(peakResidentBytes) / 1_048_576)
        let parts = phaseTimes.map { String(format: "%@ %.2f", $0.name, $0.milliseconds) }
        return
            "\(subject.model.rawValue) under \(subject.layout.rawValue), \(subject.precision.rawValue), \(workers) workers: "
            + steps + rates + "ms by phase: " + parts.joined(separator: ", ") + "\n"
    }
}
