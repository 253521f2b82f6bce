import Foundation
import LanguageModeling
import TensorStorage
import TestSupport
import Testing

/// Damaged files of a model: every one is refused by a sentence or works; none crashes, hangs or reads what is not there.
@Suite struct ModelMutationTests {
    /// What tends to break parsers and whoever believes them.
    private static let mutations = Mutations(fragments: [
        "\"", "\\", "\\u", "\\ud800", "{", "}", "[", "]", ",", ":", "null", "true", "-1", "0",
        "1e999",
        "-0", "0.5", "4294967295", "9223372036854775807", "9223372036854775808",
        "99999999999999999999",
        "{\"a\":", "[[[[[[[[", "\u{0}", " ", "\"F16\"", "\"BF16\"", "\"F64\"",
        "\"data_offsets\":[0,0],",
        "\"shape\":[0],", "\"shape\":[4611686018427387904,4],", "\"__metadata__\":{},",
        "\"llama3\"",
        "\"rope_scaling\":{\"type\":", "\"vocab_size\":1,", "\"eos_token_id\":[],", "\"../\"",
    ])

    private static let configurations = [
        TinyModel.text,
        """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 128256, "hidden_size": 2048,
         "torch_dtype": "bfloat16", "rope_theta": 500000.0, "eos_token_id": [128001, 128009], "head_dim": null,
         "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
         "original_max_position_embeddings": 8192, "rope_type": "llama3"}, "tie_word_embeddings": true}
        """,
        """
        {"dtype": "float16", "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"}, "bos_token_id": null,
         "rms_norm_eps": 1e-05, "initializer_range": 0.02, "hidden_act": "silu", "num_attention_heads": 16}
        """,
    ]

    @Test func damagedConfigurationsAreRefusedOrWork() throws {
        var generator = TestGenerator(seed: Mutations.seed)
        var readable = 0
        for n in 0..<Mutations.count / 3 {
            let original = Array(Self.configurations[n % 3].utf8)
            let bytes = Self.mutations.damaged(original, within: original.count, &generator)
            let found: LanguageModelConfiguration
            do throws(LanguageModelError) {
                found = try LanguageModelConfiguration(json: bytes, source: "file")
            } catch {
                checkSentence(error.description)
                continue
            }
            readable += 1
            let text = found.text(storedAs: .float16)
            let again = try LanguageModelConfiguration(json: Array(text.utf8), source: "file")
            #expect(again.llama == found.llama && again.endIDs == found.endIDs)
            if found.llama.layerCount < 100 { #expect(found.llama.parameterCount > 0) }
        }
        #expect(readable > Mutations.count / 300 && readable < Mutations.count / 3)
    }

    /// A whole folder of which the index or a shard's header is damaged.
    @Test func damagedTensorFilesAreRefusedOrWork() throws {
        var generator = TestGenerator(seed: Mutations.seed)
        let folder = try TinyModel.folder()
        let tensors = TinyModel.tensors(try TinyModel.configuration())
        try TinyModel.write([Array(tensors[..<9]), Array(tensors[9...])], to: folder)
        let names = ["model.safetensors.index.json", "model-00001-of-00002.safetensors"]
        let originals = try names.map {
            [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file($0))))
        }
        // Numbers can be damaged without anybody noticing: only headers are.
        let limits = [originals[0].count, 8 + 9 * 110]
        var readable = 0
        for n in 0..<Mutations.count * 2 / 3 {
            let which = n % 2
            let bytes = Self.mutations.damaged(originals[which], within: limits[which], &generator)
            try replace(names[which], in: folder, with: bytes)
            do {
                let model = try ModelDirectory(path: folder.path)
                readable += 1
                let sum = try model.parameters().array.reduce(0) { $0 + Double($1) }
                #expect(!sum.isNaN || which == 1)
            } catch {
                checkSentence("\(error)".replacingOccurrences(of: folder.path, with: "file"))
            }
            try replace(names[which], in: folder, with: originals[which])
        }
        #expect(readable > 0 && readable < Mutations.count / 3)
    }

    /// Foundation's own writing waits for the disk, which takes most of the time of this test.
    private func replace(
        _ name: String, in folder: TemporaryDirectory, with bytes: [UInt8]
    ) throws {
        // A new file: some file systems write one that is shortened in place to the disk at once.
        try FileManager.default.removeItem(atPath: folder.file(name))
        let descriptor = open(folder.file(name), O_WRONLY | O_CREAT | O_EXCL, 0o666)
        try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(
            contentsOf: Data(bytes))
    }

    private func checkSentence(_ text: String) {
        #expect(text.hasPrefix("file") && text.hasSuffix(".") && !text.contains("\n"), "\(text)")
    }
}
