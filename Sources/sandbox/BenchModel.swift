import ArgumentParser
import InContextRegression
import Kernels
import Mechanism
import Platform
import Transformer

/// What the timings have in common: a model of the public code's sizes, the layout of its prompts, and the workers.
struct BenchSubject: ParsableArguments {
    @Option(
        help: "Garg's tiny (3 layers, 2 heads, width 64), small (6, 4, 128), standard (12, 8, 256)."
    )
    var model = BenchModel.small

    @Option(help: "linear and cpt: 2 tokens a point; cft: 4.")
    var layout = BenchLayout.cpt

    @Option(help: "Input dimension d.")
    var dims = 20

    @Option(help: "Points of a prompt.")
    var points = 41

    @Option(
        help:
            "What the operands of the blocks' linear maps are rounded to; all else is fp32. bf16 is fast on a CPU with AVX512-BF16 alone."
    )
    var precision = ProductPrecision.fp32

    func validate() throws {
        try checkRanges([("dims", dims, 1...10_000), ("points", points, 1...10_000)])
    }

    /// A decoder with room for the prompts.
    var decoder: Decoder {
        Decoder(
            model.configuration(
                dims: dims, positions: layout.prompts.0.positions(points: points).upperBound))
    }

    /// The prompts of batches of `size`.
    func source(batchSize size: Int, workers: Int) -> PromptSource {
        let (layout, functionClass) = layout.prompts
        return PromptSource(
            functionClass, layout: layout, seed: 0, dims: dims, batchSize: size, points: [points],
            workers: workers)
    }

    /// The decoder on workers, with memory for batches of `source`.
    func parallel(_ source: PromptSource, workers: Int) -> ParallelDecoder {
        ParallelDecoder(
            decoder, workers: workers, batches: [source.shape(points: points)],
            precision: precision, forTraining: true)
    }

    /// Says on standard error what would make the times mislead.
    func tell() {
        if precision == .bf16, let notice = ProductPrecision.missingBF16Notice {
            Terminal.write(notice + "\n", to: .error)
        }
    }
}

/// How many workers, all cores when it is not said.
struct WorkersOption: ParsableArguments {
    @Option(help: "Workers. (default: all cores)")
    var workers: Int?

    func validate() throws { try checkRanges([("workers", workers ?? 1, 1...64)]) }

    var count: Int { workers ?? CPU.current().coreCount }
}

/// Refuses the first of some options that is outside its range.
func checkRanges(_ options: [(name: String, value: Int, range: ClosedRange<Int>)]) throws {
    for (name, value, range) in options where !range.contains(value) {
        throw ValidationError(
            "--\(name) is \(value); expected \(range.lowerBound) to \(range.upperBound)")
    }
}

extension ProductPrecision: ExpressibleByArgument {}

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
