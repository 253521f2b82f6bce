import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing

/// `sandbox forward` against Hugging Face's GPT2Model in the public wrapper, through files alone.
@Suite struct ForwardTests {
    /// A public-form folder and a batch made from a parity fixture.
    private struct Case {
        let fixture: ParityFixture
        let folder: TemporaryDirectory

        init(_ name: String, withTargets: Bool = true) throws {
            fixture = try ParityFixture(name)
            folder = try TemporaryDirectory()
            let shape = fixture.shape
            try FileManager.default.createDirectory(
                atPath: folder.file("model"), withIntermediateDirectories: true)
            try folder.write(
                """
                model:
                  n_dims: \(shape.n_dims)
                  n_embd: \(shape.n_embd)
                  n_layer: \(shape.n_layer)
                  n_head: \(shape.n_head)
                  n_positions: \(shape.n_positions)
                """, to: "model/config.yaml")
            let parameters = try fixture.parameters.map {
                RawTensor(
                    String($0.name.dropFirst("param.".count)), shape: $0.shape,
                    try fixture.file.floats($0.name))
            }
            try folder.write(rawSafetensors(parameters), to: "model/model.safetensors")
            try writeBatch(names: withTargets ? ["inputs", "targets"] : ["inputs"])
        }

        func writeBatch(names: [String], change: (inout RawTensor) -> Void = { _ in }) throws {
            let tensors = try names.map { name in
                var tensor = RawTensor(
                    name, shape: try fixture.file.tensor(named: name).shape,
                    try fixture.file.floats(name))
                change(&tensor)
                return tensor
            }
            try folder.write(rawSafetensors(tensors), to: "in.safetensors")
        }

        func run(_ flags: String...) throws -> ChildProcess.Outcome {
            try Program.run(
                [
                    "forward", "--checkpoint", "model", "--input", "in.safetensors", "--output",
                    "out.safetensors",
                ] + flags, in: folder.path)
        }

        func output() throws -> SafetensorsFile {
            try SafetensorsFile(path: folder.file("out.safetensors"))
        }
    }

    /// The fixture `shifted` begins at a later position, which this verb does not offer.
    @Test(arguments: ParityFixture.names.filter { $0 != "shifted" })
    func agreesWithHuggingFace(_ name: String) throws {
        let parity = try Case(name)
        let outcome = try parity.run("--gradients")
        #expect(outcome.exitCode == 0 && outcome.errors == "" && outcome.output == "", "\(outcome)")
        let output = try parity.output()
        let fixture = parity.fixture.file
        let gradients = fixture.tensors.map(\.name).filter { $0.hasPrefix("grad.") }
        #expect(
            Set(output.tensors.map(\.name)) == Set(gradients + ["predictions", "loss"]))
        for (tensors, quantity) in [
            (["predictions"], ParityFixture.Quantity.predictions), (["loss"], .loss),
            (gradients, .gradients),
        ] {
            for tensor in tensors {
                let expected = try fixture.tensor(named: tensor)
                let found = try output.floats(tensor, shape: expected.shape)
                let near = try parity.fixture.closeness(of: found, to: tensor, quantity)
                #expect(near.isWithin, "\(name) \(tensor): \(near)")
            }
        }
    }

    @Test func withoutTargetsThereAreOnlyPredictions() throws {
        let parity = try Case("odd", withTargets: false)
        #expect(try parity.run().exitCode == 0)
        let output = try parity.output()
        #expect(output.tensors.map(\.name) == ["predictions"])
        // T = 33 tokens: a prediction at each of 17 x positions.
        let found = try output.floats("predictions", shape: [2, 17])
        let near = try parity.fixture.closeness(of: found, to: "predictions", .predictions)
        #expect(near.isWithin, "\(near)")
    }

    @Test func withoutGradientsThereIsTheLoss() throws {
        let parity = try Case("second-half")
        #expect(try parity.run().exitCode == 0)
        #expect(try parity.output().tensors.map(\.name).sorted() == ["loss", "predictions"])
        let near = try parity.fixture.closeness(
            of: try parity.output().floats("loss", shape: [1]), to: "loss", .loss)
        #expect(near.isWithin, "\(near)")
    }

    /// A batch that does not fit the model: what is changed and the end of the sentence.
    struct Misfit: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let names: [String]
        let shapes: [String: [Int]]
        var flags: [String] = []
        let message: String
    }

    @Test(arguments: [
        Misfit(
            testDescription: "wrong d", names: ["inputs"], shapes: ["inputs": [3, 15, 2]],
            message:
                "inputs has shape [3, 15, 2]; expected [B, T, d] with d = 3, the model's n_dims"),
        Misfit(
            testDescription: "two axes", names: ["inputs"], shapes: ["inputs": [30, 3]],
            message: "inputs has shape [30, 3]; expected [B, T, d] with d = 3, the model's n_dims"),
        Misfit(
            testDescription: "too long", names: ["inputs"], shapes: ["inputs": [2, 15, 3]],
            message: "inputs has T = 15 tokens and the model has 10 positions (2 × n_positions); "
                + "shorten the sequences"),
        Misfit(
            testDescription: "other batch", names: ["inputs", "targets"],
            shapes: ["targets": [5, 3]],
            message: "targets has shape [5, 3]; expected [3, n] with n from 1 to 5, the number of "
                + "predictions"),
        Misfit(
            testDescription: "more targets than predictions", names: ["inputs", "targets"],
            shapes: ["inputs": [1, 6, 3], "targets": [1, 5]],
            message: "targets has shape [1, 5]; expected [1, n] with n from 1 to 3, the number of "
                + "predictions"),
        Misfit(
            testDescription: "flat targets", names: ["inputs", "targets"],
            shapes: ["targets": [15]],
            message: "targets has shape [15]; expected [3, n] with n from 1 to 5, the number of "
                + "predictions"),
        Misfit(
            testDescription: "gradients of nothing", names: ["inputs"], shapes: [:],
            flags: ["--gradients"],
            message:
                " has no tensor `targets`; the gradients are those of the loss, so add targets F32 "
                + "[B, n] or leave out --gradients"),
        Misfit(
            testDescription: "no inputs", names: ["targets"], shapes: [:],
            message: "tensor \"inputs\" is missing; the file has \"targets\"."),
    ])
    func refuses(_ misfit: Misfit) throws {
        let parity = try Case("even")
        try parity.writeBatch(names: misfit.names) { tensor in
            guard let shape = misfit.shapes[tensor.name] else { return }
            tensor.shape = shape
            tensor.bytes = Array(tensor.bytes.prefix(4 * shape.reduce(1, *)))
        }
        let outcome = try parity.run(misfit.flags.first ?? "--gradients")
        #expect(outcome.exitCode == 1, "\(outcome)")
        let separator = misfit.message.hasPrefix(" ") ? "" : ": "
        #expect(outcome.errors == "error: in.safetensors\(separator)\(misfit.message)\n")
        #expect(!FileManager.default.fileExists(atPath: parity.folder.file("out.safetensors")))
    }

    @Test func namesAFolderThatIsNoModel() throws {
        let parity = try Case("even")
        try FileManager.default.removeItem(atPath: parity.folder.file("model/config.yaml"))
        let outcome = try parity.run()
        #expect(outcome.exitCode == 1)
        #expect(
            outcome.errors
                == "error: model holds neither a run (metadata.json), nor a checkpoint (state.json), nor the public "
                + "form (config.yaml and model.safetensors)\n")
    }
}
