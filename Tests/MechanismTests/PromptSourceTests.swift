import InContextRegression
import Kernels
import TestSupport
import Testing
import Transformer

@testable import Mechanism

@Suite struct PromptSourceTests {
    private let decoder = Decoder(
        DecoderConfiguration(
            inputDimension: 3, positionCount: 24, embeddingDimension: 8, layerCount: 1,
            headCount: 1))

    private func source(_ layout: PromptLayout) -> PromptSource {
        PromptSource(
            PolynomialFunction(), layout: layout, seed: 9, dims: 3, batchSize: 32, points: [4, 6],
            workers: 1)
    }

    /// What a fill writes for some examples: inputs, targets, loss weights and first positions.
    private struct Written {
        var inputs: [Float]
        var targets: [Float]
        var weights: [Float]
        var starts: [Int32]
    }

    private func written(
        _ layout: PromptLayout, _ range: Range<Int>, phase: PromptPhase = .training(step: 7),
        points: Int = 6, activeDims: Int = 3
    ) -> Written {
        let length = layout.trainingForm(points: points).tokenCount
        let workspace = DecoderWorkspace(
            decoder.configuration, largest: BatchShape(examples: 32, length: length),
            forTraining: false)
        source(layout).batch(phase, points: points, activeDims: activeDims).fill(range, workspace)
        let rows = range.count * length
        return Written(
            inputs: workspace.inputs[0..<rows * 3].array,
            targets: workspace.targets[0..<rows].array,
            weights: workspace.lossWeights[0..<rows].array,
            starts: workspace.positionStarts[0..<range.count].array)
    }

    /// `pretraining.position_offset: random`: an even start for each prompt, from 0 to what the model has room for.
    @Test(arguments: [PromptLayout.cpt, .cft])
    func positionsStartAnywhereEven(_ layout: PromptLayout) {
        let length = layout.trainingForm(points: 6).tokenCount
        let positions = layout.positions(points: 6).upperBound + 9
        let source = PromptSource(
            PolynomialFunction(), layout: layout, seed: 9, dims: 3, batchSize: 400, points: [6],
            workers: 1, offsetPositions: positions)
        let workspace = DecoderWorkspace(
            decoder.configuration, largest: BatchShape(examples: 400, length: length),
            forTraining: false)
        func starts(_ range: Range<Int>, step: Int) -> [Int32] {
            let batch = source.batch(.pretraining(step: step), points: 6, activeDims: 3)
            // A worker's memory holds the examples of a shard.
            return stride(from: range.lowerBound, to: range.upperBound, by: 5).flatMap { first in
                batch.fill(first..<first + 5, workspace)
                return workspace.positionStarts[0..<5].array
            }
        }
        let drawn = starts(0..<400, step: 1)
        // Each of 0, 2, 4, 6 and 8 is drawn for a fifth of the prompts: 80, standard deviation 8.
        #expect(Set(drawn) == [0, 2, 4, 6, 8])
        for start in Set(drawn) {
            let count = drawn.count { $0 == start }
            #expect((48...112).contains(count), "\(start): \(count)")
        }
        // Of the prompt and the step alone, not of the shard.
        #expect(starts(100..<200, step: 1) == Array(drawn[100..<200]))
        #expect(starts(0..<400, step: 2) != drawn)
    }

    @Test(arguments: PromptLayout.all)
    func aPromptDoesNotDependOnItsShard(_ layout: PromptLayout) {
        let whole = written(layout, 0..<4)
        let parts = (0..<4).map { written(layout, $0..<$0 + 1) }
        #expect(firstDifference(parts.flatMap(\.inputs), whole.inputs) == nil)
        #expect(firstDifference(parts.flatMap(\.targets), whole.targets) == nil)
        #expect(firstDifference(parts.flatMap(\.weights), whole.weights) == nil)
    }

    @Test(arguments: PromptLayout.all)
    func theLossIsTheMeanOverBatchAndPoints(_ layout: PromptLayout) {
        let whole = written(layout, 0..<2)
        let length = layout.trainingForm(points: 6).tokenCount
        for row in 0..<2 {
            let weights = Array(whole.weights[row * length..<(row + 1) * length])
            if layout.predictsOneLabel {
                // One label of each prompt, at 4k of its k examples.
                #expect(weights.filter { $0 != 0 } == [1 / 32])
                #expect((weights.firstIndex { $0 != 0 } ?? 1) % 4 == 0)
                continue
            }
            let expected = (0..<length).map { token in
                token >= length - 11 && token % 2 == 0 ? Float(1) / (32 * 6) : 0
            }
            #expect(weights == expected)
        }
        #expect(whole.starts == (layout == .shiftedCPT ? [12, 12] : [0, 0]))
    }

    @Test func curriculumLeavesLaterDimensionsEmpty() {
        let full = written(.cpt, 0..<1, activeDims: 3).inputs
        let narrow = written(.cpt, 0..<1, activeDims: 2).inputs
        for point in 0..<6 {
            let x = point * 6
            #expect(full[x + 2] != 0 && narrow[x + 2] == 0)
            #expect(Array(full[x..<x + 2]) == Array(narrow[x..<x + 2]))
        }
    }

    @Test func stepsSeedsAndPhasesDrawOtherPrompts() {
        let inputs = [
            PromptPhase.training(step: 7), .training(step: 8), .pretraining(step: 7), .evaluation,
        ].map { written(.cpt, 0..<1, phase: $0).inputs }
        #expect(Set(inputs).count == 4)
        #expect(written(.cpt, 0..<1, phase: .training(step: 7)).inputs == inputs[0])
    }
}
