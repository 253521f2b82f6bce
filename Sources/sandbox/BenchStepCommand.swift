import ArgumentParser
import Experiments
import Foundation
import InContextRegression
import Kernels
import Mechanism
import Platform
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

    @Option(
        help: "Garg's tiny (3 layers, 2 heads, width 64), small (6, 4, 128), standard (12, 8, 256)."
    )
    var model = BenchModel.small

    @Option(help: "linear and cpt: 2 tokens a point; cft: 4.")
    var layout = BenchLayout.cpt

    @Option(help: "Prompts in a step.")
    var batch = 64

    @Option(help: "Input dimension d.")
    var dims = 20

    @Option(help: "Points of a prompt.")
    var points = 41

    @Option(help: "Workers of a step.")
    var workers: Int?

    @Option(help: "Timed steps.")
    var steps = 20

    @Option(help: "Steps before the timed ones.")
    var warmup = 3

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        for (name, value, range) in [
            ("batch", batch, 1...100_000), ("dims", dims, 1...10_000),
            ("points", points, 1...10_000),
            ("workers", workers ?? 1, 1...64), ("steps", steps, 1...1_000_000),
            ("warmup", warmup, 0...1_000_000),
        ] where !range.contains(value) {
            throw ValidationError(
                "--\(name) is \(value); expected \(range.lowerBound) to \(range.upperBound)")
        }
    }

    func run() throws {
        try reportingErrors {
            let bench = StepBench(
                model: model, layout: layout, batch: batch, dims: dims, points: points,
                workers: workers ?? CPU.current().coreCount)
            let report = bench.run(warmup: warmup, steps: steps)
            try Terminal.print(json ? CanonicalJSON.text(of: report.json) + "\n" : report.text)
        }
    }
}

/// The public code's model sizes.
enum BenchModel: String, CaseIterable, ExpressibleByArgument {
    case tiny, small, standard

    func configuration(dims: Int, positions: Int) -> DecoderConfiguration {
        let (width, layers, heads) =
            switch self {
            case .tiny: (64, 3, 2)
            case .small: (128, 6, 4)
            case .standard: (256, 12, 8)
            }
        return DecoderConfiguration(
            inputDimension: dims, positionCount: positions, embeddingDimension: width,
            layerCount: layers, headCount: heads)
    }
}

/// What the prompts of a timed step look like.
enum BenchLayout: String, CaseIterable, ExpressibleByArgument {
    case linear, cpt, cft

    var prompts: (PromptLayout, any FunctionClass) {
        switch self {
        case .linear: (.cpt, LinearFunction())
        case .cpt: (.cpt, PolynomialFunction())
        case .cft: (.cft, PolynomialFunction())
        }
    }
}

/// One timed model under one layout.
struct StepBench {
    let model: BenchModel
    let layout: BenchLayout
    let batch: Int
    let dims: Int
    let points: Int
    let workers: Int

    /// Trains on fresh prompts and times each step.
    ///
    /// - Parameters:
    ///   - warmup: steps that are not timed.
    ///   - steps: timed steps.
    func run(warmup: Int, steps: Int) -> StepReport {
        let (prompts, functionClass) = layout.prompts
        let length = prompts.tokenCount(points: points)
        let decoder = Decoder(
            model.configuration(
                dims: dims, positions: prompts.positions(points: points).upperBound))
        let source = PromptSource(
            functionClass, layout: prompts, seed: 0, dims: dims, batchSize: batch,
            points: [points], workers: workers)
        let shape = source.shape(points: points)
        let parallel = ParallelDecoder(
            decoder, workers: workers, batches: [shape], forTraining: true)
        let parameters = decoder.initialParameters(seed: 0)
        let weights = decoder.weights(in: parameters)
        let moments = AdamMoments(count: decoder.layout.count)
        let adam = AdamOptions(clipNorm: 1)
        var durations: [Double] = []
        var phases: [StepTimes] = []
        durations.reserveCapacity(steps)
        phases.reserveCapacity(steps)
        for step in 0..<warmup + steps {
            let start = ContinuousClock.now
            let (_, norm) = parallel.lossAndGradients(
                weights: weights, batch: shape,
                filling: source.batch(.training(step: step), points: points, activeDims: dims))
            parallel.adamStep(
                parameters: parameters, moments: moments,
                step: AdamStep(
                    number: step + 1, learningRate: 1e-4, beta1: adam.beta1, beta2: adam.beta2,
                    epsilon: adam.epsilon, weightDecay: 0, decoupled: false,
                    gradientScale: adam.clipScale(gradientNorm: norm)))
            if step < warmup { continue }
            durations.append(start.duration(to: .now) / .seconds(1))
            phases.append(parallel.lastTimes)
        }
        return StepReport(
            bench: self, length: length, durations: durations.sorted(), phases: phases,
            operations: decoder.configuration.trainingOperations(examples: batch, length: length),
            peakRate: matrixProductRate(workers: workers),
            peakResidentBytes: MemoryStatistics.current().peakResidentBytes)
    }
}

/// The figures of `bench step`.
struct StepReport {
    let bench: StepBench
    let length: Int
    /// Seconds, ascending.
    let durations: [Double]
    let phases: [StepTimes]
    let operations: Double
    /// GFLOP/s of matrix products alone.
    let peakRate: Double
    let peakResidentBytes: Int

    /// The quantile `q` of the step's seconds, by linear interpolation.
    private func seconds(_ q: Double) -> Double {
        let place = q * Double(durations.count - 1)
        let below = Int(place)
        let above = min(below + 1, durations.count - 1)
        return durations[below] + (durations[above] - durations[below]) * (place - Double(below))
    }

    private var rate: Double { operations / seconds(0.5) / 1e9 }

    /// Milliseconds by phase, medians.
    private var phaseTimes: [(name: String, milliseconds: Double)] {
        func median(_ phase: (StepTimes) -> Double) -> Double {
            phases.map(phase).sorted()[phases.count / 2] * 1e3
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
            "model": .string(bench.model.rawValue), "layout": .string(bench.layout.rawValue),
            "batch": .integer(bench.batch), "n_dims": .integer(bench.dims),
            "points": .integer(bench.points), "tokens": .integer(length),
            "precision": "fp32", "workers": .integer(bench.workers),
            "steps": .integer(durations.count), "median_ms": rounded(seconds(0.5) * 1e3),
            "p10_ms": rounded(seconds(0.1) * 1e3), "p90_ms": rounded(seconds(0.9) * 1e3),
            "tokens_per_second": rounded(Double(bench.batch * length) / seconds(0.5)),
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
            seconds(0.5) * 1e3, seconds(0.1) * 1e3, seconds(0.9) * 1e3, bench.batch, length,
            Double(bench.batch * length) / seconds(0.5))
        let rates = String(
            format:
                "%.0f GFLOP/s, %.0f %% of %.0f in products alone; peak resident memory %.0f MiB\n",
            rate, 100 * rate / peakRate, peakRate, Double(peakResidentBytes) / 1_048_576)
        let parts = phaseTimes.map { String(format: "%@ %.2f", $0.name, $0.milliseconds) }
        return
            "\(bench.model.rawValue) under \(bench.layout.rawValue), fp32, \(bench.workers) workers: "
            + steps + rates + "ms by phase: " + parts.joined(separator: ", ") + "\n"
    }
}
