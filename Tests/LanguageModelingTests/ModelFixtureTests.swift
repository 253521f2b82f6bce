import Foundation
import Kernels
import LanguageModeling
import TestSupport
import Testing
import Transformer

/// Folders that transformers wrote (`Tests/Fixtures/check_models.py --write`): one file and shards, three types, both
/// scalings, tied and untied, with and without biases.
@Suite struct ModelFixtureTests {
    @Test(arguments: ["plain-f32", "older-f16", "newer-bf16"])
    func everyNumberIsRead(_ name: String) throws {
        let sums = try Fixture.json(
            "models/\(name)/checksums.json", as: [String: Double].self)
        let model = try ModelDirectory(path: Fixture.path("models/\(name)"))
        let layout = model.configuration.llama.layout
        let flat = try model.parameters()
        for tensor in layout.tensors(in: flat) {
            let sum = tensor.view.array.enumerated().reduce(0) {
                $0 + Double($1.element) * Double($1.offset % 97 + 1)
            }
            let expected = try #require(sums[tensor.name])
            #expect((sum - expected).magnitude < 1e-9, "\(tensor.name)")
        }
        // A tied head is in the state dict and not in the file.
        let untold = Set(sums.keys).subtracting(layout.entries.map(\.name))
        #expect(untold == (model.configuration.llama.tiesEmbeddings ? ["lm_head.weight"] : []))
    }

    @Test func theConfigurationsAreThose() throws {
        func read(_ name: String) throws -> LanguageModelConfiguration {
            try ModelDirectory(path: Fixture.path("models/\(name)")).configuration
        }
        let scaling = RotaryEmbedding.Scaling.llama3(
            factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 64)
        let plain = try read("plain-f32")
        #expect(
            plain.llama
                == LlamaConfiguration(
                    vocabularySize: 30, hiddenSize: 8, intermediateSize: 12, layerCount: 2,
                    headCount: 4, positionCount: 512))
        #expect(plain.storedType == .float32 && plain.beginningID == 1 && plain.endIDs == [2])
        let older = try read("older-f16")
        #expect(
            older.llama
                == LlamaConfiguration(
                    vocabularySize: 30, hiddenSize: 8, intermediateSize: 12, layerCount: 2,
                    headCount: 4, keyValueHeadCount: 2, positionCount: 512, rmsNormEpsilon: 1e-5,
                    rotary: RotaryEmbedding(theta: 500_000, scaling: scaling), tiesEmbeddings: true)
        )
        #expect(older.storedType == .float16 && older.endIDs == [2, 3])
        let newer = try read("newer-bf16")
        #expect(
            newer.llama
                == LlamaConfiguration(
                    vocabularySize: 30, hiddenSize: 8, intermediateSize: 12, layerCount: 2,
                    headCount: 4, keyValueHeadCount: 1, headSize: 10, positionCount: 512,
                    rotary: RotaryEmbedding(theta: 500_000, scaling: scaling),
                    attentionBias: true, feedForwardBias: true))
        #expect(newer.storedType == .bfloat16 && newer.beginningID == nil)
    }
}
