import Kernels
import Testing

/// The one buffer type: memory, views, and the checks that end a program instead of corrupting it.
@Suite struct BufferTests {
    @Test func memoryIsAlignedAndZero() {
        // The last one is made of huge pages where the system has them.
        for count in [0, 1, 15, 16, 17, 1000, (1 << 20) + 1] {
            let view = FloatBuffer(count: count).view
            #expect(view.count == count)
            #expect(view.array == [Float](repeating: 0, count: count))
            view.withBytes { bytes in
                #expect(bytes.count == 4 * count)
                if let address = bytes.baseAddress { #expect(Int(bitPattern: address) % 64 == 0) }
            }
        }
    }

    @Test func viewsOfOneBufferShareItsMemory() {
        let whole = FloatView([1, 2, 3, 4, 5])
        let part = whole[1..<4]
        part[0] = 20
        part[1..<3].fill(9)
        #expect(whole.array == [1, 20, 9, 9, 5])
        part.copy(from: [6, 7, 8])
        part.copy(from: FloatView([7, 8, 9]))
        #expect(whole.array == [1, 7, 8, 9, 5])
        #expect(whole[2..<2].array.isEmpty)
        let sum = part.withSpan { span in span.indices.reduce(0) { $0 + span[$1] } }
        #expect(sum == 24)
        part.withMutableSpan { for index in $0.indices { $0[index] *= 2 } }
        #expect(whole.array == [1, 14, 16, 18, 5])
        whole.withMutableBytes { $0.storeBytes(of: Float(3).bitPattern, as: UInt32.self) }
        #expect(whole[0] == 3)
    }

    @Test func aViewKeepsItsBufferAlive() {
        var views: [FloatView] = []
        for value in 0..<100 {
            let buffer = FloatBuffer(count: 1000)
            buffer.view.fill(Float(value))
            views.append(buffer.view[500..<502])
        }
        #expect(views.map(\.array) == (0..<100).map { [Float($0), Float($0)] })
    }

    @Test func anIndexOutsideEndsTheProgram() async {
        await #expect(processExitsWith: .failure) { _ = FloatView(zeros: 4)[4] }
        await #expect(processExitsWith: .failure) { _ = FloatView(zeros: 4)[-1] }
        await #expect(processExitsWith: .failure) { FloatView(zeros: 8)[2..<4][2] = 1 }
    }

    @Test func aRangeOutsideEndsTheProgram() async {
        await #expect(processExitsWith: .failure) { _ = FloatView(zeros: 4)[2..<5] }
        await #expect(processExitsWith: .failure) { _ = FloatView(zeros: 4)[-1..<2] }
        await #expect(processExitsWith: .failure) { _ = FloatView(zeros: 8)[0..<4][3..<6] }
    }

    @Test func anotherCountEndsTheProgram() async {
        await #expect(processExitsWith: .failure) { FloatView(zeros: 3).copy(from: [1, 2]) }
        await #expect(processExitsWith: .failure) {
            FloatView(zeros: 3).copy(from: FloatView(zeros: 4))
        }
        await #expect(processExitsWith: .failure) { _ = FloatBuffer(count: -1) }
    }

    @Test func aKernelGivenTooLittleMemoryEndsTheProgram() async {
        await #expect(processExitsWith: .failure) {
            let four = FloatView(zeros: 4)
            matrixProduct(output: four, a: four, b: four, rows: 2, columns: 3, inner: 2)
        }
        await #expect(processExitsWith: .failure) {
            addPositions(
                output: FloatView(zeros: 8), table: FloatView(zeros: 8), starts: IndexView([1]),
                length: 4, width: 2)
        }
        await #expect(processExitsWith: .failure) {
            let shape = AttentionShape(examples: 1, length: 5, headCount: 1, headSize: 4)
            let shorter = AttentionShape(examples: 1, length: 4, headCount: 1, headSize: 4)
            causalAttentionForward(
                output: FloatView(zeros: 20), logNormalizer: FloatView(zeros: 5),
                queriesKeysValues: FloatView(zeros: 60), positions: IndexView([0, 1, 2, 3, 4]),
                shape: shape,
                scratch: AttentionScratch(longest: shorter, forTraining: false))
        }
    }
}
