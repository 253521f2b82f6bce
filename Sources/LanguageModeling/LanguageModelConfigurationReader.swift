import Kernels
import Tokenizers
import Transformer

/// Reads the values of a config.json; defaults are those of transformers' LlamaConfig.
struct LanguageModelConfigurationReader {
    /// Keeps every product of sizes far from the end of an `Int`.
    private static let largestWidth = 1 << 20
    private static let largestCount = Int(Int32.max)

    private let nodes: [String: JSONNode]

    init(_ entries: [(key: String, node: JSONNode)]) {
        nodes = Dictionary(entries.map { ($0.key, $0.node) }, uniquingKeysWith: { $1 })
    }

    /// The value of `key`; nil when it is absent or null.
    private subscript(key: String) -> JSONNode? {
        guard let node = nodes[key], !node.isNull else { return nil }
        return node
    }

    // MARK: The network

    /// - Throws: `FileProblem` when the file describes anything but a plain Llama.
    func checkFamily() throws(FileProblem) {
        let cure = "only Llama is supported (model_type 'llama', LlamaForCausalLM)"
        if let found = try self["model_type"]?.string(), found != "llama" {
            throw FileProblem(
                "model_type is \(quoted(found)), and \(cure): other families change the network.")
        }
        if let found = self["architectures"] {
            for node in try found.elements() where try node.string() != "LlamaForCausalLM" {
                throw FileProblem("architectures has \(quoted(try node.string())), and \(cure).")
            }
        }
        if let found = try self["hidden_act"]?.string(), found != "silu", found != "swish" {
            throw FileProblem(
                "hidden_act is \(quoted(found)), where 'silu' is expected: SwiGLU is supported alone."
            )
        }
        if let found = self["quantization_config"] {
            let method = try found.member("quant_method")?.string()
            throw FileProblem(
                "quantization_config\(method.map { " (\($0))" } ?? "") is not supported; use the model's weights in "
                    + "float32, float16 or bfloat16.")
        }
    }

    func llama() throws(FileProblem) -> LlamaConfiguration {
        let heads = try width("num_attention_heads", default: 32)
        let groups = try width("num_key_value_heads", default: heads)
        let hidden = try width("hidden_size", default: 4096)
        guard heads % groups == 0 else {
            throw FileProblem(
                "num_attention_heads (\(heads)) is no multiple of num_key_value_heads (\(groups)).")
        }
        return LlamaConfiguration(
            vocabularySize: try whole("vocab_size", default: 32000, in: 1...Self.largestCount),
            hiddenSize: hidden,
            intermediateSize: try width("intermediate_size", default: 11008),
            layerCount: try whole("num_hidden_layers", default: 32, in: 1...10000),
            headCount: heads, keyValueHeadCount: groups,
            headSize: try headSize(hidden: hidden, heads: heads),
            positionCount: try whole(
                "max_position_embeddings", default: 2048, in: 1...Self.largestCount),
            rmsNormEpsilon: Float(
                try number("rms_norm_eps", default: 1e-6, "a number above 0 and at most 1") {
                    Float($0) > 0 && $0 <= 1
                }),
            rotary: try rotary(), tiesEmbeddings: try flag("tie_word_embeddings"),
            attentionBias: try flag("attention_bias"), feedForwardBias: try flag("mlp_bias"))
    }

    private func headSize(hidden: Int, heads: Int) throws(FileProblem) -> Int {
        if self["head_dim"] == nil, hidden % heads != 0 {
            throw FileProblem(
                "hidden_size (\(hidden)) is no multiple of num_attention_heads (\(heads)); mend one of them or give "
                    + "head_dim.")
        }
        let size = try width("head_dim", default: hidden / heads)
        guard size % 2 == 0 else {
            let origin = self["head_dim"] == nil ? "hidden_size / num_attention_heads" : "head_dim"
            throw FileProblem(
                "\(origin) is \(size), where an even number is expected: positions rotate pairs.")
        }
        guard size <= Self.largestWidth / heads else {
            throw FileProblem(
                "num_attention_heads (\(heads)) times the size of a head (\(size)) is above \(Self.largestWidth)."
            )
        }
        return size
    }

    // MARK: Positions

    private func rotary() throws(FileProblem) -> RotaryEmbedding {
        let newer = self["rope_parameters"]
        let older = self["rope_scaling"]
        for share in [
            self["partial_rotary_factor"], try newer?.member("partial_rotary_factor"),
            try older?.member("partial_rotary_factor"),
        ].compactMap(\.self) where try share.number() != 1 {
            throw share.expected("1 (heads that rotate in part are not supported)")
        }
        let thetas: [(key: String, value: Double)] = [
            ("rope_parameters.rope_theta", try theta(newer?.member("rope_theta"))),
            ("rope_scaling.rope_theta", try theta(older?.member("rope_theta"))),
            ("rope_theta", try theta(self["rope_theta"])),
        ].compactMap { pair in pair.1.map { (pair.0, $0) } }
        if let first = thetas.first, let other = thetas.first(where: { $0.value != first.value }) {
            throw FileProblem(
                "\(first.key) is \(first.value) and \(other.key) is \(other.value); keep one of them."
            )
        }
        let scalings = [try scaling(newer), try scaling(older)].compactMap(\.self)
        if scalings.count == 2, scalings[0] != scalings[1] {
            throw FileProblem(
                "rope_parameters and rope_scaling scale the positions in two ways; keep one of them."
            )
        }
        return RotaryEmbedding(
            theta: thetas.first?.value ?? 10_000, scaling: scalings.first ?? .plain)
    }

    private func theta(_ node: JSONNode?) throws(FileProblem) -> Double? {
        guard let node else { return nil }
        return try checked(node, "a number from 1 to 1e30") { $0 >= 1 && $0 <= 1e30 }
    }

    private func scaling(_ node: JSONNode?) throws(FileProblem) -> RotaryEmbedding.Scaling? {
        guard let node else { return nil }
        let olderType = try node.member("type")
        let type = try node.member("rope_type") ?? olderType
        switch try type?.string() {
        case nil, "default": return .plain
        case "llama3":
            let low = try checked(node.required("low_freq_factor"), "a number above 0") { $0 > 0 }
            return .llama3(
                factor: try checked(node.required("factor"), "a number from 1 on") { $0 >= 1 },
                lowFrequencyFactor: low,
                highFrequencyFactor: try checked(
                    node.required("high_freq_factor"), "a number above low_freq_factor (\(low))"
                ) { $0 > low },
                originalPositions: try whole(
                    node.required("original_max_position_embeddings"), in: 1...Self.largestCount))
        case let name?:
            throw FileProblem(
                "\(type?.place ?? node.place) is \(quoted(name)), which is not supported; 'default' and 'llama3' are."
            )
        }
    }

    // MARK: Tokens and types

    /// The tokens of a key that holds one, a list or null, all below `vocabulary`.
    func tokenIDs(
        _ key: String, byDefault standard: Int, vocabulary: Int
    ) throws(FileProblem) -> [Int] {
        // A small vocabulary need not have the token that nobody named.
        guard let node = nodes[key] else { return standard < vocabulary ? [standard] : [] }
        if node.isNull { return [] }
        let list = (try? node.elements()) ?? [node]
        var ids: [Int] = []
        for node in list {
            guard let id = try? node.int(atMost: vocabulary - 1) else {
                let words = "a token from 0 to \(vocabulary - 1) (vocab_size − 1)"
                throw node.expected(node.place == key ? words + " or null" : words)
            }
            ids.append(id)
        }
        return ids
    }

    /// The type that both spellings name, without "torch."; nil when neither is there.
    func statedType() throws(FileProblem) -> String? {
        func plain(_ key: String) throws(FileProblem) -> String? {
            guard let name = try self[key]?.string() else { return nil }
            return name.hasPrefix("torch.") ? String(name.dropFirst(6)) : name
        }
        let (newer, older) = (try plain("dtype"), try plain("torch_dtype"))
        if let newer, let older, newer != older {
            throw FileProblem(
                "dtype is \(quoted(newer)) and torch_dtype is \(quoted(older)); keep one of them."
            )
        }
        return newer ?? older
    }

    // MARK: Plain values

    private func width(_ key: String, default standard: Int) throws(FileProblem) -> Int {
        try whole(key, default: standard, in: 1...Self.largestWidth)
    }

    private func whole(
        _ key: String, default standard: Int, in range: ClosedRange<Int>
    ) throws(FileProblem) -> Int {
        guard let node = self[key] else { return standard }
        return try whole(node, in: range)
    }

    private func whole(_ node: JSONNode, in range: ClosedRange<Int>) throws(FileProblem) -> Int {
        guard let value = try? node.int(atMost: range.upperBound), value >= range.lowerBound else {
            throw node.expected("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    private func flag(_ key: String) throws(FileProblem) -> Bool {
        try self[key]?.bool() ?? false
    }

    /// A number that `isAccepted`; `what` says in words which are.
    func number(
        _ key: String, default standard: Double, _ what: String, _ isAccepted: (Double) -> Bool
    ) throws(FileProblem) -> Double {
        guard let node = self[key] else { return standard }
        return try checked(node, what, isAccepted)
    }

    private func checked(
        _ node: JSONNode, _ what: String, _ isAccepted: (Double) -> Bool
    ) throws(FileProblem) -> Double {
        guard let value = try? node.number(), isAccepted(value) else { throw node.expected(what) }
        return value
    }
}
