import Kernels
import Platform
import Testing
import Transformer

/// What is said of a workspace's memory against what making one takes.
@Suite struct WorkspaceMemoryTests {
    private static func configuration(vocabularySize: Int) -> LlamaConfiguration {
        LlamaConfiguration(
            vocabularySize: vocabularySize, hiddenSize: 256, intermediateSize: 700, layerCount: 3,
            headCount: 4, keyValueHeadCount: 2, positionCount: 4096)
    }

    /// Rows, rows of training, the vocabulary and the square of the length decide in turn. Buffers are zeroed at birth, so all
    /// of their memory is resident; a process of its own has no freed memory to give them. A tenth is for what is not counted.
    @Test(arguments: [
        [12000, 64, 0, 1, 1000], [3000, 64, 1, 2, 1000], [300, 300, 1, 2, 600_000],
        [2500, 2500, 1, 2, 1000], [12000, 64, 2, 1, 1000], [3000, 64, 3, 2, 1000],
        [600, 64, 4, 20, 1000],
    ]) func aWorkspaceTakesWhatIsSaid(sizes: [Int]) async {
        await #expect(processExitsWith: .success) { [sizes = sizes as [Int]] in
            let configuration = Self.configuration(vocabularySize: sizes[4])
            // 0: forward alone, 1: training, 2: training that computes activations twice, 3: training in bf16, 4: adapters'
            // too.
            let precision = sizes[2] >= 3 ? ProductPrecision.bf16 : .fp32
            let lora =
                sizes[2] == 4
                ? LoRAConfiguration(
                    rank: 200, dropout: 0.1, targets: Set(LlamaProjection.allCases)) : nil
            let said = configuration.workspaceBytes(
                rows: sizes[0], longest: sizes[1], forTraining: sizes[2] > 0, workers: sizes[3],
                recomputes: sizes[2] == 2, lora: lora, precision: precision)
            let before = MemoryStatistics.current().residentBytes
            let workspace = LlamaWorkspace(
                configuration, rows: sizes[0], longest: sizes[1], forTraining: sizes[2] > 0,
                workers: sizes[3], recomputes: sizes[2] == 2, lora: lora, precision: precision)
            let taken = Double(MemoryStatistics.current().residentBytes - before)
            withExtendedLifetime(workspace) {}
            #expect(said > 5e7)
            #expect((taken / said - 1).magnitude < 0.1, "\(taken), said \(said)")
        }
    }

    /// The square of the longest sequence that a file can hold is beyond an Int.
    @Test func hugeSequencesAreNumbersToo() {
        let configuration = Self.configuration(vocabularySize: 1000)
        let length = Int(Int32.max)
        let said = configuration.workspaceBytes(
            rows: length, longest: length, forTraining: true, workers: 64)
        #expect(said > 8 * 64 * Double(length) * Double(length) && said.isFinite)
    }
}
