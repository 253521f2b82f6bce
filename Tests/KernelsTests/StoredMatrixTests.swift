import KernelCases
import Kernels
import TestSupport
import Testing

/// Matrices of 16-bit elements, and what a product with a stored matrix does not depend on.
@Suite struct StoredMatrixTests {
    /// Rows of whole vectors, and rows that are read number by number.
    @Test(arguments: [StoredElement.float16, .bfloat16], [0, 1, 2, 3])
    func everyBitPatternIsReadAsSwiftReadsIt(element: StoredElement, offset: Int) {
        let bits = Array(UInt16.min...UInt16.max)
        for columns in [64, 8] {
            let rows = bits.count / columns
            let matrix = StoredMatrix(
                halfBits: bits, element: element, rows: rows, columns: columns, offset: offset)
            let target = FloatView(zeros: columns)
            var wrong: [String] = []
            for row in 0..<rows {
                matrix.copyRow(row, into: target)
                for (column, found) in target.array.enumerated() {
                    let pattern = bits[row * columns + column]
                    let expected = Naive.number(halfBits: pattern, element)
                    let isSame =
                        expected.isNaN
                        ? found.isNaN : found.bitPattern == expected.bitPattern
                    if !isSame { wrong.append("\(pattern): \(found), not \(expected)") }
                }
            }
            #expect(wrong.isEmpty, "\(wrong.count) patterns: \(wrong.first ?? "")")
        }
    }

    /// x, b and W of one random map.
    private struct Map {
        let from = 23
        let to = 37
        let x, dy, bias: FloatView
        let weight: StoredMatrix
        let scratch = PanelScratch(rows: 29)

        init(_ element: StoredElement) {
            var generator = TestGenerator(seed: 4)
            x = FloatView(generator.normals(29 * from))
            dy = FloatView(generator.normals(29 * to))
            bias = FloatView(generator.normals(to))
            weight = StoredMatrix(
                Naive.representable(generator.normals(to * from), element), element: element,
                rows: to, columns: from, offset: 3)
        }

        private func laidOut(_ numbers: FloatView, _ rows: Int, _ width: Int) -> PackedRows {
            let packed = PackedRows(count: PackedRows.operandCount(rows: rows, width: width))
            packed.pack(
                numbers, rows: rows, width: width,
                stripes: 0..<PackedRows.stripeCount(rows: rows))
            return packed
        }

        /// y of `rows`, its columns computed piece by piece.
        func forward(_ rows: Range<Int>, pieces: [Range<Int>]) -> [Float] {
            let y = Guarded(count: rows.count * to)
            for piece in pieces {
                let input = x[rows.lowerBound * from..<rows.upperBound * from]
                if rows.count <= fewRows {
                    storedLinearForwardOfFew(
                        output: y.view, input: input, weight: weight, bias: bias, rows: rows.count,
                        outputs: piece)
                } else {
                    storedLinearForward(
                        output: y.view, input: laidOut(input, rows.count, from), weight: weight,
                        bias: bias, rows: 0..<rows.count, outputs: piece, scratch: scratch)
                }
            }
            #expect(y.isIntact)
            return y.view.array
        }

        /// dx of `rows`, its columns computed piece by piece.
        func backward(_ rows: Range<Int>, pieces: [Range<Int>]) -> [Float] {
            let dx = Guarded(count: rows.count * from)
            for piece in pieces {
                storedLinearInputGradient(
                    dInput: dx.view,
                    dOutput: laidOut(
                        dy[rows.lowerBound * to..<rows.upperBound * to], rows.count, to),
                    weight: weight, rows: 0..<rows.count, inputs: piece, scratch: scratch)
            }
            #expect(dx.isIntact)
            return dx.view.array
        }
    }

    @Test(arguments: StoredElement.allCases)
    func aRowDependsNeitherOnItsNeighboursNorOnThePiece(element: StoredElement) {
        let map = Map(element)
        let (from, to) = (map.from, map.to)
        let y = map.forward(0..<29, pieces: [0..<to])
        let dx = map.backward(0..<29, pieces: [0..<from])
        for rows in [0..<5, 3..<9, 7..<14, 4..<15, 10..<22, 2..<15, 0..<25, 24..<29] {
            let part = map.forward(rows, pieces: [32..<37, 0..<16, 16..<32])
            let expected = Array(y[rows.lowerBound * to..<rows.upperBound * to])
            #expect(firstDifference(part, expected) == nil, "y of \(rows)")
        }
        for rows in [0..<1, 28..<29, 2..<5, 0..<5, 3..<9, 7..<14, 10..<22, 2..<15] {
            let part = map.backward(rows, pieces: [16..<23, 0..<16])
            let expected = Array(dx[rows.lowerBound * from..<rows.upperBound * from])
            #expect(firstDifference(part, expected) == nil, "dx of \(rows)")
        }
    }

    /// Up to four rows are summed in another order, but all in the same one.
    @Test(arguments: StoredElement.allCases)
    func oneRowIsARowOfFour(element: StoredElement) {
        let map = Map(element)
        let to = map.to
        let four = map.forward(3..<7, pieces: [0..<to])
        for rows in [3..<4, 4..<6, 4..<7] {
            let part = map.forward(rows, pieces: [16..<to, 0..<16])
            let expected = Array(four[(rows.lowerBound - 3) * to..<(rows.upperBound - 3) * to])
            #expect(firstDifference(part, expected) == nil, "\(rows)")
        }
    }

    /// Blocks of rows and columns of sums in several stretches, as workers share them: the bits of one call.
    @Test(arguments: [ProductPrecision.fp32, .bf16])
    func aProductIsThatOfItsBlocks(precision: ProductPrecision) {
        let (rows, from, to) = (29, 1100, 1300)
        var generator = TestGenerator(seed: 6)
        let weight = StoredMatrix(
            FloatView(generator.normals(to * from)), rows: to, columns: from)
        func factor(_ width: Int) -> PackedRows {
            let packed = PackedRows(
                count: PackedRows.operandCount(rows: rows, width: width, precision: precision),
                precision: precision)
            packed.pack(
                FloatView(generator.normals(rows * width)), rows: rows, width: width,
                stripes: 0..<PackedRows.stripeCount(rows: rows))
            return packed
        }
        let (x, dy) = (factor(from), factor(to))
        let residual = FloatView(generator.normals(rows * to))
        func products(_ blocks: [(rows: Range<Int>, columns: [Range<Int>])]) -> [Float] {
            let (y, dx) = (Guarded(residual.array), Guarded(count: rows * from))
            for block in blocks {
                let scratch = PanelScratch(rows: block.rows.count, precision: precision)
                for columns in block.columns {
                    storedLinearForward(
                        output: y.view, input: x, weight: weight, bias: nil, adding: y.view,
                        rows: block.rows, outputs: columns.clamped(to: 0..<to), scratch: scratch)
                    storedLinearInputGradient(
                        dInput: dx.view, dOutput: dy, weight: weight, rows: block.rows,
                        inputs: columns.clamped(to: 0..<from), scratch: scratch)
                }
            }
            #expect(y.isIntact && dx.isIntact)
            return y.view.array + dx.view.array
        }
        let whole = products([(0..<rows, [0..<to])])
        let cut = products([
            (24..<29, [400..<to, 0..<400]), (0..<12, [0..<96, 96..<208, 208..<to]),
            (12..<24, [16..<to, 0..<16]),
        ])
        #expect(firstDifference(cut, whole) == nil)
    }
}
