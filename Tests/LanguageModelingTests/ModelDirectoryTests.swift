import Foundation
import Kernels
import LanguageModeling
import TensorStorage
import TestSupport
import Testing
import Transformer

/// Opening folders, whole and damaged.
@Suite struct ModelDirectoryTests {
    private let configuration: LanguageModelConfiguration
    private let tensors: [RawTensor]

    init() throws {
        configuration = try TinyModel.configuration()
        tensors = TinyModel.tensors(configuration)
    }

    /// The one sentence with which `folder` is refused, without the folder's path.
    private func refusal(_ folder: TemporaryDirectory) -> String {
        do {
            _ = try ModelDirectory(path: folder.path)
            return "opened"
        } catch {
            let text = "\(error)".replacingOccurrences(of: folder.path, with: "MODEL")
            #expect(text.hasPrefix("MODEL") && !text.contains("\n"), "\(text)")
            return text
        }
    }

    /// The refusal of a model in one file whose tensors were changed.
    private func refusal(_ change: (inout [RawTensor]) -> Void) throws -> String {
        let folder = try TinyModel.folder()
        var tensors = tensors
        change(&tensors)
        try folder.write(rawSafetensors(tensors), to: "model.safetensors")
        return refusal(folder)
    }

    @Test func matricesLieInTheFilesAndVectorsAreCopied() throws {
        let folder = try TinyModel.folder()
        try TinyModel.write([Array(tensors[..<9]), Array(tensors[9...])], to: folder)
        let model = try ModelDirectory(path: folder.path)
        #expect(model.configuration.llama == configuration.llama)
        let key = model.weights.layers[1].key
        #expect(key.weight.rows == 8 && key.weight.columns == 8 && key.weight.element == .float32)
        #expect(key.bias?.array == (0..<8).map { Float($0) })
        let row = FloatView(zeros: 8)
        model.weights.head.copyRow(3, into: row)
        #expect(row.array == (24..<32).map { Float($0) })
        let flat = try model.parameters()
        let layout = configuration.llama.layout
        for tensor in layout.tensors(in: flat) {
            #expect(
                tensor.view.array == (0..<tensor.view.count).map { Float($0) }, "\(tensor.name)")
        }
    }

    @Test func oneFileIsTakenBeforeAnIndex() throws {
        let folder = try TinyModel.folder()
        try folder.write(rawSafetensors(tensors), to: "model.safetensors")
        try folder.write(
            "{\"weight_map\": {\"a\": \"missing.safetensors\"}}", to: "model.safetensors.index.json"
        )
        #expect(refusal(folder) == "opened")
    }

    @Test func buffersAndATiedHeadAreLeftAlone() throws {
        let folder = try TemporaryDirectory()
        try folder.write(
            TinyModel.text.replacingOccurrences(
                of: "{\"", with: "{\"tie_word_embeddings\": true, \""),
            to: "config.json")
        let buffer = RawTensor(
            "model.layers.0.self_attn.rotary_emb.inv_freq", dtype: "F64", shape: [0], bytes: [])
        try folder.write(rawSafetensors(tensors + [buffer]), to: "model.safetensors")
        let model = try ModelDirectory(path: folder.path)
        let row = FloatView(zeros: 8)
        model.weights.head.copyRow(0, into: row)
        #expect(row.array == (0..<8).map { Float($0) })
    }

    @Test func tensorsThatContradictTheConfigurationAreNamed() throws {
        let missing = try refusal { $0.removeLast() }
        #expect(
            missing
                == "MODEL: lacks tensor 'lm_head.weight', which its config.json (tie_word_embeddings) asks for; one of the two "
                + "belongs to another model or is cut off.")
        #expect(
            try refusal { $0[0].shape = [16, 10] }
                == "MODEL/model.safetensors: tensor 'model.embed_tokens.weight' has the shape [16, 10], but config.json gives "
                + "[20, 8] (vocab_size); one of the two belongs to another model.")
        let layers = try refusal { tensors in
            tensors.removeAll { $0.name.hasPrefix("model.layers.1.") }
        }
        #expect(layers.contains("'model.layers.1.input_layernorm.weight'"))
        #expect(layers.contains("(num_hidden_layers)"))
        let extra = try refusal {
            $0.append(RawTensor("model.layers.2.mlp.up_proj.bias", shape: [1], [0]))
        }
        #expect(
            extra.contains(
                "holds 'model.layers.2.mlp.up_proj.bias', which a Llama of this config.json (mlp_bias)"
            ))
        let type = try refusal { tensors in
            tensors[0].dtype = "F64"
            tensors[0].bytes += tensors[0].bytes
        }
        #expect(
            type.contains(
                "tensor 'model.embed_tokens.weight' is F64, where F32, F16 or BF16 is expected; convert"
            ))
        let rank = try refusal { $0[0].shape = [20, 8, 1] }
        #expect(rank.contains("has the shape [20, 8, 1], but config.json gives [20, 8];"))
    }

    @Test(arguments: [
        ("k_proj.weight", "num_key_value_heads, head_dim"), ("gate_proj.bias", "intermediate_size"),
        ("q_proj.weight", "num_attention_heads, head_dim"),
        ("input_layernorm.weight", "hidden_size"),
    ]) func theKeyBehindAShapeIsNamed(_ suffix: String, _ key: String) throws {
        let text = try refusal { tensors in
            let index = tensors.firstIndex { $0.name.hasSuffix(suffix) } ?? 0
            let shape = tensors[index].shape
            tensors[index] = RawTensor(
                tensors[index].name, shape: [shape[0] + 2] + shape.dropFirst(),
                [Float](repeating: 0, count: elementCount(of: [shape[0] + 2] + shape.dropFirst())))
        }
        #expect(text.contains(suffix) && text.contains("(\(key))"), "\(text)")
    }

    @Test func shardsThatDoNotFitAreNamed() throws {
        let (first, second) = (Array(tensors[..<9]), Array(tensors[9...]))
        func refusal(
            _ shards: [[RawTensor]]? = nil, removing: String? = nil,
            index change: (inout [String: String]) -> Void = { _ in }
        ) throws -> String {
            let folder = try TinyModel.folder()
            try TinyModel.write(shards ?? [first, second], to: folder, index: change)
            if let removing { try FileManager.default.removeItem(atPath: folder.file(removing)) }
            return self.refusal(folder)
        }
        let names = (1...2).map { "model-0000\($0)-of-00002.safetensors" }
        #expect(
            try refusal(removing: names[1])
                == "MODEL/model.safetensors.index.json: names '\(names[1])', missing in the folder; copy all 2 shards into it."
        )
        #expect(
            try refusal([first, second + [first[3]]]) { $0[first[3].name] = names[0] }
                == "MODEL/\(names[1]): holds tensor '\(first[3].name)', and so does '\(names[0])'; each belongs into one shard."
        )
        let swapped = try refusal { $0["model.embed_tokens.weight"] = names[1] }
        #expect(
            swapped.contains(
                "holds tensor 'model.embed_tokens.weight', but model.safetensors.index.json puts it into '\(names[1])'"
            ))
        let unlisted = try refusal { $0["model.norm.weight"] = nil }
        #expect(unlisted.contains("but model.safetensors.index.json does not name it"))
        let lost = try refusal([first, Array(second.dropLast())]) {
            $0["lm_head.weight"] = names[1]
        }
        #expect(lost.hasPrefix("MODEL/\(names[1]): lacks tensor 'lm_head.weight'"), "\(lost)")
        for name in ["../x.safetensors", "/etc/passwd", "a/b", "..", ".", ""] {
            let text = try refusal { $0["lm_head.weight"] = name }
            #expect(
                text
                    == "MODEL/model.safetensors.index.json: weight_map puts tensor 'lm_head.weight' into '\(name)', where the "
                    + "name of a file in the same folder is expected.")
        }
        let folder = try TinyModel.folder()
        let twice = "{\"weight_map\": {\"a\": \"x\", \"a\": \"y\"}}"
        for (text, sentence) in [
            (twice, "weight_map has the key 'a' twice"), ("{}", "the file lacks 'weight_map'"),
            ("{\"weight_map\": {}}", "names no tensor"),
            ("{\"weight_map\": {\"a\": 1}}", "weight_map.a is 1"),
            ("{", "not valid JSON"),
        ] {
            try folder.write(text, to: "model.safetensors.index.json")
            #expect(self.refusal(folder).contains(sentence))
        }
    }

    @Test func foldersWithoutTensorsSayWhatToDo() throws {
        let folder = try TinyModel.folder()
        #expect(
            refusal(folder)
                == "MODEL: holds neither model.safetensors nor model.safetensors.index.json; name the folder of a whole model."
        )
        try folder.write("", to: "pytorch_model.bin")
        #expect(
            refusal(folder).contains(
                "holds 'pytorch_model.bin' but no model.safetensors; convert it with transformers"))
        try folder.write("", to: "model-00001-of-00002.safetensors")
        #expect(
            refusal(folder).contains(
                "but neither model.safetensors nor model.safetensors.index.json; copy the whole model"
            ))
        try folder.write(
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            to: "model.safetensors")
        #expect(refusal(folder).contains("is not a safetensors file but a pointer of Git LFS"))
        let empty = try TemporaryDirectory()
        #expect(
            refusal(empty)
                == "MODEL: holds no config.json; a model's folder has one beside its tensors.")
        #expect(throws: LanguageModelError.self) {
            try ModelDirectory(path: folder.file("config.json"))
        }
    }

    /// Each product reads its own matrix's type: the same numbers in fp32 give the same logits.
    @Test func shardsMayBeOfDifferentTypes() throws {
        let exact = tensors.map { tensor in
            let count = elementCount(of: tensor.shape)
            // Few bits, so that bf16 holds them.
            return RawTensor(
                tensor.name, shape: tensor.shape, (0..<count).map { Float($0 % 17 - 8) / 64 })
        }
        let half = exact[9...].map { tensor in
            // The upper half of each little-endian fp32.
            RawTensor(
                tensor.name, dtype: "BF16", shape: tensor.shape,
                bytes: tensor.bytes.indices.filter { $0 % 4 > 1 }.map { tensor.bytes[$0] })
        }
        func logits(_ second: [RawTensor]) throws -> [Float] {
            let folder = try TinyModel.folder()
            try TinyModel.write([Array(exact[..<9]), second], to: folder)
            let model = try ModelDirectory(path: folder.path)
            return TextGenerator(
                model.configuration.llama, weights: model.weights, capacity: 6, workers: 1
            ).begin([1, 4, 2, 7, 19, 3]).array
        }
        let mixed = try logits(half)
        #expect(mixed == (try logits(Array(exact[9...]))))
        #expect(Set(mixed).count > 10)
    }

    @Test func aTiedHeadThatIsAnotherMatrixIsRefused() throws {
        let folder = try TemporaryDirectory()
        try folder.write(
            TinyModel.text.replacingOccurrences(
                of: "{\"", with: "{\"tie_word_embeddings\": true, \""),
            to: "config.json")
        func refusal(_ change: (inout RawTensor) -> Void) throws -> String {
            var tensors = tensors
            change(&tensors[tensors.count - 1])
            #expect(tensors.last?.name == "lm_head.weight")
            try folder.write(rawSafetensors(tensors), to: "model.safetensors")
            return self.refusal(folder)
        }
        #expect(try refusal { _ in } == "opened")
        let other =
            "MODEL/model.safetensors: lm_head.weight differs from model.embed_tokens.weight although tie_word_embeddings is "
            + "true; set it to false or remove the tensor."
        #expect(try refusal { $0.bytes[$0.bytes.count - 2] ^= 1 } == other)
        // As many bytes, as another type.
        let type = try refusal { tensor in
            tensor.dtype = "BF16"
            tensor.bytes.removeLast(tensor.bytes.count / 2)
        }
        #expect(type == other)
        let shape = try refusal { $0.shape = [10, 16] }
        #expect(shape.contains("'lm_head.weight' has the shape [10, 16], but config.json gives"))
    }

    @Test func theFilesThatAreReadAreListed() throws {
        let folder = try TinyModel.folder()
        try TinyModel.write([Array(tensors[..<9]), Array(tensors[9...])], to: folder)
        let names = [
            "config.json", "model.safetensors.index.json", "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
        ]
        #expect(try ModelDirectory(path: folder.path).files == names.map(folder.file))
        try folder.write(rawSafetensors(tensors), to: "model.safetensors")
        #expect(
            try ModelDirectory(path: folder.path).files
                == ["config.json", "model.safetensors"].map(folder.file))
    }

    @Test func endsOfGenerationComeFromItsOwnFile() throws {
        let folder = try TinyModel.folder()
        try folder.write(rawSafetensors(tensors), to: "model.safetensors")
        let model = try ModelDirectory(path: folder.path)
        #expect(try model.endIDs() == [2])
        try folder.write("{\"eos_token_id\": [7, 3]}", to: "generation_config.json")
        #expect(try model.endIDs() == [7, 3])
        try folder.write("{\"do_sample\": true}", to: "generation_config.json")
        #expect(try model.endIDs() == [2])
        // Who does not generate does not read it.
        try folder.write("{\"eos_token_id\": 20}", to: "generation_config.json")
        #expect(refusal(folder) == "opened")
        let error = #expect(throws: LanguageModelError.self) { try model.endIDs() }
        #expect(
            error?.description.hasPrefix(
                "\(folder.path)/generation_config.json: eos_token_id is 20, where a token from 0 to 19"
            ) == true)
    }
}
