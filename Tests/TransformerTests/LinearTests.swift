import Kernels
import TestSupport
import Testing

@testable import Transformer

/// Linear maps in both orders of their matrix against the naive product and against differences.
@Suite struct LinearTests {
    static let shapes = [(1, 1, 1), (3, 5, 7), (17, 20, 16), (33, 8, 1), (10, 1, 20)]
    /// Sums of up to 33 products, relative to the largest.
    static let tolerance = 2e-6

    struct Case {
        let x, dy, residual: [Float]
        let weights: WeightAndBias
        init(_ rows: Int, _ from: Int, _ to: Int, seed: UInt64) {
            var generator = TestGenerator(seed: seed)
            x = generator.normals(rows * from)
            dy = generator.normals(rows * to)
            residual = generator.normals(rows * to)
            weights = WeightAndBias(
                weight: FloatView(generator.normals(from * to)),
                bias: FloatView(generator.normals(to)))
        }
    }

    @Test func forwardEqualsTheNaiveProduct() {
        for (rows, from, to) in Self.shapes {
            for order in [WeightOrder.inputByOutput, .outputByInput] {
                let given = Case(rows, from, to, seed: 1)
                let output = FloatView(zeros: rows * to)
                output.fill(.nan)
                linearForward(
                    output: output, input: FloatView(given.x), weights: given.weights, rows: rows,
                    from: from, to: to, order: order)
                let expected = forward(given, rows, from, to, order)
                let close = closeness(
                    output.doubles, expected, relative: Self.tolerance, scale: .largest)
                #expect(close.isWithin, "\(rows) × \(from) → \(to), \(order): \(close)")
            }
            let given = Case(rows, from, to, seed: 2)
            let output = FloatView(zeros: rows * to)
            residualLinearForward(
                output: output, residual: FloatView(given.residual), input: FloatView(given.x),
                weights: given.weights, rows: rows, from: from, to: to)
            let expected = zip(
                forward(given, rows, from, to, .inputByOutput), given.residual.doubles
            ).map { $0 + $1 }
            let close = closeness(
                output.doubles, expected, relative: Self.tolerance, scale: .largest)
            #expect(close.isWithin, "\(rows) × \(from) → \(to) onto a residual: \(close)")
        }
    }

    private func forward(
        _ given: Case, _ rows: Int, _ from: Int, _ to: Int, _ order: WeightOrder
    ) -> [Double] {
        let product = Naive.matrixProduct(
            given.x.doubles, given.weights.weight.doubles, rows: rows, columns: to, inner: from,
            transposeB: order == .outputByInput)
        return product.indices.map { product[$0] + Double(given.weights.bias[$0 % to]) }
    }

    @Test func gradientsAgreeWithDifferences() {
        for (rows, from, to) in Self.shapes {
            for order in [WeightOrder.inputByOutput, .outputByInput] {
                let given = Case(rows, from, to, seed: 3)
                let x = FloatView(given.x)
                let dx = FloatView(zeros: x.count)
                dx.fill(.nan)
                let gradients = WeightAndBias(
                    weight: FloatView(zeros: from * to), bias: FloatView(zeros: to))
                linearBackward(
                    dInput: dx, gradients: gradients, dOutput: FloatView(given.dy), input: x,
                    weights: given.weights, rows: rows, from: from, to: to, order: order)
                let output = FloatView(zeros: rows * to)
                for (name, point, gradient) in [
                    ("x", x, dx), ("W", given.weights.weight, gradients.weight),
                    ("b", given.weights.bias, gradients.bias),
                ] {
                    let check = checkGradient(at: point, gradient: gradient.array) {
                        linearForward(
                            output: output, input: x, weights: given.weights, rows: rows,
                            from: from, to: to, order: order)
                        return zip(output.doubles, given.dy.doubles).reduce(0) { $0 + $1.0 * $1.1 }
                    }
                    #expect(check.isWithin, "\(name), \(rows) × \(from) → \(to): \(check)")
                }
            }
        }
    }

    @Test func parameterGradientsAreAddedToWithoutAnInputGradientToo() {
        let (rows, from, to) = (17, 20, 16)
        let given = Case(rows, from, to, seed: 4)
        func gradients(startingAt value: Float, dInput: FloatView?) -> [Double] {
            let found = WeightAndBias(
                weight: FloatView(zeros: from * to), bias: FloatView(zeros: to))
            found.weight.fill(value)
            found.bias.fill(value)
            linearBackward(
                dInput: dInput, gradients: found, dOutput: FloatView(given.dy),
                input: FloatView(given.x), weights: given.weights, rows: rows, from: from, to: to)
            return found.weight.doubles + found.bias.doubles
        }
        let fromZero = gradients(startingAt: 0, dInput: FloatView(zeros: rows * from))
        #expect(gradients(startingAt: 0, dInput: nil) == fromZero)
        let close = closeness(
            gradients(startingAt: 2, dInput: nil), fromZero.map { $0 + 2 },
            relative: Self.tolerance, scale: .largest)
        #expect(close.isWithin, "\(close)")
    }
}
