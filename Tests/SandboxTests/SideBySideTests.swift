import Experiments
import Foundation
import TestSupport
import Testing

/// Several processes at work on the same runs.
@Suite struct SideBySideTests {
    /// Two seeds under two layouts, some tenths of a second each.
    private static let text = tinySweep.replacingOccurrences(
        of: "steps: 30\n", with: "steps: 300\n"
    )
    .replacingOccurrences(of: "name: tiny", with: "name: tiny\nseeds: 2")

    private func arguments(_ runs: String, _ more: String...) -> [String] {
        ["sweep", "-f", "tiny.yaml", "--runs", runs] + more
    }

    private func steadyFolder() throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory()
        try folder.write(Self.text, to: "tiny.yaml")
        let steady = try Program.run(arguments("steady"), in: folder.path)
        #expect(steady.exitCode == 0, "\(steady)")
        return folder
    }

    /// How often each run and the base was begun, over all processes.
    private func sessions(_ root: String) throws -> [Int] {
        try RunCatalog(root: root).runs().map { try #require($0.metadata).sessions.count }
    }

    @Test func twoSweepsAtOnceShareTheWork() throws {
        let folder = try steadyFolder()
        let both = try (0..<2).map { _ in try Program.start(arguments("shared"), in: folder.path) }
        let outcomes = try both.map { try $0.wait(timeout: 300) }
        #expect(outcomes.map(\.exitCode) == [0, 0], "\(outcomes)")
        // Nothing was trained twice, whoever trained it.
        #expect(try sessions(folder.file("shared")) == [1, 1, 1, 1, 1])
        try expectEqual(folder.file("shared"), folder.file("steady"), "two sweeps at once")
    }

    @Test func jobsAreProcessesThatTrainEachRunOnce() throws {
        let folder = try steadyFolder()
        let outcome = try Program.run(
            arguments("jobs", "--jobs", "3", "--workers", "4"), in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errors.contains("polynomial cft-s1-"))
        #expect(try sessions(folder.file("jobs")) == [1, 1, 1, 1, 1])
        try expectEqual(folder.file("jobs"), folder.file("steady"), "three jobs")
        let run = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder.file("jobs/tiny"))
                .first { $0.hasPrefix("cft-s1-") })
        let metadata = try #require(
            try RunDirectory(path: folder.file("jobs/tiny/\(run)")).metadata())
        // The command that trained it is one a person can repeat; four workers over three jobs.
        #expect(metadata.provenance.arguments.dropFirst().first == "train")
        #expect(metadata.sessions[0].workers == 1)
    }

    /// Children read what to measure from files that the parent has brought up to date.
    @Test func jobsFollowAChangedRequest() throws {
        let folder = try steadyFolder()
        for more in [[], ["evaluate.examples=64"], ["evaluate.examples=48", "--restart"]] {
            let outcome = try Program.run(
                arguments("jobs", "--jobs", "2", "--quiet") + more, in: folder.path)
            #expect(outcome.exitCode == 0 && outcome.errors == "", "\(more): \(outcome)")
            let one = try Program.run(arguments("one", "--quiet") + more, in: folder.path)
            #expect(one.exitCode == 0, "\(more): \(one)")
            #expect(
                try bytes(folder.file("jobs/tiny/summary.csv"))
                    == bytes(folder.file("one/tiny/summary.csv")))
        }
        try expectEqual(folder.file("jobs"), folder.file("one"), "after a restart")
        // A folder that cannot be read is no obstacle to a restart.
        let run = try #require(try RunCatalog(root: folder.file("jobs")).runs().last)
        try folder.write("{", to: "jobs/tiny/\(run.name)/metadata.json")
        let healed = try Program.run(
            arguments("jobs", "--jobs", "2", "--quiet", "--restart"), in: folder.path)
        #expect(healed.exitCode == 0, "\(healed)")
    }

    /// What continuing elsewhere means for the bits is said.
    @Test func anotherKernelAndOtherWorkersAreNamed() throws {
        let folder = try TemporaryDirectory()
        let text = Self.text.replacingOccurrences(of: "steps: 300\n", with: "steps: 20000\n")
        try folder.write(text, to: "tiny.yaml")
        let one = ["train", "tiny.yaml", "layout=cft", "seeds=1", "--quiet"]
        let child = try Program.start(one + ["--workers", "2"], in: folder.path)
        func run() throws -> CatalogedRun? {
            try RunCatalog(root: folder.file("runs")).runs().first { $0.sweep == "tiny" }
        }
        try child.wait(timeout: 120) { _ in try run()?.metadata?.status == .running }
        child.send(signal: SIGINT)
        #expect(try child.wait(timeout: 60).exitCode == 75)
        let other =
            try #require(try run()?.metadata?.blasKernel) == "Haswell" ? "Nehalem" : "Haswell"
        let second = try Program.start(
            ["train", "tiny.yaml", "layout=cft", "seeds=1", "--workers", "1"], in: folder.path,
            environment: ["SANDBOX_BLAS_KERNEL": other])
        try second.wait(timeout: 60) { $0.errors.contains("workers") }
        second.send(signal: SIGINT)
        _ = try second.wait(timeout: 60)
        #expect(second.errors.contains("continues with the BLAS kernel \(other) instead of "))
        #expect(
            second.errors.contains(
                "continues with 1 instead of 2 workers: the result is bit-identical to an undisturbed run"
            ))
    }

    /// Training uses no BLAS: its bits are the same whatever kernel the environment names.
    @Test func theKernelDoesNotChangeTheWeights() throws {
        let folder = try TemporaryDirectory()
        try folder.write(Self.text, to: "tiny.yaml")
        let weights = try ["Haswell", "Nehalem"].map { kernel in
            let outcome = try Program.run(
                [
                    "train", "tiny.yaml", "layout=cft", "seeds=1", "--quiet", "--runs", kernel,
                    "evaluate.examples=64",
                ], in: folder.path, environment: ["SANDBOX_BLAS_KERNEL": kernel])
            #expect(outcome.exitCode == 0, "\(outcome)")
            let run = try #require(
                try RunCatalog(root: folder.file(kernel)).runs().first { $0.sweep == "tiny" })
            #expect(run.metadata?.blasKernel == kernel)
            return try Data(
                contentsOf: URL(
                    fileURLWithPath: run.directory.path + "/checkpoints/latest/model.safetensors"))
        }
        #expect(weights[0] == weights[1])
    }

    /// A signal reaches the children as a request: they checkpoint, and the same command continues.
    @Test(arguments: [SIGINT, SIGKILL]) func theChildrenStopWithTheirParent(signal: Int32) throws {
        let folder = try TemporaryDirectory()
        let text = Self.text.replacingOccurrences(of: "steps: 300\n", with: "steps: 60000\n")
        try folder.write(text, to: "tiny.yaml")
        let child = try Program.start(arguments("runs", "--jobs", "2"), in: folder.path)
        let sweep = SweepDirectory(path: folder.file("runs/tiny"))
        func running() throws -> [RunDirectory] {
            try (sweep.manifest()?.trials ?? []).map { sweep.run($0.run) }.filter {
                try $0.metadata()?.status == .running
            }
        }
        try child.wait(timeout: 120) { _ in
            try running().filter {
                ((try? Data(contentsOf: URL(fileURLWithPath: $0.metricsPath)))?.count ?? 0) > 0
            }
            .count == 2
        }
        let begun = try running()
        child.send(signal: signal)
        let outcome = try child.wait(timeout: 60)
        #expect(
            signal == SIGKILL ? outcome.signal == SIGKILL : outcome.exitCode == 75, "\(outcome)")
        let deadline = Date(timeIntervalSinceNow: 30)
        while try begun.contains(where: { try $0.metadata()?.status == .running }),
            Date() < deadline
        {
            usleep(10_000)
        }
        for run in begun {
            let metadata = try #require(try run.metadata())
            #expect(metadata.status == .interrupted && (metadata.step ?? 0) > 0)
            #expect(try run.isResumable())
        }
    }
}
