import Kernels
import TestSupport
import Testing

@testable import Transformer

/// Workspaces: the small one for the forward pass, and nothing left over from earlier batches.
@Suite struct WorkspaceTests {
    @Test func bothKindsOfWorkspaceGiveTheSamePredictions() {
        for (configuration, length) in DecoderTests.cases {
            let decoder = Decoder(configuration)
            let weights = decoder.packed(decoder.randomParameters(seed: 1))
            let batch = TestBatch(configuration, examples: 3, length: length, seed: 2)
            let predictions = [true, false].map { forTraining in
                let workspace = DecoderWorkspace(
                    configuration, largest: batch.shape, forTraining: forTraining)
                batch.fill(workspace)
                decoder.forward(weights: weights, workspace: workspace, shape: batch.shape)
                return workspace.predictions.array
            }
            #expect(
                firstDifference(predictions[0], predictions[1]) == nil,
                "\(configuration) T = \(length)")
        }
    }

    /// Fills every fp32 view below `value`, found by reflection so that none is forgotten; returns their number.
    private func poison(_ value: Any) -> Int {
        if let view = value as? FloatView {
            view.fill(.nan)
            return 1
        }
        return Mirror(reflecting: value).children.reduce(0) { $0 + poison($1.value) }
    }

    @Test func nothingLeftInAWorkspaceIsEverRead() {
        for (configuration, length) in DecoderTests.cases {
            let decoder = Decoder(configuration)
            let parameters = decoder.randomParameters(seed: 3)
            let batch = TestBatch(configuration, examples: 2, length: length, seed: 4)
            let fresh = SingleShard(decoder, parameters, batch)
            // Room for another shape than the one used.
            let workspace = DecoderWorkspace(
                configuration, largest: BatchShape(examples: 3, length: length + 2),
                forTraining: true)
            #expect(poison(workspace) >= 22 + 12 * configuration.layerCount)
            let used = SingleShard(decoder, parameters, batch, in: workspace)
            #expect(used.loss == fresh.loss, "\(configuration) T = \(length)")
            for (one, other) in [
                (used.predictions, fresh.predictions), (used.gradients, fresh.gradients),
                (used.dInputs, fresh.dInputs),
            ] {
                #expect(firstDifference(one.array, other.array) == nil, "\(configuration)")
            }
        }
    }

    @Test func moreRowsThanTheWorkspaceHoldsEndTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let configuration = DecoderConfiguration(
                inputDimension: 1, positionCount: 9, embeddingDimension: 4, layerCount: 1,
                headCount: 1)
            let decoder = Decoder(configuration)
            decoder.forward(
                weights: decoder.packed(decoder.initialParameters(seed: 0)),
                workspace: DecoderWorkspace(
                    configuration, largest: BatchShape(examples: 2, length: 3), forTraining: false),
                shape: BatchShape(examples: 1, length: 7))
        }
    }

    @Test func aBackwardPassNeedsATrainingWorkspace() async {
        await #expect(processExitsWith: .failure) {
            let configuration = DecoderConfiguration(
                inputDimension: 1, positionCount: 9, embeddingDimension: 4, layerCount: 1,
                headCount: 1)
            let decoder = Decoder(configuration)
            let parameters = decoder.initialParameters(seed: 0)
            let shape = BatchShape(examples: 1, length: 3)
            _ = decoder.lossForwardBackward(
                weights: decoder.packed(parameters), gradients: decoder.weights(in: parameters),
                workspace: DecoderWorkspace(configuration, largest: shape, forTraining: false),
                shape: shape)
        }
    }
}
