import Kernels

/// One pre-LN block: `m = x + proj(attention(LN₁ x))`, `y = m + contract(GELU(expand(LN₂ m)))`.
///
/// What comes after the keys and values is computed for some positions of each sequence, S of its T: in the last block
/// nothing else is read. Without such a choice S = T.
///
/// Source: Radford et al. 2019, section 2.3 (layer normalisation moved to the input of each part).
struct Block {
    let configuration: DecoderConfiguration
    let shape: BatchShape
    /// `[S]`, ascending: the positions that `y` is computed at.
    let positions: IndexView

    private var width: Int { configuration.embeddingDimension }
    /// R = B·T.
    private var rows: Int { shape.rows }
    /// B·S.
    private var outputRows: Int { shape.examples * positions.count }
    private var isWhole: Bool { positions.count == shape.length }

    private var attentionShape: AttentionShape {
        AttentionShape(
            examples: shape.examples, length: shape.length, headCount: configuration.headCount,
            headSize: configuration.headSize, queryCount: positions.count)
    }

    /// `output: [B·S, C]` from `input: [R, C]`; keeps what the backward pass needs in `saved`.
    func forward(
        output: FloatView, input: FloatView, weights: BlockWeights, packed: PackedBlock,
        saved: BlockActivations, attention: AttentionScratch, products: ProductScratch
    ) {
        layerNormForward(
            output: saved.attentionInput, mean: saved.attentionNormMean,
            reciprocalDeviation: saved.attentionNormScale, input: input,
            weight: weights.attentionNorm.weight, bias: weights.attentionNorm.bias, rows: rows,
            width: width, epsilon: configuration.normalizationEpsilon)
        linearForward(
            output: saved.queriesKeysValues, input: saved.attentionInput,
            weight: packed.queriesKeysValues.weight, bias: weights.queriesKeysValues.bias,
            rows: rows, scratch: products)
        causalAttentionForward(
            output: saved.attentionOutput, logNormalizer: saved.logNormalizer,
            queriesKeysValues: saved.queriesKeysValues, positions: positions,
            shape: attentionShape, scratch: attention)
        if !isWhole {
            // `output` is free until the last line.
            gatherRows(
                output: output, input: input, positions: positions, examples: shape.examples,
                length: shape.length, width: width)
        }
        linearResidualForward(
            output: saved.middle, residual: isWhole ? input : output,
            input: saved.attentionOutput, weight: packed.attentionProjection.weight,
            bias: weights.attentionProjection.bias, rows: outputRows, scratch: products)

        layerNormForward(
            output: saved.feedForwardInput, mean: saved.feedForwardNormMean,
            reciprocalDeviation: saved.feedForwardNormScale, input: saved.middle,
            weight: weights.feedForwardNorm.weight, bias: weights.feedForwardNorm.bias,
            rows: outputRows, width: width, epsilon: configuration.normalizationEpsilon)
        linearGELUForward(
            output: saved.activation, slope: saved.activationSlope, input: saved.feedForwardInput,
            weight: packed.expansion.weight, bias: weights.expansion.bias, rows: outputRows,
            scratch: products)
        linearResidualForward(
            output: output, residual: saved.middle, input: saved.activation,
            weight: packed.contraction.weight, bias: weights.contraction.bias, rows: outputRows,
            scratch: products)
    }

    /// Turns the gradient of the block's output, held in `scratch.residual: [B·S, C]`, into that of its input, in
    /// `scratch.residual: [R, C]`, and adds the block's parameter gradients.
    func backward(
        input: FloatView, weights: BlockWeights, packed: PackedBlock, gradients: BlockWeights,
        saved: BlockActivations, keys: AttentionKeys, scratch: GradientScratch,
        attention: AttentionScratch, products: ProductScratch
    ) {
        linearBackward(
            dInput: scratch.hidden, slope: saved.activationSlope, gradients: gradients.contraction,
            dOutput: scratch.residual, input: saved.activation, packed: packed.contraction,
            rows: outputRows, scratch: products)
        linearBackward(
            dInput: scratch.normed, gradients: gradients.expansion, dOutput: scratch.hidden,
            input: saved.feedForwardInput, packed: packed.expansion, rows: outputRows,
            scratch: products)
        layerNormBackward(
            dInput: scratch.residual, dWeight: gradients.feedForwardNorm.weight,
            dBias: gradients.feedForwardNorm.bias, dOutput: scratch.normed, input: saved.middle,
            mean: saved.feedForwardNormMean, reciprocalDeviation: saved.feedForwardNormScale,
            weight: weights.feedForwardNorm.weight, rows: outputRows, width: width)

        linearBackward(
            dInput: scratch.normed, gradients: gradients.attentionProjection,
            dOutput: scratch.residual, input: saved.attentionOutput,
            packed: packed.attentionProjection, rows: outputRows, scratch: products)
        causalAttentionBackward(
            dQueriesKeysValues: scratch.queriesKeysValues, dOutput: scratch.normed,
            output: saved.attentionOutput, logNormalizer: saved.logNormalizer,
            queriesKeysValues: saved.queriesKeysValues, positions: positions,
            shape: attentionShape, keys: keys, scratch: attention)
        linearBackward(
            dInput: scratch.normed, gradients: gradients.queriesKeysValues,
            dOutput: scratch.queriesKeysValues, input: saved.attentionInput,
            packed: packed.queriesKeysValues, rows: rows, scratch: products)
        if !isWhole {
            let count = outputRows * width
            scratch.hidden[0..<count].copy(from: scratch.residual[0..<count])
            scatterRows(
                output: scratch.residual, input: scratch.hidden, positions: positions,
                examples: shape.examples, length: shape.length, width: width)
        }
        layerNormBackward(
            dInput: scratch.residual, dWeight: gradients.attentionNorm.weight,
            dBias: gradients.attentionNorm.bias, dOutput: scratch.normed, input: input,
            mean: saved.attentionNormMean, reciprocalDeviation: saved.attentionNormScale,
            weight: weights.attentionNorm.weight, rows: rows, width: width)
    }

    private func linearBackward(
        dInput: FloatView, slope: FloatView? = nil, gradients: WeightAndBias, dOutput: FloatView,
        input: FloatView, packed: PackedLinear, rows: Int, scratch: ProductScratch
    ) {
        addWeightGradient(
            dWeight: gradients.weight, dBias: gradients.bias, input: input, dOutput: dOutput,
            rows: rows, from: packed.weight.inner, to: packed.weight.columns,
            scratch: scratch)
        linearInputGradient(
            dInput: dInput, slope: slope, dOutput: dOutput, transposedWeight: packed.transposed,
            rows: rows, scratch: scratch)
    }
}
