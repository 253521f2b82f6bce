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
            precision: precision, rank: isExact ? 4 : 0)
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

    /// Maps of one input, which workers share: each one's gradients are those that it has alone.
    @Test(arguments: [1, 2, 3, 5])
    func gradientsOfSeveralMapsAreThoseOfEach(workers: Int) {
        let (from, widths) = (96, [700, 41, 96])
        var generator = TestGenerator(seed: 8)
        let x = FloatView(generator.normals(Self.rows * from))
        let dOutputs = widths.map { FloatView(generator.normals(Self.rows * $0)) }
        func tasks() -> [LlamaTeam.GradientTask] {
            zip(widths, dOutputs).map { width, dOutput in
                let gradients = LlamaLinear(
                    weight: FloatView(zeros: width * from),
                    bias: width == 41 ? FloatView(zeros: width) : nil)
                return LlamaTeam.GradientTask(gradients: gradients, dOutput: dOutput)
            }
        }
        func team(_ workers: Int) -> LlamaTeam {
            LlamaTeam(
                Self.configuration, workers: workers, rows: Self.rows, longest: 8,
                forTraining: true, precision: .fp32)
        }
        let (together, alone) = (tasks(), tasks())
        team(workers).weightGradients(together, input: x, rows: Self.rows, from: from)
        for task in alone {
            team(1).weightGradients([task], input: x, rows: Self.rows, from: from)
        }
        for (index, width) in widths.enumerated() {
            let (found, expected) = (together[index].gradients, alone[index].gradients)
            #expect(firstDifference(found.weight.array, expected.weight.array) == nil, "\(width)")
            #expect(expected.weight.array.contains { $0 != 0 })
            #expect(found.bias?.array == expected.bias?.array)
        }
        let sums = (0..<41).map { column in
            (0..<Self.rows).reduce(0.0) { $0 + Double(dOutputs[1][$1 * 41 + column]) }
        }
        let close = closeness(
            together[1].gradients.bias?.array ?? [], sums.map(Float.init), relative: 1e-5,
            scale: .largest)
        #expect(close.isWithin, "\(close)")
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
