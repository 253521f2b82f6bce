import Kernels

/// Sizes of one call: B sequences of T positions.
public struct BatchShape: Sendable, Equatable {
    /// B.
    public let examples: Int
    /// T.
    public let length: Int

    /// - Parameters:
    ///   - examples: B.
    ///   - length: T.
    public init(examples: Int, length: Int) {
        self.examples = examples
        self.length = length
    }

    /// R = B·T.
    public var rows: Int { examples * length }
}

/// Which positions of a sequence get a prediction.
public enum PredictedPositions: Sendable {
    /// Every one.
    case all
    /// Those that carry loss in any sequence of the shard; the last block leaves the others out.
    case carryingLoss
}

/// What one block keeps from its forward pass for its backward pass.
struct BlockActivations: Sendable {
    let attentionNormMean: FloatView
    let attentionNormScale: FloatView
    let attentionInput: FloatView
    let queriesKeysValues: FloatView
    let logNormalizer: FloatView
    let attentionOutput: FloatView
    let middle: FloatView
    let feedForwardNormMean: FloatView
    let feedForwardNormScale: FloatView
    let feedForwardInput: FloatView
    let activation: FloatView
    /// GELU′ at the arguments of `activation`; nil without a backward pass.
    let activationSlope: FloatView?

    init(_ configuration: DecoderConfiguration, rows: Int, forTraining: Bool) {
        let C = configuration.embeddingDimension
        attentionNormMean = FloatView(zeros: rows)
        attentionNormScale = FloatView(zeros: rows)
        attentionInput = FloatView(zeros: rows * C)
        queriesKeysValues = FloatView(zeros: rows * 3 * C)
        logNormalizer = FloatView(zeros: rows * configuration.headCount)
        attentionOutput = FloatView(zeros: rows * C)
        middle = FloatView(zeros: rows * C)
        feedForwardNormMean = FloatView(zeros: rows)
        feedForwardNormScale = FloatView(zeros: rows)
        feedForwardInput = FloatView(zeros: rows * C)
        activation = FloatView(zeros: rows * configuration.hiddenDimension)
        activationSlope =
            forTraining ? FloatView(zeros: rows * configuration.hiddenDimension) : nil
    }
}

/// Gradients on the way down; one set serves all blocks.
struct GradientScratch: Sendable {
    let residual: FloatView
    let normed: FloatView
    let queriesKeysValues: FloatView
    let hidden: FloatView

    init(_ configuration: DecoderConfiguration, rows: Int) {
        let C = configuration.embeddingDimension
        residual = FloatView(zeros: rows * C)
        normed = FloatView(zeros: rows * C)
        queriesKeysValues = FloatView(zeros: rows * 3 * C)
        hidden = FloatView(zeros: rows * configuration.hiddenDimension)
    }
}

/// One worker's memory for a shard: inputs, activations and gradients, sized once and used for every step.
public final class DecoderWorkspace: Sendable {
    /// The worker this memory belongs to, 0 for the calling thread.
    public let worker: Int
    /// Largest number of rows R = B·T it takes.
    public let rowCapacity: Int
    /// Whether the backward pass can run.
    public let forTraining: Bool
    /// `[B, T, d]`: the tokens.
    public let inputs: FloatView
    /// `[B]`: the first position of each sequence; 0 unless the caller says otherwise.
    public let positionStarts: IndexView
    /// `[B, T]`: what the predictions should be, where ``lossWeights`` is not 0.
    public let targets: FloatView
    /// `[B, T]`: weight of each position's squared error; holds the mean's divisor.
    public let lossWeights: FloatView
    /// `[B, T]`: the decoder's outputs.
    public let predictions: FloatView
    /// `[B, T]`: gradient of the loss with respect to the predictions.
    public let dPredictions: FloatView
    /// `[B, T, d]`: gradient with respect to the tokens.
    public let dInputs: FloatView

    /// `[B·S]`: predictions, then their gradients, at the positions that are asked for.
    let chosenPredictions: FloatView
    /// 0, 1, …, T − 1.
    let allPositions: IndexView
    private let chosenPositions: IndexView
    /// `[1]`: how many of `chosenPositions` are in use.
    private let chosenCount: IndexView
    let residuals: [FloatView]
    let blocks: [BlockActivations]
    let finalMean: FloatView
    let finalScale: FloatView
    let finalOutput: FloatView
    let scratch: GradientScratch
    let attention: AttentionScratch
    /// For the blocks' products.
    let products: ProductScratch
    /// For the products of the front, which are fp32.
    let frontProducts: ProductScratch

    /// - Parameters:
    ///   - configuration: the decoder's sizes.
    ///   - largest: the largest batch: `examples · length` rows are held, and sequences up to `length`.
    ///   - precision: what the operands of the blocks' products are rounded to.
    ///   - forTraining: whether activations of all blocks are kept for a backward pass.
    ///   - worker: the worker it belongs to.
    public init(
        _ configuration: DecoderConfiguration, largest: BatchShape,
        precision: ProductPrecision = .fp32, forTraining: Bool, worker: Int = 0
    ) {
        self.worker = worker
        let rows = largest.rows
        let C = configuration.embeddingDimension
        let gradientRows = forTraining ? rows : 0
        rowCapacity = rows
        self.forTraining = forTraining
        inputs = FloatView(zeros: rows * configuration.inputDimension)
        positionStarts = IndexView(zeros: largest.rows)
        targets = FloatView(zeros: rows)
        lossWeights = FloatView(zeros: rows)
        predictions = FloatView(zeros: rows)
        dPredictions = FloatView(zeros: rows)
        dInputs = FloatView(zeros: gradientRows * configuration.inputDimension)
        chosenPredictions = FloatView(zeros: rows)
        allPositions = IndexView((0..<Int32(rows)).map(\.self))
        chosenPositions = IndexView(zeros: rows)
        chosenCount = IndexView(zeros: 1)
        // Without a backward pass two residual streams and one block's activations take turns.
        let streams = forTraining ? configuration.layerCount + 1 : 2
        residuals = (0..<streams).map { _ in FloatView(zeros: rows * C) }
        blocks = (0..<(forTraining ? configuration.layerCount : 1)).map { _ in
            BlockActivations(configuration, rows: rows, forTraining: forTraining)
        }
        finalMean = FloatView(zeros: rows)
        finalScale = FloatView(zeros: rows)
        finalOutput = FloatView(zeros: rows * C)
        scratch = GradientScratch(configuration, rows: gradientRows)
        products = ProductScratch(
            precision: precision, rows: rows,
            largestWidth: max(3 * C, configuration.hiddenDimension), forTraining: forTraining)
        frontProducts = ProductScratch(
            rows: rows, largestWidth: max(configuration.inputDimension, C),
            forTraining: forTraining)
        attention = AttentionScratch(
            longest: AttentionShape(
                examples: 1, length: largest.length, headCount: configuration.headCount,
                headSize: configuration.headSize),
            forTraining: forTraining)
    }

    /// `[S]`: the positions of the last ``choosePositions(_:shape:)``.
    var predictedPositions: IndexView { chosenPositions[0..<Int(chosenCount[0])] }

    /// B·S.
    func predictedRows(_ shape: BatchShape) -> Int { shape.examples * Int(chosenCount[0]) }

    /// Settles which positions the last block goes on with.
    func choosePositions(_ positions: PredictedPositions, shape: BatchShape) {
        var count = 0
        for position in 0..<shape.length
        where positions == .all || carriesLoss(position, shape: shape) {
            chosenPositions[count] = Int32(position)
            count += 1
        }
        chosenCount[0] = Int32(count)
    }

    private func carriesLoss(_ position: Int, shape: BatchShape) -> Bool {
        for example in 0..<shape.examples
        where lossWeights[example * shape.length + position] != 0 {
            return true
        }
        return false
    }

    /// The residual stream before block `layer`, or after the last one at `layer` = L: `[B·T, C]`, at L `[B·S, C]` of the
    /// positions predicted. All of them are kept in a workspace made for training; in another two take turns.
    public func residual(_ layer: Int) -> FloatView { residuals[layer % residuals.count] }

    func block(_ layer: Int) -> BlockActivations { blocks[layer % blocks.count] }
}
