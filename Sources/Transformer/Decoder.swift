import Kernels
import TensorStorage

/// A decoder on continuous tokens: a front (read-in and learned positions), the backbone (L pre-LN blocks and the final
/// normalisation) and a head (read-out).
///
/// Front and head are files of their own, because they are what differs between numbers and text: the backbone takes a
/// residual stream [R, C] and gives a normalised one.
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

    /// `parameters` in the form that the passes read.
    ///
    /// - Parameters:
    ///   - parameters: packed as they are now; after each change they are packed again.
    ///   - forTraining: whether the backward pass will run.
    public func packed(_ parameters: DecoderWeights, forTraining: Bool) -> PackedWeights {
        let matrices = PackedMatrices(configuration, forTraining: forTraining)
        for part in 0..<matrices.partCount { matrices.pack(part: part, of: parameters) }
        return PackedWeights(parameters: parameters, matrices: matrices)
    }

    /// `workspace.predictions: [B, T]` from `workspace.inputs: [B, T, d]` and `workspace.positionStarts: [B]`.
    ///
    /// - Parameters:
    ///   - weights: the parameters, packed.
    ///   - workspace: memory that holds at least `shape.rows` rows.
    ///   - shape: B and T.
    ///   - positions: where predictions are asked for; they are 0 elsewhere.
    public func forward(
        weights: PackedWeights, workspace: DecoderWorkspace, shape: BatchShape,
        predicting positions: PredictedPositions = .all
    ) {
        precondition(
            shape.rows <= workspace.rowCapacity,
            "the workspace holds \(workspace.rowCapacity) rows, not \(shape.rows)")
        workspace.choosePositions(positions, shape: shape)
        readInForward(weights: weights, workspace: workspace, shape: shape)
        backboneForward(weights: weights, workspace: workspace, shape: shape)
        readOutForward(weights: weights.parameters, workspace: workspace, shape: shape)
    }

    /// Adds to `gradients` what `workspace.dPredictions: [B, T]` implies, after a forward pass on the same workspace.
    ///
    /// - Parameters:
    ///   - weights: the parameters of the forward pass, packed for training.
    ///   - gradients: parameter gradients, added to.
    ///   - workspace: memory made for training.
    ///   - shape: B and T of the forward pass.
    ///   - inputGradients: whether `workspace.dInputs: [B, T, d]` is computed too.
    ///   - keys: with ``AttentionKeys/own`` each prediction's gradient stays at its own position: `dInputs` at t is
    ///     ∂p_t/∂token_t, for all predictions from one pass, and parameter gradients mean nothing.
    public func backward(
        weights: PackedWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape, inputGradients: Bool = false, keys: AttentionKeys = .all
    ) {
        precondition(workspace.forTraining, "this workspace was made for the forward pass")
        readOutBackward(
            weights: weights.parameters, gradients: gradients, workspace: workspace, shape: shape)
        backboneBackward(
            weights: weights, gradients: gradients, workspace: workspace, shape: shape, keys: keys)
        readInBackward(
            weights: weights, gradients: gradients, workspace: workspace, shape: shape,
            inputGradients: inputGradients)
    }
}
