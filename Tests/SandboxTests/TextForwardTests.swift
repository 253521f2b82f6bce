import Foundation
import TensorStorage
import TestSupport
import Testing

/// `sandbox text forward` as a user meets it.
@Suite struct TextForwardTests {
    private static let stories = Fixture.path("stories260K")

    /// More rows than are in memory at a time: each sequence as if it were alone, and the mean of their losses.
    @Test func manySequencesAreReadAFewAtATime() throws {
        let folder = try TemporaryDirectory()
        let sequences = (0..<5).map { first in (0..<300).map { ($0 * 7 + first * 31) % 512 } }
        func forward(_ lists: [[Int]]) throws -> (logits: [Float], loss: Float) {
            try folder.write("\(lists)", to: "ids.json")
            let outcome = try Program.run(
                [
                    "text", "forward", "--model", Self.stories, "--ids", "ids.json", "--output",
                    "out.safetensors",
                ], in: folder.path)
            #expect(outcome.exitCode == 0, "\(outcome)")
            let file = try SafetensorsFile(path: folder.path + "/out.safetensors")
            return (
                try file.floats("logits", shape: [lists.count, 300, 512]),
                try file.floats("loss", shape: [1])[0]
            )
        }
        let all = try forward(sequences)
        var losses = 0.0
        for (index, list) in sequences.enumerated() {
            let alone = try forward([list])
            losses += Double(alone.loss) / 5
            let part = Array(all.logits[index * 300 * 512..<(index + 1) * 300 * 512])
            #expect(firstDifference(part, alone.logits) == nil, "sequence \(index)")
        }
        #expect(closeness([Double(all.loss)], [losses], relative: 1e-6).isWithin)
    }

    @Test func forwardWritesWhatTransformersComputes() throws {
        let folder = try TemporaryDirectory()
        let model = Fixture.path("llama/tied-grouped")
        let outcome = try Program.run(
            [
                "text", "forward", "--model", model, "--ids", "\(model)/ids.json", "--output",
                "out.safetensors", "--gradients",
            ], in: folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "" && outcome.output == "", "\(outcome)")
        let found = try SafetensorsFile(path: folder.path + "/out.safetensors")
        let expected = try SafetensorsFile(path: "\(model)/expected.safetensors")
        #expect(Set(found.tensors.map(\.name)) == Set(expected.tensors.map(\.name)))
        for tensor in expected.tensors {
            let close = closeness(
                try found.floats(tensor.name, shape: tensor.shape).map(Double.init),
                try expected.floats(tensor.name).map(Double.init), relative: 2e-4,
                scale: .largest)
            #expect(close.isWithin, "\(tensor.name): \(close)")
        }
    }

    @Test func idsThatTheModelCannotReadAreSaid() throws {
        let folder = try TemporaryDirectory()
        func error(_ ids: String, _ flags: [String] = [], output: String = "out.safetensors") throws
            -> String
        {
            try folder.write(ids, to: "ids.json")
            let outcome = try Program.run(
                [
                    "text", "forward", "--model", Self.stories, "--ids", "ids.json", "--output",
                    output,
                ] + flags, in: folder.path)
            #expect(outcome.exitCode != 0 && outcome.output == "", "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/out.safetensors"))
            return outcome.errors
        }
        #expect(
            try error("[[1, 2], [3, 512]]")
                == "error: ids.json: sequence 1 has the id 512 at position 1; the model knows the ids 0 to 511.\n"
        )
        #expect(try error("[[1, -1]]").contains("the id -1 at position 1"))
        #expect(try error("[[1, 1.5]]").contains("the id 1.5"))
        #expect(try error("[[1, 2], [3]]").contains("sequence 1 has 1 ids and the first one 2"))
        #expect(try error("[]").contains("there are no ids"))
        #expect(try error("{}").contains("ids.json"))
        #expect(try error("[[1").contains("ids.json"))
        #expect(try error("[[1]]", ["--gradients"]).contains("no next token"))
        let long = "[[" + Array(repeating: "1", count: 513).joined(separator: ",") + "]]"
        #expect(try error(long).contains("513 ids and the model 512 positions"))
        #expect(try error("[[1, 2]]", output: "ids.json").contains("name another file"))
        #expect(try error("[[1, 2]]", output: Self.stories + "/x").contains("name another file"))
    }

    /// What is read stays, by whatever name and through whatever links the output is given.
    @Test func whatIsReadIsNotReplaced() throws {
        let folder = try TemporaryDirectory()
        let files = FileManager.default
        try StoriesModel.write(to: folder)
        try folder.write("[[1, 2]]", to: "ids.json")
        try files.createSymbolicLink(atPath: folder.file("link"), withDestinationPath: "model")
        // As Hugging Face's cache keeps a model: links to files that are named by their hashes.
        try files.createDirectory(
            atPath: folder.file("snapshot"), withIntermediateDirectories: true)
        for name in ["config.json", "model.safetensors"] {
            try folder.write(try bytes(folder.file("model/\(name)")), to: "blobs/\(name)-0f")
            try files.createSymbolicLink(
                atPath: folder.file("snapshot/\(name)"),
                withDestinationPath: "../blobs/\(name)-0f")
        }
        func forward(_ model: String, _ output: String) throws -> ChildProcess.Outcome {
            try Program.run(
                ["text", "forward", "--model", model, "--ids", "ids.json", "--output", output],
                in: folder.path)
        }
        let before = try FolderSnapshot(folder.path)
        for (model, output) in [
            ("model", "link/new"), ("model", "link/model.safetensors"), ("link", "model/new"),
            ("model", "./model/new"), ("snapshot", "blobs/model.safetensors-0f"),
            ("snapshot", "blobs/config.json-0f"), ("snapshot", "snapshot/new"),
            ("model", "ids.json"),
        ] {
            let outcome = try forward(model, output)
            #expect(outcome.exitCode == 64 && outcome.output == "", "\(output): \(outcome)")
            #expect(
                outcome.errors.contains("would be replaced; name another file"), "\(outcome)")
        }
        #expect(try FolderSnapshot(folder.path) == before)
        let other = try forward("snapshot", "blobs/other")
        #expect(other.exitCode == 0 && other.errors == "", "\(other)")
    }

    @Test func aLossThatIsNoNumberIsSaid() throws {
        let folder = try TemporaryDirectory()
        try StoriesModel.write(to: folder) { $0["model.norm.weight"]?[3] = .nan }
        try folder.write("[[1, 2, 3]]", to: "ids.json")
        for flags in [[], ["--gradients"]] {
            let outcome = try Program.run(
                ["text", "forward", "--model", "model", "--ids", "ids.json", "--output", "out"]
                    + flags, in: folder.path)
            #expect(outcome.exitCode == 0 && outcome.output == "", "\(outcome)")
            #expect(outcome.errors.hasPrefix("warning: model: the loss is nan"), "\(outcome)")
            #expect(try SafetensorsFile(path: folder.file("out")).floats("loss")[0].isNaN)
        }
    }

    // MARK: Memory

    /// 1.5 GB of logits in an address space of 1 GB: they are written as they are made.
    @Test func logitsMayBeLargerThanMemory() throws {
        let folder = try TemporaryDirectory()
        try folder.write(
            """
            {"model_type": "llama", "vocab_size": 150000, "hidden_size": 16, "intermediate_size": 16,
             "num_hidden_layers": 1, "num_attention_heads": 1, "tie_word_embeddings": true}
            """, to: "config.json")
        let made = try Program.run(
            ["text", "init", "--config", "config.json", "--output", "model"], in: folder.path)
        #expect(made.exitCode == 0, "\(made)")
        try folder.write("\(Array(repeating: Array(0..<128), count: 20))", to: "ids.json")
        let outcome = try Program.run(
            [
                "text", "forward", "--model", "model", "--ids", "ids.json", "--output",
                "/dev/null", "--workers", "2",
            ], in: folder.path, limits: "ulimit -v 1000000")
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
    }

    @Test func whatMemoryCannotHoldIsRefused() throws {
        let folder = try TemporaryDirectory()
        try StoriesModel.write(to: folder, positions: 1 << 21)
        let list = Array(repeating: "1", count: 1_000_000).joined(separator: ",")
        try folder.write("[[\(list)]]", to: "ids.json")
        let outcome = try Program.run(
            [
                "text", "forward", "--model", "model", "--ids", "ids.json", "--output", "out",
                "--gradients", "--workers", "1",
            ], in: folder.path)
        #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
        // The scores of a head and their gradients alone are 2 T² numbers of four bytes: 8 TB.
        let sentence =
            /error: ids.json: B = 1 sequences of T = 1000000 ids with V = 512 logits each take 80\d\d.\d GB of memory, and \d+.\d GB are free; give shorter sequences or free some memory.\n/
        #expect(outcome.errors.wholeMatch(of: sentence) != nil, "\(outcome)")
        #expect(try folder.names() == ["ids.json", "model"])
    }
}
