import TensorStorage

/// How a position becomes angles: `angle(p, j) = p · f_j` with `f_j = θ^(−2j / K)`, scaled where a model says so.
///
/// Source: Su et al. 2021, section 3.2.2.
public struct RotaryEmbedding: Sendable, Hashable {
    /// What is done to the frequencies `f_j`.
    public enum Scaling: Sendable, Hashable {
        /// Nothing.
        case plain
        /// Llama 3's: with wave length λ = 2π / f and O = `originalPositions`, f becomes f / `factor` where
        /// λ > O / `lowFrequencyFactor`, stays where λ < O / `highFrequencyFactor`, and between them is
        /// (1 − s) f / factor + s f with s = (O / λ − low) / (high − low).
        case llama3(
            factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double,
            originalPositions: Int)
    }

    /// θ.
    public var theta: Double
    /// What is done to the frequencies.
    public var scaling: Scaling

    /// - Parameters:
    ///   - theta: θ; 10,000 in Llama 1 and 2.
    ///   - scaling: what is done to the frequencies.
    public init(theta: Double = 10_000, scaling: Scaling = .plain) {
        self.theta = theta
        self.scaling = scaling
    }
}

/// The sizes and options of a Llama model: RMSNorm, rotary positions, grouped-query attention, SwiGLU.
///
/// Shape letters: B sequences, T positions, R rows (all positions of all sequences), C hidden size, H query heads,
/// G key/value heads, K head size, F intermediate size, L layers, V vocabulary.
///
/// Source: Touvron et al. 2023, section 2.2; grouped queries: Ainslie et al. 2023.
public struct LlamaConfiguration: Sendable, Hashable {
    /// V.
    public var vocabularySize: Int
    /// C.
    public var hiddenSize: Int
    /// F.
    public var intermediateSize: Int
    /// L.
    public var layerCount: Int
    /// H.
    public var headCount: Int
    /// G, a divisor of H.
    public var keyValueHeadCount: Int
    /// K, even; H·K need not be C.
    public var headSize: Int
    /// Positions the model was made for.
    public var positionCount: Int
    /// ε of RMSNorm.
    public var rmsNormEpsilon: Float
    /// How positions become angles.
    public var rotary: RotaryEmbedding
    /// Whether the head's matrix is the embedding table.
    public var tiesEmbeddings: Bool
    /// Whether the attention's four maps have biases.
    public var attentionBias: Bool
    /// Whether the feed-forward part's three maps have biases.
    public var feedForwardBias: Bool

    /// - Parameters:
    ///   - vocabularySize: V.
    ///   - hiddenSize: C.
    ///   - intermediateSize: F.
    ///   - layerCount: L.
    ///   - headCount: H.
    ///   - keyValueHeadCount: G; H when nil.
    ///   - headSize: K; C / H when nil.
    ///   - positionCount: positions the model was made for.
    ///   - rmsNormEpsilon: ε.
    ///   - rotary: how positions become angles.
    ///   - tiesEmbeddings: whether the head's matrix is the embedding table.
    ///   - attentionBias: whether the attention's maps have biases.
    ///   - feedForwardBias: whether the feed-forward part's maps have biases.
    public init(
        vocabularySize: Int, hiddenSize: Int, intermediateSize: Int, layerCount: Int,
        headCount: Int, keyValueHeadCount: Int? = nil, headSize: Int? = nil, positionCount: Int,
        rmsNormEpsilon: Float = 1e-6, rotary: RotaryEmbedding = RotaryEmbedding(),
        tiesEmbeddings: Bool = false, attentionBias: Bool = false, feedForwardBias: Bool = false
    ) {
        let groups = keyValueHeadCount ?? headCount
        let size = headSize ?? hiddenSize / headCount
        precondition(vocabularySize > 0 && hiddenSize > 0 && intermediateSize > 0)
        precondition(layerCount > 0 && headCount > 0 && groups > 0 && positionCount > 0)
        precondition(headCount % groups == 0, "\(headCount) heads for \(groups) keys")
        precondition(size > 0 && size % 2 == 0, "a head of \(size) numbers cannot be rotated")
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.keyValueHeadCount = groups
        self.headSize = size
        self.positionCount = positionCount
        self.rmsNormEpsilon = rmsNormEpsilon
        self.rotary = rotary
        self.tiesEmbeddings = tiesEmbeddings
        self.attentionBias = attentionBias
        self.feedForwardBias = feedForwardBias
    }

    /// H·K: width of the queries.
    public var queryWidth: Int { headCount * headSize }
    /// G·K: width of the keys and of the values.
    public var keyValueWidth: Int { keyValueHeadCount * headSize }

    /// Names and shapes of the tensors as Hugging Face's files have them, embeddings first, the head last; without
    /// `lm_head.weight` where it is the embedding table.
    public var tensors: [(name: String, shape: [Int])] {
        var tensors: [(name: String, shape: [Int])] = [
            ("model.embed_tokens.weight", [vocabularySize, hiddenSize])
        ]
        func linear(_ name: String, _ from: Int, _ to: Int, bias: Bool) {
            tensors.append((name + ".weight", [to, from]))
            if bias { tensors.append((name + ".bias", [to])) }
        }
        for layer in 0..<layerCount {
            let prefix = "model.layers.\(layer)."
            tensors.append((prefix + "input_layernorm.weight", [hiddenSize]))
            let attention = prefix + "self_attn."
            linear(attention + "q_proj", hiddenSize, queryWidth, bias: attentionBias)
            linear(attention + "k_proj", hiddenSize, keyValueWidth, bias: attentionBias)
            linear(attention + "v_proj", hiddenSize, keyValueWidth, bias: attentionBias)
            linear(attention + "o_proj", queryWidth, hiddenSize, bias: attentionBias)
            tensors.append((prefix + "post_attention_layernorm.weight", [hiddenSize]))
            let feedForward = prefix + "mlp."
            linear(feedForward + "gate_proj", hiddenSize, intermediateSize, bias: feedForwardBias)
            linear(feedForward + "up_proj", hiddenSize, intermediateSize, bias: feedForwardBias)
            linear(feedForward + "down_proj", intermediateSize, hiddenSize, bias: feedForwardBias)
        }
        tensors.append(("model.norm.weight", [hiddenSize]))
        if !tiesEmbeddings { tensors.append(("lm_head.weight", [vocabularySize, hiddenSize])) }
        return tensors
    }

    /// Number of parameters; a tied table counts once.
    public var parameterCount: Int { tensors.reduce(0) { $0 + elementCount(of: $1.shape) } }
}
