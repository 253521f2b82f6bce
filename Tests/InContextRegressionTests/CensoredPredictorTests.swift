import Foundation
import InContextRegression
import Kernels
import Randomness
import Testing

/// The sampled posteriors of classes that lose part of f against rejection from the prior.
@Suite struct CensoredPredictorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let inputs: [Float]
        let labels: [Float]
        var testDescription: String { "\(name) \(labels)" }
    }

    /// Two examples and a query in three dimensions.
    static let cases = [
        Case(name: "relu", inputs: [1, 0.5, -1, -0.5, 2, 0, 1, 1, 1], labels: [0, 0]),
        // Nearly opposite half-spaces leave a narrow wedge.
        Case(name: "relu", inputs: [1, 0.2, 0, -1, 0, 0.1, 1, 1, 1], labels: [0, 0]),
        Case(name: "tanh", inputs: [8, 0, 1, -4, 9, 1, 1, -1, 0.5], labels: [1, -1]),
        Case(name: "sigmoid", inputs: [12, 0, 9, 1, 16, 1, 0.3, -0.1, 0.5], labels: [1, 1]),
    ]

    @Test(arguments: cases)
    func agreesWithRejection(_ test: Case) throws {
        let functionClass = try FunctionClasses.named(test.name)
        let batch = PromptBatch(examples: 1, points: 3, dims: 3, functionClass: functionClass)
        batch.inputs.copy(from: test.inputs)
        batch.labels.copy(from: test.labels + [0])
        let found = try estimate(functionClass, batch)
        var accepted: [Float] = []
        let normals = RandomKey(seed: 8, stream: .measurement).normals(3 * 400_000)
        for start in stride(from: 0, to: normals.count, by: 3) {
            let w = Array(normals[start..<start + 3])
            let values = (0..<3).map {
                label(functionClass, x: Array(test.inputs[3 * $0..<3 * $0 + 3]), task: w)
            }
            if values[0] == test.labels[0] && values[1] == test.labels[1] {
                accepted.append(values[2])
            }
        }
        #expect(accepted.count > 2000)
        let (mean, error) = meanAndStandardError(accepted)
        let total = (error * error + found.errors[2] * found.errors[2]).squareRoot()
        #expect(abs(found.means[2] - mean) < 4 * total, "\(found.means[2]), \(mean) ± \(total)")
        let squares = accepted.map { ($0 - Float(mean)) * ($0 - Float(mean)) }
        let (variance, varianceError) = meanAndStandardError(squares)
        #expect(
            abs(found.variances[2] - variance) < 4 * varianceError + 0.15 * variance,
            "\(found.variances[2]), \(variance)")
        #expect(found.errors[2] > 0 && found.errors[2] < 0.25 * variance.squareRoot())
    }

    /// With w fixed by d = 2 positive labels nothing is sampled, whatever the others say.
    @Test func positiveLabelsAreEquations() throws {
        let functionClass = ReLUFunction()
        let batch = PromptBatch(examples: 1, points: 4, dims: 2, functionClass: functionClass)
        // w = (1, 2)
        batch.inputs.copy(from: [1, 1, -1, -1, 1, 0, 2, 2])
        batch.labels.copy(from: [3, 0, 1, 6])
        let found = try estimate(functionClass, batch)
        #expect(abs(found.means[3] - 6) < 1e-12)
        #expect(found.variances[3] == 0 && found.errors[3] == 0)
        #expect(found.errors[0] == 0)
        // k = 1: f = 3 at (1, 1), the query at its opposite.
        #expect(found.means[1] == 0 && found.variances[1] == 0)
    }

    /// Equal prompts have equal posteriors, wherever they stand in a batch.
    @Test func posteriorsDependOnThePromptOnly() throws {
        let functionClass = ReLUFunction()
        let batch = PromptBatch(examples: 4, points: 6, dims: 3, functionClass: functionClass)
        batch.sample(functionClass, seed: 9, phase: .evaluation, firstExample: 0)
        let alone = PromptBatch(examples: 1, points: 6, dims: 3, functionClass: functionClass)
        alone.sample(functionClass, seed: 9, phase: .evaluation, firstExample: 3)
        let first = try estimate(functionClass, batch.rows(3..<4))
        let second = try estimate(functionClass, alone)
        #expect(first.means == second.means && first.variances == second.variances)
        #expect(Set(first.means).count > 3)
    }

    private func estimate(
        _ functionClass: any FunctionClass, _ prompt: PromptBatch
    ) throws -> (means: [Double], variances: [Double], errors: [Double]) {
        let made = functionClass.bayesPredictor(dims: prompt.dims, prefix: .nothing)
        let predictor = try #require(made as? CensoredPredictor)
        var means = [Double](repeating: .nan, count: prompt.points)
        var (variances, errors) = (means, means)
        var meanSpan = means.mutableSpan
        var varianceSpan = variances.mutableSpan
        var errorSpan = errors.mutableSpan
        predictor.estimate(
            of: prompt, means: &meanSpan, variances: &varianceSpan, standardErrors: &errorSpan)
        return (means, variances, errors)
    }
}
