import Kernels

/// The front for continuous tokens: `x · W_inᵀ + b_in + position`.
extension Decoder {
    /// The residual stream `workspace.residual(0): [R, C]` from `workspace.inputs: [B, T, d]`.
    func readInForward(weights: PackedWeights, workspace: DecoderWorkspace, shape: BatchShape) {
        linearForward(
            output: workspace.residual(0), input: workspace.inputs,
            weight: weights.matrices.readIn.weight,
            bias: weights.parameters.readIn.bias, rows: shape.rows,
            scratch: workspace.frontProducts)
        addPositions(
            output: workspace.residual(0), table: weights.parameters.positions,
            starts: workspace.positionStarts[0..<shape.examples], length: shape.length,
            width: configuration.embeddingDimension)
    }

    /// Adds the gradients of read-in and positions; `workspace.dInputs: [B, T, d]` too when asked for.
    func readInBackward(
        weights: PackedWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape, inputGradients: Bool
    ) {
        let C = configuration.embeddingDimension
        let scratch = workspace.scratch
        addPositionsBackward(
            dTable: gradients.positions, dOutput: scratch.residual,
            starts: workspace.positionStarts[0..<shape.examples], length: shape.length, width: C)
        addColumnSums(
            total: gradients.readIn.bias, input: scratch.residual, rows: shape.rows, width: C)
        // torch's Linear lies [C, d]: the factors change places.
        addWeightGradient(
            dWeight: gradients.readIn.weight, dBias: nil, input: scratch.residual,
            dOutput: workspace.inputs, rows: shape.rows, from: C,
            to: configuration.inputDimension, scratch: workspace.frontProducts)
        if inputGradients {
            linearInputGradient(
                dInput: workspace.dInputs, dOutput: scratch.residual,
                transposedWeight: weights.matrices.readIn.transposed, rows: shape.rows,
                scratch: workspace.frontProducts)
        }
    }
}

/// The head for one number a position: `h · w_out + b_out`.
extension Decoder {
    /// `workspace.predictions: [B, T]` from `workspace.finalOutput: [B·S, C]`; 0 where none was asked for.
    func readOutForward(weights: DecoderWeights, workspace: DecoderWorkspace, shape: BatchShape) {
        projectionForward(
            output: workspace.chosenPredictions, input: workspace.finalOutput,
            weight: weights.readOut.weight, bias: weights.readOut.bias,
            rows: workspace.predictedRows(shape))
        scatterRows(
            output: workspace.predictions, input: workspace.chosenPredictions,
            positions: workspace.predictedPositions, examples: shape.examples,
            length: shape.length, width: 1)
    }

    /// Adds the read-out's gradients and leaves that of `finalOutput` in `scratch.normed: [B·S, C]`.
    func readOutBackward(
        weights: DecoderWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape
    ) {
        gatherRows(
            output: workspace.chosenPredictions, input: workspace.dPredictions,
            positions: workspace.predictedPositions, examples: shape.examples,
            length: shape.length, width: 1)
        projectionBackward(
            dInput: workspace.scratch.normed, dWeight: gradients.readOut.weight,
            dBias: gradients.readOut.bias, dOutput: workspace.chosenPredictions,
            input: workspace.finalOutput, weight: weights.readOut.weight,
            rows: workspace.predictedRows(shape))
    }
}
