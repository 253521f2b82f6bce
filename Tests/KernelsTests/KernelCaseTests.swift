import KernelCases
import Kernels
import TestSupport
import Testing

/// Every declared kernel against a naive twin, and its gradient against differences of that twin.
@Suite struct KernelCaseTests {
    /// Shapes on and off whole tiles: fewer rows than a tile, one more than two, more than a block of them.
    static let products = [
        (rows: 1, from: 1, to: 1), (3, 5, 7), (5, 16, 16), (6, 6, 16), (7, 17, 33), (13, 20, 5),
        (25, 100, 18), (195, 7, 20), (386, 13, 3),
    ]

    static let cases = products.flatMap(rowCases) + selections.flatMap(selectionCases)

    private static func rowCases(rows: Int, from: Int, to: Int) -> [(KernelCase, KernelTwin)] {
        let plain: KernelTwin = { [linear($0[0], $0[1], $0[2], rows, from, to)] }
        let ontoResidual: KernelTwin = { [sum(linear($0[0], $0[1], $0[2], rows, from, to), $0[3])] }
        let feedForward: KernelTwin = { inputs in
            let hidden = linear(inputs[0], inputs[1], inputs[2], rows, from, to).map(Naive.gelu)
            return [linear(hidden, inputs[3], inputs[4], rows, to, from)]
        }
        let projection: KernelTwin = { [linear($0[0], $0[1], $0[2], rows, from, 1)] }
        let layerNorm: KernelTwin = {
            [Naive.layerNorm($0[0], weight: $0[1], bias: $0[2], epsilon: Double(Float(1e-5)))]
        }
        return [
            (.linear(rows: rows, from: from, to: to), plain),
            (.linearOntoResidual(rows: rows, from: from, to: to), ontoResidual),
            (.feedForward(rows: rows, width: from, hidden: to), feedForward),
            (.projection(rows: rows, width: from), projection),
            (.layerNorm(rows: rows, width: from), layerNorm),
        ]
    }

    private static let selections: [(length: Int, positions: [Int])] = [
        (5, [0, 1, 2, 3, 4]), (7, [3]), (18, [0, 17]), (19, [1, 2, 5, 6, 7, 12]),
        (33, Array(stride(from: 0, to: 33, by: 2))), (64, Array(stride(from: 32, to: 64, by: 2))),
        (40, [20, 21, 22, 23, 24, 38]),
    ]

    private static func selectionCases(length: Int, positions: [Int]) -> [(KernelCase, KernelTwin)]
    {
        let selection: KernelTwin = { [chosen($0[0], length: length, width: 5, positions)] }
        let attention: KernelTwin = { inputs in
            let shape = AttentionShape(examples: 2, length: length, headCount: 2, headSize: 20)
            let output = Naive.causalAttention(inputs[0], shape: shape).output
            return [chosen(output, length: length, width: 40, positions)]
        }
        return [
            (
                .rowSelection(examples: 3, length: length, width: 5, positions: positions),
                selection
            ),
            (
                .attention(
                    examples: 2, length: length, headCount: 2, headSize: 20, positions: positions),
                attention
            ),
        ]
    }

    private static func linear(
        _ x: [Double], _ w: [Double], _ b: [Double], _ rows: Int, _ from: Int, _ to: Int
    ) -> [Double] {
        let product = Naive.matrixProduct(x, w, rows: rows, columns: to, inner: from)
        return product.indices.map { product[$0] + b[$0 % to] }
    }

    private static func sum(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map(+) }

    private static func chosen(
        _ x: [Double], length: Int, width: Int, _ positions: [Int]
    ) -> [Double] {
        stride(from: 0, to: x.count, by: length * width).flatMap { start in
            positions.flatMap { x[start + $0 * width..<start + ($0 + 1) * width] }
        }
    }

    @Test func forwardEqualsTheNaiveTwin() {
        for (declared, twin) in Self.cases {
            CheckedKernel(declared: declared, twin: twin).expectForward()
        }
    }

    @Test func backwardAgreesWithDifferencesOfTheTwin() throws {
        for (declared, twin) in Self.cases {
            try CheckedKernel(declared: declared, twin: twin).expectBackward()
        }
    }

    /// A row's sum does not depend on the rows beside it: what makes shards of any size agree.
    @Test func aRowOfAProductDoesNotDependOnItsNeighbours() {
        var generator = TestGenerator(seed: 4)
        let (from, to) = (23, 37)
        let x = FloatView(generator.normals(29 * from))
        let bias = FloatView(generator.normals(to))
        let weight = PackedMatrix(inner: from, columns: to)
        weight.pack(FloatView(generator.normals(from * to)))
        let whole = FloatView(zeros: 29 * to)
        let scratch = ProductScratch(rows: 29, largestWidth: to)
        linearForward(
            output: whole, input: x, weight: weight, bias: bias, rows: 29, scratch: scratch)
        for (first, count) in [(0, 1), (3, 5), (7, 6), (10, 13), (28, 1)] {
            let part = FloatView(zeros: count * to)
            linearForward(
                output: part, input: x[first * from..<(first + count) * from], weight: weight,
                bias: bias, rows: count, scratch: scratch)
            let expected = whole[first * to..<(first + count) * to]
            #expect(firstDifference(part.array, expected.array) == nil, "\(count) rows")
        }
    }
}
