import Kernels
import TensorStorage
import Tokenizers
import Transformer

/// Compares the tensors of a folder with its config.json.
struct TensorCheck {
    let index: TensorIndex
    let llama: LlamaConfiguration

    private static let embedding = "model.embed_tokens.weight"
    private static let head = "lm_head.weight"

    /// - Throws: `LanguageModelError` about the first tensor that is missing, of another shape or type, or unknown;
    ///   `TensorStorageError` from a file.
    func run() throws {
        for (name, shape) in llama.tensors { try check(name, shape) }
        try checkTiedHead()
        try checkExtras()
    }

    /// Tensors may be of different types: each product reads its own matrix's.
    private func check(_ name: String, _ shape: [Int]) throws(LanguageModelError) {
        let file = try index.file(of: name)
        guard let tensor = file[name] else { return }
        guard StoredElement(tensor.elementType) != nil else {
            throw LanguageModelError(
                path: file.path,
                "tensor \(quoted(name)) is \(tensor.elementType.rawValue), where F32, F16 or BF16 is expected; convert "
                    + "the model to one of them.")
        }
        guard tensor.shape == shape else {
            throw wrongShape(tensor, expected: shape, path: file.path)
        }
    }

    /// A file may repeat the embedding table as the tied head. Where the two differ transformers 5 does not tie them, older
    /// versions do: no reading would be right for both.
    private func checkTiedHead() throws {
        guard llama.tiesEmbeddings, index.names.contains(Self.head) else { return }
        try check(Self.head, [llama.vocabularySize, llama.hiddenSize])
        let file = try index.file(of: Self.head)
        let embeddings = try index.file(of: Self.embedding)
        guard try file.tensor(Self.head, equals: Self.embedding, of: embeddings) else {
            throw LanguageModelError(
                path: file.path,
                "\(Self.head) differs from \(Self.embedding) although tie_word_embeddings is true; set it to false or "
                    + "remove the tensor.")
        }
    }

    private func wrongShape(
        _ tensor: TensorInfo, expected: [Int], path: String
    ) -> LanguageModelError {
        // A file may state as many extents as it likes.
        let found = tensor.shape.count <= 8 ? "\(tensor.shape)" : "\(tensor.shape.count) extents"
        let extent =
            tensor.shape.count == expected.count
            ? zip(tensor.shape, expected).enumerated()
                .first { $0.element.0 != $0.element.1 }?.offset : nil
        let key = extent.map { " (\(ConfigurationKey.deciding(tensor.name, extent: $0)))" } ?? ""
        return LanguageModelError(
            path: path,
            "tensor \(quoted(tensor.name)) has the shape \(found), but config.json gives \(expected)\(key); one of the two "
                + "belongs to another model.")
    }

    /// Tensors that the network does not have: buffers that older versions saved, and a tied head, are left alone.
    private func checkExtras() throws(LanguageModelError) {
        var known = Set(llama.tensors.map(\.name))
        if llama.tiesEmbeddings { known.insert(Self.head) }
        let extras = index.names.filter {
            !known.contains($0) && !$0.hasSuffix("rotary_emb.inv_freq")
        }.sorted()
        guard let first = extras.first else { return }
        let key = ConfigurationKey.requiring(first).map { " (\($0))" } ?? ""
        throw LanguageModelError(
            path: try index.file(of: first).path,
            "holds \(quotedList(extras)), which a Llama of this config.json\(key) does not have; one of the two belongs to "
                + "another model.")
    }
}

/// Which key of config.json a tensor hangs on.
enum ConfigurationKey {
    /// The key that decides whether there is a tensor `name`; nil when every Llama has it.
    static func requiring(_ name: String) -> String? {
        if name == "lm_head.weight" { return "tie_word_embeddings" }
        if name.hasSuffix(".bias") { return name.contains(".mlp.") ? "mlp_bias" : "attention_bias" }
        return name.hasPrefix("model.layers.") ? "num_hidden_layers" : nil
    }

    /// The key that decides extent number `extent` of tensor `name`.
    static func deciding(_ name: String, extent: Int) -> String {
        switch name.split(separator: ".").dropLast().last {
        case "embed_tokens", "lm_head": extent == 0 ? "vocab_size" : "hidden_size"
        case "q_proj": extent == 0 ? "num_attention_heads, head_dim" : "hidden_size"
        case "k_proj", "v_proj": extent == 0 ? "num_key_value_heads, head_dim" : "hidden_size"
        case "o_proj": extent == 0 ? "hidden_size" : "num_attention_heads, head_dim"
        case "gate_proj", "up_proj": extent == 0 ? "intermediate_size" : "hidden_size"
        case "down_proj": extent == 0 ? "hidden_size" : "intermediate_size"
        default: "hidden_size"
        }
    }
}
