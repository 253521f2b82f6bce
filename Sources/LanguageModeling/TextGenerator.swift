import Kernels
import Transformer

/// A Llama that continues sequences of ids, token by token, with a cache of what it has read.
///
/// Has one caller at a time: every call changes what it has read and the logits that it has given.
public final class TextGenerator {
    /// The longest text: prompt and continuation.
    public let capacity: Int
    private let decoder: LlamaDecoder
    private let weights: LlamaWeights
    private let adapters: LlamaLoRA?
    private let workspace: LlamaWorkspace
    private let cache: LlamaCache
    private let logits: FloatView
    private let source: String

    /// Tokens of a prompt that are read at a time: enough for the products, and little memory.
    private static let chunk = 256

    /// - Parameters:
    ///   - configuration: sizes and options.
    ///   - weights: the parameters.
    ///   - adapters: what is added to them; nil for nothing.
    ///   - capacity: the longest text, prompt and continuation.
    ///   - workers: number of workers; the results do not depend on it.
    ///   - source: what errors name as the model, such as its folder.
    public init(
        _ configuration: LlamaConfiguration, weights: LlamaWeights, adapters: LlamaLoRA? = nil,
        capacity: Int, workers: Int, source: String = "the model"
    ) {
        self.capacity = capacity
        self.source = source
        self.weights = weights
        self.adapters = adapters
        decoder = LlamaDecoder(configuration)
        workspace = LlamaWorkspace(
            configuration, rows: min(capacity, Self.chunk), longest: capacity, forTraining: false,
            workers: workers, lora: adapters?.configuration)
        cache = LlamaCache(configuration, capacity: capacity)
        logits = FloatView(zeros: configuration.vocabularySize)
    }

    /// Forgets what was read, and reads `ids` as the beginning of a text.
    ///
    /// - Parameter ids: 1 to ``capacity`` of them, each in the vocabulary.
    /// - Returns: the logits `[V]` of what follows; overwritten by the next call.
    public func begin(_ ids: [Int]) -> FloatView {
        precondition(!ids.isEmpty && ids.count <= capacity, "\(ids.count) ids for \(capacity)")
        cache.count = 0
        var first = 0
        while first < ids.count {
            let end = min(first + workspace.rowCapacity, ids.count)
            read(ids[first..<end], givingLogits: end == ids.count)
            first = end
        }
        return logits
    }

    /// Reads one more token.
    ///
    /// - Parameter id: a token of the vocabulary.
    /// - Returns: the logits `[V]` of what follows; overwritten by the next call.
    public func append(_ id: Int) -> FloatView {
        read([id], givingLogits: true)
        return logits
    }

    /// Positions read so far.
    public var count: Int { cache.count }

    /// Continues `prompt`.
    ///
    /// - Parameters:
    ///   - prompt: 1 or more ids.
    ///   - maximum: tokens to add at most; fewer where ``capacity`` ends.
    ///   - sampler: chooses them.
    ///   - stops: tokens that end the text; the one that does is its last.
    ///   - take: sees each token at once; a false ends the text.
    /// - Returns: the tokens that were added.
    /// - Throws: ``LanguageModelError`` when no token can be chosen since the logits are not numbers; what `take` throws.
    public func generate(
        prompt: [Int], maximum: Int, sampler: TokenSampler, stops: Set<Int>,
        take: (Int) throws -> Bool
    ) throws -> [Int] {
        var added: [Int] = []
        var next = begin(prompt)
        while added.count < maximum {
            guard TokenSampler.canChoose(from: next) else {
                throw LanguageModelError(
                    path: source,
                    "the logits are not numbers after token \(count); the weights are damaged or too large for fp32, so "
                        + "copy or convert the model again.")
            }
            let id = sampler.token(from: next, number: prompt.count + added.count)
            added.append(id)
            guard try take(id), !stops.contains(id), added.count < maximum,
                cache.count < capacity
            else { break }
            next = append(id)
        }
        return added
    }

    private func read(_ ids: ArraySlice<Int>, givingLogits: Bool) {
        decoder.extend(
            cache, weights: weights, adapters: adapters, workspace: workspace,
            tokens: IndexView(ids.map(Int32.init)))
        guard givingLogits else { return }
        decoder.logits(
            logits, weights: weights, workspace: workspace, rows: ids.count - 1..<ids.count)
    }
}
