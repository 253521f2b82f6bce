import InContextRegression
import Kernels
import TestSupport
import Testing
import Transformer

@testable import Mechanism

@Suite struct EvaluatorTests {
    private let dims = 2
    private let points = 5
    private let decoder = Decoder(
        DecoderConfiguration(
            inputDimension: 2, positionCount: 24, embeddingDimension: 16, layerCount: 2,
            headCount: 2))

    /// Weights far larger than fresh ones, so that every token and every position shows in the predictions.
    private var parameters: FloatView {
        var generator = TestGenerator(seed: 11)
        return FloatView(generator.normals(decoder.layout.count, scale: 0.4))
    }

    private func evaluator(
        _ functionClass: any FunctionClass = PolynomialFunction(), examples: Int = 70
    ) -> Evaluator {
        Evaluator(
            functionClass: functionClass, dims: dims, points: points, examples: examples, seed: 3)
    }

    private func errors(
        _ evaluator: Evaluator, _ layout: PromptLayout, workers: Int = 2,
        parameters: FloatView? = nil
    ) -> [Float] {
        let batch = BatchShape(
            examples: evaluator.examples, length: layout.tokenCount(points: points))
        let parallel = ParallelDecoder(
            decoder, workers: workers, batches: [batch], forTraining: false)
        let weights = decoder.weights(in: parameters ?? self.parameters)
        return evaluator.squaredErrors(of: parallel, weights: weights, layout: layout)?.array ?? []
    }

    /// The evaluation prompts, drawn once in a single batch.
    private func prompts(_ functionClass: any FunctionClass, examples: Int) -> PromptBatch {
        let batch = PromptBatch(
            examples: examples, points: points, dims: dims, functionClass: functionClass)
        batch.sample(functionClass, seed: 3, phase: .evaluation, firstExample: 0)
        return batch
    }

    /// One sequence at a time through the plain decoder: x and (y, 0) in turn, part A's labels before part B's.
    private func errorsByHand(_ layout: PromptLayout, examples: Int) -> [Float] {
        let functionClass = PolynomialFunction()
        let batch = prompts(functionClass, examples: examples)
        let weights = decoder.packed(decoder.weights(in: parameters), forTraining: false)
        var errors: [Float] = []
        for example in 0..<examples {
            func labels(_ view: FloatView) -> [Float] {
                view[example * points..<(example + 1) * points].array
            }
            let answers = labels(batch.labels)
            var parts = [answers]
            if layout.name == "cft" { parts.insert(labels(batch.base), at: 0) }
            if layout.name == "neg-cft" { parts.insert(labels(batch.noise), at: 0) }
            var tokens: [Float] = []
            for part in parts {
                for point in 0..<points {
                    let start = (example * points + point) * dims
                    tokens += [batch.inputs[start], batch.inputs[start + 1], part[point], 0]
                }
            }
            let length = tokens.count / dims
            let shape = BatchShape(examples: 1, length: length)
            let workspace = DecoderWorkspace(
                decoder.configuration, largest: shape, forTraining: false)
            workspace.inputs.copy(from: tokens)
            if layout.name == "cpt-shifted" { workspace.positionStarts[0] = Int32(2 * points) }
            decoder.forward(weights: weights, workspace: workspace, shape: shape)
            for k in 0..<points {
                let prediction = workspace.predictions[length - 2 * points + 2 * k]
                let difference = prediction - answers[k]
                errors.append(difference * difference)
            }
        }
        return errors
    }

    @Test(arguments: PromptLayout.all)
    func errorsAreThoseOfPromptsLaidByHand(_ layout: PromptLayout) {
        let found = errors(evaluator(), layout)
        // Another number of rows in a matrix product groups its sums in another way.
        let near = closeness(
            found, errorsByHand(layout, examples: 70), relative: 2e-5, absolute: 1e-4)
        #expect(near.isWithin, "\(near)")
    }

    @Test func layoutsDifferInWhatTheModelSees() {
        let all = PromptLayout.all.map { errors(evaluator(), $0) }
        for (index, errors) in all.enumerated() {
            for other in all[..<index] { #expect(firstDifference(errors, other) != nil) }
        }
    }

    @Test(arguments: PromptLayout.all)
    func errorsDoNotDependOnTheWorkers(_ layout: PromptLayout) {
        let one = errors(evaluator(), layout, workers: 1)
        for workers in [2, 3, 8] {
            #expect(firstDifference(errors(evaluator(), layout, workers: workers), one) == nil)
        }
    }

    /// A model that predicts 0 shows the labels: their squares are its errors.
    @Test(arguments: FunctionClasses.all.map(\.name))
    func everyLayoutIsAskedForTheSameLabels(_ name: String) throws {
        let functionClass = try FunctionClasses.named(name)
        let zero = FloatView(zeros: decoder.layout.count)
        let squares = prompts(functionClass, examples: 70).labels.array.map { $0 * $0 }
        #expect(Set(squares).count == 350)
        let evaluator = evaluator(functionClass)
        for layout in PromptLayout.all {
            let found = errors(evaluator, layout, parameters: zero)
            #expect(firstDifference(found, squares) == nil)
        }
        let baseline = evaluator.squaredErrors(
            of: try Baselines.named("zero"), pool: WorkerPool(workers: 2))
        #expect(firstDifference(baseline.array, squares) == nil)
    }

    /// A larger evaluation begins with the smaller one's prompts.
    @Test func moreExamplesKeepTheFirst() {
        let few = errors(evaluator(examples: 33), .cft)
        let many = errors(evaluator(examples: 70), .cft)
        let near = closeness(
            Array(many.prefix(33 * points)), few, relative: 2e-5, absolute: 1e-4)
        #expect(near.isWithin, "\(near)")
    }

    @Test func leastSquaresSolvesWhatIsDetermined() throws {
        let linear = evaluator(LinearFunction()).squaredErrors(
            of: try Baselines.named("least_squares"), pool: WorkerPool(workers: 2)
        ).array
        let means = (0..<points).map { k in
            stride(from: k, to: linear.count, by: points).reduce(0) { $0 + linear[$1] } / 70
        }
        #expect(means[0] > 0.5 && means[1] > 0.1)
        #expect(means[2...].allSatisfy { $0 < 1e-6 }, "\(means)")
    }
}
