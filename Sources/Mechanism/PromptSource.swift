import InContextRegression
import Kernels
import Transformer

/// Prompts of one class under one layout, drawn straight into the workers' memory.
public struct PromptSource: Sendable {
    /// The class that labels the points.
    public let functionClass: any FunctionClass
    /// What a prompt looks like.
    public let layout: PromptLayout
    /// Key of the draws.
    public let seed: UInt64
    /// d.
    public let dims: Int
    /// B.
    public let batchSize: Int
    /// One worker's prompts each.
    private let scratch: [PromptBatch]

    /// - Parameters:
    ///   - functionClass: the class that labels the points.
    ///   - layout: what a prompt looks like.
    ///   - seed: key of the draws.
    ///   - dims: d.
    ///   - batchSize: B.
    ///   - points: every number of points that will be asked for; memory is sized for them here.
    ///   - workers: number of workers that will draw.
    public init(
        _ functionClass: any FunctionClass, layout: PromptLayout, seed: UInt64, dims: Int,
        batchSize: Int, points: [Int], workers: Int
    ) {
        self.functionClass = functionClass
        self.layout = layout
        self.seed = seed
        self.dims = dims
        self.batchSize = batchSize
        let shards = points.map {
            ShardPlan(examples: batchSize, length: layout.visibleTokenCount(points: $0))
                .examplesPerShard
        }
        scratch = (0..<workers).map { _ in
            PromptBatch(
                examples: shards.max() ?? 1, points: points.max() ?? 1, dims: dims,
                functionClass: functionClass)
        }
    }

    /// The shape of a batch of prompts of `points` points, without their last label.
    public func shape(points: Int) -> BatchShape {
        BatchShape(examples: batchSize, length: layout.visibleTokenCount(points: points))
    }

    /// A function that draws and lays out the prompts of one batch.
    ///
    /// - Parameters:
    ///   - phase: what the prompts are for; with the seed it decides the numbers.
    ///   - points: n.
    ///   - activeDims: coordinates that are not 0.
    /// - Returns: fills a worker's memory; the loss weights are 1 / (B · n), so that the loss is a mean.
    public func fill(_ phase: PromptPhase, points: Int, activeDims: Int) -> ParallelDecoder.Fill {
        let lossScale = 1 / Float(batchSize * points)
        let length = layout.visibleTokenCount(points: points)
        let start = Int32(layout.positions(points: points).lowerBound)
        return { examples, workspace in
            let batch = scratch[workspace.worker].shaped(examples: examples.count, points: points)
            batch.sample(
                functionClass, seed: seed, phase: phase, firstExample: examples.lowerBound,
                activeDims: activeDims)
            let rows = examples.count * length
            layout.write(
                batch, tokens: length, inputs: workspace.inputs[0..<rows * dims],
                targets: workspace.targets[0..<rows],
                weights: workspace.lossWeights[0..<rows], lossScale: lossScale)
            workspace.positionStarts[0..<examples.count].fill(start)
        }
    }
}
