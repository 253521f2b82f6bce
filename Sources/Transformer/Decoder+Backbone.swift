import Kernels

/// The backbone: L blocks on the residual stream, then the final normalisation.
extension Decoder {
    /// `workspace.finalOutput: [R, C]` from the residual stream `workspace.residual(0): [R, C]`.
    func backboneForward(weights: DecoderWeights, workspace: DecoderWorkspace, shape: BatchShape) {
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
            bias: weights.finalNorm.bias, rows: shape.rows,
            width: configuration.embeddingDimension,
            epsilon: configuration.normalizationEpsilon)
    }

    /// Turns the gradient of `finalOutput`, in `scratch.normed: [R, C]`, into that of the residual stream at the bottom, in
    /// `scratch.residual: [R, C]`, and adds the backbone's parameter gradients.
    func backboneBackward(
        weights: DecoderWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape
    ) {
        let C = configuration.embeddingDimension
        let scratch = workspace.scratch
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
    }
}
