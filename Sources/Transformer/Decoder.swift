import Kernels
import TensorStorage

/// A decoder on continuous tokens: read-in, learned positions, L pre-LN blocks, final normalisation, read-out.
///
/// A value without state: parameters, gradients and activations are handed in, so one decoder serves every worker.
///
/// Source: Garg et al. 2022, section 2 and appendix A.1 (GPT-2 backbone, Radford et al. 2019).
public struct Decoder: Sendable {
    /// The sizes.
    public let configuration: DecoderConfiguration
    /// Names, shapes and places of the tensors in a flat buffer.
    public let layout: TensorLayout

    /// - Parameter configuration: the sizes.
    public init(_ configuration: DecoderConfiguration) {
        self.configuration = configuration
        layout = configuration.layout
    }

    /// The tensors of this decoder as views into `flat`, a buffer of `layout.count` numbers.
    public func weights(in flat: FloatView) -> DecoderWeights {
        DecoderWeights(layout: layout, flat: flat, layerCount: configuration.layerCount)
    }

    /// `workspace.predictions: [B, T]` from `workspace.inputs: [B, T, d]` and `workspace.positionStarts: [B]`.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - workspace: memory that holds at least `shape.rows` rows.
    ///   - shape: B and T.
    public func forward(weights: DecoderWeights, workspace: DecoderWorkspace, shape: BatchShape) {
        precondition(
            shape.rows <= workspace.rowCapacity,
            "the workspace holds \(workspace.rowCapacity) rows, not \(shape.rows)")
        let C = configuration.embeddingDimension
        linearForward(
            output: workspace.residual(0), input: workspace.inputs, weights: weights.readIn,
            rows: shape.rows, from: configuration.inputDimension, to: C, order: .outputByInput)
        addPositions(
            output: workspace.residual(0), table: weights.positions,
            starts: workspace.positionStarts[0..<shape.examples], length: shape.length, width: C)
        let block = Block(configuration: configuration, shape: shape)
        for layer in 0..<configuration.layerCount {
            block.forward(
                output: workspace.residual(layer + 1), input: workspace.residual(layer),
                weights: weights.blocks[layer], saved: workspace.block(layer),
                attention: workspace.attention)
        }
        layerNormForward(
            output: workspace.finalOutput, mean: workspace.finalMean,
            reciprocalDeviation: workspace.finalScale,
            input: workspace.residual(configuration.layerCount), weight: weights.finalNorm.weight,
            bias: weights.finalNorm.bias, rows: shape.rows, width: C,
            epsilon: configuration.normalizationEpsilon)
        linearForward(
            output: workspace.predictions, input: workspace.finalOutput, weights: weights.readOut,
            rows: shape.rows, from: C, to: 1, order: .outputByInput)
    }

    /// Adds to `gradients` what `workspace.dPredictions: [B, T]` implies, after a forward pass on the same workspace.
    ///
    /// - Parameters:
    ///   - weights: the parameters of the forward pass.
    ///   - gradients: parameter gradients, added to.
    ///   - workspace: memory made for training.
    ///   - shape: B and T of the forward pass.
    ///   - inputGradients: whether `workspace.dInputs: [B, T, d]` is computed too.
    public func backward(
        weights: DecoderWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape, inputGradients: Bool = false
    ) {
        precondition(workspace.forTraining, "this workspace was made for the forward pass")
        let C = configuration.embeddingDimension
        let scratch = workspace.scratch
        linearBackward(
            dInput: scratch.normed, gradients: gradients.readOut, dOutput: workspace.dPredictions,
            input: workspace.finalOutput, weights: weights.readOut, rows: shape.rows, from: C,
            to: 1, order: .outputByInput)
        scratch.residual[0..<shape.rows * C].fill(0)
        layerNormBackward(
            dInput: scratch.residual, dWeight: gradients.finalNorm.weight,
            dBias: gradients.finalNorm.bias, dOutput: scratch.normed,
            input: workspace.residual(configuration.layerCount), mean: workspace.finalMean,
            reciprocalDeviation: workspace.finalScale, weight: weights.finalNorm.weight,
            rows: shape.rows, width: C)
        let block = Block(configuration: configuration, shape: shape)
        for layer in (0..<configuration.layerCount).reversed() {
            block.backward(
                input: workspace.residual(layer), weights: weights.blocks[layer],
                gradients: gradients.blocks[layer], saved: workspace.block(layer),
                scratch: scratch, attention: workspace.attention)
        }
        addPositionsBackward(
            dTable: gradients.positions, dOutput: scratch.residual,
            starts: workspace.positionStarts[0..<shape.examples], length: shape.length, width: C)
        linearBackward(
            dInput: inputGradients ? workspace.dInputs : nil, gradients: gradients.readIn,
            dOutput: scratch.residual, input: workspace.inputs, weights: weights.readIn,
            rows: shape.rows, from: configuration.inputDimension, to: C, order: .outputByInput)
    }
}
