import Kernels

/// One layer's forward and backward pass over R rows.
struct LlamaPass: Sendable {
    let configuration: LlamaConfiguration
    let team: LlamaTeam
    let table: RotaryTable
    let rows: Int
    /// `[R]`.
    let positions: IndexView
    /// 0, 1, …
    let ascending: IndexView
    /// `[R, C]`: the residual stream below and above.
    let input: FloatView
    let output: FloatView
    let saved: LlamaActivations

    private var width: Int { configuration.hiddenSize }

    /// `output` from `input`; keeps in `saved` what the backward pass needs.
    ///
    /// - Parameters:
    ///   - weights: the layer's.
    ///   - keys: `[R, G·K]`: where the rows' keys go; the segments read them there.
    ///   - values: `[R, G·K]`: where their values go.
    ///   - segments: who sees whom.
    func forward(
        weights: LlamaLayer<StoredMatrix>, keys: FloatView, values: FloatView,
        segments: [AttentionSegment]
    ) {
        normalize(
            saved.attentionInput, scale: saved.attentionScale, input: input,
            weight: weights.attentionNorm)
        team.linear(
            [
                LinearTask(output: saved.queries, input: saved.attentionInput, map: weights.query),
                LinearTask(output: keys, input: saved.attentionInput, map: weights.key),
                LinearTask(output: values, input: saved.attentionInput, map: weights.value),
            ], rows: rows)
        rotate(saved.queries, headCount: configuration.headCount)
        rotate(keys, headCount: configuration.keyValueHeadCount)
        attend(segments)
        team.linear(
            [
                LinearTask(
                    output: saved.middle, input: saved.attended, map: weights.output,
                    adding: input)
            ], rows: rows)
        normalize(
            saved.feedForwardInput, scale: saved.feedForwardScale, input: saved.middle,
            weight: weights.feedForwardNorm)
        team.linear(
            [
                LinearTask(output: saved.gate, input: saved.feedForwardInput, map: weights.gate),
                LinearTask(output: saved.up, input: saved.feedForwardInput, map: weights.up),
            ], rows: rows)
        overHidden { numbers in
            swiGLUForward(
                output: saved.hidden[numbers], gate: saved.gate[numbers], up: saved.up[numbers])
        }
        team.linear(
            [
                LinearTask(
                    output: output, input: saved.hidden, map: weights.down, adding: saved.middle)
            ], rows: rows)
    }

    /// Turns the gradient of the layer's output, in `scratch.residual: [R, C]`, into that of its input, and adds the
    /// gradients of its parameters.
    func backward(
        weights: LlamaLayer<StoredMatrix>, gradients: LlamaLayer<FloatView>,
        scratch: LlamaScratch, sequences: [Range<Int>]
    ) {
        let F = configuration.intermediateSize
        team.weightGradient(
            gradients.down, dOutput: scratch.residual, input: saved.hidden, rows: rows, from: F)
        team.inputGradient(
            scratch.up, dOutput: scratch.residual, weight: weights.down.weight, rows: rows)
        overHidden { numbers in
            swiGLUBackward(
                dGate: scratch.gate[numbers], dUp: scratch.up[numbers],
                dOutput: scratch.up[numbers], gate: saved.gate[numbers], up: saved.up[numbers])
        }
        backward(
            into: scratch.normed, input: saved.feedForwardInput,
            maps: [
                (scratch.gate, weights.gate, gradients.gate),
                (scratch.up, weights.up, gradients.up),
            ])
        normalizeBackward(
            scratch, scale: saved.feedForwardScale, input: saved.middle,
            weight: weights.feedForwardNorm, dWeight: gradients.feedForwardNorm)

        backward(
            into: scratch.attended, input: saved.attended,
            maps: [(scratch.residual, weights.output, gradients.output)])
        attendBackward(sequences, scratch)
        rotate(scratch.queries, headCount: configuration.headCount, backward: true)
        rotate(scratch.keys, headCount: configuration.keyValueHeadCount, backward: true)
        backward(
            into: scratch.normed, input: saved.attentionInput,
            maps: [
                (scratch.queries, weights.query, gradients.query),
                (scratch.keys, weights.key, gradients.key),
                (scratch.values, weights.value, gradients.value),
            ])
        normalizeBackward(
            scratch, scale: saved.attentionScale, input: input, weight: weights.attentionNorm,
            dWeight: gradients.attentionNorm)
    }

    /// The gradient of an input that went through several maps, and those of the maps.
    private func backward(
        into dInput: FloatView, input: FloatView,
        maps: [(
            dOutput: FloatView, weights: LlamaLinear<StoredMatrix>,
            gradients: LlamaLinear<FloatView>
        )]
    ) {
        for (index, map) in maps.enumerated() {
            team.weightGradient(
                map.gradients, dOutput: map.dOutput, input: input, rows: rows,
                from: map.weights.weight.columns)
            team.inputGradient(
                dInput, dOutput: map.dOutput, weight: map.weights.weight,
                adding: index > 0 ? dInput : nil, rows: rows)
        }
    }

    // MARK: Row by row

    private func normalize(
        _ output: FloatView, scale: FloatView, input: FloatView, weight: FloatView
    ) {
        team.overRows(rows, cost: 4 * width) { range in
            let numbers = range.lowerBound * width..<range.upperBound * width
            rmsNormForward(
                output: output[numbers], scale: scale[range], input: input[numbers],
                weight: weight, rows: range.count, epsilon: configuration.rmsNormEpsilon)
        }
    }

    /// Adds what comes through a normalisation, from `scratch.normed`, to `scratch.residual`.
    private func normalizeBackward(
        _ scratch: LlamaScratch, scale: FloatView, input: FloatView, weight: FloatView,
        dWeight: FloatView
    ) {
        team.normalizeBackward(
            dInput: scratch.residual, dWeight: dWeight, dOutput: scratch.normed, input: input,
            scale: scale, weight: weight, rows: rows)
    }

    private func rotate(_ view: FloatView, headCount: Int, backward: Bool = false) {
        let columns = headCount * configuration.headSize
        team.overRows(rows, cost: 8 * columns) { range in
            rotateHeads(
                rows: view[range.lowerBound * columns..<range.upperBound * columns],
                cosines: table.cosines, sines: table.sines, positions: positions[range],
                headCount: headCount, headSize: configuration.headSize, backward: backward)
        }
    }

    /// Calls `body` with ranges of the numbers of `[R, F]`.
    private func overHidden(_ body: @Sendable (Range<Int>) -> Void) {
        let F = configuration.intermediateSize
        team.overRows(rows, cost: 32 * F) { body($0.lowerBound * F..<$0.upperBound * F) }
    }

    // MARK: Attention

    private func shape(queries: Int, keys: Int) -> GroupedAttentionShape {
        GroupedAttentionShape(
            queryCount: queries, length: keys, headCount: configuration.headCount,
            keyValueHeadCount: configuration.keyValueHeadCount, headSize: configuration.headSize)
    }

    /// One part for each sequence and head of keys.
    private func overHeads(
        _ segments: Int, work: Int,
        _ body: @Sendable (_ segment: Int, _ group: Int, _ worker: Int) -> Void
    ) {
        let groups = configuration.keyValueHeadCount
        team.run(segments * groups, work: work) { part, worker in
            body(part / groups, part % groups, worker)
        }
    }

    private func attend(_ segments: [AttentionSegment]) {
        let (queryWidth, keyWidth) = (configuration.queryWidth, configuration.keyValueWidth)
        let heads = configuration.headCount
        let work = segments.reduce(0) { $0 + 2 * $1.queries.count * $1.keyRows.count * queryWidth }
        overHeads(segments.count, work: work) { index, group, worker in
            let segment = segments[index]
            let (queries, keys) = (segment.queries, segment.keyRows)
            let queryNumbers = queries.lowerBound * queryWidth..<queries.upperBound * queryWidth
            let keyNumbers = keys.lowerBound * keyWidth..<keys.upperBound * keyWidth
            groupedAttentionForward(
                output: saved.attended[queryNumbers],
                logNormalizer: saved.logNormalizer[
                    queries.lowerBound * heads..<queries.upperBound * heads],
                queries: saved.queries[queryNumbers], keys: segment.keys[keyNumbers],
                values: segment.values[keyNumbers],
                positions: ascending[keys.count - queries.count..<keys.count],
                shape: shape(queries: queries.count, keys: keys.count), group: group,
                scratch: team.attention[worker])
        }
    }

    private func attendBackward(_ sequences: [Range<Int>], _ scratch: LlamaScratch) {
        let (queryWidth, keyWidth) = (configuration.queryWidth, configuration.keyValueWidth)
        let heads = configuration.headCount
        let work = sequences.reduce(0) { $0 + 5 * $1.count * $1.count * queryWidth }
        overHeads(sequences.count, work: work) { index, group, worker in
            let rows = sequences[index]
            let queries = rows.lowerBound * queryWidth..<rows.upperBound * queryWidth
            let keys = rows.lowerBound * keyWidth..<rows.upperBound * keyWidth
            groupedAttentionBackward(
                dQueries: scratch.queries[queries], dKeys: scratch.keys[keys],
                dValues: scratch.values[keys], dOutput: scratch.attended[queries],
                output: saved.attended[queries],
                logNormalizer: saved.logNormalizer[
                    rows.lowerBound * heads..<rows.upperBound * heads],
                queries: saved.queries[queries], keys: saved.keys[keys],
                values: saved.values[keys], positions: ascending[0..<rows.count],
                shape: shape(queries: rows.count, keys: rows.count), group: group,
                scratch: team.attention[worker])
        }
    }
}
