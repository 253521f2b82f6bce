import Kernels
import TestSupport
import Testing

/// Matrix products in every orientation against plain loops.
@Suite struct MatrixProductTests {
    static let shapes = [
        (1, 1, 1), (1, 5, 3), (3, 1, 17), (3, 5, 7), (17, 20, 33), (16, 64, 8), (82, 20, 5),
        (82, 82, 32), (64, 192, 64),
    ]
    static let orientations = [(false, false), (false, true), (true, false), (true, true)]

    @Test func everyOrientationEqualsAPlainLoop() {
        for (rows, columns, inner) in Self.shapes {
            for (transposeA, transposeB) in Self.orientations {
                for (alpha, beta) in [(1, 0), (1, 1), (0.5, -2)] as [(Float, Float)] {
                    var generator = TestGenerator(seed: 18)
                    let a = generator.normals(rows * inner)
                    let b = generator.normals(inner * columns)
                    let before = generator.normals(rows * columns)
                    // With β = 0 what the output held must not matter, not even NaN.
                    let output = beta == 0 ? Guarded(count: before.count) : Guarded(before)
                    matrixProduct(
                        output: output.view, a: Guarded(a).view, b: Guarded(b).view, rows: rows,
                        columns: columns, inner: inner, transposeA: transposeA,
                        transposeB: transposeB, alpha: alpha, beta: beta)
                    let product = Naive.matrixProduct(
                        a.doubles, b.doubles, rows: rows, columns: columns, inner: inner,
                        transposeA: transposeA, transposeB: transposeB)
                    let expected = zip(product, before).map {
                        Double(alpha) * $0 + Double(beta) * Double($1)
                    }
                    // Sums of up to 82 products: roundings relative to the largest sum.
                    let close = closeness(
                        output.view.doubles, expected, relative: 1e-6, absolute: 1e-6,
                        scale: .largest)
                    #expect(
                        close.isWithin,
                        "\(rows) × \(columns) × \(inner), \(transposeA) \(transposeB): \(close)")
                    #expect(output.isIntact)
                }
            }
        }
    }

    /// For `C = α op(A) op(B)` and a loss `Σ c C`: dA and dB are products of c with the other factor.
    @Test func gradientsByProductsAgreeWithDifferences() {
        let (rows, columns, inner) = (17, 20, 9)
        for (transposeA, transposeB) in Self.orientations {
            var generator = TestGenerator(seed: 19)
            let a = FloatView(generator.normals(rows * inner))
            let b = FloatView(generator.normals(inner * columns))
            let c = generator.normals(rows * columns)
            let dC = FloatView(c)
            let dA = FloatView(zeros: a.count)
            let dB = FloatView(zeros: b.count)
            if transposeA {
                matrixProduct(
                    output: dA, a: b, b: dC, rows: inner, columns: rows, inner: columns,
                    transposeA: transposeB, transposeB: true, alpha: 1.5)
            } else {
                matrixProduct(
                    output: dA, a: dC, b: b, rows: rows, columns: inner, inner: columns,
                    transposeB: !transposeB, alpha: 1.5)
            }
            if transposeB {
                matrixProduct(
                    output: dB, a: dC, b: a, rows: columns, columns: inner, inner: rows,
                    transposeA: true, transposeB: transposeA, alpha: 1.5)
            } else {
                matrixProduct(
                    output: dB, a: a, b: dC, rows: inner, columns: columns, inner: rows,
                    transposeA: !transposeA, alpha: 1.5)
            }
            let output = FloatView(zeros: rows * columns)
            for (name, point, gradient) in [("A", a, dA), ("B", b, dB)] {
                let check = checkGradient(at: point, gradient: gradient.array) {
                    matrixProduct(
                        output: output, a: a, b: b, rows: rows, columns: columns, inner: inner,
                        transposeA: transposeA, transposeB: transposeB, alpha: 1.5)
                    return weightedSum(output, c)
                }
                #expect(check.isWithin, "\(name), \(transposeA) \(transposeB): \(check)")
            }
        }
    }

    @Test func theLibraryNamesItself() {
        #expect(!BLAS.kernelName.isEmpty)
        #expect(BLAS.version.hasPrefix("OpenBLAS "))
    }
}
