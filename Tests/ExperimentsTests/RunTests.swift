import Foundation
import Logging
import Platform
import Synchronization
import Testing

@testable import Experiments

private func metadata(_ status: RunStatus = .queued) -> RunMetadata {
    RunMetadata(
        hash: "1a2b3c4d5e6f", sweep: "poly", base: "linear-s0-00112233", status: status,
        sandboxVersion: "1.0", blasKernel: "Haswell",
        libraries: ["openblas": "0.3.21"],
        provenance: Provenance(
            gitCommit: "abc", gitIsDirty: false, hostName: "h", cpu: "c", architecture: "x86_64",
            coreCount: 2, arguments: ["sandbox", "sweep"], processIdentifier: 7,
            date: Date(timeIntervalSince1970: 1_700_000_000)))
}

@Suite struct RunDirectoryTests {
    @Test func namesItsFiles() {
        let run = RunDirectory(path: "runs/poly/cft-s0-1a2b3c4d")
        #expect(run.name == "cft-s0-1a2b3c4d")
        #expect(RunDirectory.name(label: "cft-s0", hash: "1a2b3c4d5e6f") == run.name)
        #expect(run.metricsPath == "runs/poly/cft-s0-1a2b3c4d/metrics.jsonl")
        #expect(run.checkpointPath(step: 50000).hasSuffix("/checkpoints/step_0000050000"))
        #expect(run.evaluationFolder(step: 12).hasSuffix("/evaluations/step_12"))
    }

    @Test func keepsMetadata() throws {
        let folder = try TemporaryFolder()
        let run = RunDirectory(path: folder.file("run"))
        #expect(try run.metadata() == nil)
        try run.create()
        var data = metadata()
        let later = data.created.addingTimeInterval(60)
        data.become(.running, at: data.created)
        data.become(.failed, at: later, error: "the loss is NaN")
        try run.write(data)
        #expect(try run.metadata() == data)
        let json = try JSONDecoder().decode(
            JSONValue.self, from: Data(try folder.text("run/metadata.json").utf8))
        #expect(json["status"] == "failed" && json["error"] == "the loss is NaN")
        #expect(json["created"] == "2023-11-14T22:13:20Z")
        #expect(json["finished"] == "2023-11-14T22:14:20Z")
        #expect(json["provenance"]?["git_commit"] == "abc")
        data.become(.running, at: later)
        #expect(data.error == nil && data.finished == nil && data.started == data.created)
        try folder.write("{\"status\": \"done\"}", to: "run/metadata.json")
        let damaged = folder.message { try run.metadata() }
        #expect(damaged.hasPrefix("cannot read 'run/metadata.json': "))
        #expect(
            damaged.hasSuffix("; restore it, or delete the folder 'run' to train it anew"),
            "\(damaged)")
        try folder.write("{\"format_version\": 999}", to: "run/metadata.json")
        #expect(
            folder.message { try run.metadata() }
                == "'run/metadata.json' has format version 999, newer than 2, the newest this program reads; use a "
                + "newer sandbox")
    }

    @Test func isResumableWhenItsProcessDied() throws {
        let folder = try TemporaryFolder()
        let run = RunDirectory(path: folder.file("run"))
        #expect(try !run.isResumable())
        let expected: [RunStatus: Bool] = [
            .queued: false, .running: true, .finished: false, .failed: false, .interrupted: true,
        ]
        let lock = try run.lock()
        for status in RunStatus.allCases {
            try run.write(metadata(status))
            #expect(try !run.isResumable())
        }
        lock.release()
        for status in RunStatus.allCases {
            try run.write(metadata(status))
            #expect(try run.isResumable() == expected[status])
        }
    }

    @Test func itsLockNamesTheHolderInAnotherProcess() throws {
        let folder = try TemporaryFolder()
        let run = RunDirectory(path: folder.file("run"))
        try run.create()
        let holder = Process()
        let (input, output) = (Pipe(), Pipe())
        holder.executableURL = URL(fileURLWithPath: "/bin/sh")
        // The shell holds the lock on descriptor 9, which its children would inherit.
        holder.arguments = [
            "-c", "exec 9>\"$1\"; flock 9; echo $$ >&9; echo held; read line", "sh", run.lockPath,
        ]
        holder.standardInput = input
        holder.standardOutput = output
        try holder.run()
        _ = output.fileHandleForReading.availableData
        #expect(try run.tryLock() == nil)
        #expect(
            folder.message { try run.lock() }
                == "the run 'run' is held by process \(holder.processIdentifier); wait for it or stop "
                + "it")
        try input.fileHandleForWriting.close()
        holder.waitUntilExit()
        #expect(try run.tryLock() != nil)
    }

    @Test func checkpointsAppearWhole() throws {
        let folder = try TemporaryFolder()
        let run = RunDirectory(path: folder.path)
        #expect(try run.latestCheckpointStep() == nil)
        for step in [10, 9, 200] {
            try run.publishCheckpoint(step: step) { path in
                try AtomicFile.write("\(step)", to: path + "/state.json")
            }
        }
        #expect(try run.checkpointSteps() == [9, 10, 200])
        #expect(try run.latestCheckpointStep() == 200)
        #expect(try folder.text("checkpoints/latest/state.json") == "200")
        #expect(throws: CancellationError.self) {
            try run.publishCheckpoint(step: 300) { _ in throw CancellationError() }
        }
        #expect(try run.latestCheckpointStep() == 200)
        try run.removeLatestCheckpoint()
        #expect(try run.checkpointSteps() == [9, 10])
        #expect(try folder.text("checkpoints/latest/state.json") == "10")
        try Folder.remove(run.latestCheckpointLink)
        #expect(try run.latestCheckpointStep() == 10)
        try folder.write("x", to: "checkpoints/step_0000000400.partial-1/a")
        _ = try run.lock()
        #expect(
            try Folder.contents(of: run.checkpointsPath) == ["step_0000000009", "step_0000000010"])
        try run.removeEarlierCheckpoints()
        #expect(try run.checkpointSteps() == [10])
        // The only one stays whatever is wrong with it.
        try run.removeLatestCheckpoint()
        #expect(try run.checkpointSteps() == [10])
    }

    @Test func clearingLeavesTheLock() throws {
        let folder = try TemporaryFolder()
        let run = RunDirectory(path: folder.file("run"))
        let lock = try run.lock()
        try run.write(metadata(.finished))
        try run.publishCheckpoint(step: 3) { try AtomicFile.write("3", to: $0 + "/state.json") }
        try run.clear()
        #expect(try Folder.contents(of: run.path) == ["lock"])
        // A crash after the first act, and one in a folder without metadata.
        for mark in ["", "{}"] {
            try folder.write(mark, to: "run/metadata.json.clearing")
            try folder.write("x", to: "run/evaluations/step_3/cft.standard.safetensors")
            lock.release()
            let next = try run.lock()
            #expect(try Folder.contents(of: run.path) == ["lock"])
            next.release()
        }
    }
}

@Suite struct SweepDirectoryTests {
    @Test func keepsTextAndManifest() throws {
        let folder = try TemporaryFolder()
        let sweep = SweepDirectory(path: folder.file("runs/poly"))
        #expect(try sweep.manifest() == nil)
        let entry = SweepManifest.Entry(
            run: "cft-s0-1a2b3c4d", hash: "1a2b3c4d", base: "linear-s0-00112233", seed: 0,
            varying: [Trial.Value(name: "layout", text: "cft")])
        let manifest = SweepManifest(
            name: "poly", file: "sweeps/poly.yaml", preset: "quick", overrides: ["seeds=1"],
            evaluate: ["examples": 64], trials: [entry])
        try sweep.create(sweepText: "# mine\nname: poly\n", manifest: manifest)
        #expect(try folder.text("runs/poly/sweep.yaml") == "# mine\nname: poly\n")
        #expect(try sweep.manifest() == manifest)
        try sweep.updateManifest { $0.trials[0].status = .finished }
        #expect(try sweep.manifest()?.trials[0].status == .finished)
        #expect(sweep.run(entry.run).metadataPath.hasSuffix("poly/cft-s0-1a2b3c4d/metadata.json"))
        let bad = SweepDirectory(path: folder.file("runs/poly/sweep.yaml/x"))
        #expect(
            folder.message { try bad.create(sweepText: "", manifest: manifest) }
                == "cannot create the folder 'runs/poly/sweep.yaml/x': Not a directory; 'runs/poly/sweep.yaml' is a "
                + "file: name another folder or remove it")
        // What a plot shows is written while the request it was read from still stands.
        var isWritten = false
        try sweep.whileAskedFor(manifest) { isWritten = true }
        #expect(isWritten)
        try sweep.updateManifest { $0.trials[0].run = "cpt-s0-00000001" }
        #expect(
            folder.message {
                try sweep.whileAskedFor(manifest) { Issue.record("another request stands there") }
            }.hasSuffix("another sweep was asked for under this name; plot it again"))
        try Folder.remove(sweep.manifestPath)
        // A run that no sweep asked for has no manifest to follow.
        try sweep.updateManifest { _ in Issue.record("there is nothing to change") }
        try folder.write("{", to: "runs/poly/manifest.json")
        #expect(
            folder.message { try sweep.manifest() }
                .hasSuffix("; delete it and run the sweep again to write it anew"))
    }

    @Test func summaryHasTheDocumentedColumns() {
        #expect(
            SweepDirectory.summaryColumns.joined(separator: ", ")
                == "sweep, run, base, seed, step, function_class, train_layout, eval_layout, prompt, "
                + "metric, k, mean, standard_error, bootstrap_low, bootstrap_high, bayes, excess_risk, "
                + "examples")
    }
}

@Suite struct ProvenanceTests {
    @Test func followsAGitRepository() throws {
        let folder = try TemporaryFolder()
        try folder.write("one", to: "a.txt")
        let program = folder.file("bin/sandbox")
        try folder.write("", to: "bin/sandbox")
        #expect(Provenance.current(executable: program).gitCommit == nil)
        #expect(Provenance.current(executable: program).gitIsDirty == nil)
        try git(["init", "-q"], folder)
        try git(["add", "a.txt"], folder)
        let author = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        try git(author + ["commit", "-q", "-m", "one"], folder)
        let clean = Provenance.current(executable: program)
        #expect(clean.gitCommit?.count == 40)
        #expect(clean.gitIsDirty == false)
        try folder.write("untracked", to: "b.txt")
        #expect(Provenance.current(executable: program).gitIsDirty == false)
        // A published result is no change of the program.
        try folder.write("", to: "plots/p.csv")
        try git(["add", "plots"], folder)
        try git(author + ["commit", "-q", "-m", "results"], folder)
        try folder.write("1", to: "plots/p.csv")
        #expect(Provenance.current(executable: program).gitIsDirty == false)
        try folder.write("two", to: "a.txt")
        let dirty = Provenance.current(executable: program)
        #expect(dirty.gitIsDirty == true && dirty.gitCommit?.count == 40)
        #expect(!dirty.hostName.isEmpty && dirty.coreCount >= 1)
        #expect(dirty.arguments == CommandLine.arguments)
        // What `make install` noted beside an installed program comes before any repository around it.
        try folder.write("0123abcd\ndirty\n", to: "share/sandbox/commit")
        let installed = Provenance.current(executable: program)
        #expect(installed.gitCommit == "0123abcd" && installed.gitIsDirty == true)
        try folder.write("", to: "share/sandbox/commit")
        #expect(Provenance.current(executable: program).gitCommit == nil)
    }

    private func git(_ arguments: [String], _ folder: TemporaryFolder) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-C", folder.path] + arguments
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}

@Suite struct ProgressLineTests {
    /// A clock and a sink that a test turns and reads.
    private final class Stage {
        var time = 100.0
        var text = ""

        func line(
            total: Int, start: Int = 0, style: ProgressLine.Style
        ) -> ProgressLine {
            ProgressLine(
                label: "pretraining linear-s0", total: total, start: start, style: style,
                now: { self.time }, sink: { self.text += $0 })
        }
    }

    @Test func writesALineEveryTenSecondsOffATerminal() {
        let stage = Stage()
        var progress = stage.line(total: 8000, style: .lines(everySteps: nil))
        for step in 1...1200 {
            stage.time += 0.025
            progress.update(step: step, loss: 0.0123)
        }
        progress.finish()
        #expect(
            stage.text == """
                pretraining linear-s0  step 1/8000  loss 0.0123  40 steps/s  ETA 03:19
                pretraining linear-s0  step 401/8000  loss 0.0123  40 steps/s  ETA 03:09
                pretraining linear-s0  step 801/8000  loss 0.0123  40 steps/s  ETA 02:59

                """)
        stage.time += 1
        progress.update(step: 8000)
        #expect(
            stage.text.hasSuffix("pretraining linear-s0  step 8000/8000  258 steps/s  in 00:31\n"))
        #expect(!stage.text.contains("\r") && !stage.text.contains("\u{1B}"))
    }

    @Test func writesALineEveryNStepsAndCountsFromAResume() {
        let stage = Stage()
        var progress = stage.line(total: 100, start: 50, style: .lines(everySteps: 20))
        for step in 51...100 {
            stage.time += 1
            progress.update(step: step)
        }
        let lines = stage.text.split(separator: "\n")
        #expect(
            lines.map { $0.split(separator: " ")[3] } == ["51/100", "60/100", "80/100", "100/100"])
        #expect(lines[1].hasSuffix("1 steps/s  ETA 00:40"))
    }

    @Test func rewritesALineOnATerminal() {
        let stage = Stage()
        var progress = stage.line(total: 10, style: .rewriting(width: 40, hasColor: false))
        stage.time += 1
        progress.update(step: 1, loss: 0.5)
        progress.update(step: 2, loss: 0.5)
        stage.time += 1
        progress.update(step: 3, loss: 0.5)
        progress.finish()
        progress.finish()
        #expect(
            stage.text
                == "\rpretraining linear-s0  step 1/10  loss \u{1B}[K"
                + "\rpretraining linear-s0  step 3/10  loss \u{1B}[K\n")
        let colored = Stage()
        var other = colored.line(total: 10, style: .rewriting(width: 80, hasColor: true))
        other.update(step: 1)
        #expect(colored.text == "\r\u{1B}[1mpretraining linear-s0\u{1B}[0m  step 1/10\u{1B}[K")
    }

    @Test func quietWritesNothing() {
        let stage = Stage()
        var progress = stage.line(total: 10, style: .quiet)
        progress.update(step: 10, loss: 1)
        progress.finish()
        #expect(stage.text.isEmpty)
        #expect(ProgressLine.Style.automatic(isQuiet: true) == .quiet)
    }

    @Test(arguments: [
        (0.0, "00:00"), (165.9, "02:45"), (3599, "59:59"), (3600, "1:00:00"),
        (86399, "23:59:59"), (183_845, "2d 03:04:05"), (-1, "–"), (.infinity, "–"), (.nan, "–"),
    ])
    func printsDurations(seconds: Double, text: String) {
        #expect(duration(seconds) == text)
    }
}

@Suite struct MessageTests {
    @Test func reachPeopleAndTheFile() throws {
        let folder = try TemporaryFolder()
        let file = try MessageFile(path: folder.file("run.log"))
        let lines = Mutex<[String]>([])
        func logger(shown: Logger.Level) -> Logger {
            let handler = MessageHandler(
                label: "training", shownLevel: shown, file: file,
                sink: { line in lines.withLock { $0.append(line) } },
                now: { Date(timeIntervalSince1970: 0) })
            return Logger(label: "training", factory: { _ in handler })
        }
        var first = logger(shown: .info)
        first[metadataKey: "run"] = "cft-s0"
        first.info("begun", metadata: ["steps": "3"])
        first.debug("dropped")
        first.warning("another BLAS kernel")
        logger(shown: .warning).info("only the file")
        #expect(
            lines.withLock { $0 } == [
                "begun run=cft-s0 steps=3", "warning: another BLAS kernel run=cft-s0",
            ])
        #expect(
            try folder.text("run.log") == """
                1970-01-01T00:00:00Z info training: begun run=cft-s0 steps=3
                1970-01-01T00:00:00Z warning training: another BLAS kernel run=cft-s0
                1970-01-01T00:00:00Z info training: only the file

                """)
    }
}
