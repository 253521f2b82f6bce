import Kernels
import TensorStorage

/// Weight and bias of a linear map or of a normalisation, as views into one flat buffer.
public struct WeightAndBias: Sendable {
    /// The matrix, or γ.
    public let weight: FloatView
    /// The bias, or β.
    public let bias: FloatView
}

/// The tensors of one block.
public struct BlockWeights: Sendable {
    /// `ln_1`: normalisation before attention.
    public let attentionNorm: WeightAndBias
    /// `attn.c_attn`: C → 3C, input × output.
    public let queriesKeysValues: WeightAndBias
    /// `attn.c_proj`: C → C.
    public let attentionProjection: WeightAndBias
    /// `ln_2`: normalisation before the feed-forward part.
    public let feedForwardNorm: WeightAndBias
    /// `mlp.c_fc`: C → 4C.
    public let expansion: WeightAndBias
    /// `mlp.c_proj`: 4C → C.
    public let contraction: WeightAndBias
}

/// All tensors of a decoder as typed views into one flat buffer: parameters, gradients or an optimizer's moments.
public struct DecoderWeights: Sendable {
    /// The buffer all views point into.
    public let flat: FloatView
    /// `_read_in`: d → C, output × input.
    public let readIn: WeightAndBias
    /// `_backbone.wpe.weight`: [positions, C].
    public let positions: FloatView
    /// The blocks, bottom first.
    public let blocks: [BlockWeights]
    /// `_backbone.ln_f`.
    public let finalNorm: WeightAndBias
    /// `_read_out`: C → 1, output × input.
    public let readOut: WeightAndBias

    /// - Parameters:
    ///   - layout: the layout of ``DecoderConfiguration/layout``.
    ///   - flat: a buffer of `layout.count` elements.
    ///   - layerCount: L.
    public init(layout: TensorLayout, flat: FloatView, layerCount: Int) {
        precondition(flat.count == layout.count, "\(flat.count) numbers for \(layout.count)")
        func pair(_ name: String) -> WeightAndBias {
            WeightAndBias(
                weight: layout.view(name + ".weight", in: flat),
                bias: layout.view(name + ".bias", in: flat))
        }
        self.flat = flat
        readIn = pair("_read_in")
        positions = layout.view("_backbone.wpe.weight", in: flat)
        blocks = (0..<layerCount).map { layer in
            let prefix = "_backbone.h.\(layer)."
            return BlockWeights(
                attentionNorm: pair(prefix + "ln_1"),
                queriesKeysValues: pair(prefix + "attn.c_attn"),
                attentionProjection: pair(prefix + "attn.c_proj"),
                feedForwardNorm: pair(prefix + "ln_2"), expansion: pair(prefix + "mlp.c_fc"),
                contraction: pair(prefix + "mlp.c_proj"))
        }
        finalNorm = pair("_backbone.ln_f")
        readOut = pair("_read_out")
    }
}

extension DecoderConfiguration {
    /// Names, shapes and order of the tensors: the public code's state dict without `_backbone.wte.weight`.
    public var layout: TensorLayout {
        let C = embeddingDimension
        let hidden = hiddenDimension
        var entries: [(name: String, shape: [Int])] = [
            ("_read_in.weight", [C, inputDimension]), ("_read_in.bias", [C]),
            ("_backbone.wpe.weight", [positionCount, C]),
        ]
        for layer in 0..<layerCount {
            let prefix = "_backbone.h.\(layer)."
            entries += [
                (prefix + "ln_1.weight", [C]), (prefix + "ln_1.bias", [C]),
                (prefix + "attn.c_attn.weight", [C, 3 * C]), (prefix + "attn.c_attn.bias", [3 * C]),
                (prefix + "attn.c_proj.weight", [C, C]), (prefix + "attn.c_proj.bias", [C]),
                (prefix + "ln_2.weight", [C]), (prefix + "ln_2.bias", [C]),
                (prefix + "mlp.c_fc.weight", [C, hidden]), (prefix + "mlp.c_fc.bias", [hidden]),
                (prefix + "mlp.c_proj.weight", [hidden, C]), (prefix + "mlp.c_proj.bias", [C]),
            ]
        }
        entries += [
            ("_backbone.ln_f.weight", [C]), ("_backbone.ln_f.bias", [C]),
            ("_read_out.weight", [1, C]), ("_read_out.bias", [1]),
        ]
        return TensorLayout(entries)
    }
}
