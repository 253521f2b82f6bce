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

    /// Rows whose logits are in memory at a time.
    static func headRows(_ configuration: LlamaConfiguration) -> Int {
        // About 16 MB of logits, and enough rows for the products.
        min(256, max(32, (1 << 22) / configuration.vocabularySize))
    }

    /// - Parameters:
    ///   - configuration: sizes.
    ///   - rows: largest number of rows of a call.
    ///   - longest: the longest sequence, what a cache holds included.
    ///   - forTraining: whether gradients will be asked for.
    ///   - workers: number of workers; the results do not depend on it.
    public init(
        _ configuration: LlamaConfiguration, rows: Int, longest: Int, forTraining: Bool,
        workers: Int
    ) {
        self.configuration = configuration
        rowCapacity = rows
        self.longest = longest
        self.forTraining = forTraining
        let C = configuration.hiddenSize
        team = LlamaTeam(
            configuration, workers: workers, longest: longest, forTraining: forTraining)
        table = RotaryTable(
            configuration.rotary, headSize: configuration.headSize, positions: longest)
        // Without a backward pass two residual streams and one layer's activations take turns.
        let streams = forTraining ? configuration.layerCount + 1 : 2
        residuals = (0..<streams).map { _ in FloatView(zeros: rows * C) }
        layers = (0..<(forTraining ? configuration.layerCount : 1)).map { _ in
            LlamaActivations(configuration, rows: rows)
        }
        finalOutput = FloatView(zeros: rows * C)
        finalScale = FloatView(zeros: rows)
        scratch = LlamaScratch(configuration, rows: forTraining ? rows : 0)
        ascending = IndexView((0..<Int32(longest)).map(\.self))
        positions = IndexView(zeros: rows)
        let headRows = min(rows, Self.headRows(configuration))
        logits = FloatView(zeros: headRows * configuration.vocabularySize)
        losses = FloatView(zeros: rows)
    }

    /// The residual stream before layer `layer`, or after the last one.
    func residual(_ layer: Int) -> FloatView { residuals[layer % residuals.count] }

    func layer(_ layer: Int) -> LlamaActivations { layers[layer % layers.count] }
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
