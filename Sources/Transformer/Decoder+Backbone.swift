import Kernels

/// The backbone: L blocks on the residual stream, then the final normalisation.
///
/// The last block gives its output at S of the T positions of each sequence, those whose predictions are asked for;
/// everything behind it has B·S rows.
extension Decoder {
    private func block(_ layer: Int, _ workspace: DecoderWorkspace, _ shape: BatchShape) -> Block {
        let isLast = layer == configuration.layerCount - 1
        return Block(
            configuration: configuration, shape: shape,
            positions: isLast
                ? workspace.predictedPositions : workspace.allPositions[0..<shape.length])
    }

    /// `workspace.finalOutput: [B·S, C]` from the residual stream `workspace.residual(0): [R, C]`.
    func backboneForward(weights: PackedWeights, workspace: DecoderWorkspace, shape: BatchShape) {
        let parameters = weights.parameters
        for layer in 0..<configuration.layerCount {
            block(layer, workspace, shape).forward(
                output: workspace.residual(layer + 1), input: workspace.residual(layer),
                weights: parameters.blocks[layer], packed: weights.matrices.blocks[layer],
                saved: workspace.block(layer), attention: workspace.attention,
                products: workspace.products)
        }
        layerNormForward(
            output: workspace.finalOutput, mean: workspace.finalMean,
            reciprocalDeviation: workspace.finalScale,
            input: workspace.residual(configuration.layerCount),
            weight: parameters.finalNorm.weight, bias: parameters.finalNorm.bias,
            rows: workspace.predictedRows(shape), width: configuration.embeddingDimension,
            epsilon: configuration.normalizationEpsilon)
    }

    /// Turns the gradient of `finalOutput`, in `scratch.normed: [B·S, C]`, into that of the residual stream at the
    /// bottom, in `scratch.residual: [R, C]`, and adds the backbone's parameter gradients.
    func backboneBackward(
        weights: PackedWeights, gradients: DecoderWeights, workspace: DecoderWorkspace,
        shape: BatchShape, keys: AttentionKeys
    ) {
        let parameters = weights.parameters
        let C = configuration.embeddingDimension
        let scratch = workspace.scratch
        let rows = workspace.predictedRows(shape)
        scratch.residual[0..<rows * C].fill(0)
        layerNormBackward(
            dInput: scratch.residual, dWeight: gradients.finalNorm.weight,
            dBias: gradients.finalNorm.bias, dOutput: scratch.normed,
            input: workspace.residual(configuration.layerCount), mean: workspace.finalMean,
            reciprocalDeviation: workspace.finalScale, weight: parameters.finalNorm.weight,
            rows: rows, width: C)
        for layer in (0..<configuration.layerCount).reversed() {
            block(layer, workspace, shape).backward(
                input: workspace.residual(layer), weights: parameters.blocks[layer],
                packed: weights.matrices.blocks[layer], gradients: gradients.blocks[layer],
                saved: workspace.block(layer), keys: keys, scratch: scratch,
                attention: workspace.attention, products: workspace.products)
        }
    }
}
