import Kernels
import TestSupport
import Testing

/// The fixed tree that joins the lanes' gradients.
@Suite struct ReductionTests {
    /// The documented tree, one element at a time: the left half takes the odd lane.
    private func tree(_ values: ArraySlice<Float>) -> Float {
        if values.count == 1 { return values[values.startIndex] }
        let middle = values.startIndex + (values.count + 1) / 2
        return tree(values[..<middle]) + tree(values[middle...])
    }

    @Test func sumsAreTheTreesBitForBit() {
        for laneCount in [1, 2, 3, 4, 5, 7, 8] {
            for count in [1, 15, 16, 17, 100] {
                var generator = TestGenerator(seed: 30)
                let lanes = (0..<laneCount).map { _ in generator.normals(count) }
                let total = Guarded(count: count)
                let squares = sumLanes(
                    total: total.view, lanes: lanes.map { Guarded($0).view })
                let expected = (0..<count).map { index in tree(lanes.map { $0[index] }[...]) }
                #expect(
                    firstDifference(total.view.array, expected) == nil,
                    "\(laneCount) lanes of \(count)")
                #expect(total.isIntact)
                // Sixteen squares are added in fp32 before double takes over.
                let close = closeness(
                    [squares], [expected.doubles.reduce(0) { $0 + $1 * $1 }], relative: 1e-6)
                #expect(close.isWithin, "\(laneCount) lanes of \(count): \(close)")
            }
        }
    }

    @Test func theTreeOfEightIsPairsOfPairs() {
        let values: [Float] = [1e8, 1, -1e8, 3, 0.5, 1e-3, 7, -2]
        let total = FloatView(zeros: 1)
        _ = sumLanes(total: total, lanes: values.map { FloatView([$0]) })
        let a = (values[0] + values[1]) + (values[2] + values[3])
        let b = (values[4] + values[5]) + (values[6] + values[7])
        #expect(total[0] == a + b)
    }
}
