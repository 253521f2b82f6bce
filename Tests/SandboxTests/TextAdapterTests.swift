import Experiments
import Foundation
import TensorStorage
import TestSupport
import Testing

/// Adapters as a user meets them: merged into their model, and beside it.
@Suite struct TextAdapterTests {
    /// A folder in which adapters were trained.
    private static func trained() throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let trained = try Program.run(
            TextTraining.arguments(
                "cpt", "training.method=lora", "training.optimizer.learning_rate=0.01"),
            in: folder.path)
        #expect(trained.exitCode == 0, "\(trained)")
        return folder
    }

    @Test func mergedAdaptersAreTheTrainedModel() throws {
        let folder = try Self.trained()
        let run = try TextTraining.run("runs/cpt", in: folder)
        let merged = try Program.run(
            [
                "text", "merge", "--model", TextTraining.stories, "--adapter",
                "\(run.path)/adapter",
                "--output", "merged",
            ], in: folder.path)
        #expect(merged.exitCode == 0, "\(merged)")
        // Trained further for no step at all, the merged model has the held-out loss that the adapters ended with.
        let measured = try Program.run(
            TextTraining.arguments(
                "cpt", "model.path=merged", "training.steps=1", "name=again", "--json"),
            in: folder.path)
        #expect(measured.exitCode == 0, "\(measured)")
        func loss(_ text: String, step: Int) throws -> Double {
            let rows = try json(text).arrayValue ?? []
            return try #require(
                rows.first {
                    $0["metric"] == "eval/loss" && $0["step"]?.integerValue == step
                }?["value"]?.doubleValue)
        }
        let ended = try Program.run(
            TextTraining.arguments(
                "cpt", "training.method=lora", "training.optimizer.learning_rate=0.01", "--json"),
            in: folder.path)
        let (before, after) = (
            try loss(ended.output, step: 6), try loss(measured.output, step: 0)
        )
        #expect(abs(before - after) < 1e-5 * before, "\(before) and \(after)")
        #expect(try abs(loss(ended.output, step: 0) - before) > 0.01)
    }

    /// Adapters beside their model are the merged model: what it says, its logits, its loss.
    @Test func adaptersAreReadBesideTheirModel() throws {
        let folder = try Self.trained()
        let adapter = try "\(TextTraining.run("runs/cpt", in: folder).path)/adapter"
        func program(_ arguments: String...) throws -> String {
            let outcome = try Program.run(["text"] + arguments, in: folder.path)
            #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
            return outcome.output
        }
        _ = try program(
            "merge", "--model", TextTraining.stories, "--adapter", adapter, "--output", "merged")
        let ending = ["--greedy", "--ids", "--max-tokens", "40", "--prompt", "One day"]
        func ids(_ model: String...) throws -> String {
            let outcome = try Program.run(
                ["text", "generate", "--model"] + model + ending, in: folder.path)
            #expect(outcome.exitCode == 0, "\(outcome)")
            return outcome.output
        }
        let beside = try ids(TextTraining.stories, "--adapter", adapter)
        #expect(try beside == ids(folder.file("merged")))
        #expect(try beside != ids(TextTraining.stories))

        try folder.write("[[1, 5, 9, 60, 2, 7], [8, 3, 77, 1, 4, 11]]", to: "ids.json")
        let common = ["--ids", "ids.json", "--gradients", "--output"]
        for (arguments, name) in [
            ([TextTraining.stories, "--adapter", adapter], "beside.safetensors"),
            (["merged"], "merged.safetensors"),
        ] {
            let outcome = try Program.run(
                ["text", "forward", "--model"] + arguments + common + [name], in: folder.path)
            #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        }
        let (found, expected) = (
            try SafetensorsFile(path: folder.file("beside.safetensors")),
            try SafetensorsFile(path: folder.file("merged.safetensors"))
        )
        for name in ["logits", "loss"] {
            let close = closeness(
                try found.floats(name), try expected.floats(name), relative: 0, absolute: 2e-4)
            #expect(close.isWithin, "\(name): \(close)")
        }
        // dB = (alpha / r) dW (A x)ᵀ summed over rows is dW Aᵀ (alpha / r): the chain rule from the merged model's gradient.
        let factors = try SafetensorsFile(path: "\(adapter)/adapter_model.safetensors")
        let targets = factors.tensors.map(\.name).filter { $0.contains("lora_B") }
        #expect(
            Set(found.tensors.map(\.name))
                == Set(factors.tensors.map { "grad." + $0.name } + ["logits", "loss"]))
        for name in targets {
            let a = name.replacing("lora_B", with: "lora_A")
            let shape = try #require(factors[a]?.shape)
            let map = name.replacing("base_model.model.", with: "")
                .replacing(".lora_B.weight", with: ".weight")
            let dW = try expected.floats("grad." + map).map(Double.init)
            let rows = dW.count / shape[1]
            let dB = Naive.matrixProduct(
                dW, try factors.floats(a).map(Double.init), rows: rows, columns: shape[0],
                inner: shape[1], transposeB: true)
            let scale = 16.0 / Double(shape[0])
            let close = closeness(
                try found.floats("grad." + name).map(Double.init), dB.map { $0 * scale },
                relative: 1e-3, scale: .largest)
            #expect(close.isWithin, "\(name): \(close)")
        }
        var broken = try Data(
            contentsOf: URL(fileURLWithPath: "\(adapter)/adapter_model.safetensors"))
        broken.replaceSubrange(broken.count - 4..<broken.count, with: [0, 0, 0xc0, 0x7f])
        try FileManager.default.copyItem(atPath: adapter, toPath: folder.file("damaged"))
        try broken.write(to: URL(fileURLWithPath: folder.file("damaged/adapter_model.safetensors")))
        let damaged = try Program.run(
            [
                "text", "merge", "--model", TextTraining.stories, "--adapter", "damaged",
                "--output",
                "never",
            ], in: folder.path)
        #expect(damaged.exitCode == 1 && damaged.errors.contains("not finite"), "\(damaged)")
        let other = try Program.run(
            ["text", "generate", "--model", "merged", "--adapter", adapter], in: folder.path)
        #expect(other.exitCode == 1 && other.errors.contains("another base"), "\(other)")
        let own = try Program.run(
            [
                "text", "forward", "--model", TextTraining.stories, "--adapter", adapter, "--ids",
                "ids.json",
            ]
                + ["--output", "\(adapter)/adapter_model.safetensors"], in: folder.path)
        #expect(own.exitCode == 64 && own.errors.contains("would be replaced"), "\(own)")
        _ = try SafetensorsFile(path: "\(adapter)/adapter_model.safetensors")
    }
}
