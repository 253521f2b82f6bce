import Kernels

/// The front for continuous tokens: `x · W_inᵀ + b_in + position`.
extension Decoder {
    /// The residual stream `workspace.residual(0): [R, C]` from `workspace.inputs: [B, T, d]`.
    func readInForward(weights: DecoderWeights, workspace: DecoderWorkspace, shape: BatchShape) {
        let C = configuration.embeddingDimension
        linearForward(
            output: workspace.residual(0), input: workspace.inputs, weights: weights.readIn,
            rows: shape.rows, from: configuration.inputDimension, to: C, order: .outputByInput)
        addPositions(
            output: workspace.residual(0), table: weights.positions,
            starts: workspace.positionStarts[0..<shape.examples], length: shape.length, width: C)
    }

    /// Adds the gradients of read-in and positions; `workspace.dInputs: [B, T, d]` too when asked for.
    func readInBackward(
        weights: DecoderWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape, inputGradients: Bool
    ) {
        let C = configuration.embeddingDimension
        addPositionsBackward(
            dTable: gradients.positions, dOutput: workspace.scratch.residual,
            starts: workspace.positionStarts[0..<shape.examples], length: shape.length, width: C)
        linearBackward(
            dInput: inputGradients ? workspace.dInputs : nil, gradients: gradients.readIn,
            dOutput: workspace.scratch.residual, input: workspace.inputs, weights: weights.readIn,
            rows: shape.rows, from: configuration.inputDimension, to: C, order: .outputByInput)
    }
}

/// The head for one number a position: `h · w_outᵀ + b_out`.
extension Decoder {
    /// `workspace.predictions: [B, T]` from `workspace.finalOutput: [R, C]`.
    func readOutForward(weights: DecoderWeights, workspace: DecoderWorkspace, shape: BatchShape) {
        linearForward(
            output: workspace.predictions, input: workspace.finalOutput, weights: weights.readOut,
            rows: shape.rows, from: configuration.embeddingDimension, to: 1,
            order: .outputByInput)
    }

    /// Adds the read-out's gradients and leaves that of `finalOutput` in `scratch.normed: [R, C]`.
    func readOutBackward(
        weights: DecoderWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape
    ) {
        linearBackward(
            dInput: workspace.scratch.normed, gradients: gradients.readOut,
            dOutput: workspace.dPredictions, input: workspace.finalOutput,
            weights: weights.readOut, rows: shape.rows, from: configuration.embeddingDimension,
            to: 1, order: .outputByInput)
    }
}
