import Experiments
import Foundation
import TestSupport
import Testing

/// `train`, `eval` and `plot` on a tiny sweep.
@Suite(.finishedSweep) struct TrainEvalPlotTests {
    /// A folder with a finished tiny sweep, and its run trained under cft.
    private func finished() throws -> (folder: TemporaryDirectory, run: RunDirectory) {
        let folder = try finishedTinyFolder()
        let name = try #require(
            try SweepDirectory(path: folder.file("runs/tiny")).manifest()?.trials.last?.run)
        return (folder, RunDirectory(path: folder.file("runs/tiny/\(name)")))
    }

    // MARK: train

    @Test func aRunsConfigurationTrainsThatRun() throws {
        let (folder, run) = try finished()
        let other = try Program.run(
            ["train", run.configurationPath, "--runs", "again", "--quiet"], in: folder.path)
        #expect(other.exitCode == 0, "\(other)")
        #expect(other.output.hasPrefix("again/tiny/s0-") && other.output.contains("under cft: "))
        let twin = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder.file("again/tiny"))
                .first { $0.hasPrefix("s0-") })
        let weights = "checkpoints/latest/model.safetensors"
        #expect(
            try bytes(folder.file("again/tiny/\(twin)/\(weights)"))
                == bytes("\(run.path)/\(weights)"))
        // In place it finds itself done.
        let before = try FolderSnapshot(run.path)
        let same = try Program.run(["train", run.configurationPath, "--json"], in: folder.path)
        #expect(same.exitCode == 0, "\(same)")
        #expect(same.errors.hasSuffix(": found, trained already\n"))
        let report = try json(same.output)
        #expect(report["run"]?.stringValue == "runs/tiny/\(run.name)")
        #expect(report["evaluations"]?.arrayValue?.count == 3)
        #expect(try FolderSnapshot(run.path).changes(since: before) == [])
    }

    @Test func aBasesConfigurationTrainsThatBase() throws {
        let (folder, _) = try finished()
        let bases = folder.file("runs/bases")
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: bases).first)
        let outcome = try Program.run(
            ["train", "runs/bases/\(name)/config.yaml", "--runs", "again", "--quiet"],
            in: folder.path)
        #expect(outcome.exitCode == 0 && outcome.output == "again/bases/\(name)\n", "\(outcome)")
        let weights = "checkpoints/latest/model.safetensors"
        #expect(
            try bytes(folder.file("again/bases/\(name)/\(weights)"))
                == bytes("\(bases)/\(name)/\(weights)"))
    }

    @Test func takesOneRunAlone() throws {
        let folder = try tinyFolder()
        let outcome = try Program.run(["train", "tiny.yaml"], in: folder.path)
        #expect(outcome.exitCode == 64 && outcome.output == "")
        #expect(
            outcome.errors
                == "error: tiny.yaml: describes 2 runs and train takes one; use `sandbox sweep -f tiny.yaml`\n"
        )
        #expect(try folder.names() == ["tiny.yaml"])
        let one = try Program.run(
            ["train", "tiny.yaml", "layout=cft", "--quiet"], in: folder.path)
        #expect(one.exitCode == 0, "\(one)")
    }

    @Test func failedRunsAreSkippedRetriedAndRestarted() throws {
        let folder = try tinyFolder()
        let rate = "training.optimizer.learning_rate=1.0e30"
        let arguments = ["train", "tiny.yaml", "layout=cft", rate, "--quiet"]
        let first = try Program.run(arguments, in: folder.path)
        #expect(first.exitCode == 1 && first.errors.contains("at step 2;"), "\(first)")
        let again = try Program.run(arguments, in: folder.path)
        #expect(again.exitCode == 1 && again.errors.contains("--retry-failed"), "\(again)")
        let retried = try Program.run(arguments + ["--retry-failed"], in: folder.path)
        #expect(retried.exitCode == 1 && retried.errors == first.errors, "\(retried)")
        let restarted = try Program.run(arguments + ["--restart"], in: folder.path)
        #expect(restarted.exitCode == 1 && restarted.errors == first.errors, "\(restarted)")
        let name = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder.file("runs/tiny")).first)
        let metadata = try RunDirectory(path: folder.file("runs/tiny/\(name)")).metadata()
        #expect(metadata?.status == .failed && metadata?.sessions.count == 1)
    }

    // MARK: eval

    @Test func measuresUnderOtherLayoutsAndOnMorePrompts() throws {
        let (folder, run) = try finished()
        let plain = try Program.run(["eval", run.path], in: folder.path)
        #expect(plain.exitCode == 0 && plain.errors == "", "\(plain)")
        #expect(plain.output.contains("squared error under neg-cft: "))
        let hash = String(run.name.suffix(8).prefix(5))
        let wider = try Program.run(
            ["eval", hash, "--layouts", "cpt-shifted", "--examples", "100", "--json"],
            in: folder.path)
        #expect(wider.exitCode == 0, "\(wider)")
        let measured = try #require(try json(wider.output)["evaluations"]?.arrayValue)
        let shifted = try #require(measured.first { $0["layout"] == "cpt-shifted" })
        #expect(shifted["examples"] == 100)
        #expect(shifted["eval/cpt-shifted/squared_error"]?.arrayValue?.count == 5)
        // Its own layout is always among them, and nothing else is.
        #expect(measured.map { $0["layout"] } == ["cpt-shifted", "cft"])
        #expect(measured.allSatisfy { $0["examples"] == 100 })
        // What was measured first is still there, to the byte.
        let again = try Program.run(["eval", run.path], in: folder.path)
        #expect(again.output == plain.output)
        #expect(try run.metadata()?.status == .finished)
        let unknown = try Program.run(["eval", "nothing"], in: folder.path)
        #expect(unknown.exitCode == 64 && unknown.errors.hasPrefix("error: "), "\(unknown)")
    }

    /// The list shows what a run was asked to be measured on, whatever was measured later.
    @Test func aSmallerMeasurementDoesNotChangeTheList() throws {
        let (folder, run) = try finished()
        let before = try Program.run(["runs", "ls"], in: folder.path)
        let measured = try Program.run(["eval", run.path, "--examples", "7"], in: folder.path)
        #expect(measured.exitCode == 0, "\(measured)")
        let after = try Program.run(["runs", "ls"], in: folder.path)
        #expect(before.exitCode == 0 && after.output == before.output, "\(after)")
    }

    /// A wrong option is not taken for a damaged run.
    @Test func aLayoutThatDoesNotFitIsTheCommandLines() throws {
        let (folder, run) = try finished()
        let outcome = try Program.run(
            ["eval", run.path, "--layouts", "cft-prefix-20"], in: folder.path)
        #expect(outcome.exitCode == 64, "\(outcome)")
        #expect(
            outcome.errors.hasPrefix("error: command line: ") && !outcome.errors.contains("delete"))
        #expect(outcome.errors.contains("cft-prefix-20 shows the first 20 points"), "\(outcome)")
    }

    @Test func nothingToMeasureIsAnError() throws {
        let folder = try TemporaryDirectory()
        let outcome = try Program.run(
            [
                "eval", "baselines", "--class", "decision_tree", "--baselines", "bayes",
                "--examples", "8", "--quiet",
            ], in: folder.path)
        #expect(outcome.exitCode == 64 && outcome.output == "", "\(outcome)")
        #expect(outcome.errors.contains("nothing is left to measure"), "\(outcome)")
    }

    @Test func aFinishedRunStaysOneWhenItsMeasurementIsInterrupted() throws {
        let (folder, run) = try finished()
        let before = try FolderSnapshot(run.path) {
            !$0.hasSuffix("lock") && $0 != "run.log" && $0 != "metadata.json"
        }
        for signal in [SIGTERM, SIGKILL] {
            let child = try Program.start(
                ["eval", run.path, "--examples", "3000000"], in: folder.path)
            usleep(700_000)
            child.send(signal: signal)
            let outcome = try child.wait(timeout: 60)
            #expect(
                signal == SIGKILL ? outcome.signal == SIGKILL : outcome.exitCode == 75, "\(outcome)"
            )
            #expect(try run.metadata()?.status == .finished)
        }
        let after = try FolderSnapshot(run.path) {
            !$0.hasSuffix("lock") && $0 != "run.log" && $0 != "metadata.json"
        }
        #expect(after.changes(since: before) == [])
        let again = try Program.run(["sweep", "-f", "tiny.yaml", "--quiet"], in: folder.path)
        #expect(again.exitCode == 0, "\(again)")
    }

    @Test func worksFromInsideTheFolders() throws {
        let (folder, run) = try finished()
        let inside = folder.file("runs/tiny")
        let evaluated = try Program.run(["eval", run.name], in: inside)
        #expect(evaluated.exitCode == 0 && evaluated.output.contains("under cft: "), "\(evaluated)")
        let plotted = try Program.run(["plot", "."], in: inside)
        #expect(plotted.exitCode == 0, "\(plotted)")
        // The sidecar looks for its runs where they are, not below the working directory.
        let path = folder.file("runs/tiny/plots/polynomial-error-vs-context.json")
        let sidecar = try json(String(contentsOfFile: path, encoding: .utf8))
        let source = try #require(sidecar["runs"]?.arrayValue?.last)
        #expect(source["hash"]?.stringValue == (try run.metadata()?.hash))
    }

    @Test func theSourceOfABaseMayGo() throws {
        let (folder, _) = try finished()
        let bases = folder.file("runs/bases")
        let base = try #require(FileManager.default.contentsOfDirectory(atPath: bases).first)
        let exported = try Program.run(
            ["export", "garg", "runs/bases/\(base)", "--output", "public"], in: folder.path)
        #expect(exported.exitCode == 0, "\(exported)")
        let arguments = [
            "sweep", "-f", "tiny.yaml", "--quiet", "--runs", "fromed", "pretraining={from: public}",
        ]
        let outcome = try Program.run(arguments, in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        try FileManager.default.removeItem(atPath: folder.file("public"))
        let plotted = try Program.run(["plot", "tiny", "--runs", "fromed"], in: folder.path)
        #expect(
            plotted.exitCode == 0 && plotted.output.hasPrefix(outcome.output.prefix(40)),
            "\(plotted)")
        let refused = try Program.run(arguments, in: folder.path)
        #expect(refused.exitCode == 64 && refused.errors.contains("pretraining.from does not work"))
    }

    // MARK: plot

    @Test func drawsWhatIsThereAgain() throws {
        let (folder, run) = try finished()
        let table = try bytes(folder.file("runs/tiny/summary.csv"))
        try FileManager.default.removeItem(atPath: folder.file("runs/tiny/plots"))
        try FileManager.default.removeItem(atPath: folder.file("runs/tiny/summary.csv"))
        // Another evaluation has taken the place of the one that the sweep asked for.
        let other = try Program.run(["eval", run.path, "--examples", "40"], in: folder.path)
        #expect(other.exitCode == 0, "\(other)")
        let outcome = try Program.run(
            ["plot", "tiny", "--publish", "--format", "png,svg", "--quiet"], in: folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        #expect(try bytes(folder.file("runs/tiny/summary.csv")) == table)
        #expect(try bytes(folder.file("plots/tiny/summary.csv")) == table)
        let names = Set(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("plots/tiny")))
        for name in ["polynomial-error-vs-context", "polynomial-training-loss"] {
            #expect(names.isSuperset(of: ["\(name).png", "\(name).svg", "\(name).json"]))
        }
        // The pictures are also where TensorBoard looks.
        let events = try EventFile.paths(in: folder.file("runs/tiny/plots"))
            .flatMap { try EventReader.read($0) }
        let tags = events.flatMap(\.values).map(\.tag)
        #expect(tags.contains("polynomial-error-vs-context") && tags.count == 7)
    }

    @Test func aPicturesSidecarLeadsBackToItsRuns() throws {
        let (folder, run) = try finished()
        let path = folder.file("runs/tiny/plots/polynomial-error-vs-context.json")
        let sidecar = try json(String(contentsOfFile: path, encoding: .utf8))
        let metadata = try #require(try run.metadata())
        let sources = try #require(sidecar["runs"]?.arrayValue)
        #expect(sources.count == 2)
        let source = try #require(sources.last)
        #expect(source["run"]?.stringValue == "tiny/\(run.name)")
        #expect(source["hash"]?.stringValue == metadata.hash)
        #expect(source["commit"]?.stringValue == metadata.provenance.gitCommit)
        #expect(sidecar["commit"]?.stringValue?.count == 40)
        let data = try bytes(folder.file("runs/tiny/summary.csv"))
        #expect(sidecar["data_sha256"]?.stringValue == sha256Hex(data))
        #expect(sidecar["command"] == "sandbox sweep -f tiny.yaml --quiet")
    }

    @Test func leavesOutWhatIsNotFinished() throws {
        let (folder, run) = try finished()
        var metadata = try #require(try run.metadata())
        metadata.become(.interrupted, at: Date())
        try run.write(metadata)
        let outcome = try Program.run(["plot", "runs/tiny/"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errors.hasPrefix("note: 1 of 2 runs are not finished and not shown\n"))
        #expect(!outcome.output.contains("polynomial  cft"))
        let missing = try Program.run(["plot", "nowhere"], in: folder.path)
        #expect(
            missing.exitCode == 64 && missing.errors.contains("nowhere"), "\(missing)")
    }
}

/// What the README shows must be what the program takes.
@Suite struct ReadmeTests {
    @Test func itsSweepFileIsAccepted() throws {
        let readme = try String(contentsOfFile: Program.package + "/README.md", encoding: .utf8)
        let block = try #require(readme.components(separatedBy: "```yaml\n").last)
        let yaml = try #require(block.components(separatedBy: "```").first)
        let folder = try TemporaryDirectory()
        #expect(readme.contains("`sandbox sweep -f sweeps/drawn.yaml`"))
        try folder.write(yaml, to: "sweeps/drawn.yaml")
        try FileManager.default.copyItem(
            atPath: Program.package + "/sweeps/base", toPath: folder.file("sweeps/base"))
        let outcome = try Program.run(["validate", "sweeps/drawn.yaml"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.output.hasPrefix("sweeps/drawn.yaml: ok, "))
        // 12 draws and three seeds, without those that the file excludes.
        let listed = try Program.run(
            ["sweep", "-f", "sweeps/drawn.yaml", "--dry-run", "--json"], in: folder.path)
        let runs = try #require(json(listed.output).arrayValue).compactMap {
            $0["run"]?.stringValue
        }
        .filter { $0.hasPrefix("drawn/") }
        #expect(runs.count % 3 == 0 && runs.count > 0 && runs.count < 36)
        #expect(!runs.contains { $0.hasPrefix("drawn/cpt-500-") })
        #expect(runs.contains { $0.hasPrefix("drawn/cft-") })
    }
}
