import Experiments
import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing

@testable import Mechanism

@Suite struct PublicFormTests {
    /// A folder in the public form, C = 16, one block, d = 2: config.yaml with the other sections its training leaves.
    private struct PublicFolder {
        let folder: TemporaryDirectory
        var tensors: [RawTensor]
        var configuration = """
            inherit:
            - base.yaml
            model:
              family: gpt2
              n_dims: 2
              n_embd: 16
              n_head: 2
              n_layer: 1
              n_positions: 12
            out_dir: ../models/linear_regression/0
            training:
              task: linear_regression
              train_steps: 500001
            wandb:
              notes: ''
            """

        init() throws {
            folder = try TemporaryDirectory()
            let layout = try tinyPlan().runs[0].configuration.model.decoder.layout
            var generator = TestGenerator(seed: 21)
            tensors = layout.entries.map {
                RawTensor($0.name, shape: $0.shape, generator.normals($0.count))
            }
        }

        var path: String { folder.file("public") }

        func write() throws {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
            try folder.write(configuration, to: "public/config.yaml")
            try folder.write(rawSafetensors(tensors), to: "public/model.safetensors")
        }

        func importModel() throws -> String {
            try PublicForm.importModel(
                from: path, runs: folder.file("runs"), programVersion: "test")
        }

        /// The sentence of a refused import.
        func refusal() throws -> String {
            try write()
            let error = #expect(throws: (any Error).self) { try importModel() }
            #expect(!FileManager.default.fileExists(atPath: folder.file("runs")))
            return error.map { "\($0)" } ?? ""
        }
    }

    private func parameters(_ folder: String) throws -> [Float] {
        try StoredModel(folder: folder).parameters.array
    }

    @Test func exportAndImportKeepEveryBit() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("layout=cft")
        let results = try run(plan, in: folder)
        let exported = folder.file("exported")
        try PublicForm.export(from: results.runs[0].path, to: exported, withTokenEmbedding: false)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: exported).sorted()
                == ["config.yaml", "model.safetensors"])
        let imported = try PublicForm.importModel(
            from: exported, runs: folder.file("elsewhere"), programVersion: "test")
        let original = try parameters(results.runs[0].path)
        #expect(firstDifference(try parameters(exported), original) == nil)
        #expect(firstDifference(try parameters(imported), original) == nil)
        // A checkpoint is a model too, and so is the link to the last one.
        for name in ["step_0000000012", "latest"] {
            let path = "\(results.runs[0].path)/checkpoints/\(name)"
            #expect(firstDifference(try parameters(path), original) == nil)
        }
        #expect(
            try StoredModel(folder: exported).configuration == plan.runs[0].configuration.model)
        let taken = #expect(throws: ModelFolderError.self) {
            try PublicForm.export(
                from: results.runs[0].path, to: exported, withTokenEmbedding: false)
        }
        #expect(
            taken?.description
                == "\(exported) exists already; choose another folder or remove it")
    }

    @Test func theTokenEmbeddingIsZerosOnRequest() throws {
        var source = try PublicFolder()
        source.tensors.shuffle()
        try source.write()
        let output = source.folder.file("strict")
        try PublicForm.export(from: source.path, to: output, withTokenEmbedding: true)
        let file = try SafetensorsFile(path: output + "/model.safetensors")
        #expect(file["_backbone.wte.weight"]?.shape == [50_257, 16])
        #expect(try file.floats("_backbone.wte.weight").allSatisfy { $0 == 0 })
        #expect(firstDifference(try parameters(output), try parameters(source.path)) == nil)
    }

    @Test(arguments: ["BOOL", "U8"])
    func tensorsThePublicModelNeverUsesAreSkipped(_ dtype: String) throws {
        var source = try PublicFolder()
        try source.write()
        let plain = try parameters(source.path)
        source.tensors += [
            RawTensor("_backbone.wte.weight", shape: [3, 16], Array(repeating: 9, count: 48)),
            RawTensor(
                "_backbone.h.0.attn.bias", dtype: dtype, shape: [1, 1, 24, 24],
                bytes: Array(repeating: 1, count: 576)),
            RawTensor("_backbone.h.0.attn.masked_bias", shape: [], [-10000]),
        ]
        try source.write()
        #expect(firstDifference(try parameters(source.path), plain) == nil)
        let run = try source.importModel()
        #expect(firstDifference(try parameters(run), plain) == nil)
        let metadata = try #require(try RunDirectory(path: run).metadata())
        #expect(metadata.status == .finished && metadata.step == 0)
    }

    @Test func anImportIsFoundAgainAndServesAsABase() throws {
        let source = try PublicFolder()
        try source.write()
        let path = try source.importModel()
        #expect((path as NSString).lastPathComponent.hasPrefix("imported-"))
        let before = try FolderSnapshot(path)
        #expect(try source.importModel() == path)
        #expect(try FolderSnapshot(path).changes(since: before) == [])

        let plan = try tinyPlan("pretraining={from: \(path)}", "training.steps=0", "layout=cpt")
        #expect(plan.bases[0].name.hasPrefix("from-"))
        let results = try run(plan, in: source.folder)
        let copied = source.folder.file("bases/\(plan.bases[0].name)")
        #expect(results.bases[0].path == copied && results.bases[0].losses.isEmpty)
        #expect(firstDifference(try parameters(copied), try parameters(path)) == nil)
        #expect(
            firstDifference(try parameters(results.runs[0].path), try parameters(path)) == nil)
    }

    @Test func refusesWhatDoesNotFit() throws {
        let cure = "; make config.yaml and model.safetensors agree, or convert the checkpoint again"
        var wrongShape = try PublicFolder()
        wrongShape.configuration = wrongShape.configuration.replacingOccurrences(
            of: "n_embd: 16", with: "n_embd: 32")
        let file = wrongShape.path + "/model.safetensors"
        #expect(
            try wrongShape.refusal()
                == "\(file): tensor \"_read_in.weight\" has the shape [16, 2]; [32, 2] is expected\(cure)"
        )

        var surplus = try PublicFolder()
        surplus.tensors.append(
            RawTensor("_backbone.h.1.ln_1.weight", shape: [16], Array(repeating: 1, count: 16)))
        #expect(
            try surplus.refusal()
                == "\(surplus.path)/model.safetensors: the tensor _backbone.h.1.ln_1.weight has no place in the "
                + "model that config.yaml describes (check n_layer)\(cure)")

        var missing = try PublicFolder()
        missing.tensors.removeAll { $0.name == "_backbone.ln_f.bias" }
        #expect(
            try missing.refusal().hasPrefix(
                "\(missing.path)/model.safetensors: tensor \"_backbone.ln_f.bias\" is missing; the file has "
            ))

        var integers = try PublicFolder()
        let place = try #require(integers.tensors.firstIndex { $0.name == "_read_out.bias" })
        integers.tensors[place] = RawTensor(
            "_read_out.bias", dtype: "I64", shape: [1], bytes: Array(repeating: 0, count: 8))
        #expect(
            try integers.refusal()
                == "\(integers.path)/model.safetensors: tensor \"_read_out.bias\" has the dtype I64; "
                + "F32, F16, BF16 or F64 is expected\(cure)")

        var sectionless = try PublicFolder()
        sectionless.configuration = "training: {}"
        #expect(
            try sectionless.refusal()
                == "\(sectionless.path)/config.yaml has no section 'model' with n_dims, n_positions, n_embd, n_layer "
                + "and n_head\(cure)")
    }

    @Test func namesAFolderThatHoldsNoModel() throws {
        let folder = try TemporaryDirectory()
        #expect(
            #expect(throws: ModelFolderError.self) { try StoredModel(folder: folder.path) }?
                .description
                == "\(folder.path) holds neither a run (metadata.json), nor a checkpoint (state.json), nor the public "
                + "form (config.yaml and model.safetensors)")
        let nowhere = folder.file("nowhere")
        #expect(
            #expect(throws: ModelFolderError.self) { try StoredModel(folder: nowhere) }?.description
                == "\(nowhere) is not a folder; give a run, a checkpoint or a folder with config.yaml and "
                + "model.safetensors")
    }

    @Test func aBaseOfOtherSizesIsRefused() throws {
        let source = try PublicFolder()
        try source.write()
        let error = #expect(throws: (any Error).self) {
            try tinyPlan("pretraining={from: \(source.path)}", "model.n_positions=13")
        }
        #expect(
            error.map { "\($0)" }
                == "command line: pretraining={from: \(source.path)}: pretraining.from does not work: "
                + "\(source.path) holds a model with n_positions = 12, and the section model asks for 13; "
                + "make them agree")
    }
}
