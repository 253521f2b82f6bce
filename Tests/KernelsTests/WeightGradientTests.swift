import Kernels
import TestSupport
import Testing

@Suite struct WeightGradientTests {
    /// A factor that is laid out once for all gives the sums of one that each call lays out, whoever laid out which part.
    @Test(arguments: [ProductPrecision.fp32, .bf16])
    func packedColumnsChangeNoBit(precision: ProductPrecision) {
        for (rows, from, to) in [
            (1, 7, 3), (6, 16, 16), (257, 35, 20), (513, 100, 33), (1030, 9, 49),
        ] {
            var generator = TestGenerator(seed: 3)
            let x = FloatView(generator.normals(rows * from))
            let dy = FloatView(generator.normals(rows * to))
            let before = generator.normals(from * to)

            let expected = FloatView(before)
            addWeightGradient(
                dWeight: expected, dBias: nil, input: x, dOutput: dy, rows: rows, from: from,
                to: to,
                scratch: ProductScratch(precision: precision, rows: 0, largestWidth: to))

            let count = PackedColumns.operandCount(rows: rows, width: to, precision: precision)
            let columns = PackedColumns(count: count, precision: precision)
            let panels = PackedColumns.panelCount(width: to)
            for part in [panels / 2..<panels, 0..<panels / 2] {
                columns.pack(dy, rows: rows, width: to, panels: part)
            }
            let found = FloatView(before)
            let scratch = ProductScratch(precision: precision, rows: 0, largestWidth: 0)
            for inputs in [from / 2..<from, 0..<from / 2] {
                addWeightGradient(
                    dWeight: found, input: x, dOutput: columns, rows: rows, from: from, to: to,
                    inputs: inputs, scratch: scratch)
            }
            #expect(
                firstDifference(found.array, expected.array) == nil, "\(rows) × \(from) × \(to)")
        }
    }
}
