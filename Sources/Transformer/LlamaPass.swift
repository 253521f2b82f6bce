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
    /// The layer's adapters; nil where there are none.
    let lora: LoRALayer?
    /// Whether the forward pass rounds nothing, whatever the workspace's precision.
    var isExact = false

    private var width: Int { configuration.hiddenSize }

    /// `output` from `input`; keeps in `saved` what the backward pass needs.
    ///
    /// - Parameters:
    ///   - weights: the layer's.
    ///   - keys: `[R, G·K]`: where the rows' keys go; the segments read them there.
    ///   - values: `[R, G·K]`: where their values go.
    ///   - segments: who sees whom.
    ///   - givesOutput: false leaves `output` as it is: for a backward pass that lacks the rest alone.
    func forward(
        weights: LlamaLayer<StoredMatrix>, keys: FloatView, values: FloatView,
        segments: [AttentionSegment], givesOutput: Bool = true
    ) {
        normalize(
            saved.attentionInput, scale: saved.attentionScale, input: input,
            weight: weights.attentionNorm)
        project(
            saved.attentionInput,
            [
                Projected(.query, weights.query, saved.queries),
                Projected(.key, weights.key, keys), Projected(.value, weights.value, values),
            ])
        rotate(saved.queries, headCount: configuration.headCount)
        rotate(keys, headCount: configuration.keyValueHeadCount)
        attend(segments)
        project(saved.attended, [Projected(.output, weights.output, saved.middle)], adding: input)
        normalize(
            saved.feedForwardInput, scale: saved.feedForwardScale, input: saved.middle,
            weight: weights.feedForwardNorm)
        project(
            saved.feedForwardInput,
            [Projected(.gate, weights.gate, saved.gate), Projected(.up, weights.up, saved.up)])
        overHidden { numbers in
            swiGLUForward(
                output: saved.hidden[numbers], gate: saved.gate[numbers], up: saved.up[numbers])
        }
        guard givesOutput else {
            lora?.compress(.down, input: saved.hidden, rows: rows, team: team)
            return
        }
        project(saved.hidden, [Projected(.down, weights.down, output)], adding: saved.middle)
    }

    /// One of the maps that read the same input, and where its result is, or the gradient of its result.
    private struct Projected {
        let projection: LlamaProjection
        let map: LlamaLinear<StoredMatrix>
        let output: FloatView

        init(
            _ projection: LlamaProjection, _ map: LlamaLinear<StoredMatrix>, _ output: FloatView
        ) {
            self.projection = projection
            self.map = map
            self.output = output
        }
    }

    /// The maps of `input`, with what adapters add to them.
    private func project(_ input: FloatView, _ maps: [Projected], adding: FloatView? = nil) {
        team.linear(
            input,
            maps.map { LinearTask(output: $0.output, map: $0.map, adding: adding) }, rows: rows,
            isExact: isExact)
        guard let lora else { return }
        for map in maps {
            lora.forward(map.projection, output: map.output, input: input, rows: rows, team: team)
        }
    }

    /// Turns the gradient of the layer's output, in `scratch.residual: [R, C]`, into that of its input, and adds the
    /// gradients of its parameters.
    ///
    /// - Parameters:
    ///   - weights: the layer's.
    ///   - gradients: those of the parameters, added to; nil where they are frozen.
    ///   - adapterGradients: those of the adapters' factors, added to.
    ///   - scratch: gradients on their way.
    ///   - sequences: the rows of each sequence.
    func backward(
        weights: LlamaLayer<StoredMatrix>, gradients: LlamaLayer<FloatView>?,
        adapterGradients: [LlamaProjection: LoRAFactors], scratch: LlamaScratch,
        sequences: [Range<Int>]
    ) {
        func backward(
            into dInput: FloatView, input: FloatView, _ maps: [Projected],
            _ gradients: [LlamaLinear<FloatView>]?
        ) {
            if let gradients {
                team.weightGradients(
                    zip(gradients, maps).map {
                        LlamaTeam.GradientTask(gradients: $0, dOutput: $1.output)
                    }, input: input, rows: rows, from: maps[0].map.weight.columns)
            }
            for (index, map) in maps.enumerated() {
                team.inputGradient(
                    dInput, dOutput: map.output, weight: map.map.weight,
                    adding: index > 0 ? dInput : nil, rows: rows)
                lora?.backward(
                    map.projection, dInput: dInput, dOutput: map.output, input: input,
                    gradients: adapterGradients[map.projection], rows: rows, team: team)
            }
        }
        backward(
            into: scratch.up, input: saved.hidden,
            [Projected(.down, weights.down, scratch.residual)], gradients.map { [$0.down] })
        overHidden { numbers in
            swiGLUBackward(
                dGate: scratch.gate[numbers], dUp: scratch.up[numbers],
                dOutput: scratch.up[numbers], gate: saved.gate[numbers], up: saved.up[numbers])
        }
        backward(
            into: scratch.normed, input: saved.feedForwardInput,
            [
                Projected(.gate, weights.gate, scratch.gate),
                Projected(.up, weights.up, scratch.up),
            ], gradients.map { [$0.gate, $0.up] })
        normalizeBackward(
            scratch, scale: saved.feedForwardScale, input: saved.middle,
            weight: weights.feedForwardNorm, dWeight: gradients?.feedForwardNorm)

        backward(
            into: scratch.attended, input: saved.attended,
            [Projected(.output, weights.output, scratch.residual)], gradients.map { [$0.output] })
        attendBackward(sequences, scratch)
        rotate(scratch.queries, headCount: configuration.headCount, backward: true)
        rotate(scratch.keys, headCount: configuration.keyValueHeadCount, backward: true)
        backward(
            into: scratch.normed, input: saved.attentionInput,
            [
                Projected(.query, weights.query, scratch.queries),
                Projected(.key, weights.key, scratch.keys),
                Projected(.value, weights.value, scratch.values),
            ], gradients.map { [$0.query, $0.key, $0.value] })
        normalizeBackward(
            scratch, scale: saved.attentionScale, input: input, weight: weights.attentionNorm,
            dWeight: gradients?.attentionNorm)
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
        dWeight: FloatView?
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
