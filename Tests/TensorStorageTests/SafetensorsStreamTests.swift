import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing

/// Files written piece by piece.
@Suite struct SafetensorsStreamTests {
    private let pool = WorkerPool(workers: 2)

    private func written(
        _ values: [Float], as element: StoredElement
    ) throws -> [Float] {
        let folder = try TemporaryDirectory()
        let path = folder.file("x.safetensors")
        let source = FloatView(values)
        try SafetensorsStream(
            path: path,
            tensors: [StreamedTensor(name: "x", shape: [values.count], element: element)]
        ).write(pool: pool, elements: { _, range, target in target.copy(from: source[range]) })
        return try SafetensorsFile(path: path).floats("x")
    }

    @Test func roundsToTheNearestAndTiesToEven() throws {
        let values: [Float] = [
            1, 1 + 0x1p-8, 1 + 3 * 0x1p-8, 1 + 0x1p-8 + 0x1p-20, -(1 + 0x1p-8), 0, -0.0,
            .infinity, -.infinity, .leastNonzeroMagnitude, 0x1.fep127,
        ]
        let expected: [Float] = [
            1, 1, 1 + 4 * 0x1p-8, 1 + 2 * 0x1p-8, -1, 0, -0.0, .infinity, -.infinity, 0, 0x1.fep127,
        ]
        let found = try written(values + [.nan, Float(bitPattern: 0xFFFF_FFFF)], as: .bfloat16)
        #expect(found.dropLast(2).map(\.bitPattern) == expected.map(\.bitPattern))
        #expect(found[expected.count].isNaN && found[expected.count + 1].isNaN)
        // Subnormal halves are multiples of 2⁻²⁴.
        let halves = try written(
            [1 + 0x1p-11, 1 + 3 * 0x1p-11, 0x1p-24, 0x1p-25, 3 * 0x1p-25, -65519, .nan],
            as: .float16)
        let nearest: [Float] = [1, 1 + 4 * 0x1p-11, 0x1p-24, 0, 4 * 0x1p-25, -65504]
        #expect(Array(halves.dropLast()) == nearest)
        #expect(halves[6].isNaN)
    }

    /// Pieces of several tensors, the last ones short, on more workers than a round has pieces.
    @Test(arguments: StoredElement.allCases)
    func piecesComeInTheirOrder(_ element: StoredElement) throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("x.safetensors")
        let counts = [SafetensorsStream.pieceSize * 2 + 3, 1, SafetensorsStream.pieceSize, 0, 5]
        var told = 0
        try SafetensorsStream(
            path: path,
            tensors: counts.enumerated().map {
                StreamedTensor(name: "t\($0.offset)", shape: [$0.element], element: element)
            }, metadata: ["format": "pt"]
        ).write(
            pool: WorkerPool(workers: 3),
            elements: { tensor, range, target in
                target.withMutableSpan { values in
                    for index in values.indices {
                        values[index] = Float((range.lowerBound + index) % 251 + tensor)
                    }
                }
            }, wrote: { told += $0 })
        let file = try SafetensorsFile(path: path)
        #expect(file.metadata == ["format": "pt"])
        let byteCount = counts.reduce(0, +) * element.byteCount
        #expect(told == byteCount)
        for (tensor, count) in counts.enumerated() {
            let expected = (0..<count).map { Float($0 % 251 + tensor) }
            let found = try file.floats("t\(tensor)", shape: [count])
            #expect(found == expected)
        }
    }
}
