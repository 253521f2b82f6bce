import Foundation
import TensorStorage
import TestSupport
import Testing

/// `sandbox text init` as a user meets it.
@Suite struct TextInitTests {
    private static let config = """
        {"model_type": "llama", "vocab_size": 300, "hidden_size": 16, "intermediate_size": 24,
         "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
         "torch_dtype": "bfloat16", "initializer_range": 0.02}
        """

    private func folder(
        _ old: String = "", _ new: String = ""
    ) throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory()
        let text =
            old.isEmpty ? Self.config : Self.config.replacingOccurrences(of: old, with: new)
        try folder.write(text, to: "source/config.json")
        return folder
    }

    private func initialize(
        _ flags: [String], in folder: TemporaryDirectory
    ) throws -> ChildProcess.Outcome {
        try Program.run(
            ["text", "init", "--config", "source/config.json"] + flags, in: folder.path)
    }

    /// 2 × (256 + 256 + 2 × 128 + 3 × 384 + 32) + 2 × 4800 + 16.
    private static let parameterCount = 13_520

    @Test func aModelIsMade() throws {
        let folder = try folder()
        try folder.write("{}", to: "source/tokenizer_config.json")
        let outcome = try initialize(["--output", "model"], in: folder)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        #expect(
            outcome.output
                == "wrote model: \(Self.parameterCount) parameters, bfloat16, 1 file, \(2 * Self.parameterCount) bytes\n"
        )
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("model")).sorted()
                == ["config.json", "model.safetensors", "tokenizer_config.json"])
        let file = try SafetensorsFile(path: folder.file("model/model.safetensors"))
        #expect(file.tensors.allSatisfy { $0.elementType == .bfloat16 })
        #expect(file["lm_head.weight"]?.shape == [300, 16])
        // The folder, the same seed, another seed.
        for (name, flags) in [("same", ["--config", "source"]), ("other", ["--seed", "1"])] {
            _ = try initialize(["--output", name] + flags, in: folder)
            let isSame =
                try bytes(folder.file("\(name)/model.safetensors"))
                == bytes(folder.file("model/model.safetensors"))
            #expect(isSame == (name == "same"))
        }
    }

    @Test func typeAndShardsAreChosen() throws {
        let folder = try folder()
        let outcome = try initialize(
            ["--output", "model", "--dtype", "f16", "--shard-size", "10KB"], in: folder)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.output.contains(" parameters, float16, 3 files, "))
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("model"))
        #expect(names.contains("model-00003-of-00003.safetensors"))
        #expect(names.contains("model.safetensors.index.json"))
        let shard = try SafetensorsFile(
            path: folder.file("model/model-00001-of-00003.safetensors"))
        #expect(shard.tensors.map(\.elementType).first == .float16)
        for flags in [["--dtype", "f64"], ["--shard-size", "5XB"], ["--shard-size", "0"]] {
            let refused = try initialize(["--output", "none"] + flags, in: folder)
            #expect(refused.exitCode == 64 && refused.output == "", "\(refused)")
        }
    }

    /// Names of types by the file and by both spellings of the option.
    @Test func typesHaveTwoNames() throws {
        let folder = try folder("\"torch_dtype\": \"bfloat16\"", "\"torch_dtype\": \"float64\"")
        let refused = try initialize(["--output", "none"], in: folder)
        #expect(refused.exitCode == 1 && refused.output == "", "\(refused)")
        #expect(
            refused.errors
                == "error: source/config.json: its dtype is 'float64', which cannot be written; give --dtype f32, f16 or bf16.\n"
        )
        for (name, type) in [
            ("bf16", "bfloat16"), ("bfloat16", "bfloat16"), ("float32", "float32"),
        ] {
            let outcome = try initialize(["--output", name, "--dtype", name], in: folder)
            #expect(outcome.exitCode == 0 && outcome.output.contains(", \(type), "), "\(outcome)")
            let text = String(
                decoding: try bytes(folder.file("\(name)/config.json")), as: UTF8.self)
            #expect(text.contains("\"torch_dtype\": \"\(type)\""))
        }
    }

    /// A model that could not be used would be found out by its first user.
    @Test func companionsThatDoNotFitAreRefusedBeforeAnythingIsWritten() throws {
        let folder = try folder()
        try folder.write(
            try Fixture.data("tokenizers/stories260K.json"), to: "source/tokenizer.json")
        let larger = try initialize(["--output", "model"], in: folder)
        #expect(larger.exitCode == 1 && larger.output == "", "\(larger)")
        #expect(
            larger.errors
                == "error: source/tokenizer.json: the tokenizer has ids up to 511, the model knows 300 (vocab_size in "
                + "source/config.json); raise vocab_size or move the tokenizer away.\n")
        try FileManager.default.removeItem(atPath: folder.file("source/tokenizer.json"))
        for (text, sentence) in [
            ("{\"eos_token_id\": 300}", "eos_token_id is 300, where a token from 0 to 299"),
            ("{", "it is not valid JSON"),
        ] {
            try folder.write(text, to: "source/generation_config.json")
            let outcome = try initialize(["--output", "model"], in: folder)
            #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
            #expect(
                outcome.errors.hasPrefix("error: source/generation_config.json: \(sentence)"),
                "\(outcome)")
        }
        #expect(try folder.names() == ["source"])
    }

    @Test func progressIsShownOnATerminal() throws {
        let folder = try folder("\"vocab_size\": 300", "\"vocab_size\": 300000")
        let outcome = try Program.onATerminal(
            ["text", "init", "--config", "source", "--output", "model"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.output.contains("writing model"), "\(outcome)")
        #expect(outcome.output.contains("MB 19/19"), "\(outcome)")
    }

    @Test func whatCannotBeMadeIsSaidInOneSentence() throws {
        let folder = try folder()
        try folder.write("kept", to: "there/file")
        func error(_ flags: [String]) throws -> String {
            let outcome = try initialize(flags, in: folder)
            #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
            #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
            return outcome.errors
        }
        #expect(
            try error(["--output", "there"])
                == "error: there: exists already; name another folder or remove it.\n")
        #expect(try error(["--output", "no/model"]).contains("create the folder 'no'"))
        #expect(try error(["--output", "m", "--config", "none.json"]).contains("'none.json'"))
        try folder.write("{\"model_type\": \"gpt2\"}", to: "gpt2.json")
        #expect(
            try error(["--output", "m", "--config", "gpt2.json"]).hasPrefix(
                "error: gpt2.json: model_type is 'gpt2', and only Llama is supported"))
        #expect(try folder.names() == ["gpt2.json", "source", "there"])
    }

    @Test func aDiskThatIsTooSmallIsSaidBeforeAnythingIsWritten() throws {
        let folder = try folder("\"hidden_size\": 16", "\"hidden_size\": 1000000")
        try folder.write(
            Self.config.replacingOccurrences(
                of: "\"hidden_size\": 16", with: "\"hidden_size\": 1000000"
            )
            .replacingOccurrences(of: "\"vocab_size\": 300", with: "\"vocab_size\": 2000000000"),
            to: "source/config.json")
        let outcome = try initialize(["--output", "model"], in: folder)
        #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
        #expect(outcome.errors.hasPrefix("error: model: the model takes "), "\(outcome)")
        #expect(
            outcome.errors.contains(
                " bytes) free; free some space or name a folder on another disk."), "\(outcome)")
        #expect(try folder.names() == ["source"])
    }

    @Test func afterALimitOfTheDiskNothingIsLeft() throws {
        let folder = try folder()
        let outcome = try Program.run(
            ["text", "init", "--config", "source", "--output", "model"], in: folder.path,
            limits: "ulimit -f 8")
        #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
        #expect(outcome.errors.contains("/model.safetensors"), "\(outcome)")
        #expect(outcome.errors.contains("File too large; raise the file-size limit"), "\(outcome)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
        #expect(try folder.names() == ["source"])
    }

    @Test func aSignalLeavesNothing() throws {
        let folder = try folder("\"vocab_size\": 300", "\"vocab_size\": 20000000")
        let child = try Program.start(
            ["text", "init", "--config", "source", "--output", "model"], in: folder.path)
        try child.wait { _ in try folder.names().count > 1 }
        child.send(signal: SIGINT)
        let outcome = try child.wait()
        #expect(outcome.exitCode == 75, "\(outcome)")
        #expect(outcome.errors == "interrupted; nothing is left behind\n", "\(outcome)")
        #expect(try folder.names() == ["source"])
    }
}
