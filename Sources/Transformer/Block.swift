import Kernels

/// One pre-LN block: `m = x + proj(attention(LN₁ x))`, `y = m + contract(GELU(expand(LN₂ m)))`.
///
/// Source: Radford et al. 2019, section 2.3 (layer normalisation moved to the input of each part).
struct Block {
    let configuration: DecoderConfiguration
    let shape: BatchShape

    private var width: Int { configuration.embeddingDimension }
    private var hidden: Int { configuration.hiddenDimension }
    private var rows: Int { shape.rows }

    private var attentionShape: AttentionShape {
        AttentionShape(
            examples: shape.examples, length: shape.length, headCount: configuration.headCount,
            headSize: configuration.headSize)
    }

    /// `output: [R, C]` from `input: [R, C]`; keeps what the backward pass needs in `saved`.
    func forward(
        output: FloatView, input: FloatView, weights: BlockWeights, saved: BlockActivations,
        attention: AttentionScratch
    ) {
        layerNormForward(
            output: saved.attentionInput, mean: saved.attentionNormMean,
            reciprocalDeviation: saved.attentionNormScale, input: input,
            weight: weights.attentionNorm.weight, bias: weights.attentionNorm.bias, rows: rows,
            width: width, epsilon: configuration.normalizationEpsilon)
        linearForward(
            output: saved.queriesKeysValues, input: saved.attentionInput,
            weights: weights.queriesKeysValues, rows: rows, from: width, to: 3 * width)
        causalAttentionForward(
            output: saved.attentionOutput, logNormalizer: saved.logNormalizer,
            queriesKeysValues: saved.queriesKeysValues, shape: attentionShape, scratch: attention)
        residualLinearForward(
            output: saved.middle, residual: input, input: saved.attentionOutput,
            weights: weights.attentionProjection, rows: rows, from: width, to: width)

        layerNormForward(
            output: saved.feedForwardInput, mean: saved.feedForwardNormMean,
            reciprocalDeviation: saved.feedForwardNormScale, input: saved.middle,
            weight: weights.feedForwardNorm.weight, bias: weights.feedForwardNorm.bias,
            rows: rows, width: width, epsilon: configuration.normalizationEpsilon)
        linearForward(
            output: saved.preActivation, input: saved.feedForwardInput,
            weights: weights.expansion, rows: rows, from: width, to: hidden)
        geluForward(
            output: saved.activation, input: saved.preActivation, count: rows * hidden)
        residualLinearForward(
            output: output, residual: saved.middle, input: saved.activation,
            weights: weights.contraction, rows: rows, from: hidden, to: width)
    }

    /// Turns the gradient of the block's output, held in `scratch.residual: [R, C]`, into that of its input, in place,
    /// and adds the block's parameter gradients.
    func backward(
        input: FloatView, weights: BlockWeights, gradients: BlockWeights, saved: BlockActivations,
        scratch: GradientScratch, attention: AttentionScratch
    ) {
        linearBackward(
            dInput: scratch.hidden, gradients: gradients.contraction, dOutput: scratch.residual,
            input: saved.activation, weights: weights.contraction, rows: rows, from: hidden,
            to: width)
        geluBackward(
            dInput: scratch.hidden, dOutput: scratch.hidden, input: saved.preActivation,
            count: rows * hidden)
        linearBackward(
            dInput: scratch.normed, gradients: gradients.expansion, dOutput: scratch.hidden,
            input: saved.feedForwardInput, weights: weights.expansion, rows: rows, from: width,
            to: hidden)
        layerNormBackward(
            dInput: scratch.residual, dWeight: gradients.feedForwardNorm.weight,
            dBias: gradients.feedForwardNorm.bias, dOutput: scratch.normed, input: saved.middle,
            mean: saved.feedForwardNormMean, reciprocalDeviation: saved.feedForwardNormScale,
            weight: weights.feedForwardNorm.weight, rows: rows, width: width)

        linearBackward(
            dInput: scratch.normed, gradients: gradients.attentionProjection,
            dOutput: scratch.residual, input: saved.attentionOutput,
            weights: weights.attentionProjection, rows: rows, from: width, to: width)
        causalAttentionBackward(
            dQueriesKeysValues: scratch.queriesKeysValues, dOutput: scratch.normed,
            output: saved.attentionOutput, logNormalizer: saved.logNormalizer,
            queriesKeysValues: saved.queriesKeysValues, shape: attentionShape, scratch: attention)
        linearBackward(
            dInput: scratch.normed, gradients: gradients.queriesKeysValues,
            dOutput: scratch.queriesKeysValues, input: saved.attentionInput,
            weights: weights.queriesKeysValues, rows: rows, from: width, to: 3 * width)
        layerNormBackward(
            dInput: scratch.residual, dWeight: gradients.attentionNorm.weight,
            dBias: gradients.attentionNorm.bias, dOutput: scratch.normed, input: input,
            mean: saved.attentionNormMean, reciprocalDeviation: saved.attentionNormScale,
            weight: weights.attentionNorm.weight, rows: rows, width: width)
    }
}
