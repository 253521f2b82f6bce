import Kernels
import TensorStorage

/// Writes the tokens of a batch into the workers' memory, shard by shard.
public protocol BatchFilling: Sendable {
    /// Fills `workspace.inputs`, `.targets` and `.lossWeights` for the given examples of the batch, the first of them at
    /// place 0; `.positionStarts` holds zeros unless it is filled too. Called on the workers.
    func fill(_ examples: Range<Int>, _ workspace: DecoderWorkspace)
}

/// A decoder spread over workers: batches in fixed shards on fixed lanes, so that results are bit-identical for any
/// number of workers.
///
/// Memory is sized at the start for the largest batch; a step allocates nothing.
public final class ParallelDecoder: Sendable {
    /// The decoder.
    public let decoder: Decoder
    /// The workers.
    public let pool: WorkerPool
    let workspaces: [DecoderWorkspace]
    private let matrices: PackedMatrices
    private let queue = ShardQueue()
    let laneGradients: [DecoderWeights]
    private let laneBuffers: [FloatView]
    private let gradients: FloatView
    /// One loss a lane, then one squared length a stretch of the flat buffer.
    private let laneLosses: BufferView<Double>
    private let stretchSquares: BufferView<Double>
    private let stretches: [Range<Int>]
    /// Seconds each worker spent filling, forward and backward, then those of packing, reduction and update.
    private let seconds: BufferView<Double>

    /// - Parameters:
    ///   - decoder: the decoder.
    ///   - workers: number of workers, the calling thread included.
    ///   - batches: the shapes that will be used; memory is sized for the largest.
    ///   - precision: what the operands of the blocks' linear maps are rounded to; everything else is fp32.
    ///   - forTraining: whether gradients will be asked for.
    public init(
        _ decoder: Decoder, workers: Int, batches: [BatchShape],
        precision: ProductPrecision = .fp32, forTraining: Bool
    ) {
        precondition(!batches.isEmpty, "no batch shape given")
        self.decoder = decoder
        let useful = min(workers, ShardPlan.laneCount)
        pool = WorkerPool(workers: useful)
        let longest = batches.map(\.length).max() ?? 1
        let rows = batches.map {
            ShardPlan(examples: $0.examples, length: $0.length).examplesPerShard * $0.length
        }
        // Room in whole sequences of the longest kind.
        let examples = ((rows.max() ?? 1) + longest - 1) / longest
        workspaces = (0..<useful).map { worker in
            DecoderWorkspace(
                decoder.configuration, largest: BatchShape(examples: examples, length: longest),
                precision: precision, forTraining: forTraining, worker: worker)
        }
        matrices = PackedMatrices(
            decoder.configuration, precision: precision, forTraining: forTraining)
        let count = forTraining ? decoder.layout.count : 0
        laneGradients =
            forTraining
            ? (0..<ShardPlan.laneCount).map { _ in decoder.weights(in: FloatView(zeros: count)) }
            : []
        laneBuffers = laneGradients.map(\.flat)
        gradients = FloatView(zeros: count)
        laneLosses = BufferView(zeros: ShardPlan.laneCount)
        let size = 16_384
        stretches = stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
        stretchSquares = BufferView(zeros: stretches.count)
        seconds = BufferView(zeros: 3 * useful + 3)
    }

    /// Number of workers in use.
    public var workerCount: Int { pool.workerCount }

    /// The gradient of the last ``lossAndGradients(weights:batch:filling:)``, flat.
    public var lastGradients: FloatView { gradients }

    /// Loss and gradients of one batch; the gradients are left in ``lastGradients``.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - batch: B and T.
    ///   - filling: writes the examples.
    /// - Returns: `Σ w (p − t)²` over the batch, and the global norm of its gradient.
    public func lossAndGradients(
        weights: DecoderWeights, batch: BatchShape, filling: some BatchFilling
    ) -> (loss: Double, gradientNorm: Double) {
        precondition(!laneGradients.isEmpty, "this parallel decoder was made without gradients")
        let plan = ShardPlan(examples: batch.examples, length: batch.length)
        for index in 0..<3 * workerCount { seconds[index] = 0 }
        let weights = packed(weights)
        queue.begin(plan)
        pool.run(
            parts: workerCount,
            GradientWork(
                model: self, weights: weights, plan: plan, length: batch.length, filling: filling))
        var clock = Stopwatch()
        pool.run(parts: stretches.count, ReductionWork(model: self, lanes: plan.lanes))
        seconds[3 * workerCount + 1] = clock.lap()
        var loss = 0.0
        for lane in 0..<plan.lanes { loss += laneLosses[lane] }
        var squares = 0.0
        for index in stretches.indices { squares += stretchSquares[index] }
        return (loss, squares.squareRoot())
    }

    func packed(_ weights: DecoderWeights) -> PackedWeights {
        var clock = Stopwatch()
        pool.run(
            parts: matrices.partCount, PackingWork(matrices: matrices, parameters: weights))
        seconds[3 * workerCount] = clock.lap()
        return PackedWeights(parameters: weights, matrices: matrices)
    }

    /// One update of Adam or AdamW with the gradients of the last batch.
    ///
    /// - Parameters:
    ///   - parameters: flat parameters, updated.
    ///   - moments: updated.
    ///   - step: the numbers of this update.
    public func adamStep(parameters: FloatView, moments: AdamMoments, step: AdamStep) {
        var clock = Stopwatch()
        pool.run(
            parts: stretches.count,
            AdamWork(model: self, parameters: parameters, moments: moments, step: step))
        seconds[3 * workerCount + 2] = clock.lap()
    }

    /// Where the time of the last step went.
    public var lastTimes: StepTimes {
        func mean(_ phase: Int) -> Double {
            var sum = 0.0
            for worker in 0..<workerCount { sum += seconds[3 * worker + phase] }
            return sum / Double(workerCount)
        }
        return StepTimes(
            sampling: mean(0), forward: mean(1), backward: mean(2),
            packing: seconds[3 * workerCount], reduction: seconds[3 * workerCount + 1],
            update: seconds[3 * workerCount + 2])
    }

    /// Predictions for a batch, without gradients.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - batch: B and T.
    ///   - filling: writes the examples.
    ///   - positions: where predictions are made; by default where the loss weights are not 0.
    ///   - goesOn: asked before each shard; after a false the rest is left out.
    ///   - read: takes the predictions `workspace.predictions: [B, T]` of one shard; called on the workers.
    public func forward(
        weights: DecoderWeights, batch: BatchShape, filling: some BatchFilling,
        predicting positions: PredictedPositions = .carryingLoss,
        goesOn: @Sendable () -> Bool = { true },
        read: @Sendable (_ examples: Range<Int>, _ workspace: DecoderWorkspace) -> Void
    ) {
        let plan = ShardPlan(examples: batch.examples, length: batch.length)
        let weights = packed(weights)
        pool.run(parts: plan.shardCount) { shard, worker in
            guard goesOn() else { return }
            let workspace = workspaces[worker]
            let examples = plan.examples(ofShard: shard)
            workspace.positionStarts.fill(0)
            filling.fill(examples, workspace)
            decoder.forward(
                weights: weights, workspace: workspace,
                shape: BatchShape(examples: examples.count, length: batch.length),
                predicting: positions)
            read(examples, workspace)
        }
    }
}

extension ParallelDecoder {
    /// One worker's part of a step's gradients: shards, until none is left.
    private struct GradientWork<Filling: BatchFilling>: PoolWork {
        let model: ParallelDecoder
        let weights: PackedWeights
        let plan: ShardPlan
        let length: Int
        let filling: Filling

        func perform(part _: Int, worker: Int) {
            let workspace = model.workspaces[worker]
            var last: Int?
            while let (shard, lane) = model.queue.next(after: last) {
                last = lane
                let isFirst = shard == lane
                let gradients = model.laneGradients[lane]
                if isFirst { gradients.flat.fill(0) }
                let examples = plan.examples(ofShard: shard)
                let shape = BatchShape(examples: examples.count, length: length)
                var clock = Stopwatch()
                workspace.positionStarts.fill(0)
                filling.fill(examples, workspace)
                model.seconds[3 * worker] += clock.lap()
                model.decoder.forward(
                    weights: weights, workspace: workspace, shape: shape,
                    predicting: .carryingLoss)
                model.seconds[3 * worker + 1] += clock.lap()
                let loss = model.decoder.lossBackward(
                    weights: weights, gradients: gradients, workspace: workspace, shape: shape)
                model.laneLosses[lane] = isFirst ? loss : model.laneLosses[lane] + loss
                model.seconds[3 * worker + 2] += clock.lap()
            }
        }
    }

    /// One matrix a part, laid out for the products.
    private struct PackingWork: PoolWork {
        let matrices: PackedMatrices
        let parameters: DecoderWeights

        func perform(part: Int, worker: Int) { matrices.pack(part: part, of: parameters) }
    }

    /// One stretch of the flat gradient a part: the sum of the lanes' gradients.
    private struct ReductionWork: PoolWork {
        let model: ParallelDecoder
        let lanes: Int

        func perform(part stretch: Int, worker: Int) {
            model.stretchSquares[stretch] = sumLanes(
                total: model.gradients, lanes: model.laneBuffers, used: lanes,
                range: model.stretches[stretch])
        }
    }

    /// One stretch of the flat parameters a part.
    private struct AdamWork: PoolWork {
        let model: ParallelDecoder
        let parameters: FloatView
        let moments: AdamMoments
        let step: AdamStep

        func perform(part stretch: Int, worker: Int) {
            let range = model.stretches[stretch]
            adamUpdate(
                parameters: parameters[range], firstMoment: moments.first[range],
                secondMoment: moments.second[range], gradients: model.gradients[range], step: step)
        }
    }
}

/// Seconds of one step by phase; what is missing from the step's wall time was spent waiting for the other workers.
public struct StepTimes: Sendable, Hashable {
    /// Filling the workspaces: drawing prompts. Mean over the workers.
    public var sampling: Double
    /// Forward passes. Mean over the workers.
    public var forward: Double
    /// Loss and backward passes. Mean over the workers.
    public var backward: Double
    /// Laying out the weights for the products.
    public var packing: Double
    /// Summing the lanes' gradients, with the norm that clipping needs.
    public var reduction: Double
    /// Adam.
    public var update: Double
}

/// Time between calls.
private struct Stopwatch {
    private var last = ContinuousClock.now

    /// Seconds since the last lap, or the start.
    mutating func lap() -> Double {
        let now = ContinuousClock.now
        defer { last = now }
        return last.duration(to: now) / .seconds(1)
    }
}

extension Decoder {
    /// Forward, weighted squared error and backward of one shard; parameter gradients are added to.
    ///
    /// - Parameters:
    ///   - weights: the parameters, packed for training.
    ///   - gradients: parameter gradients, added to.
    ///   - workspace: holds inputs, targets and loss weights.
    ///   - shape: B and T of the shard.
    ///   - positions: where predictions are asked for.
    ///   - inputGradients: whether `workspace.dInputs` is computed too.
    /// - Returns: `Σ w (p − t)²` over the shard.
    public func lossForwardBackward(
        weights: PackedWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape, predicting positions: PredictedPositions = .carryingLoss,
        inputGradients: Bool = false
    ) -> Double {
        forward(weights: weights, workspace: workspace, shape: shape, predicting: positions)
        return lossBackward(
            weights: weights, gradients: gradients, workspace: workspace, shape: shape,
            inputGradients: inputGradients)
    }

    /// The part of ``lossForwardBackward(weights:gradients:workspace:shape:predicting:inputGradients:)`` after the forward pass.
    func lossBackward(
        weights: PackedWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape, inputGradients: Bool = false
    ) -> Double {
        let loss = squaredErrorForwardBackward(
            dPredictions: workspace.dPredictions, predictions: workspace.predictions,
            targets: workspace.targets, weights: workspace.lossWeights, count: shape.rows)
        backward(
            weights: weights, gradients: gradients, workspace: workspace, shape: shape,
            inputGradients: inputGradients)
        return loss
    }
}
