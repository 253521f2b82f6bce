import Foundation
import Kernels
import LanguageModeling
import TensorStorage
import TestSupport
import Transformer

/// Small models on disk, whole and damaged.
enum TinyModel {
    /// A model with everything that can be switched on: biases, grouped queries, heads wider than C / H.
    static let text = """
        {"model_type": "llama", "vocab_size": 20, "hidden_size": 8, "intermediate_size": 12,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 4,
         "attention_bias": true, "mlp_bias": true, "max_position_embeddings": 32, "extra": [1e-05]}
        """

    /// What ``text`` says, changed where wished.
    static func configuration(
        _ old: String = "", _ new: String = ""
    ) throws -> LanguageModelConfiguration {
        let text = old.isEmpty ? text : text.replacingOccurrences(of: old, with: new)
        return try LanguageModelConfiguration(json: Array(text.utf8), source: "config.json")
    }

    /// Random numbers in the layout of `configuration`.
    static func parameters(_ configuration: LanguageModelConfiguration) -> FloatView {
        let layout = configuration.llama.layout
        let flat = FloatView(zeros: layout.count)
        var generator = TestGenerator(seed: 4)
        for tensor in layout.tensors(in: flat) {
            tensor.view.copy(from: generator.normals(tensor.view.count))
        }
        return flat
    }

    /// The tensors of a model as F32 bytes, for files that no writer of ours would write.
    static func tensors(_ configuration: LanguageModelConfiguration) -> [RawTensor] {
        configuration.llama.tensors.map { name, shape in
            RawTensor(name, shape: shape, (0..<elementCount(of: shape)).map { Float($0) })
        }
    }

    /// A folder with ``text`` as config.json and nothing else.
    static func folder() throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory()
        try folder.write(text, to: "config.json")
        return folder
    }

    /// Writes `shards` and an index that says what they hold, changed by `change`.
    static func write(
        _ shards: [[RawTensor]], to folder: TemporaryDirectory,
        index change: (inout [String: String]) -> Void = { _ in }
    ) throws {
        var places: [String: String] = [:]
        for (number, tensors) in shards.enumerated() {
            let name = "model-0000\(number + 1)-of-0000\(shards.count).safetensors"
            try folder.write(rawSafetensors(tensors), to: name)
            for tensor in tensors { places[tensor.name] = name }
        }
        change(&places)
        let index = try JSONEncoder().encode(["weight_map": places])
        try folder.write(index, to: "model.safetensors.index.json")
    }
}
