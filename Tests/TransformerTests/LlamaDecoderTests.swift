import Kernels
import TensorStorage
import TestSupport
import Testing

@testable import Transformer

/// Models small enough for the naive twin, every option once.
private enum Models {
    static let all = [
        small(), small(tied: true), small(biases: true), small(rotary: llama3),
        // No width is a multiple of anything, and H·K is not C.
        LlamaConfiguration(
            vocabularySize: 33, hiddenSize: 20, intermediateSize: 37, layerCount: 1, headCount: 3,
            keyValueHeadCount: 1, headSize: 8, positionCount: 64, rmsNormEpsilon: 1e-5),
    ]

    static func small(
        rotary: RotaryEmbedding = RotaryEmbedding(), tied: Bool = false, biases: Bool = false
    ) -> LlamaConfiguration {
        LlamaConfiguration(
            vocabularySize: 37, hiddenSize: 24, intermediateSize: 40, layerCount: 2, headCount: 4,
            keyValueHeadCount: 2, headSize: 6, positionCount: 64, rotary: rotary,
            tiesEmbeddings: tied, attentionBias: biases, feedForwardBias: biases)
    }

    /// Of its three wave lengths, 6, 50 and 396, one stays, one lies between the limits 16 and 64, one is stretched.
    private static let llama3 = RotaryEmbedding(
        theta: 500,
        scaling: .llama3(
            factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 64))

    /// Large enough that its operations are cut into pieces for several workers.
    static let large = LlamaConfiguration(
        vocabularySize: 200, hiddenSize: 64, intermediateSize: 176, layerCount: 2, headCount: 4,
        keyValueHeadCount: 2, positionCount: 64, attentionBias: true, feedForwardBias: true)
}

private func norm(_ v: [Double]) -> Double { v.reduce(0) { $0 + $1 * $1 }.squareRoot() }

/// A Llama model's logits, losses and gradients against the naive twin and differences.
@Suite struct LlamaDecoderTests {
    private static let lengths = [[5, 1, 11], [1], [3], [26]]

    @Test func logitsAndLossesEqualTheNaiveTwins() {
        for configuration in Models.all {
            let parameters = configuration.randomParameters(seed: 1)
            let weights = configuration.weights(in: parameters)
            let naive = NaiveLlamaDecoder(configuration, parameters)
            for lengths in Self.lengths {
                let batch = LlamaBatch(configuration, lengths: lengths, seed: 2)
                let found = LlamaRun(configuration, weights, batch)
                // Some thirty roundings of 6e-8 a layer, and angles rounded to fp32.
                let logits = closeness(
                    found.logits.doubles, naive.logits(batch), relative: 1e-5, scale: .largest)
                #expect(logits.isWithin, "\(lengths), \(configuration): \(logits)")
                let losses = closeness(
                    found.losses.doubles, naive.losses(batch), relative: 1e-5, absolute: 1e-5,
                    scale: .largest)
                #expect(losses.isWithin, "\(lengths), \(configuration): \(losses)")
                let loss = closeness(
                    [found.loss], [naive.loss(batch)], relative: 1e-5, absolute: 1e-5)
                #expect(loss.isWithin, "\(lengths), \(configuration): \(loss)")
            }
        }
    }

    @Test func everyGradientAgreesWithDifferencesOfTheNaiveTwin() {
        for configuration in Models.all {
            expectGradients(
                configuration, LlamaBatch(configuration, lengths: [5, 1, 11], seed: 4))
        }
    }

    /// More rows than have logits in memory at a time: the last four are summed by themselves.
    @Test func moreRowsThanLogitsInMemoryAreSummedToo() {
        let configuration = Models.small()
        let rows = configuration.logitRows + 4
        let batch = LlamaBatch(
            configuration, lengths: [rows / 2, rows - rows / 2], seed: 5)
        let parameters = configuration.randomParameters(seed: 3)
        let found = LlamaRun(configuration, configuration.weights(in: parameters), batch)
        let losses = closeness(
            found.losses.doubles, NaiveLlamaDecoder(configuration, parameters).losses(batch),
            relative: 1e-5, scale: .largest)
        #expect(losses.isWithin, "\(losses)")
        expectGradients(configuration, batch, of: ["model.norm.weight", "lm_head.weight"])
    }

    /// Every tensor by itself, or those of `names`, in one random direction: central differences of the twin, whose own
    /// error (h = 1e-5) is far below the fp32 gradient's. Allowed: 2e-5 of the two vectors' lengths.
    private func expectGradients(
        _ configuration: LlamaConfiguration, _ batch: LlamaBatch, of names: [String]? = nil
    ) {
        let parameters = configuration.randomParameters(seed: 3)
        let naive = NaiveLlamaDecoder(configuration, parameters)
        let found = LlamaRun(configuration, configuration.weights(in: parameters), batch)
        var generator = TestGenerator(seed: 6)
        for tensor in configuration.layout.tensors(in: found.gradients) {
            if let names, !names.contains(tensor.name) { continue }
            let gradient = tensor.view.doubles
            let direction = gradient.map { _ in generator.normal() }
            func loss(_ step: Double) -> Double {
                var moved = naive
                moved.parameters[tensor.name] = zip(
                    naive.parameters[tensor.name] ?? [], direction
                ).map { $0 + step * $1 }
                return moved.loss(batch)
            }
            let h = 1e-5
            let numeric = (loss(h) - loss(-h)) / (2 * h)
            let analytic = zip(gradient, direction).reduce(0) { $0 + $1.0 * $1.1 }
            let allowed = 2e-5 * norm(gradient) * norm(direction) + 1e-9
            let close = closeness([analytic], [numeric], relative: 0, absolute: allowed)
            #expect(close.isWithin, "\(tensor.name), \(configuration): \(close)")
        }
    }

    /// The model's own fp32 loss, all parameters in one direction.
    @Test func gradientsAgreeWithDifferencesOfTheLoss() {
        for configuration in Models.all {
            let parameters = configuration.randomParameters(seed: 7)
            let weights = configuration.weights(in: parameters)
            let batch = LlamaBatch(configuration, lengths: [5, 1, 11], seed: 8)
            let gradients = LlamaRun(configuration, weights, batch).gradients.array
            let decoder = LlamaDecoder(configuration)
            let workspace = LlamaWorkspace(
                configuration, rows: batch.tokens.count, longest: 11, forTraining: false,
                workers: 1)
            let (tokens, targets) = (IndexView(batch.tokens), IndexView(batch.targets))
            let check = checkGradient(at: parameters, gradient: gradients, step: 2e-3) {
                decoder.forward(
                    weights: weights, workspace: workspace, tokens: tokens,
                    sequences: batch.sequences)
                let losses = decoder.losses(
                    weights: weights, workspace: workspace, targets: targets)
                return zip(losses.doubles, batch.weights).reduce(0) {
                    $0 + $1.0 * Double($1.1)
                }
            }
            #expect(check.isWithin, "\(configuration): \(check)")
        }
    }

    @Test func gradientsAreAddedToWhatIsThere() {
        for configuration in Models.all {
            let parameters = configuration.randomParameters(seed: 9)
            let weights = configuration.weights(in: parameters)
            let batch = LlamaBatch(configuration, lengths: [5, 1, 11], seed: 10)
            let once = LlamaRun(configuration, weights, batch)
            let workspace = LlamaWorkspace(
                configuration, rows: batch.tokens.count, longest: 11, forTraining: true, workers: 1)
            let twice = FloatView(zeros: configuration.layout.count)
            for _ in 0..<2 {
                let loss = LlamaDecoder(configuration).lossAndGradients(
                    weights: weights, gradients: configuration.gradients(in: twice),
                    workspace: workspace, tokens: IndexView(batch.tokens),
                    sequences: batch.sequences, targets: IndexView(batch.targets),
                    lossWeights: FloatView(batch.weights))
                #expect(loss == once.loss)
            }
            // The second pass adds the same terms to sums that start elsewhere: only roundings differ.
            let close = closeness(
                twice.doubles, once.gradients.doubles.map { 2 * $0 }, relative: 2e-6,
                scale: .largest)
            #expect(close.isWithin, "\(configuration): \(close)")
        }
    }

    /// The last row of a sequence is seen by no other: without loss it leaves no trace, whatever it holds.
    @Test func aRowOfWeightZeroAddsNothing() {
        for configuration in Models.all {
            let weights = configuration.weights(in: configuration.randomParameters(seed: 11))
            var batch = LlamaBatch(configuration, lengths: [5, 1, 11], seed: 12)
            for rows in batch.sequences { batch.weights[rows.upperBound - 1] = 0 }
            let before = LlamaRun(configuration, weights, batch)
            let V = Int32(configuration.vocabularySize)
            for rows in batch.sequences {
                let last = rows.upperBound - 1
                batch.tokens[last] = (batch.tokens[last] + 1) % V
                batch.targets[last] = (batch.targets[last] + 5) % V
            }
            let after = LlamaRun(configuration, weights, batch)
            #expect(after.loss == before.loss)
            #expect(firstDifference(after.losses, before.losses) != nil)
            let difference = firstDifference(after.gradients.array, before.gradients.array)
            #expect(difference == nil, "\(configuration): \(difference ?? "")")
        }
    }
}

/// What a Llama model's results do not depend on: neighbours, workers, steps, where its matrices lie.
@Suite struct LlamaInvarianceTests {
    @Test func packedSequencesAreTheSameAsEachAlone() {
        for configuration in Models.all {
            let weights = configuration.weights(in: configuration.randomParameters(seed: 1))
            let batch = LlamaBatch(configuration, lengths: [5, 1, 11], seed: 2)
            let together = LlamaRun(configuration, weights, batch)
            var sum = [Double](repeating: 0, count: configuration.layout.count)
            for (rows, sequence) in zip(batch.sequences, batch.alone) {
                let alone = LlamaRun(configuration, weights, sequence)
                let expected = Array(together.losses[rows])
                if rows.count >= 5 {
                    #expect(firstDifference(alone.losses, expected) == nil, "\(rows)")
                } else {
                    // Up to four rows are summed in another order.
                    let close = closeness(
                        alone.losses, expected, relative: 1e-5, absolute: 1e-5, scale: .largest)
                    #expect(close.isWithin, "\(rows): \(close)")
                }
                sum = zip(sum, alone.gradients.doubles).map { $0 + $1 }
            }
            // The same terms in other groups.
            let close = closeness(
                together.gradients.doubles, sum, relative: 1e-5, scale: .largest)
            #expect(close.isWithin, "\(configuration): \(close)")
        }
    }

    @Test func resultsAreTheSameBitsForAnyNumberOfWorkers() {
        let configuration = Models.large
        let weights = configuration.weights(in: configuration.randomParameters(seed: 3))
        let batch = LlamaBatch(configuration, lengths: [50, 5, 15], seed: 4)
        let one = LlamaRun(configuration, weights, batch)
        for workers in [2, 3] {
            let found = LlamaRun(configuration, weights, batch, workers: workers)
            #expect(found.loss == one.loss, "\(workers) workers")
            #expect(firstDifference(found.losses, one.losses) == nil, "\(workers) workers")
            #expect(firstDifference(found.logits, one.logits) == nil, "\(workers) workers")
            for (name, a, b) in tensors(configuration, found.gradients, one.gradients) {
                #expect(firstDifference(a, b) == nil, "\(name), \(workers) workers")
            }
        }
    }

    private func tensors(
        _ configuration: LlamaConfiguration, _ one: FloatView, _ other: FloatView
    ) -> [(String, [Float], [Float])] {
        zip(configuration.layout.tensors(in: one), configuration.layout.tensors(in: other)).map {
            ($0.name, $0.view.array, $1.view.array)
        }
    }

    @Test func theForwardWorkspaceGivesTheSameBits() {
        for configuration in Models.all {
            let weights = configuration.weights(in: configuration.randomParameters(seed: 5))
            let batch = LlamaBatch(configuration, lengths: [5, 1, 11], seed: 6)
            let decoder = LlamaDecoder(configuration)
            // Room for other rows than those used.
            let workspace = LlamaWorkspace(
                configuration, rows: 20, longest: 13, forTraining: false, workers: 1)
            decoder.forward(
                weights: weights, workspace: workspace, tokens: IndexView(batch.tokens),
                sequences: batch.sequences)
            let losses = decoder.losses(
                weights: weights, workspace: workspace, targets: IndexView(batch.targets))
            let expected = LlamaRun(configuration, weights, batch).losses
            #expect(firstDifference(losses.array, expected) == nil, "\(configuration)")
        }
    }

    /// One token at a time, and in chunks of different sizes; then after forgetting a part of it.
    @Test(arguments: [[Int](repeating: 1, count: 23), [1, 3, 7, 12]])
    func readingInStepsIsReadingAtOnce(chunks: [Int]) {
        for configuration in Models.all {
            let weights = configuration.weights(in: configuration.randomParameters(seed: 7))
            let batch = LlamaBatch(configuration, lengths: [23], seed: 8)
            let expected = LlamaRun(configuration, weights, batch).logits
            let V = configuration.vocabularySize
            let decoder = LlamaDecoder(configuration)
            let cache = LlamaCache(configuration, capacity: 23)
            let workspace = LlamaWorkspace(
                configuration, rows: 13, longest: 23, forTraining: false, workers: 1)
            func read(_ count: Int) -> [Float] {
                let tokens = Array(batch.tokens[cache.count..<cache.count + count])
                decoder.extend(
                    cache, weights: weights, workspace: workspace, tokens: IndexView(tokens))
                let logits = FloatView(zeros: count * V)
                decoder.logits(logits, weights: weights, workspace: workspace, rows: 0..<count)
                return logits.array
            }
            let found = chunks.flatMap { read($0) }
            #expect(cache.count == 23)
            // Up to four rows are summed in another order: 2e-5 is a hundred roundings of the largest logit.
            let close = closeness(found, expected, relative: 2e-5, scale: .largest)
            #expect(close.isWithin, "\(configuration): \(close)")
            cache.count = 10
            let again = closeness(
                read(13), Array(expected[(10 * V)...]), relative: 2e-5, scale: .largest)
            #expect(again.isWithin, "\(configuration): \(again)")
        }
    }

    /// Every 16-bit number is exact in fp32, and the sums are the same.
    @Test(arguments: [StoredElement.float16, .bfloat16])
    func storedMatricesGiveWhatTheirFP32CopiesGive(element: StoredElement) {
        for configuration in Models.all {
            let layout = configuration.layout
            let parameters = configuration.randomParameters(seed: 9)
            for entry in layout.entries where entry.shape.count == 2 {
                let view = parameters[entry.range]
                view.copy(from: Naive.representable(view.array, element))
            }
            let stored = LlamaWeights(
                configuration,
                matrix: { name, rows, columns in
                    StoredMatrix(
                        layout.view(name, in: parameters).array, element: element, rows: rows,
                        columns: columns, offset: 1)
                }, vector: { name, _ in layout.view(name, in: parameters) })
            for lengths in [[5, 1, 11], [3]] {
                let batch = LlamaBatch(configuration, lengths: lengths, seed: 10)
                let expected = LlamaRun(configuration, configuration.weights(in: parameters), batch)
                let found = LlamaRun(configuration, stored, batch)
                #expect(found.loss == expected.loss, "\(lengths), \(configuration)")
                #expect(firstDifference(found.logits, expected.logits) == nil, "\(lengths)")
                #expect(
                    firstDifference(found.gradients.array, expected.gradients.array) == nil,
                    "\(lengths), \(configuration)")
            }
        }
    }
}
