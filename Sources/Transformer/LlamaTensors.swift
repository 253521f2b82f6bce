import Kernels
import TensorStorage

/// A linear map's matrix, one row for each output, and its bias where it has one.
public struct LlamaLinear<Matrix: Sendable>: Sendable {
    /// `[to, from]`.
    public let weight: Matrix
    /// `[to]`.
    public let bias: FloatView?
}

/// The tensors of one layer.
public struct LlamaLayer<Matrix: Sendable>: Sendable {
    /// `input_layernorm`: γ of the normalisation before attention.
    public let attentionNorm: FloatView
    /// `self_attn.q_proj`: C → H·K.
    public let query: LlamaLinear<Matrix>
    /// `self_attn.k_proj`: C → G·K.
    public let key: LlamaLinear<Matrix>
    /// `self_attn.v_proj`: C → G·K.
    public let value: LlamaLinear<Matrix>
    /// `self_attn.o_proj`: H·K → C.
    public let output: LlamaLinear<Matrix>
    /// `post_attention_layernorm`: γ of the normalisation before the feed-forward part.
    public let feedForwardNorm: FloatView
    /// `mlp.gate_proj`: C → F.
    public let gate: LlamaLinear<Matrix>
    /// `mlp.up_proj`: C → F.
    public let up: LlamaLinear<Matrix>
    /// `mlp.down_proj`: F → C.
    public let down: LlamaLinear<Matrix>
}

/// All tensors of a Llama model: parameters (``LlamaWeights``) or gradients (``LlamaGradients``).
public struct LlamaTensors<Matrix: Sendable>: Sendable {
    /// `model.embed_tokens`: `[V, C]`.
    public let embedding: Matrix
    /// The layers, bottom first.
    public let layers: [LlamaLayer<Matrix>]
    /// `model.norm`: γ of the last normalisation.
    public let finalNorm: FloatView
    /// `lm_head`: `[V, C]`; the embedding table itself where they are tied.
    public let head: Matrix

    /// Collects the tensors that `configuration` names.
    ///
    /// - Parameters:
    ///   - configuration: sizes and options.
    ///   - matrix: gives the matrix `[rows, columns]` of a name.
    ///   - vector: gives the numbers `[count]` of a name.
    /// - Throws: what these two throw.
    public init(
        _ configuration: LlamaConfiguration,
        matrix: (_ name: String, _ rows: Int, _ columns: Int) throws -> Matrix,
        vector: (_ name: String, _ count: Int) throws -> FloatView
    ) rethrows {
        let C = configuration.hiddenSize
        let F = configuration.intermediateSize
        func linear(_ name: String, _ from: Int, _ to: Int, bias: Bool) throws -> LlamaLinear<
            Matrix
        > {
            LlamaLinear(
                weight: try matrix(name + ".weight", to, from),
                bias: bias ? try vector(name + ".bias", to) : nil)
        }
        embedding = try matrix("model.embed_tokens.weight", configuration.vocabularySize, C)
        layers = try (0..<configuration.layerCount).map { layer in
            let prefix = "model.layers.\(layer)."
            func attention(_ name: String, _ from: Int, _ to: Int) throws -> LlamaLinear<Matrix> {
                try linear(
                    prefix + "self_attn." + name, from, to, bias: configuration.attentionBias)
            }
            func feedForward(_ name: String, _ from: Int, _ to: Int) throws -> LlamaLinear<Matrix> {
                try linear(prefix + "mlp." + name, from, to, bias: configuration.feedForwardBias)
            }
            return LlamaLayer(
                attentionNorm: try vector(prefix + "input_layernorm.weight", C),
                query: try attention("q_proj", C, configuration.queryWidth),
                key: try attention("k_proj", C, configuration.keyValueWidth),
                value: try attention("v_proj", C, configuration.keyValueWidth),
                output: try attention("o_proj", configuration.queryWidth, C),
                feedForwardNorm: try vector(prefix + "post_attention_layernorm.weight", C),
                gate: try feedForward("gate_proj", C, F), up: try feedForward("up_proj", C, F),
                down: try feedForward("down_proj", F, C))
        }
        finalNorm = try vector("model.norm.weight", C)
        head =
            configuration.tiesEmbeddings
            ? embedding : try matrix("lm_head.weight", configuration.vocabularySize, C)
    }
}

/// Parameters: matrices where they lie, in a file or in a buffer.
public typealias LlamaWeights = LlamaTensors<StoredMatrix>

/// Gradients, or anything else in the layout of the parameters.
public typealias LlamaGradients = LlamaTensors<FloatView>

extension LlamaConfiguration {
    /// Where the tensors lie in one flat buffer.
    public var layout: TensorLayout { TensorLayout(tensors) }

    /// The parameters in `flat`, a buffer in this configuration's ``layout``.
    public func weights(in flat: FloatView) -> LlamaWeights {
        let layout = layout
        return LlamaWeights(
            self,
            matrix: { name, rows, columns in
                StoredMatrix(layout.view(name, in: flat), rows: rows, columns: columns)
            }, vector: { name, _ in layout.view(name, in: flat) })
    }

    /// The gradients in `flat`, a buffer in this configuration's ``layout``.
    public func gradients(in flat: FloatView) -> LlamaGradients {
        let layout = layout
        return LlamaGradients(
            self, matrix: { name, _, _ in layout.view(name, in: flat) },
            vector: { name, _ in layout.view(name, in: flat) })
    }
}
