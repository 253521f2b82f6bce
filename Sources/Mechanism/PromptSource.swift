import InContextRegression
import Kernels
import Synchronization
import Transformer

/// Prompts of one class under one layout, drawn straight into the workers' memory.
public final class PromptSource: Sendable {
    /// The class that labels the points.
    public let functionClass: any FunctionClass
    /// What a prompt looks like.
    public let layout: PromptLayout
    /// Key of the draws.
    public let seed: UInt64
    /// d.
    public let dims: Int
    private let scratch: [Scratch]

    /// One worker's prompts. The lock is never waited for: a worker only takes its own.
    private final class Scratch: Sendable {
        let batch: Mutex<PromptBatch>
        init(_ batch: sending PromptBatch) { self.batch = Mutex(batch) }
    }

    /// - Parameters:
    ///   - functionClass: the class that labels the points.
    ///   - layout: what a prompt looks like.
    ///   - seed: key of the draws.
    ///   - dims: d.
    ///   - workers: number of workers that will draw.
    public init(
        _ functionClass: any FunctionClass, layout: PromptLayout, seed: UInt64, dims: Int,
        workers: Int
    ) {
        self.functionClass = functionClass
        self.layout = layout
        self.seed = seed
        self.dims = dims
        scratch = (0..<workers).map { _ in
            Scratch(PromptBatch(examples: 0, points: 0, dims: dims, functionClass: functionClass))
        }
    }

    /// The shape of a batch of `examples` prompts of `points` points.
    public func batch(examples: Int, points: Int) -> BatchShape {
        BatchShape(examples: examples, length: layout.tokenCount(points: points))
    }

    /// A function that draws and lays out the prompts of one batch.
    ///
    /// - Parameters:
    ///   - phase: what the prompts are for; with the seed it decides the numbers.
    ///   - batchSize: B; the loss weights are 1 / (B · n), so that the loss is a mean.
    ///   - points: n.
    ///   - activeDims: coordinates that are not 0.
    public func fill(
        _ phase: PromptPhase, batchSize: Int, points: Int, activeDims: Int
    ) -> ParallelDecoder.Fill {
        let lossScale = 1 / Float(batchSize * points)
        let length = layout.tokenCount(points: points)
        let start = Int32(layout.positions(points: points).lowerBound)
        return { [self] examples, workspace in
            scratch[workspace.worker].batch.withLock { batch in
                batch.sample(
                    functionClass, seed: seed, phase: phase, examples: examples, points: points,
                    dims: dims, activeDims: activeDims)
                let rows = examples.count * length
                layout.write(
                    batch, inputs: workspace.inputs[0..<rows * dims],
                    targets: workspace.targets[0..<rows],
                    weights: workspace.lossWeights[0..<rows], lossScale: lossScale)
            }
            workspace.positionStarts[0..<examples.count].fill(start)
        }
    }
}
