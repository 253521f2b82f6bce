import Experiments
import Foundation
import TestSupport
import Testing

/// Signals in the middle of training, and what the same command makes of it.
@Suite struct InterruptionTests {
    /// Long enough to be met by a signal: some seconds.
    private static let text =
        tinySweep
        .replacingOccurrences(of: "steps: 40", with: "steps: 3000\n  checkpoint_seconds: 0.2")
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

    /// Starts the sweep, waits until it reports a step of `phase` and `isReady`, and sends `signal`.
    private func interrupt(
        _ folder: TemporaryDirectory, phase: String, signal: Int32,
        until isReady: () throws -> Bool = { true }
    ) throws -> ChildProcess.Outcome {
        let child = try Program.start(arguments("broken"), in: folder.path)
        try child.wait(timeout: 300) { child in
            try child.errors.contains(phase) && isReady()
        }
        child.send(signal: signal)
        return try child.wait(timeout: 300)
    }

    @Test func anInterruptedSweepContinuesBitForBit() throws {
        let folder = try TemporaryDirectory()
        try folder.write(Self.text, to: "tiny.yaml")
        let steady = try Program.run(arguments("steady"), in: folder.path)
        #expect(steady.exitCode == 0, "\(steady)")

        // Killed while the base is trained, some time after its last checkpoint.
        let bases = folder.file("broken/bases")
        let killed = try interrupt(folder, phase: "pretraining linear-", signal: SIGKILL) {
            guard let path = only(bases, prefix: "linear-") else { return false }
            let base = RunDirectory(path: path)
            guard let step = try base.latestCheckpointStep(),
                let last = try RecordReader.read(base.metricsPath).last?["step"]?.integerValue
            else { return false }
            return last > step + 20
        }
        #expect(killed.signal == SIGKILL, "\(killed)")
        let base = RunDirectory(path: try #require(only(bases, prefix: "linear-")))
        #expect(try base.metadata()?.status == .running && base.isResumable())
        // Stopped while the base is trained, then while it is fine-tuned.
        let first = try interrupt(folder, phase: "pretraining linear-", signal: SIGINT)
        try check(first, base, steps: 3000)
        let second = try interrupt(folder, phase: "polynomial s0-", signal: SIGTERM)
        let run = RunDirectory(
            path: try #require(only(folder.file("broken/tiny"), prefix: "s0-")))
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
        let end = "/\(run.name); its checkpoint is written, the same command continues from there\n"
        #expect(outcome.errors.hasSuffix(end), "\(outcome)")
        #expect(outcome.output == "")
        let metadata = try #require(try run.metadata())
        let step = try #require(try run.latestCheckpointStep())
        #expect(metadata.status == .interrupted && metadata.step == step)
        #expect(step >= 2 && step < steps)
        #expect(try run.isResumable())
    }
}
