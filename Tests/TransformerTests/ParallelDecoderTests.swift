import Kernels
import TestSupport
import Testing

@testable import Transformer

/// One batch on one, two, three and four workers: the same bits, and the sums of a single shard.
@Suite struct ParallelDecoderTests {
    static let configuration = DecoderConfiguration(
        inputDimension: 5, positionCount: 64, embeddingDimension: 20, layerCount: 2, headCount: 2)
    static let workerCounts = [1, 2, 3, 4, 16]

    /// One shard; fewer shards than lanes; a whole number of shards; more shards than lanes, the last one short;
    /// shards of one example.
    static let batches = [(1, 50), (3, 50), (5, 7), (8, 50), (16, 11), (37, 50), (64, 13), (41, 1)]

    struct Result {
        let loss: Double
        let norm: Double
        let gradients: [Float]
        let predictions: [Float]

        func difference(from other: Result) -> String? {
            if loss != other.loss || norm != other.norm {
                return "loss \(loss) and \(other.loss), norm \(norm) and \(other.norm)"
            }
            return firstDifference(gradients, other.gradients)
                ?? firstDifference(predictions, other.predictions)
        }
    }

    private func result(
        _ parallel: ParallelDecoder, _ parameters: FloatView, _ batch: TestBatch
    ) -> Result {
        let weights = parallel.decoder.weights(in: parameters)
        let predictions = FloatView(zeros: batch.shape.rows)
        predictions.fill(.nan)
        let length = batch.shape.length
        parallel.forward(
            weights: weights, batch: batch.shape, filling: batch,
            read: { examples, workspace in
                let rows = examples.lowerBound * length..<examples.upperBound * length
                predictions[rows].copy(from: workspace.predictions[0..<rows.count])
            })
        let (loss, norm) = parallel.lossAndGradients(
            weights: weights, batch: batch.shape, filling: batch)
        return Result(
            loss: loss, norm: norm, gradients: parallel.lastGradients.array,
            predictions: predictions.array)
    }

    @Test func resultsAreTheSameBitsForAnyNumberOfWorkers() {
        let decoder = Decoder(Self.configuration)
        let parameters = decoder.randomParameters(seed: 1)
        let shapes = Self.batches.map { BatchShape(examples: $0, length: $1) }
        // One decoder serves all shapes in turn, so memory used for one batch meets another.
        let decoders = Self.workerCounts.map {
            ParallelDecoder(decoder, workers: $0, batches: shapes, forTraining: true)
        }
        #expect(decoders.map(\.workerCount) == [1, 2, 3, 4, 8])
        for (seed, shape) in shapes.enumerated() {
            let batch = TestBatch(
                Self.configuration, examples: shape.examples, length: shape.length,
                seed: UInt64(seed))
            let results = decoders.map { result($0, parameters, batch) }
            for (workers, other) in zip(Self.workerCounts, results).dropFirst() {
                #expect(other.difference(from: results[0]) == nil, "\(workers) workers, \(shape)")
            }
            let again = result(decoders[1], parameters, batch)
            #expect(again.difference(from: results[0]) == nil, "a second time, \(shape)")
        }
    }

    @Test func resultsAreThoseOfASingleShard() {
        let decoder = Decoder(Self.configuration)
        let parameters = decoder.randomParameters(seed: 2)
        for (examples, length) in Self.batches {
            let batch = TestBatch(
                Self.configuration, examples: examples, length: length, seed: 3)
            let parallel = ParallelDecoder(
                decoder, workers: 2, batches: [batch.shape], forTraining: true)
            let found = result(parallel, parameters, batch)
            let whole = SingleShard(decoder, parameters, batch, predicting: .carryingLoss)
            let difference = firstDifference(found.predictions, whole.predictions.array)
            #expect(difference == nil, "\(batch.shape): \(difference ?? "")")
            let loss = closeness([found.loss], [whole.loss], relative: 1e-6)
            #expect(loss.isWithin, "\(batch.shape): \(loss)")
            for (name, one, other) in zip3(decoder, parallel.lastGradients, whole.gradients) {
                let close = closeness(one, other, relative: 5e-6, absolute: 1e-6, scale: .largest)
                #expect(close.isWithin, "\(name), \(batch.shape): \(close)")
            }
            let norm = whole.gradients.doubles.reduce(0) { $0 + $1 * $1 }.squareRoot()
            let close = closeness([found.norm], [norm], relative: 2e-6)
            #expect(close.isWithin, "norm, \(batch.shape): \(close)")
        }
    }

    /// The tensors of two flat buffers side by side.
    private func zip3(
        _ decoder: Decoder, _ one: FloatView, _ other: FloatView
    ) -> [(String, [Float], [Float])] {
        zip(decoder.layout.tensors(in: one), decoder.layout.tensors(in: other)).map {
            ($0.name, $0.view.array, $1.view.array)
        }
    }

    @Test func fiftyTrainingStepsAreTheSameBitsForAnyNumberOfWorkers() {
        let decoder = Decoder(Self.configuration)
        let options = AdamOptions(weightDecay: 0.01, decoupledDecay: true, clipNorm: 1)
        let schedule = LearningRateSchedule(
            decay: .cosine, peak: 3e-3, warmupSteps: 5, totalSteps: 50)
        // The shape changes on the way, as a curriculum's does.
        let batches = (0..<50).map {
            TestBatch(
                Self.configuration, examples: 20, length: $0 < 25 ? 9 : 31, seed: UInt64(100 + $0))
        }
        func train(workers: Int) -> (parameters: [Float], moments: [Float], losses: [Double]) {
            let parallel = ParallelDecoder(
                decoder, workers: workers, batches: batches.map(\.shape), forTraining: true)
            let parameters = decoder.initialParameters(seed: 4)
            let moments = AdamMoments(count: parameters.count)
            var losses: [Double] = []
            for (step, batch) in batches.enumerated() {
                let (loss, norm) = parallel.lossAndGradients(
                    weights: decoder.weights(in: parameters), batch: batch.shape, filling: batch)
                losses.append(loss)
                parallel.adamStep(
                    parameters: parameters, moments: moments,
                    step: AdamStep(
                        number: step + 1, learningRate: schedule.rate(atStep: step),
                        beta1: options.beta1, beta2: options.beta2, epsilon: options.epsilon,
                        weightDecay: options.weightDecay, decoupled: options.decoupledDecay,
                        gradientScale: options.clipScale(gradientNorm: norm)))
            }
            return (parameters.array, moments.first.array + moments.second.array, losses)
        }
        let one = train(workers: 1)
        let start = decoder.initialParameters(seed: 4).array
        #expect(firstDifference(one.parameters, start) != nil)
        #expect(one.losses.allSatisfy { $0.isFinite })
        for workers in [2, 4] {
            let other = train(workers: workers)
            #expect(other.losses == one.losses, "\(workers) workers")
            #expect(firstDifference(other.parameters, one.parameters) == nil, "\(workers) workers")
            #expect(firstDifference(other.moments, one.moments) == nil, "\(workers) workers")
        }
    }

    /// A linear function read in context: 60 steps on one batch must drive the loss down.
    @Test func trainingLowersTheLoss() {
        let decoder = Decoder(Self.configuration)
        let parameters = decoder.initialParameters(seed: 5)
        let moments = AdamMoments(count: parameters.count)
        let batch = TestBatch(Self.configuration, examples: 8, length: 9, seed: 6)
        let parallel = ParallelDecoder(
            decoder, workers: 2, batches: [batch.shape], forTraining: true)
        let losses = (1...60).map { number in
            let loss = parallel.lossAndGradients(
                weights: decoder.weights(in: parameters), batch: batch.shape, filling: batch
            ).loss
            parallel.adamStep(
                parameters: parameters, moments: moments,
                step: AdamStep(
                    number: number, learningRate: 5e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                    weightDecay: 0, decoupled: false, gradientScale: 1))
            return loss
        }
        #expect(losses[59] < 0.2 * losses[0], "\(losses[0]) → \(losses[59])")
    }
}

/// The gradient of one prediction with respect to the tokens, against that of a loss on it alone.
@Suite struct InputGradientTests {
    @Test(arguments: [0, 24, 49], [1, 3])
    func isTheLossGradientWithoutItsFactor(position: Int, workers: Int) {
        let configuration = ParallelDecoderTests.configuration
        let decoder = Decoder(configuration)
        let parameters = decoder.randomParameters(seed: 7)
        var batch = TestBatch(configuration, examples: 13, length: 50, seed: 8)
        let (d, length) = (batch.dimension, batch.shape.length)
        let parallel = ParallelDecoder(
            decoder, workers: workers, batches: [batch.shape], forTraining: true)
        let found = FloatView(zeros: batch.shape.rows * d)
        let predictions = FloatView(zeros: batch.shape.examples)
        parallel.inputGradients(
            weights: decoder.weights(in: parameters), batch: batch.shape, position: position,
            filling: batch
        ) { examples, workspace in
            let numbers = examples.lowerBound * length * d..<examples.upperBound * length * d
            found[numbers].copy(from: workspace.dInputs[0..<numbers.count])
            for (row, example) in examples.enumerated() {
                predictions[example] = workspace.predictions[row * length + position]
            }
        }

        // Σ (p − t)² with t = p − ½ has the gradient ∂p.
        for row in 0..<batch.shape.rows {
            batch.weights[row] = row % length == position ? 1 : 0
            batch.targets[row] = predictions[row / length] - 0.5
        }
        let workspace = DecoderWorkspace(configuration, largest: batch.shape, forTraining: true)
        batch.fill(workspace)
        _ = decoder.lossForwardBackward(
            weights: decoder.packed(decoder.weights(in: parameters), forTraining: true),
            gradients: decoder.weights(in: FloatView(zeros: decoder.layout.count)),
            workspace: workspace, shape: batch.shape, inputGradients: true)
        let expected = workspace.dInputs[0..<found.count].doubles
        let close = closeness(found.doubles, expected, relative: 2e-5, scale: .largest)
        #expect(close.isWithin, "\(close)")
        #expect(expected.contains { $0 != 0 })
        // Later tokens have no say.
        let later = (0..<found.count).filter { $0 / d % length > position }
        #expect(later.allSatisfy { found[$0] == 0 })
    }
}

/// The gradients of all predictions by their own tokens from one pass, against a pass for each.
@Suite struct TokenGradientTests {
    @Test(arguments: [1, 3])
    func areThoseOfOnePassForEachPrediction(workers: Int) {
        let configuration = ParallelDecoderTests.configuration
        let decoder = Decoder(configuration)
        let parameters = decoder.weights(in: decoder.randomParameters(seed: 7))
        var batch = TestBatch(configuration, examples: 13, length: 20, seed: 8)
        let (d, length) = (batch.dimension, batch.shape.length)
        let asked = [0, 3, 4, 11, 19]
        for row in 0..<batch.shape.rows {
            batch.weights[row] = asked.contains(row % length) ? 1 : 0
        }
        let parallel = ParallelDecoder(
            decoder, workers: workers, batches: [batch.shape], forTraining: true)
        let found = FloatView(zeros: batch.shape.rows * d)
        parallel.tokenGradients(weights: parameters, batch: batch.shape, filling: batch) {
            examples, workspace in
            let numbers = examples.lowerBound * length * d..<examples.upperBound * length * d
            found[numbers].copy(from: workspace.dInputs[0..<numbers.count])
        }
        let expected = FloatView(zeros: found.count)
        for position in asked {
            parallel.inputGradients(
                weights: parameters, batch: batch.shape, position: position, filling: batch
            ) { examples, workspace in
                for (row, example) in examples.enumerated() {
                    let from = (row * length + position) * d
                    let to = (example * length + position) * d
                    expected[to..<to + d].copy(from: workspace.dInputs[from..<from + d])
                }
            }
        }
        let close = closeness(found.doubles, expected.doubles, relative: 2e-5, scale: .largest)
        #expect(close.isWithin, "\(close)")
        #expect(asked.allSatisfy { expected[$0 * d] != 0 })
    }
}

/// A decoder whose products are bf16: near fp32, and as independent of the workers.
@Suite struct BF16DecoderTests {
    private func gradients(
        _ precision: ProductPrecision, workers: Int
    ) -> (loss: Double, gradients: [Float]) {
        let configuration = ParallelDecoderTests.configuration
        let decoder = Decoder(configuration)
        let batch = TestBatch(configuration, examples: 37, length: 50, seed: 5)
        let parallel = ParallelDecoder(
            decoder, workers: workers, batches: [batch.shape], precision: precision,
            forTraining: true)
        let (loss, _) = parallel.lossAndGradients(
            weights: decoder.weights(in: decoder.randomParameters(seed: 6)), batch: batch.shape,
            filling: batch)
        return (loss, parallel.lastGradients.array)
    }

    @Test func gradientsPointWhereThoseOfFP32Do() {
        let exact = gradients(.fp32, workers: 1)
        let coarse = gradients(.bf16, workers: 1)
        #expect(exact.loss != coarse.loss)
        #expect(closeness([coarse.loss], [exact.loss], relative: 0.01).isWithin)
        var (dot, a, b) = (0.0, 0.0, 0.0)
        for (x, y) in zip(exact.gradients, coarse.gradients) {
            dot += Double(x) * Double(y)
            a += Double(x) * Double(x)
            b += Double(y) * Double(y)
        }
        let cosine = dot / (a * b).squareRoot()
        #expect(cosine > 0.999, "cosine \(cosine)")
    }

    @Test func resultsAreTheSameBitsForAnyNumberOfWorkers() {
        let one = gradients(.bf16, workers: 1)
        for workers in [2, 3] {
            let more = gradients(.bf16, workers: workers)
            #expect(more.loss == one.loss)
            #expect(firstDifference(more.gradients, one.gradients) == nil)
        }
    }
}
