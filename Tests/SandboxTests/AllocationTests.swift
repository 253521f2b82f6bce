import Foundation
import TestSupport
import Testing

/// A training step takes no memory from the heap: counted in a child process by a preloaded library.
@Suite struct AllocationTests {
    /// Calls of malloc and its like during `bench step` with so many steps.
    private func allocations(steps: Int, workers: Int, library: String, in folder: String) throws
        -> Int
    {
        let counts = folder + "/count"
        let outcome = try Program.run(
            [
                "bench", "step", "--model", "tiny", "--batch", "8", "--dims", "3", "--points", "5",
                "--layout", "cft", "--workers", "\(workers)", "--steps", "\(steps)",
            ], in: folder,
            environment: ["LD_PRELOAD": library, "ALLOCATION_COUNT_FILE": counts])
        #expect(outcome.exitCode == 0, "\(outcome)")
        let text = try String(contentsOfFile: counts, encoding: .utf8)
        return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    @Test func moreStepsTakeNoMoreMemory() throws {
        let folder = try TemporaryDirectory()
        let library = folder.path + "/count_allocations.so"
        let compiled = try TestSupport.run(
            "cc",
            ["-shared", "-fPIC", "-O1", "-o", library, Fixture.directory + "/count_allocations.c"],
            workingDirectory: folder.path, timeout: 60)
        #expect(compiled.exitCode == 0, "\(compiled)")
        for workers in [1, 2] {
            let few = try allocations(
                steps: 4, workers: workers, library: library, in: folder.path)
            let many = try allocations(
                steps: 24, workers: workers, library: library, in: folder.path)
            #expect(few > 100, "the library counts nothing")
            // What the report prints may take a string more or less.
            #expect(
                abs(many - few) < 10, "\(workers) workers: 20 steps made \(many - few) allocations")
        }
    }
}
