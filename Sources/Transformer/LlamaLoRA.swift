import Kernels
import Randomness
import TensorStorage

/// The two factors of one adapter: parameters or gradients.
public struct LoRAFactors: Sendable {
    /// A: `[r, from]`.
    public let a: FloatView
    /// B: `[to, r]`.
    public let b: FloatView
}

/// The adapters of a Llama model, parameters or gradients, in one flat buffer.
public struct LlamaLoRA: Sendable {
    /// Rank, scale, dropout and targets.
    public let configuration: LoRAConfiguration
    /// The factors of each layer's targets, bottom layer first.
    public let layers: [[LlamaProjection: LoRAFactors]]

    /// The adapters in `flat`, a buffer in the layout of `configuration.tensors(llama)`.
    ///
    /// - Parameters:
    ///   - configuration: rank and targets.
    ///   - llama: sizes of the model.
    ///   - flat: the buffer.
    public init(_ configuration: LoRAConfiguration, _ llama: LlamaConfiguration, in flat: FloatView)
    {
        self.configuration = configuration
        let layout = TensorLayout(configuration.tensors(llama))
        layers = (0..<llama.layerCount).map { layer in
            var factors: [LlamaProjection: LoRAFactors] = [:]
            for projection in configuration.targets {
                factors[projection] = LoRAFactors(
                    a: layout.view(LoRAConfiguration.name(layer, projection, "A"), in: flat),
                    b: layout.view(LoRAConfiguration.name(layer, projection, "B"), in: flat))
            }
            return factors
        }
    }

    /// `W += (α / r) B A` for some of the elements of `W: [to, from]`: what merging is, piece by piece.
    ///
    /// - Parameters:
    ///   - factor: A and B of the target.
    ///   - range: which elements, counted row after row.
    ///   - target: `[range.count]`: those elements of W, added to.
    public func addProduct(of factor: LoRAFactors, _ range: Range<Int>, to target: FloatView) {
        let rank = configuration.rank
        let from = factor.a.count / rank
        precondition(
            target.count == range.count && range.upperBound <= from * (factor.b.count / rank))
        var start = range.lowerBound
        while start < range.upperBound {
            let row = start / from
            let end = min(range.upperBound, (row + 1) * from)
            let columns = start - row * from..<end - row * from
            for index in 0..<rank {
                addScaled(
                    target[start - range.lowerBound..<end - range.lowerBound],
                    factor.a[index * from + columns.lowerBound..<index * from + columns.upperBound],
                    scale: Float(configuration.scale) * factor.b[row * rank + index])
            }
            start = end
        }
    }
}

/// Which inputs of adapters a pass leaves out: numbers keyed by seed, update, pass and place, so that a resumed run drops
/// the same ones.
public struct LoRADropout: Sendable, Hashable {
    /// The run's seed.
    public let seed: UInt64
    /// The optimizer update.
    public let step: Int
    /// Which pass of that update.
    public let pass: Int

    /// - Parameters:
    ///   - seed: the run's seed.
    ///   - step: the optimizer update.
    ///   - pass: which pass of that update.
    public init(seed: UInt64, step: Int, pass: Int) {
        self.seed = seed
        self.step = step
        self.pass = pass
    }
}

/// One layer's adapters at work, and their memory. Their products are in fp32 whatever the model's precision: they are few
/// beside the model's, and what is trained.
struct LoRALayer: Sendable {
    let configuration: LoRAConfiguration
    let factors: [LlamaProjection: LoRAFactors]
    /// `(α / r) A dropout(x)`: `[R, r]` for each target, kept for the backward pass.
    let low: [LlamaProjection: FloatView]
    /// `[R, r]`: the gradient of one of them.
    let gradient: FloatView
    /// `[R, widest]`: an input with some of it left out, or its gradient; empty without dropout.
    let wide: FloatView
    /// `[R, widest]`: what decides; empty without dropout.
    let uniforms: FloatView
    /// Nil where nothing is left out.
    let dropout: LoRADropout?
    /// Which layer.
    let layer: Int

    /// The numbers that decide what the adapter of `projection` leaves out.
    private func key(_ dropout: LoRADropout, _ projection: LlamaProjection) -> RandomKey {
        let all = LlamaProjection.allCases
        let place = all.firstIndex(of: projection) ?? 0
        // 2^16 adapters, and as many passes of an update.
        return RandomKey(
            seed: dropout.seed, stream: .adapterDropout, step: dropout.step,
            example: dropout.pass << 16 | (layer * all.count + place))
    }

    /// Dropout of `input: [R, width]`, or of a gradient, into or onto `output`; the same numbers are left out each time.
    private func drop(
        _ output: FloatView, _ input: FloatView, _ projection: LlamaProjection, width: Int,
        rows: Int, adding: Bool, team: LlamaTeam, _ dropout: LoRADropout
    ) {
        let key = key(dropout, projection)
        team.overRows(rows, cost: 16 * width) { range in
            for row in range {
                let numbers = row * width..<(row + 1) * width
                uniforms[numbers].withMutableSpan {
                    key.fillUniforms(&$0, from: row * ((width + 3) / 4))
                }
            }
            let numbers = range.lowerBound * width..<range.upperBound * width
            dropElements(
                output[numbers], input[numbers], uniforms: uniforms[numbers],
                probability: Float(configuration.dropout), adding: adding)
        }
    }

    /// What the adapter of `projection` reads: `input`, or what dropout leaves of it.
    private func read(
        _ input: FloatView, _ projection: LlamaProjection, width: Int, rows: Int, team: LlamaTeam
    ) -> FloatView {
        guard let dropout else { return input }
        drop(
            wide, input, projection, width: width, rows: rows, adding: false, team: team, dropout)
        return wide
    }

    /// Leaves `(α / r) A dropout(x)` in ``low``.
    func compress(
        _ projection: LlamaProjection, input: FloatView, rows: Int, team: LlamaTeam
    ) {
        guard let factor = factors[projection], let low = low[projection] else { return }
        let rank = configuration.rank
        let from = factor.a.count / rank
        let read = read(input, projection, width: from, rows: rows, team: team)
        let map = LlamaLinear(factor.a, rows: rank, columns: from)
        team.linear(read, [LinearTask(output: low, map: map)], rows: rows, isExact: true)
        scale(low[0..<rows * rank], by: Float(configuration.scale))
    }

    /// Adds `(α / r) B A dropout(x)` to `output: [R, to]`.
    func forward(
        _ projection: LlamaProjection, output: FloatView, input: FloatView, rows: Int,
        team: LlamaTeam
    ) {
        guard let factor = factors[projection], let low = low[projection] else { return }
        compress(projection, input: input, rows: rows, team: team)
        let rank = configuration.rank
        let map = LlamaLinear(factor.b, rows: factor.b.count / rank, columns: rank)
        team.linear(
            low, [LinearTask(output: output, map: map, adding: output)], rows: rows, isExact: true)
    }

    /// Adds the gradients of the adapter's factors to `gradients`, and that of its input to `dInput: [R, from]`.
    func backward(
        _ projection: LlamaProjection, dInput: FloatView, dOutput: FloatView, input: FloatView,
        gradients: LoRAFactors?, rows: Int, team: LlamaTeam
    ) {
        guard let factor = factors[projection], let low = low[projection], let gradients else {
            return
        }
        let rank = configuration.rank
        let (from, to) = (factor.a.count / rank, factor.b.count / rank)
        func add(_ factor: FloatView, _ dOutput: FloatView, _ input: FloatView, from: Int) {
            let gradients = LlamaLinear(weight: factor, bias: nil)
            team.weightGradients(
                [LlamaTeam.GradientTask(gradients: gradients, dOutput: dOutput)], input: input,
                rows: rows, from: from, isExact: true)
        }
        add(gradients.b, dOutput, low, from: rank)
        team.inputGradient(
            gradient, dOutput: dOutput, weight: StoredMatrix(factor.b, rows: to, columns: rank),
            rows: rows, isExact: true)
        scale(gradient[0..<rows * rank], by: Float(configuration.scale))
        let read = read(input, projection, width: from, rows: rows, team: team)
        add(gradients.a, gradient, read, from: from)
        let a = StoredMatrix(factor.a, rows: rank, columns: from)
        guard let dropout else {
            team.inputGradient(
                dInput, dOutput: gradient, weight: a, adding: dInput, rows: rows, isExact: true)
            return
        }
        team.inputGradient(wide, dOutput: gradient, weight: a, rows: rows, isExact: true)
        drop(
            dInput, wide, projection, width: from, rows: rows, adding: true, team: team, dropout)
    }
}

extension LlamaLinear<StoredMatrix> {
    /// A map without bias whose matrix lies in a buffer.
    init(_ weight: FloatView, rows: Int, columns: Int) {
        self.init(weight: StoredMatrix(weight, rows: rows, columns: columns), bias: nil)
    }
}

extension LlamaLoRA {
    /// Draws a fresh factor A: uniform on ±1 / √`inputs`.
    ///
    /// - Parameters:
    ///   - a: `[r, inputs]`, overwritten.
    ///   - inputs: length of a row.
    ///   - seed: the key of the draws.
    ///   - index: which factor.
    public static func fillFresh(_ a: FloatView, inputs: Int, seed: UInt64, index: Int) {
        let bound = 1 / Float(inputs).squareRoot()
        let key = RandomKey(seed: seed, stream: .initialization, example: index)
        a.withMutableSpan { values in
            key.fillUniforms(&values)
            for place in values.indices { values[place] = bound * (2 * values[place] - 1) }
        }
    }
}
