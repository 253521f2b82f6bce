import Kernels

/// What one layer keeps from its forward pass.
struct LlamaActivations: Sendable {
    let attentionScale: FloatView
    let attentionInput: FloatView
    let queries: FloatView
    /// Empty where the keys go to a cache.
    let keys: FloatView
    let values: FloatView
    let logNormalizer: FloatView
    let attended: FloatView
    let middle: FloatView
    let feedForwardScale: FloatView
    let feedForwardInput: FloatView
    let gate: FloatView
    let up: FloatView
    let hidden: FloatView

    init(_ configuration: LlamaConfiguration, rows: Int) {
        let C = configuration.hiddenSize
        let F = configuration.intermediateSize
        attentionScale = FloatView(zeros: rows)
        attentionInput = FloatView(zeros: rows * C)
        queries = FloatView(zeros: rows * configuration.queryWidth)
        keys = FloatView(zeros: rows * configuration.keyValueWidth)
        values = FloatView(zeros: rows * configuration.keyValueWidth)
        logNormalizer = FloatView(zeros: rows * configuration.headCount)
        attended = FloatView(zeros: rows * configuration.queryWidth)
        middle = FloatView(zeros: rows * C)
        feedForwardScale = FloatView(zeros: rows)
        feedForwardInput = FloatView(zeros: rows * C)
        gate = FloatView(zeros: rows * F)
        up = FloatView(zeros: rows * F)
        hidden = FloatView(zeros: rows * F)
    }
}

/// Gradients on the way down; one set serves all layers.
struct LlamaScratch: Sendable {
    /// `[R, C]`: the residual stream's.
    let residual: FloatView
    /// `[R, C]`: a normalised input's.
    let normed: FloatView
    let queries: FloatView
    let keys: FloatView
    let values: FloatView
    let attended: FloatView
    let gate: FloatView
    let up: FloatView

    init(_ configuration: LlamaConfiguration, rows: Int) {
        residual = FloatView(zeros: rows * configuration.hiddenSize)
        normed = FloatView(zeros: rows * configuration.hiddenSize)
        queries = FloatView(zeros: rows * configuration.queryWidth)
        keys = FloatView(zeros: rows * configuration.keyValueWidth)
        values = FloatView(zeros: rows * configuration.keyValueWidth)
        attended = FloatView(zeros: rows * configuration.queryWidth)
        gate = FloatView(zeros: rows * configuration.intermediateSize)
        up = FloatView(zeros: rows * configuration.intermediateSize)
    }
}

/// The memory of a Llama model at work: activations, gradients on their way, rotary tables, the workers' own.
public final class LlamaWorkspace: Sendable {
    /// R: largest number of rows of a call.
    public let rowCapacity: Int
    /// The longest sequence.
    public let longest: Int
    /// Whether the backward pass can run.
    public let forTraining: Bool
    /// `[R, C]`: the last normalisation's output.
    public let finalOutput: FloatView

    let configuration: LlamaConfiguration
    let team: LlamaTeam
    let table: RotaryTable
    private let residuals: [FloatView]
    private let layers: [LlamaActivations]
    let finalScale: FloatView
    let scratch: LlamaScratch
    /// 0, 1, …: positions of a sequence; a slice of it is where the last rows of one stand.
    let ascending: IndexView
    /// `[R]`: each row's position.
    let positions: IndexView
    /// Logits of a few rows, then their gradients.
    let logits: FloatView
    let losses: FloatView
    /// What a few rows give the head and get from it.
    private let headInput: FloatView
    private let headGradient: FloatView
    private let headTargets: IndexView
    private let headWeights: FloatView
    private let headLosses: FloatView
    /// Whether the backward pass computes each layer's activations anew from the layer's input.
    let recomputes: Bool
    private let lora: LoRAWorkspace?

    /// - Parameters:
    ///   - configuration: sizes.
    ///   - rows: largest number of rows of a call.
    ///   - longest: the longest sequence, what a cache holds included.
    ///   - forTraining: whether gradients will be asked for.
    ///   - workers: number of workers; the results do not depend on it.
    ///   - recomputes: activation checkpointing: of each layer only the input is kept for the backward pass, which computes
    ///     the rest a second time, to the same bits.
    ///   - lora: the adapters that will be trained; nil for none.
    ///   - precision: what the operands of products with the model's matrices are rounded to; sums, activations and
    ///     adapters are fp32.
    public init(
        _ configuration: LlamaConfiguration, rows: Int, longest: Int, forTraining: Bool,
        workers: Int, recomputes: Bool = false, lora: LoRAConfiguration? = nil,
        precision: ProductPrecision = .fp32
    ) {
        self.configuration = configuration
        rowCapacity = rows
        self.longest = longest
        self.forTraining = forTraining
        let C = configuration.hiddenSize
        team = LlamaTeam(
            configuration, workers: workers, rows: rows, longest: longest,
            forTraining: forTraining, precision: precision, rank: lora?.rank ?? 0)
        table = RotaryTable(
            configuration.rotary, headSize: configuration.headSize, positions: longest)
        // Without a backward pass two residual streams and one layer's activations take turns.
        let streams = forTraining ? configuration.layerCount + 1 : 2
        residuals = (0..<streams).map { _ in FloatView(zeros: rows * C) }
        self.recomputes = recomputes
        let kept = forTraining && !recomputes ? configuration.layerCount : 1
        layers = (0..<kept).map { _ in LlamaActivations(configuration, rows: rows) }
        self.lora = lora.map { LoRAWorkspace(configuration, $0, rows: rows, layers: kept) }
        finalOutput = FloatView(zeros: rows * C)
        finalScale = FloatView(zeros: rows)
        scratch = LlamaScratch(configuration, rows: forTraining ? rows : 0)
        ascending = IndexView((0..<Int32(longest)).map(\.self))
        positions = IndexView(zeros: rows)
        let headRows = min(rows, configuration.logitRows)
        logits = FloatView(zeros: headRows * configuration.vocabularySize)
        losses = FloatView(zeros: rows)
        headInput = FloatView(zeros: headRows * C)
        headGradient = FloatView(zeros: forTraining ? headRows * C : 0)
        headTargets = IndexView(zeros: headRows)
        headWeights = FloatView(zeros: headRows)
        headLosses = FloatView(zeros: headRows)
    }

    /// Gathers what the head needs of some rows.
    func head(_ rows: ArraySlice<Int>, targets: IndexView, lossWeights: FloatView?) -> HeadRows {
        let C = configuration.hiddenSize
        let count = rows.count
        for (place, row) in rows.enumerated() {
            headInput[place * C..<(place + 1) * C]
                .copy(from: finalOutput[row * C..<(row + 1) * C])
            headTargets[place] = targets[row]
            if let lossWeights { headWeights[place] = lossWeights[row] }
        }
        return HeadRows(
            rows: Array(rows), input: headInput[0..<count * C],
            gradient: headGradient[0..<(forTraining ? count * C : 0)],
            logits: logits[0..<count * configuration.vocabularySize],
            targets: headTargets[0..<count], lossWeights: headWeights[0..<count],
            losses: headLosses[0..<count])
    }

    /// The residual stream before layer `layer`, or after the last one.
    func residual(_ layer: Int) -> FloatView { residuals[layer % residuals.count] }

    func layer(_ layer: Int) -> LlamaActivations { layers[layer % layers.count] }

    /// The adapters of layer `layer` and what they keep from the forward pass.
    func lora(_ layer: Int, _ adapters: LlamaLoRA, _ dropout: LoRADropout?) -> LoRALayer {
        guard let lora else { preconditionFailure("the workspace was made without adapters") }
        return LoRALayer(
            configuration: adapters.configuration, factors: adapters.layers[layer],
            low: lora.low[layer % lora.low.count], gradient: lora.gradient, wide: lora.wide,
            uniforms: lora.uniforms, dropout: adapters.configuration.dropout > 0 ? dropout : nil,
            layer: layer)
    }
}

/// What adapters need besides.
private struct LoRAWorkspace: Sendable {
    /// `[R, r]` for each target of each layer that is kept.
    let low: [[LlamaProjection: FloatView]]
    /// `[R, r]`: the gradient of one of them.
    let gradient: FloatView
    /// `[R, widest]`: an input with some of it left out, or its gradient.
    let wide: FloatView
    /// `[R, widest]`.
    let uniforms: FloatView

    init(_ llama: LlamaConfiguration, _ configuration: LoRAConfiguration, rows: Int, layers: Int) {
        let rank = configuration.rank
        low = (0..<layers).map { _ in
            Dictionary(
                uniqueKeysWithValues: configuration.targets.map {
                    ($0, FloatView(zeros: rows * rank))
                })
        }
        gradient = FloatView(zeros: rows * rank)
        let widest = configuration.targets.map { $0.widths(llama).from }.max() ?? 0
        let dropped = configuration.dropout > 0 ? rows * widest : 0
        wide = FloatView(zeros: dropped)
        uniforms = FloatView(zeros: dropped)
    }
}

/// A few rows at the head, side by side.
struct HeadRows: Sendable {
    /// Where they stand in the pass.
    let rows: [Int]
    /// `[rows, C]`.
    let input: FloatView
    /// `[rows, C]`: that of the input; empty without a backward pass.
    let gradient: FloatView
    /// `[rows, V]`, then their gradients.
    let logits: FloatView
    let targets: IndexView
    let lossWeights: FloatView
    let losses: FloatView
}

/// The keys and values of what a model has read of one sequence, so that the next tokens need not read it again.
public final class LlamaCache: Sendable {
    /// Positions it has room for.
    public let capacity: Int
    let keys: [FloatView]
    let values: [FloatView]
    private let length = IndexView(zeros: 1)

    /// - Parameters:
    ///   - configuration: sizes.
    ///   - capacity: positions to make room for.
    public init(_ configuration: LlamaConfiguration, capacity: Int) {
        self.capacity = capacity
        let count = capacity * configuration.keyValueWidth
        keys = (0..<configuration.layerCount).map { _ in FloatView(zeros: count) }
        values = (0..<configuration.layerCount).map { _ in FloatView(zeros: count) }
    }

    /// Positions read so far; may be set back to forget what came after.
    public var count: Int {
        get { Int(length[0]) }
        set {
            precondition(newValue >= 0 && newValue <= capacity, "\(newValue) of \(capacity)")
            length[0] = Int32(newValue)
        }
    }
}
