import InContextRegression
import Kernels
import TestSupport
import Testing
import Transformer

@testable import Mechanism

/// Gradient alignment against differences of predictions, and what a probe finds.
@Suite struct AlignmentTests {
    private let decoder = Decoder(
        DecoderConfiguration(
            inputDimension: 2, positionCount: 24, embeddingDimension: 16, layerCount: 2,
            headCount: 2))
    private let points = 5

    private var parameters: FloatView {
        var generator = TestGenerator(seed: 12)
        return FloatView(generator.normals(decoder.layout.count, scale: 0.3))
    }

    private func evaluator(
        _ functionClass: any FunctionClass = PolynomialFunction(), examples: Int = 9
    ) -> Evaluator {
        Evaluator(
            functionClass: functionClass, dims: 2, points: points, examples: examples, seed: 3)
    }

    private func model(_ alignment: GradientAlignment, _ layout: PromptLayout) -> ParallelDecoder {
        ParallelDecoder(
            decoder, workers: 2, batches: alignment.shapes(layout), forTraining: true)
    }

    /// The prediction after k examples when the tokens at `places` are moved along a coordinate.
    private func prediction(
        _ form: PromptForm, _ prompt: PromptBatch, _ places: [Int], _ coordinate: Int,
        _ distance: Float
    ) -> Double {
        let shape = BatchShape(examples: 1, length: form.tokenCount)
        let workspace = DecoderWorkspace(decoder.configuration, largest: shape, forTraining: false)
        form.write(prompt, lossScale: 1, workspace)
        for place in places { workspace.inputs[place * 2 + coordinate] += distance }
        decoder.forward(
            weights: decoder.packed(decoder.weights(in: parameters), forTraining: false),
            workspace: workspace, shape: shape)
        return Double(workspace.predictions[form.tokenCount - 1])
    }

    /// The cosine of central differences with ∇g.
    private func byDifferences(
        _ alignment: GradientAlignment, _ layout: PromptLayout, _ example: Int, _ k: Int,
        token: Bool
    ) -> Double {
        let setting = EvaluationSetting(layout: layout)
        let prompts = alignment.evaluator.prompts(0..<alignment.evaluator.examples, setting)
        let prompt = prompts.rows(example..<example + 1)
        let form = layout.form(query: k, points: points)
        let places = token ? [form.tokenCount - 1] : form.places(ofQuery: k)
        let truth = FloatView(zeros: points * 2)
        prompt.gradients(alignment.evaluator.functionClass, into: truth)
        let step: Float = 1e-2
        var (dot, a, b) = (0.0, 0.0, 0.0)
        for coordinate in 0..<2 {
            let slope =
                prediction(form, prompt, places, coordinate, step)
                - prediction(form, prompt, places, coordinate, -step)
            let true_ = Double(truth[k * 2 + coordinate])
            dot += slope * true_
            a += slope * slope
            b += true_ * true_
        }
        return dot / (a * b).squareRoot()
    }

    @Test(arguments: [PromptLayout.cpt, .cft, .negCFT, .shuffledCFT, .disjointCFT, .noQueryCFT])
    func bothReadingsAreThoseOfDifferences(_ layout: PromptLayout) throws {
        let alignment = GradientAlignment(evaluator())
        #expect(alignment.contexts == [0, 1, 2, 4])
        let weights = decoder.weights(in: parameters)
        let model = model(alignment, layout)
        let both = try #require(alignment.both(of: model, weights: weights, layout: layout))
        let token = try #require(alignment.token(of: model, weights: weights, layout: layout))
        for example in 0..<9 {
            for (column, k) in alignment.contexts.enumerated() {
                let moved = byDifferences(alignment, layout, example, k, token: false)
                let alone = byDifferences(alignment, layout, example, k, token: true)
                // Differences of fp32 predictions over a step of 0.02.
                #expect(abs(Double(both[example * 4 + column]) - moved) < 0.02, "\(layout.name)")
                #expect(abs(Double(token[example * 5 + k]) - alone) < 0.02, "\(layout.name)")
            }
        }
        // The readings are one where the point stands in one place, and differ where it stands in two.
        let pairs = (0..<9).map { (both[$0 * 4 + 3], token[$0 * 5 + 4]) }
        let isTwice = [.cft, .negCFT, .shuffledCFT].contains(layout)
        #expect(pairs.contains { abs($0.0 - $0.1) > 0.01 } == isTwice)
    }

    /// Half of a rectified function is flat: there is no direction to align with.
    @Test func promptsWithoutATrueGradientAreLeftOut() throws {
        let evaluator = evaluator(ReLUFunction(), examples: 40)
        let alignment = GradientAlignment(evaluator)
        let token = try #require(
            alignment.token(
                of: model(alignment, .cpt), weights: decoder.weights(in: parameters), layout: .cpt))
        let labels = evaluator.prompts(0..<40, EvaluationSetting(layout: .cpt)).base.array
        #expect(zip(token.array, labels).allSatisfy { $0.isNaN == ($1 <= 0) })
        #expect(token.array.contains { $0.isNaN } && token.array.contains { !$0.isNaN })
    }

    /// Least squares follows the true gradient once it is determined, and in part before.
    @Test func theBayesPredictorsOwnAlignment() throws {
        let found = try #require(
            GradientAlignment(evaluator(LinearFunction(), examples: 200)).ofBayesPredictor())
        let means = (0..<points).map { k in
            (0..<200).reduce(0.0) { $0 + Double(found[$1 * points + k]) } / 200
        }
        #expect(means[0] == 0)
        #expect(abs(means[1] - 2 / Double.pi) < 0.1, "\(means)")
        #expect(means[2...].allSatisfy { $0 > 0.99 }, "\(means)")
    }

    /// relu's posterior is sampled; the two ends of a difference share their random numbers, so that it is a slope. Past
    /// k = 2d nearly every prompt determines w, and what the best predictor follows is ∇g itself.
    @Test func aSampledPosteriorHasASlope() throws {
        let dims = 2
        let evaluator = Evaluator(
            functionClass: ReLUFunction(), dims: dims, points: 9, examples: 200, seed: 3)
        let found = try #require(GradientAlignment(evaluator).ofBayesPredictor())
        let means = (0..<9).map { k in
            let cosines = (0..<200).map { found[$0 * 9 + k] }.filter(\.isFinite)
            return cosines.reduce(0.0) { $0 + Double($1) } / Double(cosines.count)
        }
        #expect(zip(means, means.dropFirst()).allSatisfy { $1 > $0 - 0.03 }, "\(means)")
        #expect(means[4] > 0.8 && means[8] > 0.95, "\(means)")
    }

    @Test func ridgeRegressionFindsALinearMap() {
        var generator = TestGenerator(seed: 4)
        let rows = (0..<400).map { _ in [1.0] + generator.normals(3).map(Double.init) }
        let targets = rows.map { [0.5 + 2 * $0[1] - $0[3], Double(generator.normals(1)[0])] }
        let fit = RidgeRegression(
            features: Array(rows[..<200]), targets: Array(targets[..<200]), penalty: 1e-6)
        for (found, expected) in zip(fit.coefficients[0], [0.5, 2, 0, -1]) {
            #expect(abs(found - expected) < 1e-4)
        }
        let (residuals, totals) = fit.squares(
            features: Array(rows[200...]), targets: Array(targets[200...]))
        #expect(residuals[0] < 1e-4 * totals[0])
        // Noise cannot be predicted.
        #expect(residuals[1] > 0.9 * totals[1])
    }

    /// f(x_query) stands in the prefix under cft: an untrained model passes it on, and without a prefix nobody knows it.
    @Test func probesTellWhatALayerKnows() throws {
        let evaluator = evaluator(PolynomialFunction(), examples: 600)
        func scores(_ layout: PromptLayout) throws -> LayerProbes.Scores {
            let form = layout.trainingForm(points: points)
            let model = ParallelDecoder(
                decoder, workers: 2,
                batches: [BatchShape(examples: 600, length: form.tokenCount)], forTraining: true)
            return try #require(
                LayerProbes(evaluator).scores(
                    of: model, weights: decoder.weights(in: parameters), layout: layout))
        }
        let cpt = try scores(.cpt)
        #expect(cpt.base.count == 15 && cpt.weights.count == 15)
        // Before the first block the query's token knows x alone, of which f is no linear function.
        #expect((0..<points).allSatisfy { cpt.base[$0] < 0.1 })
        #expect(cpt.base.array.allSatisfy { $0.isFinite && $0 <= 1 })
    }
}
