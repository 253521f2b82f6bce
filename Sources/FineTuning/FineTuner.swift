import Kernels
import LanguageModeling
import Objectives
import TensorStorage
import Training
import Transformer

/// Gradients and updates of a language model, all of its parameters or adapters alone, from bins of examples.
///
/// An update's loss is `Σ w ℓ / Σ w` over all its bins, however many are in memory at a time: micro-batches are weighted by
/// their targets, not counted. Clipping sees the sum.
final class FineTuner {
    private let model: ModelDirectory
    private let llama: LlamaConfiguration
    private let decoder: LlamaDecoder
    private let parameters: FloatView
    private let moments: AdamMoments
    private let layout: TensorLayout
    let gradients: FloatView
    /// What a pass reads: the parameters themselves, or the frozen model.
    private let weights: LlamaWeights
    private let adapters: LlamaLoRA?
    /// Where a pass leaves the gradients of all parameters; nil where they are frozen.
    private let fullGradients: LlamaGradients?
    /// Where it leaves those of adapters.
    private let adapterGradients: LlamaLoRA?
    /// The pieces of an update, and whether they decay.
    private let pieces: [(range: Range<Int>, decays: Bool)]
    private let workspace: LlamaWorkspace
    private let microBatchSize: Int
    private let seed: UInt64
    private let pool: WorkerPool

    /// How it is trained.
    struct Options {
        /// Nil for all parameters.
        var lora: LoRAConfiguration?
        /// Bins that are in memory at a time.
        var microBatchSize = 1
        /// Whether norms and biases decay too.
        var decaysAll = false
        /// Whether activations are computed a second time.
        var recomputes = false
        /// What the operands of products are rounded to.
        var precision = ProductPrecision.fp32
        /// Decides dropout.
        var seed: UInt64 = 0
    }

    /// What is trained: its layout and its numbers at step 0.
    struct Trainables {
        let layout: TensorLayout
        let parameters: FloatView
    }

    /// - Parameters:
    ///   - model: where training starts; its weights stay as they are under LoRA.
    ///   - options: how it is trained.
    ///   - state: parameters (or adapters) and moments, which updates change.
    ///   - binRows: rows of a bin at most.
    ///   - longest: rows of a sequence at most.
    ///   - pool: who updates.
    init(
        _ model: ModelDirectory, _ options: Options, state: TrainingState,
        binRows: Int, longest: Int, pool: WorkerPool
    ) {
        self.model = model
        llama = model.configuration.llama
        decoder = LlamaDecoder(llama)
        let lora = options.lora
        parameters = state.parameters
        moments = state.moments
        layout = state.layout
        gradients = FloatView(zeros: layout.count)
        weights = lora == nil ? llama.weights(in: parameters) : model.weights
        adapters = lora.map { [llama, parameters] in LlamaLoRA($0, llama, in: parameters) }
        fullGradients = lora == nil ? llama.gradients(in: gradients) : nil
        adapterGradients = lora.map { [llama, gradients] in LlamaLoRA($0, llama, in: gradients) }
        pieces = layout.entries.flatMap { entry in
            let decays = options.decaysAll || entry.shape.count > 1
            return Self.pieces(entry.range).map { (range: $0, decays: decays) }
        }
        microBatchSize = options.microBatchSize
        seed = options.seed
        self.pool = pool
        workspace = LlamaWorkspace(
            llama, rows: microBatchSize * binRows, longest: longest, forTraining: true,
            workers: pool.workerCount, recomputes: options.recomputes, lora: lora,
            precision: options.precision)
    }

    private func training(_ pass: LoRADropout?) -> LoRATraining? {
        guard let adapters, let adapterGradients else { return nil }
        return LoRATraining(parameters: adapters, gradients: adapterGradients, dropout: pass)
    }

    // MARK: Losses with weights of their own

    /// The loss of an update and the length of its gradient, which is left for ``update(_:)``.
    func gradients(_ bins: [Bin], step: Int) -> (loss: Double, gradientNorm: Double) {
        gradients.fill(0)
        let total = bins.reduce(0) { $0 + $1.targetWeight }
        var loss = 0.0
        for (pass, bins) in microBatches(bins).enumerated() {
            let rows = RowBlock(bins.flatMap(\.examples), scale: 1 / total)
            loss += decoder.lossAndGradients(
                weights: weights, gradients: fullGradients,
                adapters: training(LoRADropout(seed: seed, step: step, pass: pass)),
                workspace: workspace, tokens: rows.tokens, sequences: rows.sequences,
                targets: rows.targets, lossWeights: rows.lossWeights)
        }
        return (loss, norm)
    }

    private func microBatches(_ bins: [Bin]) -> [ArraySlice<Bin>] {
        stride(from: 0, to: bins.count, by: microBatchSize).map {
            bins[$0..<min($0 + microBatchSize, bins.count)]
        }
    }

    /// `Σ w ℓ / Σ w` over examples, without dropout and in fp32 whatever the training's precision.
    func meanLoss(_ bins: [Bin]) -> Double {
        var loss = 0.0
        var total = 0.0
        for bins in microBatches(bins) {
            let examples = bins.flatMap(\.examples)
            for sums in logProbabilities(
                examples, weights: weights, adapters: adapters, isExact: true)
            {
                loss -= sums
            }
            total += examples.reduce(0) { $0 + $1.targetWeight }
        }
        return loss / total
    }

    /// `Σ w log p` of each example.
    private func logProbabilities(
        _ examples: [TrainingExample], weights: LlamaWeights, adapters: LlamaLoRA?, isExact: Bool
    ) -> [Double] {
        let rows = RowBlock(examples, scale: 1)
        decoder.forward(
            weights: weights, adapters: adapters, workspace: workspace, tokens: rows.tokens,
            sequences: rows.sequences, isExact: isExact)
        return sums(rows, weights, isExact: isExact)
    }

    /// `Σ w log p` of each sequence after a forward pass.
    private func sums(
        _ rows: RowBlock, _ weights: LlamaWeights, isExact: Bool = false
    ) -> [Double] {
        let losses = decoder.losses(
            weights: weights, workspace: workspace, targets: rows.targets,
            lossWeights: rows.lossWeights, isExact: isExact)
        return rows.sequences.map { sequence in
            sequence.reduce(0) { sum, row in
                let weight = Double(rows.lossWeights[row])
                return weight == 0 ? sum : sum - weight * Double(losses[row])
            }
        }
    }

    // MARK: Preferences

    /// The log-probabilities of pairs under the model that training starts from: in the training's precision, so that nothing
    /// but training moves the policy away from it, or exact, for evaluations.
    func reference(_ bins: [Bin], isExact: Bool = false) -> [PreferenceLoss.LogProbabilities] {
        microBatches(bins).flatMap { bins in
            pairs(
                logProbabilities(
                    bins.flatMap(\.examples), weights: model.weights, adapters: nil,
                    isExact: isExact))
        }
    }

    private func pairs(_ sums: [Double]) -> [PreferenceLoss.LogProbabilities] {
        stride(from: 0, to: sums.count, by: 2).map {
            PreferenceLoss.LogProbabilities(chosen: sums[$0], rejected: sums[$0 + 1])
        }
    }

    /// As ``gradients(_:step:)`` for the mean of `loss` over pairs.
    func gradients(
        _ bins: [Bin], step: Int, _ loss: PreferenceLoss,
        reference: [PreferenceLoss.LogProbabilities]
    ) -> (loss: Double, gradientNorm: Double) {
        gradients.fill(0)
        var sum = 0.0
        for (pass, bins) in microBatches(bins).enumerated() {
            let rows = RowBlock(bins.flatMap(\.examples), scale: 1)
            let adapters = training(LoRADropout(seed: seed, step: step, pass: pass))
            decoder.forward(
                weights: weights, adapters: adapters?.parameters, dropout: adapters?.dropout,
                workspace: workspace, tokens: rows.tokens, sequences: rows.sequences)
            let first = pass * microBatchSize
            for (pair, policy) in pairs(sums(rows, weights)).enumerated() {
                let value = loss.value(policy: policy, reference: reference[first + pair])
                sum += value.loss
                // ∂ loss / ∂ ℓ of a row is −w times the derivative with respect to its answer's log-probability.
                let slope = Float(value.slope / Double(reference.count))
                scale(rows.lossWeights[rows.sequences[2 * pair]], by: -slope)
                scale(rows.lossWeights[rows.sequences[2 * pair + 1]], by: slope)
            }
            _ = decoder.backward(
                weights: weights, gradients: fullGradients, adapters: adapters,
                workspace: workspace, tokens: rows.tokens, sequences: rows.sequences,
                targets: rows.targets, lossWeights: rows.lossWeights)
        }
        return (sum / Double(bins.count), norm)
    }

    /// The mean loss of pairs, and the share of them that the model ranks as noted.
    func meanLoss(
        _ bins: [Bin], _ loss: PreferenceLoss, reference: [PreferenceLoss.LogProbabilities]
    ) -> (loss: Double, accuracy: Double) {
        let policies = microBatches(bins).flatMap { bins in
            pairs(
                logProbabilities(
                    bins.flatMap(\.examples), weights: weights, adapters: adapters, isExact: true))
        }
        let values = zip(policies, reference).map { loss.value(policy: $0, reference: $1) }
        let count = Double(values.count)
        return (
            values.reduce(0) { $0 + $1.loss } / count,
            Double(values.count { $0.margin > 0 }) / count
        )
    }

    // MARK: The update

    /// Numbers that one worker takes at a time; sums are joined in their order, so that they do not hang on the workers.
    private static let pieceSize = 1 << 18

    private static func pieces(_ range: Range<Int>) -> [Range<Int>] {
        stride(from: range.lowerBound, to: range.upperBound, by: pieceSize).map {
            $0..<min($0 + pieceSize, range.upperBound)
        }
    }

    /// The length of the gradient.
    private var norm: Double {
        let gradients = gradients
        let sums = pool.map(Self.pieces(0..<gradients.count)) { squaredNorm(gradients[$0]) }
        return sums.reduce(0, +).squareRoot()
    }

    /// One update with the gradients of the last call.
    func update(_ step: AdamStep) {
        let plain = step.withoutDecay
        let (parameters, moments, gradients, pieces) = (parameters, moments, gradients, pieces)
        pool.run(parts: pieces.count) { part, _ in
            let (range, decays) = pieces[part]
            adamUpdate(
                parameters: parameters[range], firstMoment: moments.first[range],
                secondMoment: moments.second[range], gradients: gradients[range],
                step: decays ? step : plain)
        }
    }
}

extension FineTuner.Trainables {
    /// All parameters of a model as fp32, or fresh adapters for it.
    ///
    /// Fresh adapters change nothing: A is uniform on ±1 / √from, B is 0, as PEFT draws them (He et al. 2015 with a = √5).
    init(_ model: ModelDirectory, _ lora: LoRAConfiguration?, seed: UInt64) throws {
        let llama = model.configuration.llama
        guard let lora else {
            layout = llama.layout
            parameters = try model.parameters()
            return
        }
        layout = TensorLayout(lora.tensors(llama))
        parameters = FloatView(zeros: layout.count)
        for (index, entry) in layout.entries.enumerated() where index.isMultiple(of: 2) {
            LlamaLoRA.fillFresh(
                parameters[entry.range], inputs: entry.shape[1], seed: seed, index: index)
        }
    }
}

extension FineTuningConfiguration {
    /// As the tuner takes them.
    var tunerOptions: FineTuner.Options {
        FineTuner.Options(
            lora: training.lora?.configuration, microBatchSize: training.microBatchSize,
            decaysAll: training.decays == "all", recomputes: recording.recomputes,
            precision: training.precision, seed: seed)
    }
}
