import Kernels
import TestSupport
import Testing

@testable import Transformer

/// Products of enough rows to be cut in both directions, for any number of workers and in either precision.
@Suite struct LlamaTeamTests {
    private static let rows = 1100
    private static let configuration = LlamaConfiguration(
        vocabularySize: 64, hiddenSize: 96, intermediateSize: 700, layerCount: 1, headCount: 4,
        keyValueHeadCount: 2, positionCount: 2000)

    /// y, dx and dW of a map of 96 numbers to 700.
    private static func products(
        _ precision: ProductPrecision, workers: Int, isExact: Bool = false
    ) -> [[Float]] {
        let (from, to) = (96, 700)
        let team = LlamaTeam(
            configuration, workers: workers, rows: rows, longest: 8, forTraining: true,
            precision: precision, rank: 4)
        var generator = TestGenerator(seed: 7)
        let x = FloatView(generator.normals(rows * from))
        let dy = FloatView(generator.normals(rows * to))
        let map = LlamaLinear(FloatView(generator.normals(to * from)), rows: to, columns: from)
        let y = FloatView(zeros: rows * to)
        let dx = FloatView(zeros: rows * from)
        let dW = FloatView(zeros: to * from)
        team.linear(x, [LinearTask(output: y, map: map)], rows: rows, isExact: isExact)
        team.inputGradient(
            dx, dOutput: dy, weight: map.weight, rows: rows, isExact: isExact)
        team.weightGradients(
            [.init(gradients: LlamaLinear(weight: dW, bias: nil), dOutput: dy)], input: x,
            rows: rows, from: from, isExact: isExact)
        return [y, dx, dW].map(\.array)
    }

    @Test(arguments: [ProductPrecision.fp32, .bf16])
    func resultsDoNotDependOnTheWorkers(precision: ProductPrecision) {
        let alone = Self.products(precision, workers: 1)
        for workers in [2, 3, 5] {
            for (name, pair) in zip(
                ["y", "dx", "dW"], zip(Self.products(precision, workers: workers), alone))
            {
                #expect(firstDifference(pair.0, pair.1) == nil, "\(name), \(workers) workers")
            }
        }
    }

    /// Adapters and evaluations: not a bit is rounded, and what is rounded differs.
    @Test func exactProductsAreThoseOfFP32() {
        let exact = Self.products(.fp32, workers: 2)
        let beside = Self.products(.bf16, workers: 2, isExact: true)
        let rounded = Self.products(.bf16, workers: 2)
        for (index, name) in ["y", "dx", "dW"].enumerated() {
            #expect(firstDifference(beside[index], exact[index]) == nil, "\(name)")
            #expect(firstDifference(rounded[index], exact[index]) != nil, "\(name)")
            let close = closeness(
                rounded[index], exact[index], relative: 0.02, scale: .largest)
            #expect(close.isWithin, "\(name): \(close)")
        }
    }
}
