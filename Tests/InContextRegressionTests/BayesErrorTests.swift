import Foundation
import InContextRegression
import Kernels
import Testing

/// Closed forms of the least error against two tasks that agree on what is known: half their mean squared difference at
/// the query is the mean conditional variance.
@Suite struct BayesErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let knowledge: BaseKnowledge
        let k: Int
        var testDescription: String { "\(name), \(knowledge), k = \(k)" }
    }

    static let cases: [Case] =
        [1, 2, 3].flatMap { k in
            ["sigmoid", "tanh", "relu", "proddot", "polynomial", "noisy_linear"].map {
                Case(name: $0, knowledge: .context, k: k)
            } + [Case(name: "proddot", knowledge: .query, k: k)]
        }
        + FunctionClasses.all.map { Case(name: $0.name, knowledge: .nothing, k: 0) }

    @Test(arguments: cases)
    func halfTheDifferenceOfTwoTasks(_ test: Case) throws {
        let functionClass = try FunctionClasses.named(test.name)
        let dims = 4
        let (first, other) = (sample(functionClass, test.k, 1), sample(functionClass, test.k, 2))
        let noise = functionClass.labelNoise * functionClass.labelNoise
        let values = (0..<first.exampleCount).map { row in
            let prompt = first.rows(row..<row + 1)
            let x = prompt.inputs.array
            let query = Array(x[test.k * dims..<(test.k + 1) * dims])
            var task = other.rows(row..<row + 1).tasks.array
            let own = prompt.tasks.array
            if test.knowledge != .nothing {
                for start in stride(from: 0, to: task.count, by: dims) {
                    // Under `query` w itself may be known: f at the query is, and nothing else matters.
                    let known = test.knowledge == .query && start == 0
                    let part = start..<start + dims
                    task.replaceSubrange(
                        part,
                        with: known
                            ? Array(own[part])
                            : agreeing(
                                Array(task[part]), with: Array(own[part]),
                                on: (0..<test.k).map { Array(x[$0 * dims..<($0 + 1) * dims]) }))
                }
            }
            let difference =
                label(functionClass, x: query, task: own)
                - label(functionClass, x: query, task: task)
            return difference * difference / 2 + noise
        }
        let (mean, error) = meanAndStandardError(values)
        let closed = try #require(
            functionClass.bayesError(
                contextLength: test.k, dims: dims, knowledge: test.knowledge))
        #expect(abs(mean - closed) < 4 * error, "\(mean), \(closed)")
        // The comparison means something.
        #expect(error < 0.12 * closed)
    }

    private func sample(_ functionClass: any FunctionClass, _ k: Int, _ seed: UInt64) -> PromptBatch
    {
        let batch = PromptBatch(
            examples: 15_000, points: k + 1, dims: 4, functionClass: functionClass)
        batch.sample(functionClass, seed: seed, phase: .evaluation, firstExample: 0)
        return batch
    }

    /// `free` moved to where it agrees with `fixed` on all `rows`.
    private func agreeing(_ free: [Float], with fixed: [Float], on rows: [[Float]]) -> [Float] {
        var difference = zip(fixed, free).map { Double($0) - Double($1) }
        var span: [[Double]] = []
        var moved = free.map(Double.init)
        for row in rows {
            var rest = row.map(Double.init)
            for direction in span {
                let product = dot(rest, direction)
                rest = zip(rest, direction).map { $0 - product * $1 }
            }
            let length = dot(rest, rest).squareRoot()
            let direction = rest.map { $0 / length }
            span.append(direction)
            let product = dot(difference, direction)
            moved = zip(moved, direction).map { $0 + product * $1 }
            difference = zip(difference, direction).map { $0 - product * $1 }
        }
        return moved.map { Float($0) }
    }

    private func dot(_ a: [Double], _ b: [Double]) -> Double {
        zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
    }

    /// E[tanh² f] and E[σ(f)²] by Riemann sums over ‖x‖ and f/‖x‖.
    @Test(arguments: [1, 3, 20])
    func secondMomentsOfTheSaturatingClasses(dims: Int) {
        var (weight, square, sigmoid) = (0.0, 0.0, 0.0)
        for i in 0..<240 {
            let r = 0.05 * (Double(i) + 0.5)
            let density = pow(r, Double(dims - 1)) * exp(-r * r / 2)
            for j in -160...160 {
                let z = 0.05 * Double(j)
                let w = density * exp(-z * z / 2)
                weight += w
                square += w * tanh(r * z) * tanh(r * z)
                sigmoid += w / ((1 + exp(-r * z)) * (1 + exp(-r * z)))
            }
        }
        let tanhError = TanhFunction().zeroPredictorError(dims: dims)
        let sigmoidError = SigmoidFunction().zeroPredictorError(dims: dims)
        #expect(abs(tanhError - square / weight) < 1e-5 * tanhError)
        #expect(abs(sigmoidError - sigmoid / weight) < 1e-5 * sigmoidError)
    }

    /// d = 2, k = 1: f = t z + s u with half-normal t, s, the example fixing z; four nested sums.
    @Test func tanhErrorByNestedSums() throws {
        let step = 0.2
        let nodes = (-27...27).map { Double($0) * step }
        let weights = nodes.map { exp(-$0 * $0 / 2) }
        let total = weights.reduce(0, +)
        var error = 0.0
        for (s, sWeight) in zip(nodes, weights) where s >= 0 {
            for (t, tWeight) in zip(nodes, weights) where t >= 0 {
                let share = sWeight * tWeight * (s == 0 ? 1 : 2) * (t == 0 ? 1 : 2) / total / total
                // V(m) is even, so half of z is enough; far pairs have no weight.
                if share < 1e-9 { continue }
                for (z, zWeight) in zip(nodes, weights) where z >= 0 {
                    var (first, second) = (0.0, 0.0)
                    for (u, uWeight) in zip(nodes, weights) {
                        let value = tanh(t * z + s * u)
                        first += uWeight * value / total
                        second += uWeight * value * value / total
                    }
                    error += share * zWeight * (z == 0 ? 1 : 2) / total * (second - first * first)
                }
            }
        }
        let closed = try #require(
            TanhFunction().bayesError(contextLength: 1, dims: 2, knowledge: .nothing))
        #expect(abs(closed - error) < 2e-5, "\(closed), \(error)")
    }

    /// The errors at the ends of k, of what is known, and between.
    @Test func errorsAtTheEnds() throws {
        for name in ["relu", "sigmoid", "tanh", "proddot", "polynomial", "multilinear"] {
            let functionClass = try FunctionClasses.named(name)
            let error = {
                functionClass.bayesError(contextLength: $0, dims: 6, knowledge: .context)
            }
            let errors = try (0...6).map { try #require(error($0)) }
            // Without examples nothing is known under either name.
            let without = try #require(
                functionClass.bayesError(contextLength: 0, dims: 6, knowledge: .nothing))
            #expect(abs(errors[0] - without) < 1e-5 * without, "\(name)")
            #expect(errors[6] == 0)
            for k in 1...6 { #expect(errors[k] < errors[k - 1], "\(name), \(k)") }
            #expect(
                functionClass.bayesError(contextLength: 9, dims: 6, knowledge: .function) == 0)
            #expect(
                functionClass.bayesError(contextLength: 1, dims: 6, knowledge: .other) == nil)
        }
        let relu = try #require(
            ReLUFunction().bayesError(contextLength: 0, dims: 20, knowledge: .nothing))
        #expect(abs(relu - 6.8169) < 1e-4)
        let product = ProductFunction()
        #expect(product.bayesError(contextLength: 5, dims: 20, knowledge: .query) == 330)
        #expect(product.bayesError(contextLength: 5, dims: 20, knowledge: .nothing) == nil)
        let sparse = SparseLinearFunction()
        let errors = (0...5).map {
            sparse.bayesError(contextLength: $0, dims: 20, knowledge: .nothing)
        }
        #expect(errors == [3, nil, nil, nil, 0, 0])
        #expect(sparse.bayesError(contextLength: 1, dims: 2, knowledge: .nothing) == 1)
        #expect(NoisyLinearFunction().bayesError(contextLength: 2, dims: 9, knowledge: .query) == 1)
        let quadratic = QuadraticFunction()
        #expect(quadratic.bayesError(contextLength: 9, dims: 9, knowledge: .nothing) == 0)
        #expect(quadratic.bayesError(contextLength: 5, dims: 9, knowledge: .context) == 0)
        #expect(quadratic.bayesError(contextLength: 4, dims: 9, knowledge: .context) == nil)
    }
}
