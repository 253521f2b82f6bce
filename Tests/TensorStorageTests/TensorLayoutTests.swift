import Kernels
import TensorStorage
import Testing

@Suite struct TensorLayoutTests {
    let layout = TensorLayout([("a", [2, 3]), ("b", []), ("c", [4, 5]), ("d", [0])])

    @Test func offsetsAreAligned() {
        #expect(layout.entries.map(\.name) == ["a", "b", "c", "d"])
        #expect(layout.entries.map(\.offset) == [0, 16, 32, 64])
        #expect(layout.entries.map(\.count) == [6, 1, 20, 0])
        #expect(layout.count == 64 && layout.elementCount == 27)
        let dense = TensorLayout([("a", [2, 3]), ("b", []), ("c", [4, 5])], alignment: 1)
        #expect(dense.entries.map(\.offset) == [0, 6, 7] && dense.count == 27)
        #expect(TensorLayout([]).count == 0)
    }

    @Test func viewsShareTheBuffer() {
        let buffer = FloatBuffer(count: layout.count)
        layout.view("c", in: buffer.view).fill(2)
        layout.view("b", in: buffer.view)[0] = 1
        let expected = (0..<64).map { Float($0 == 16 ? 1 : (32..<52).contains($0) ? 2 : 0) }
        #expect(buffer.view.array == expected)
        let tensors = layout.tensors(in: buffer.view)
        #expect(tensors.map(\.shape) == [[2, 3], [], [4, 5], [0]])
        #expect(tensors[2].view.array == [Float](repeating: 2, count: 20))
        #expect(layout["c"]?.range == 32..<52 && layout["e"] == nil)
    }

    @Test func equalTensorsGiveEqualLayouts() {
        #expect(layout == TensorLayout([("a", [2, 3]), ("b", []), ("c", [4, 5]), ("d", [0])]))
        #expect(layout != TensorLayout([("a", [3, 2]), ("b", []), ("c", [4, 5]), ("d", [0])]))
    }

    @Test func wrongUseStops() async {
        await #expect(processExitsWith: .failure) { _ = TensorLayout([("a", [1]), ("a", [1])]) }
        await #expect(processExitsWith: .failure) { _ = TensorLayout([("a", [-1])]) }
        await #expect(processExitsWith: .failure) {
            _ = TensorLayout([("a", [1])]).view("b", in: FloatView(zeros: 16))
        }
    }
}
