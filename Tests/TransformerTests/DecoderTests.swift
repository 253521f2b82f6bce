import Kernels
import TensorStorage
import TestSupport
import Testing

@testable import Transformer

/// The whole decoder against its naive twin, differences, and what its memory held before.
@Suite struct DecoderTests {
    /// Widths on and off whole vectors, one and several heads and layers, a hidden width of its own.
    static let configurations = [
        DecoderConfiguration(
            inputDimension: 3, positionCount: 12, embeddingDimension: 16, layerCount: 2,
            headCount: 2),
        DecoderConfiguration(
            inputDimension: 5, positionCount: 40, embeddingDimension: 20, layerCount: 1,
            headCount: 4),
        DecoderConfiguration(
            inputDimension: 1, positionCount: 9, embeddingDimension: 8, layerCount: 3, headCount: 1,
            hiddenDimension: 13),
        DecoderConfiguration(
            inputDimension: 2, positionCount: 7, embeddingDimension: 6, layerCount: 1,
            headCount: 1),
    ]

    static let cases = configurations.flatMap { configuration in
        [1, 2, 7].map { length in (configuration, length) }
    }

    @Test func predictionsAndLossEqualTheNaiveTwins() {
        for (configuration, length) in Self.cases {
            let decoder = Decoder(configuration)
            let parameters = decoder.randomParameters(seed: 1)
            let batch = TestBatch(configuration, examples: 3, length: length, seed: 2)
            let naive = NaiveDecoder(decoder, parameters)
            let found = SingleShard(decoder, parameters, batch)
            // Some thirty roundings of 6e-8 a layer, relative to the largest prediction.
            let close = closeness(
                found.predictions.doubles, naive.predictions(batch), relative: 1e-5,
                scale: .largest)
            #expect(close.isWithin, "\(configuration) T = \(length): \(close)")
            let loss = closeness([found.loss], [naive.loss(batch)], relative: 1e-5)
            #expect(loss.isWithin, "\(configuration) T = \(length): \(loss)")
        }
    }

    /// Every tensor by itself, in one random direction: central differences of the double-precision twin, whose own
    /// error (h = 1e-5) is far below the fp32 gradient's. Allowed: 2e-5 of the two vectors' lengths.
    @Test func everyGradientAgreesWithDifferencesOfTheNaiveTwin() {
        for (configuration, length) in Self.cases {
            let decoder = Decoder(configuration)
            let parameters = decoder.randomParameters(seed: 3)
            let batch = TestBatch(configuration, examples: 2, length: length, seed: 4)
            let naive = NaiveDecoder(decoder, parameters)
            let found = SingleShard(decoder, parameters, batch)
            var generator = TestGenerator(seed: 5)
            func check(_ name: String, _ gradient: [Double], _ loss: ([Double]) -> Double) {
                let direction = gradient.map { _ in generator.normal() }
                let analytic = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
                let h = 1e-5
                let numeric =
                    (loss(direction.map { h * $0 }) - loss(direction.map { -h * $0 })) / (2 * h)
                func length(_ v: [Double]) -> Double { v.reduce(0) { $0 + $1 * $1 }.squareRoot() }
                let allowed = 2e-5 * length(gradient) * length(direction) + 1e-9
                let close = closeness([analytic], [numeric], relative: 0, absolute: allowed)
                #expect(close.isWithin, "\(name), \(configuration): \(close)")
            }
            for tensor in decoder.layout.tensors(in: found.gradients) {
                check(tensor.name, tensor.view.doubles) { change in
                    var moved = naive
                    moved.parameters[tensor.name] = zip(
                        naive.parameters[tensor.name] ?? [], change
                    ).map { $0 + $1 }
                    return moved.loss(batch)
                }
            }
            check("inputs", found.dInputs.doubles) { change in
                naive.loss(batch, inputs: zip(batch.inputs.doubles, change).map { $0 + $1 })
            }
        }
    }

    /// The decoder's own fp32 loss, all parameters in one direction, then all inputs.
    @Test func gradientsAgreeWithDifferencesOfTheLoss() {
        let wide = DecoderConfiguration(
            inputDimension: 20, positionCount: 90, embeddingDimension: 32, layerCount: 2,
            headCount: 2)
        for (configuration, length) in [(wide, 82), (wide, 33)] + Self.cases {
            let decoder = Decoder(configuration)
            let parameters = decoder.randomParameters(seed: 6)
            let batch = TestBatch(configuration, examples: 3, length: length, seed: 7)
            let found = SingleShard(decoder, parameters, batch)
            let workspace = DecoderWorkspace(
                configuration, largest: batch.shape, forTraining: false)
            batch.fill(workspace)
            let unused = FloatView(zeros: batch.shape.rows)
            func loss() -> Double {
                decoder.forward(
                    weights: decoder.packed(parameters), workspace: workspace, shape: batch.shape)
                return squaredErrorForwardBackward(
                    dPredictions: unused, predictions: workspace.predictions,
                    targets: workspace.targets, weights: workspace.lossWeights,
                    count: batch.shape.rows)
            }
            let ofParameters = checkGradient(
                at: parameters, gradient: found.gradients.array, step: 2e-3, loss: loss)
            #expect(ofParameters.isWithin, "\(configuration) T = \(length): \(ofParameters)")
            let ofInputs = checkGradient(
                at: workspace.inputs, gradient: found.dInputs.array, step: 5e-3, loss: loss)
            #expect(ofInputs.isWithin, "\(configuration) T = \(length): \(ofInputs)")
        }
    }

    @Test func gradientsAreAddedToAndInputGradientsOverwritten() {
        let configuration = Self.configurations[0]
        let decoder = Decoder(configuration)
        let parameters = decoder.randomParameters(seed: 8)
        let batch = TestBatch(configuration, examples: 2, length: 7, seed: 9)
        let once = SingleShard(decoder, parameters, batch)
        let workspace = DecoderWorkspace(configuration, largest: batch.shape, forTraining: true)
        batch.fill(workspace)
        let twice = FloatView(zeros: decoder.layout.count)
        for _ in 0..<2 {
            _ = decoder.lossForwardBackward(
                weights: decoder.packed(parameters), gradients: decoder.weights(in: twice),
                workspace: workspace, shape: batch.shape, inputGradients: true)
        }
        // The second pass adds the same terms to sums that start elsewhere: only roundings differ.
        let close = closeness(
            twice.doubles, once.gradients.doubles.map { 2 * $0 }, relative: 2e-6, scale: .largest)
        #expect(close.isWithin, "\(close)")
        #expect(firstDifference(workspace.dInputs.array, once.dInputs.array) == nil)
    }

    @Test func aLaterTokenNeverChangesAnEarlierPrediction() {
        let configuration = Self.configurations[1]
        let decoder = Decoder(configuration)
        let parameters = decoder.randomParameters(seed: 10)
        let length = 21
        let batch = TestBatch(configuration, examples: 2, length: length, seed: 11)
        let before = SingleShard(decoder, parameters, batch).predictions.array
        for changed in 1..<length {
            var other = batch
            for channel in 0..<batch.dimension {
                other.inputs[changed * batch.dimension + channel] += 5
            }
            let after = SingleShard(decoder, parameters, other).predictions.array
            for rows in [0..<changed, length..<2 * length] {
                let difference = firstDifference(Array(after[rows]), Array(before[rows]))
                #expect(difference == nil, "token \(changed), rows \(rows)")
            }
            #expect(after[changed] != before[changed])
        }
    }

    /// A sequence that starts at position s is one that starts at 0 on a table moved down by s rows.
    @Test func positionStartsMoveTheTable() {
        let configuration = Self.configurations[1]
        let width = configuration.embeddingDimension
        let decoder = Decoder(configuration)
        let parameters = decoder.randomParameters(seed: 12)
        var batch = TestBatch(configuration, examples: 3, length: 10, seed: 13)
        batch.starts = [20, 0, 30]
        let together = SingleShard(decoder, parameters, batch)
        for (example, start) in batch.starts.enumerated() {
            let moved = FloatView(parameters.array)
            let table = decoder.weights(in: moved).positions
            let used = Array(table.array[Int(start) * width..<(Int(start) + 10) * width])
            table.fill(.nan)
            table[0..<used.count].copy(from: used)
            var alone = batch
            alone.starts = [0, 0, 0]
            let found = SingleShard(decoder, moved, alone)
            let rows = example * 10..<(example + 1) * 10
            #expect(
                firstDifference(found.predictions[rows].array, together.predictions[rows].array)
                    == nil)
        }
        let untouched = decoder.weights(in: together.gradients).positions[11 * width..<20 * width]
        #expect(untouched.array.allSatisfy { $0 == 0 })
    }

    @Test func positionsBeyondTheTableEndTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let configuration = DecoderConfiguration(
                inputDimension: 1, positionCount: 4, embeddingDimension: 4, layerCount: 1,
                headCount: 1)
            let decoder = Decoder(configuration)
            let shape = BatchShape(examples: 1, length: 3)
            let workspace = DecoderWorkspace(configuration, largest: shape, forTraining: false)
            workspace.positionStarts[0] = 2
            decoder.forward(
                weights: decoder.packed(decoder.initialParameters(seed: 0)),
                workspace: workspace, shape: shape)
        }
    }
}

/// Predictions at the positions that carry loss alone: nothing but the work may differ.
@Suite struct PredictedPositionsTests {
    @Test func positionsWithoutLossAreLeftOutWithoutATrace() {
        for (configuration, length) in DecoderTests.cases {
            let decoder = Decoder(configuration)
            let parameters = decoder.randomParameters(seed: 12)
            var batch = TestBatch(configuration, examples: 3, length: length, seed: 13)
            // One example carries loss where the others do not.
            batch.weights[length - 1] = 0.25
            let all = SingleShard(decoder, parameters, batch)
            let chosen = SingleShard(decoder, parameters, batch, predicting: .carryingLoss)
            #expect(chosen.loss == all.loss, "\(configuration) T = \(length)")
            for position in 0..<length {
                let isChosen = position % 2 == 0 || position == length - 1
                for example in 0..<3 {
                    let row = example * length + position
                    #expect(chosen.predictions[row] == (isChosen ? all.predictions[row] : 0))
                }
            }
            for (name, one, other) in [
                ("parameters", chosen.gradients, all.gradients),
                ("inputs", chosen.dInputs, all.dInputs),
            ] {
                // The same terms but for zeros, summed in other groups.
                let close = closeness(one.doubles, other.doubles, relative: 2e-6, scale: .largest)
                #expect(close.isWithin, "\(name), \(configuration) T = \(length): \(close)")
            }
        }
    }
}
