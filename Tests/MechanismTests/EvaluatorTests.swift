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
        let setting = EvaluationSetting(layout: layout)
        let parallel = ParallelDecoder(
            decoder, workers: workers, batches: evaluator.shapes(setting), forTraining: false)
        let weights = decoder.weights(in: parameters ?? self.parameters)
        return evaluator.errors(of: parallel, weights: weights, setting)?.errors.array ?? []
    }

    /// The evaluation prompts, drawn once in a single batch.
    private func prompts(_ functionClass: any FunctionClass, examples: Int) -> PromptBatch {
        let batch = PromptBatch(
            examples: examples, points: points, dims: dims, functionClass: functionClass,
            draws: [.freshInputs, .permutation])
        batch.sample(functionClass, seed: 3, phase: .evaluation, firstExample: 0)
        return batch
    }

    /// One sequence at a time through the plain decoder: x and (y, 0) in turn, part A before part B; where a label is
    /// predicted from the examples before it alone, one sequence for each.
    private func errorsByHand(_ layout: PromptLayout, examples: Int) -> [Float] {
        let functionClass = PolynomialFunction()
        let batch = prompts(functionClass, examples: examples)
        let weights = decoder.packed(decoder.weights(in: parameters), forTraining: false)
        var errors: [Float] = []
        for example in 0..<examples {
            let prompt = batch.rows(example..<example + 1)
            func pairs(_ inputs: FloatView, _ labels: [Float]) -> [Float] {
                labels.enumerated().flatMap { point, label in
                    [inputs[point * dims], inputs[point * dims + 1], label, 0]
                }
            }
            let (f, g) = (prompt.base.array, prompt.labels.array)
            for k in 0..<points {
                var tokens: [Float] =
                    switch layout.name {
                    case "cft": pairs(prompt.inputs, f)
                    case "neg-cft": pairs(prompt.inputs, prompt.noise.array)
                    case "cft-shuffled":
                        pairs(prompt.inputs, prompt.permutations.array.map { f[Int($0)] })
                    case "cft-disjoint": pairs(prompt.fresh.inputs, prompt.fresh.base.array)
                    case "cft-no-query": pairs(prompt.inputs, Array(f.prefix(k)))
                    default: []
                    }
                tokens += pairs(prompt.inputs, Array(g.prefix(k)))
                tokens += prompt.inputs[k * dims..<(k + 1) * dims].array
                let length = tokens.count / dims
                let shape = BatchShape(examples: 1, length: length)
                let workspace = DecoderWorkspace(
                    decoder.configuration, largest: shape, forTraining: false)
                workspace.inputs.copy(from: tokens)
                if layout.name == "cpt-shifted" { workspace.positionStarts[0] = Int32(2 * points) }
                decoder.forward(weights: weights, workspace: workspace, shape: shape)
                let difference = workspace.predictions[length - 1] - g[k]
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
        // A rectified label is 0 for half of the points, a tree has sixteen leaves.
        #expect(Set(squares).count > 100)
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
