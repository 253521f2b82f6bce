/// The linear maps of a layer, by the names that Hugging Face's files have for them.
public enum LlamaProjection: String, Sendable, Hashable, CaseIterable, Codable {
    /// Queries: C → H·K.
    case query = "q_proj"
    /// Keys: C → G·K.
    case key = "k_proj"
    /// Values: C → G·K.
    case value = "v_proj"
    /// Behind attention: H·K → C.
    case output = "o_proj"
    /// The gate of SwiGLU: C → F.
    case gate = "gate_proj"
    /// What the gate lets through: C → F.
    case up = "up_proj"
    /// Behind SwiGLU: F → C.
    case down = "down_proj"

    /// Its place in a layer, such as `self_attn.q_proj`.
    public var path: String {
        switch self {
        case .query, .key, .value, .output: "self_attn." + rawValue
        case .gate, .up, .down: "mlp." + rawValue
        }
    }

    /// Width of its input and of its output.
    public func widths(_ configuration: LlamaConfiguration) -> (from: Int, to: Int) {
        let C = configuration.hiddenSize
        return switch self {
        case .query: (C, configuration.queryWidth)
        case .key, .value: (C, configuration.keyValueWidth)
        case .output: (configuration.queryWidth, C)
        case .gate, .up: (C, configuration.intermediateSize)
        case .down: (configuration.intermediateSize, C)
        }
    }
}

/// What low-rank adapters add to a frozen model: `y = W x + (α / r) B A dropout(x)` at each target.
///
/// Source: Hu et al. 2022, section 4.1; names and defaults are PEFT's.
public struct LoRAConfiguration: Sendable, Hashable {
    /// r: rows of A, columns of B.
    public var rank: Int
    /// α.
    public var alpha: Double
    /// The share of an adapter's input that a training step leaves out; the rest grows by 1 / (1 − share).
    public var dropout: Double
    /// The maps that have adapters, in every layer.
    public var targets: Set<LlamaProjection>

    /// - Parameters:
    ///   - rank: r, 1 or more.
    ///   - alpha: α, above 0.
    ///   - dropout: from 0, below 1.
    ///   - targets: the maps that have adapters, one or more.
    public init(
        rank: Int = 8, alpha: Double = 16, dropout: Double = 0,
        targets: Set<LlamaProjection> = [.query, .value]
    ) {
        precondition(rank >= 1 && alpha > 0 && dropout >= 0 && dropout < 1 && !targets.isEmpty)
        self.rank = rank
        self.alpha = alpha
        self.dropout = dropout
        self.targets = targets
    }

    /// α / r.
    public var scale: Double { alpha / Double(rank) }

    /// Names and shapes of the adapters' tensors as PEFT's files have them, layer by layer, A before B.
    public func tensors(_ configuration: LlamaConfiguration) -> [(name: String, shape: [Int])] {
        (0..<configuration.layerCount).flatMap { layer in
            LlamaProjection.allCases.filter(targets.contains).flatMap { projection in
                let (from, to) = projection.widths(configuration)
                return [
                    (Self.name(layer, projection, "A"), [rank, from]),
                    (Self.name(layer, projection, "B"), [to, rank]),
                ]
            }
        }
    }

    /// `base_model.model.model.layers.<layer>.<path>.lora_<factor>.weight`.
    static func name(_ layer: Int, _ projection: LlamaProjection, _ factor: String) -> String {
        "base_model.model.model.layers.\(layer).\(projection.path).lora_\(factor).weight"
    }
}
