import Kernels
import LanguageModeling
import Objectives
import TensorStorage
import Training
import Transformer

/// Whole optimizer updates on made-up tokens: gradients, clipping and AdamW, as training does them.
public final class TuningBenchmark {
    /// Tokens of an update that pass through the model.
    public let tokenCount: Int
    private let tuner: FineTuner
    private let bins: [Bin]
    private var number = 0

    /// - Parameters:
    ///   - model: the model.
    ///   - lora: the adapters that are trained; nil for all parameters.
    ///   - batch: sequences of an update.
    ///   - microBatch: of these, how many are in memory at a time.
    ///   - length: tokens of a sequence that pass through the model.
    ///   - masked: how many of them, the first ones, carry no loss, as a contextual prompt.
    ///   - recomputes: whether activations are computed a second time.
    ///   - precision: what the operands of products are rounded to.
    ///   - workers: workers of a pass.
    /// - Throws: when the model cannot be read, or memory cannot hold an update.
    public init(
        _ model: ModelDirectory, lora: LoRAConfiguration?, batch: Int, microBatch: Int,
        length: Int, masked: Int, recomputes: Bool, precision: ProductPrecision, workers: Int
    ) throws {
        precondition(masked < length, "\(masked) of \(length) tokens without loss leave none")
        let llama = model.configuration.llama
        let count = lora.map { TensorLayout($0.tensors(llama)).count } ?? llama.layout.count
        // Parameters, two moments and gradients; the ids and weights of the batch.
        try requireMemory(
            llama.workspaceBytes(
                rows: microBatch * length, longest: length, forTraining: true, workers: workers,
                recomputes: recomputes, lora: lora, precision: precision)
                + 16 * Double(count) + 16 * Double(batch) * Double(length), model: model,
            cure: "lower --micro-batch, --batch, --length or --lora")
        let start = try FineTuner.Trainables(model, lora, seed: 0)
        let state = TrainingState(layout: start.layout, parameters: start.parameters)
        tuner = FineTuner(
            model,
            FineTuner.Options(
                lora: lora, microBatchSize: microBatch, recomputes: recomputes,
                precision: precision),
            state: state, binRows: length, longest: length, pool: WorkerPool(workers: workers))
        let size = model.configuration.llama.vocabularySize
        bins = (0..<batch).map { sequence in
            Bin(
                examples: [
                    TrainingExample(
                        tokens: (0...length).map {
                            Int32(((sequence * length + $0) * 7919 + 3) % size)
                        },
                        lossWeights: (0...length).map { $0 <= masked ? 0 : 1 }, place: "made up")
                ])
        }
        tokenCount = batch * length
    }

    /// One update.
    public func step() {
        let (_, norm) = tuner.gradients(bins, step: number)
        number += 1
        let adam = AdamOptions(
            beta1: 0.9, beta2: 0.95, epsilon: 1e-5, weightDecay: 0.1, decoupledDecay: true,
            clipNorm: 1)
        tuner.update(
            AdamStep(
                number: number, learningRate: 1e-5, beta1: adam.beta1, beta2: adam.beta2,
                epsilon: adam.epsilon, weightDecay: adam.weightDecay, decoupled: true,
                gradientScale: adam.clipScale(gradientNorm: norm)))
    }
}

extension LlamaConfiguration {
    /// Floating-point operations of an update of all parameters: six for each weight of a product and token, and attention's
    /// twelve · T · H·K a token and layer, whatever is left out. With frozen weights a third of the former falls away; the
    /// second computation of activations is not counted.
    public func trainingOperations(tokens: Int, length: Int, isFrozen: Bool) -> Double {
        let maps = LlamaProjection.allCases.reduce(0) { sum, projection in
            let (from, to) = projection.widths(self)
            return sum + from * to
        }
        let weights = Double(layerCount * maps + vocabularySize * hiddenSize)
        let attention = Double(12 * layerCount * length * queryWidth)
        return Double(tokens) * ((isFrozen ? 4 : 6) * weights + attention)
    }
}
