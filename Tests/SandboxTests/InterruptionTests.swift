import Experiments
import Foundation
import TestSupport
import Testing

/// Signals in the middle of training, and what the same command makes of it.
@Suite struct InterruptionTests {
    /// Long enough to be met by a signal: some seconds.
    private static let text =
        tinySweep
        .replacingOccurrences(of: "steps: 40", with: "steps: 3000")
        .replacingOccurrences(of: "steps: 30\n", with: "steps: 2000\n")
        .replacingOccurrences(of: "values: [cpt, cft]", with: "value: cft")

    private func arguments(_ runs: String) -> [String] {
        ["sweep", "-f", "tiny.yaml", "--runs", runs]
    }

    /// The folder of the one base, or of the one run, below `runs`; nil before it is there.
    private func only(_ parent: String, prefix: String) -> String? {
        (try? FileManager.default.contentsOfDirectory(atPath: parent))?
            .first { $0.hasPrefix(prefix) }.map { "\(parent)/\($0)" }
    }

    /// Starts the sweep, waits until the run at `parent` has written records, and sends `signal`.
    private func interrupt(
        _ folder: TemporaryDirectory, _ parent: String, _ prefix: String, signal: Int32
    ) throws -> (outcome: ChildProcess.Outcome, run: RunDirectory) {
        let child = try Program.start(arguments("broken"), in: folder.path)
        try child.wait(timeout: 300) { _ in
            guard let run = only(folder.file(parent), prefix: prefix) else { return false }
            return try (RunDirectory(path: run).metadata()?.status == .running)
                && (try? recordsWithoutTimes(run + "/metrics.jsonl").count) ?? 0 > 3
        }
        child.send(signal: signal)
        let outcome = try child.wait(timeout: 300)
        let path = try #require(only(folder.file(parent), prefix: prefix))
        return (outcome, RunDirectory(path: path))
    }

    @Test func anInterruptedSweepContinuesBitForBit() throws {
        let folder = try TemporaryDirectory()
        try folder.write(Self.text, to: "tiny.yaml")
        let steady = try Program.run(arguments("steady"), in: folder.path)
        #expect(steady.exitCode == 0, "\(steady)")

        // Once while the base is trained, once while it is fine-tuned.
        let (first, base) = try interrupt(folder, "broken/bases", "linear-", signal: SIGINT)
        try check(first, base, steps: 3000)
        let (second, run) = try interrupt(folder, "broken/tiny", "s0-", signal: SIGTERM)
        try check(second, run, steps: 2000)
        #expect(try base.metadata()?.status == .finished)
        let manifest = try SweepDirectory(path: folder.file("broken/tiny")).manifest()
        #expect(manifest?.trials.map(\.status) == [.interrupted])

        let last = try Program.run(arguments("broken"), in: folder.path)
        #expect(last.exitCode == 0 && !last.errors.contains("pretraining"), "\(last)")
        #expect(
            last.output.replacingOccurrences(of: "broken/", with: "steady/") == steady.output)
        for directory in [base, run] {
            let twin = directory.path.replacingOccurrences(of: "/broken/", with: "/steady/")
            for name in ["model.safetensors", "optimizer.safetensors"] {
                let file = "/checkpoints/latest/\(name)"
                #expect(try bytes(directory.path + file) == bytes(twin + file))
            }
            for name in ["/metrics.jsonl", "/evaluations.jsonl"] {
                #expect(
                    try recordsWithoutTimes(directory.path + name)
                        == recordsWithoutTimes(twin + name))
            }
            #expect(try directory.metadata()?.status == .finished)
        }
        #expect(
            try bytes(folder.file("broken/tiny/summary.csv"))
                == bytes(folder.file("steady/tiny/summary.csv")))
    }

    private func check(
        _ outcome: ChildProcess.Outcome, _ run: RunDirectory, steps: Int
    ) throws {
        #expect(outcome.exitCode == 75, "\(outcome)")
        let end = "its checkpoint is written, the same command continues from there\n"
        #expect(outcome.errors.hasSuffix(end), "\(outcome)")
        #expect(
            outcome.errors.contains("interrupted while training \(run.name)")
                || outcome.errors.contains("/\(run.name);"), "\(outcome)")
        #expect(outcome.output == "")
        let metadata = try #require(try run.metadata())
        let step = try #require(try run.latestCheckpointStep())
        #expect(metadata.status == .interrupted && metadata.step == step)
        #expect(step > 30 && step < steps)
        #expect(try run.isResumable())
    }
}
