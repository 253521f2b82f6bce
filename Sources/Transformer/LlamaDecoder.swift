import Kernels
import TensorStorage

/// A Llama model: embedding, L layers `m = x + o(attention(RMSNorm x))`, `y = m + down(SwiGLU(RMSNorm m))`, a last
/// normalisation and a head over the vocabulary.
///
/// A value without state: weights, gradients and activations are handed in.
///
/// Source: Touvron et al. 2023, section 2.2.
public struct LlamaDecoder: Sendable {
    /// Sizes and options.
    public let configuration: LlamaConfiguration

    /// - Parameter configuration: sizes and options.
    public init(_ configuration: LlamaConfiguration) { self.configuration = configuration }

    /// `workspace.finalOutput: [R, C]` from tokens that lie one sequence after another.
    ///
    /// - Parameters:
    ///   - weights: the parameters.
    ///   - adapters: what is added to them; nil for nothing.
    ///   - dropout: what is left out of the adapters' inputs; nil for nothing.
    ///   - workspace: memory for at least R rows.
    ///   - tokens: `[R]`, each below V.
    ///   - sequences: the rows of each sequence, in order and without gaps. A row sees the rows of its own sequence up to
    ///     itself, and its position is its place there.
    ///   - isExact: whether products are fp32 whatever the workspace's precision; then no backward pass may follow.
    public func forward(
        weights: LlamaWeights, adapters: LlamaLoRA? = nil, dropout: LoRADropout? = nil,
        workspace: LlamaWorkspace, tokens: IndexView, sequences: [Range<Int>],
        isExact: Bool = false
    ) {
        var end = 0
        for rows in sequences {
            precondition(rows.lowerBound == end && !rows.isEmpty, "the sequences leave a gap")
            precondition(rows.count <= workspace.longest, "a sequence of \(rows.count) rows")
            workspace.positions[rows].copy(from: workspace.ascending[0..<rows.count])
            end = rows.upperBound
        }
        precondition(
            end == tokens.count, "the sequences have \(end) rows, the tokens \(tokens.count)")
        embed(weights: weights, workspace: workspace, tokens: tokens)
        let rows = tokens.count
        for layer in 0..<configuration.layerCount {
            let saved = workspace.layer(layer)
            var pass = pass(layer, workspace, rows: rows, adapters: adapters, dropout: dropout)
            pass.isExact = isExact
            pass.forward(
                weights: weights.layers[layer], keys: saved.keys, values: saved.values,
                segments: segments(sequences, saved))
        }
        finish(weights: weights, workspace: workspace, rows: rows)
    }

    /// Reads `tokens` after what `cache` holds; leaves `workspace.finalOutput: [tokens, C]`.
    ///
    /// - Parameters:
    ///   - cache: has room for them; holds them afterwards.
    ///   - weights: the parameters.
    ///   - adapters: what is added to them; nil for nothing.
    ///   - workspace: memory for them, made for sequences of the cache's capacity.
    ///   - tokens: `[S]`, each below V.
    public func extend(
        _ cache: LlamaCache, weights: LlamaWeights, adapters: LlamaLoRA? = nil,
        workspace: LlamaWorkspace, tokens: IndexView
    ) {
        let rows = tokens.count
        let before = cache.count
        let after = before + rows
        precondition(after <= cache.capacity && after <= workspace.longest, "the cache is full")
        workspace.positions[0..<rows].copy(from: workspace.ascending[before..<after])
        embed(weights: weights, workspace: workspace, tokens: tokens)
        let width = configuration.keyValueWidth
        let place = before * width..<after * width
        for layer in 0..<configuration.layerCount {
            let (keys, values) = (cache.keys[layer], cache.values[layer])
            pass(layer, workspace, rows: rows, adapters: adapters).forward(
                weights: weights.layers[layer], keys: keys[place], values: values[place],
                segments: [
                    AttentionSegment(
                        queries: 0..<rows, keys: keys, values: values, keyRows: 0..<after)
                ])
        }
        finish(weights: weights, workspace: workspace, rows: rows)
        cache.count = after
    }

    /// The logits of some rows of the last pass.
    ///
    /// - Parameters:
    ///   - logits: `[rows, V]`, overwritten.
    ///   - weights: the parameters.
    ///   - workspace: that of the pass.
    ///   - rows: which rows.
    public func logits(
        _ logits: FloatView, weights: LlamaWeights, workspace: LlamaWorkspace, rows: Range<Int>
    ) {
        let C = configuration.hiddenSize
        workspace.team.linear(
            workspace.finalOutput[rows.lowerBound * C..<rows.upperBound * C],
            [LinearTask(output: logits, map: LlamaLinear(weight: weights.head, bias: nil))],
            rows: rows.count)
    }

    /// Each sequence sees itself.
    func segments(_ sequences: [Range<Int>], _ saved: LlamaActivations) -> [AttentionSegment] {
        sequences.map {
            AttentionSegment(queries: $0, keys: saved.keys, values: saved.values, keyRows: $0)
        }
    }

    func pass(
        _ layer: Int, _ workspace: LlamaWorkspace, rows: Int, adapters: LlamaLoRA? = nil,
        dropout: LoRADropout? = nil
    ) -> LlamaPass {
        LlamaPass(
            configuration: configuration, team: workspace.team, table: workspace.table, rows: rows,
            positions: workspace.positions[0..<rows], ascending: workspace.ascending,
            input: workspace.residual(layer), output: workspace.residual(layer + 1),
            saved: workspace.layer(layer),
            lora: adapters.map { workspace.lora(layer, $0, dropout) })
    }

    private func embed(weights: LlamaWeights, workspace: LlamaWorkspace, tokens: IndexView) {
        precondition(
            tokens.count > 0 && tokens.count <= workspace.rowCapacity,
            "the workspace holds \(workspace.rowCapacity) rows, not \(tokens.count)")
        let C = configuration.hiddenSize
        let residual = workspace.residual(0)
        for row in 0..<tokens.count {
            weights.embedding.copyRow(Int(tokens[row]), into: residual[row * C..<(row + 1) * C])
        }
    }

    private func finish(weights: LlamaWeights, workspace: LlamaWorkspace, rows: Int) {
        let C = configuration.hiddenSize
        let input = workspace.residual(configuration.layerCount)
        workspace.team.overRows(rows, cost: 4 * C) { range in
            let numbers = range.lowerBound * C..<range.upperBound * C
            rmsNormForward(
                output: workspace.finalOutput[numbers], scale: workspace.finalScale[range],
                input: input[numbers], weight: weights.finalNorm, rows: range.count,
                epsilon: configuration.rmsNormEpsilon)
        }
    }
}

/// The rows of one sequence that ask, and the rows of keys and values that answer.
struct AttentionSegment: Sendable {
    let queries: Range<Int>
    let keys: FloatView
    let values: FloatView
    /// Rows of `keys` and `values`; the queries stand at the last of them.
    let keyRows: Range<Int>
}
