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
    /// The positions the model has, when prompts start at random ones; nil when they start at the layout's first.
    let offsetPositions: Int?
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
    ///   - offsetPositions: the positions the model has, when prompts start at even ones drawn for each.
    public init(
        _ functionClass: any FunctionClass, layout: PromptLayout, seed: UInt64, dims: Int,
        batchSize: Int, points: [Int], workers: Int, offsetPositions: Int? = nil
    ) {
        self.offsetPositions = offsetPositions
        self.functionClass = functionClass
        self.layout = layout
        self.seed = seed
        self.dims = dims
        self.batchSize = batchSize
        let forms = points.map(layout.trainingForm(points:))
        let shards = forms.map {
            ShardPlan(examples: batchSize, length: $0.tokenCount).examplesPerShard
        }
        scratch = (0..<workers).map { _ in
            PromptBatch(
                examples: shards.max() ?? 1, points: points.max() ?? 1, dims: dims,
                functionClass: functionClass, draws: forms.first?.draws ?? [])
        }
    }

    /// The shape of a batch of prompts of `points` points, without their last label.
    public func shape(points: Int) -> BatchShape {
        BatchShape(
            examples: batchSize, length: layout.trainingForm(points: points).tokenCount)
    }

    /// One batch of prompts.
    ///
    /// - Parameters:
    ///   - phase: what the prompts are for; with the seed it decides the numbers.
    ///   - points: n.
    ///   - activeDims: coordinates that are not 0.
    public func batch(_ phase: PromptPhase, points: Int, activeDims: Int) -> Batch {
        Batch(
            source: self, phase: phase, form: layout.trainingForm(points: points),
            activeDims: activeDims)
    }

    /// Draws and lays out the prompts of one batch; the loss weights are 1 / (B · predictions), so that the loss is a
    /// mean.
    public struct Batch: BatchFilling {
        let source: PromptSource
        let phase: PromptPhase
        let form: PromptForm
        let activeDims: Int

        /// Draws and lays out `examples` in the memory of one worker.
        public func fill(_ examples: Range<Int>, _ workspace: DecoderWorkspace) {
            let prompts = source.scratch[workspace.worker]
                .shaped(examples: examples.count, points: form.points)
            prompts.sample(
                source.functionClass, seed: source.seed, phase: phase,
                firstExample: examples.lowerBound, activeDims: activeDims)
            form.write(
                prompts, lossScale: 1 / Float(source.batchSize * form.predictionCount), workspace)
            guard let positions = source.offsetPositions else { return }
            let last = positions - source.layout.positions(points: form.points).upperBound
            for (place, example) in examples.enumerated() {
                let offset = phase.evenOffset(upTo: last, seed: source.seed, example: example)
                workspace.positionStarts[place] += Int32(offset)
            }
        }
    }
}

extension PromptForm {
    /// Lays prompts out in the memory of one worker, at the layout's positions.
    func write(_ prompts: PromptBatch, lossScale: Float, _ workspace: DecoderWorkspace) {
        let rows = prompts.exampleCount * tokenCount
        write(
            prompts, inputs: workspace.inputs[0..<rows * prompts.dims],
            targets: workspace.targets[0..<rows], weights: workspace.lossWeights[0..<rows],
            lossScale: lossScale)
        workspace.positionStarts[0..<prompts.exampleCount]
            .fill(Int32(layout.positions(points: points).lowerBound))
    }
}

/// Prompts that are drawn already, laid out in one form.
struct DrawnPrompts: BatchFilling {
    let prompts: PromptBatch
    let form: PromptForm

    func fill(_ examples: Range<Int>, _ workspace: DecoderWorkspace) {
        form.write(prompts.rows(examples), lossScale: 1, workspace)
    }
}
