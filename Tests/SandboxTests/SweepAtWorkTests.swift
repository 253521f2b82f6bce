import Experiments
import Foundation
import TestSupport
import Testing

/// What else may be asked for while a sweep is at work, and what processes that were killed early leave.
@Suite struct SweepAtWorkTests {
    private func sweep(_ more: String...) -> [String] {
        ["sweep", "-f", "tiny.yaml", "--quiet"] + more
    }

    private func runs(_ folder: TemporaryDirectory) throws -> [CatalogedRun] {
        try RunCatalog(root: folder.file("runs")).runs().filter { $0.sweep == "tiny" }
    }

    @Test func aSweepAtWorkIsNotRemoved() throws {
        let folder = try tinyFolder("steps: 40", "steps: 400000")
        let child = try Program.start(["sweep", "-f", "tiny.yaml"], in: folder.path)
        try child.wait(timeout: 60) { $0.errors.contains("pretraining linear-") }
        let before = try FolderSnapshot(folder.file("runs/tiny"))
        for flag in ["--dry-run", "--yes"] {
            let outcome = try Program.run(["runs", "rm", "tiny", flag], in: folder.path)
            #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
            #expect(
                outcome.errors
                    == "error: the sweep 'runs/tiny' stays: process \(child.identifier) works on it; wait for it or "
                    + "stop it; nothing was removed\n")
        }
        #expect(try FolderSnapshot(folder.file("runs/tiny")).changes(since: before) == [])
        child.send(signal: SIGINT)
        #expect(try child.wait(timeout: 60).exitCode == 75)
        let removed = try Program.run(["runs", "rm", "tiny", "--yes"], in: folder.path)
        #expect(removed.output == "removed runs/tiny\n", "\(removed)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("runs/tiny")))
    }

    /// Of two requests under one name the last to end has the folder: its runs, its table.
    @Test func tableAndManifestBelongTogether() throws {
        let folder = try tinyFolder()
        #expect(try Program.run(sweep("--layouts", "cpt"), in: folder.path).exitCode == 0)
        let slow = try Program.start(
            sweep("--layouts", "cft", "training.steps=20000"), in: folder.path)
        try slow.wait(timeout: 60) { _ in
            try runs(folder).contains { $0.metadata?.status == .running }
        }
        let quick = try Program.run(sweep("--layouts", "neg-cft"), in: folder.path)
        #expect(quick.exitCode == 0, "\(quick)")
        let outcome = try slow.wait(timeout: 120)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let directory = SweepDirectory(path: folder.file("runs/tiny"))
        let manifest = try #require(try directory.manifest())
        let table = try CSVTable.read(directory.summaryPath)
        let column = try #require(table.header.firstIndex(of: "run"))
        let shown = Set(table.rows.map { $0[column] }.filter { $0.hasPrefix("s0-") })
        #expect(manifest.trials.map(\.status) == [.finished])
        #expect(shown == Set(manifest.trials.map(\.run)))
        #expect(manifest.overrides.contains("training.steps=20000"))
        #expect(
            try String(contentsOfFile: directory.summaryPath, encoding: .utf8).contains(",20000,"))
    }

    @Test func aNewerManifestStaysAndADamagedOneIsReplaced() throws {
        let folder = try tinyFolder()
        let newer = "{\"format_version\": 3, \"trials\": 7}\n"
        try folder.write(newer, to: "runs/tiny/manifest.json")
        let refused = try Program.run(sweep(), in: folder.path)
        #expect(refused.exitCode == 1 && refused.output == "", "\(refused)")
        #expect(
            refused.errors
                == "error: 'runs/tiny/manifest.json' has format version 3, newer than 2, the newest this program "
                + "reads; use a newer sandbox\n")
        #expect(try bytes(folder.file("runs/tiny/manifest.json")) == Data(newer.utf8))
        #expect(!FileManager.default.fileExists(atPath: folder.file("runs/tiny/sweep.yaml")))
        try folder.write(String(newer.prefix(9)), to: "runs/tiny/manifest.json")
        let replaced = try Program.run(sweep(), in: folder.path)
        #expect(replaced.exitCode == 0, "\(replaced)")
    }

    /// A child that is killed before it has begun must not pass for one that has restarted its run.
    @Test func aChildKilledAtBirthIsReplaced() throws {
        let folder = try tinyFolder("steps: 30\n", "steps: 300\n")
        #expect(try Program.run(sweep(), in: folder.path).exitCode == 0)
        // Processes, because times are whole seconds.
        func processes() throws -> [[Int]] {
            try runs(folder).map {
                try #require($0.metadata).sessions.map(\.provenance.processIdentifier)
            }
        }
        let before = try processes()
        let parent = try Program.start(
            ["sweep", "-f", "tiny.yaml", "--restart", "--jobs", "2"], in: folder.path)
        let list = "/proc/\(parent.identifier)/task/\(parent.identifier)/children"
        let deadline = Date(timeIntervalSinceNow: 30)
        var born: Int32?
        while born == nil, Date() < deadline {
            let text = try? String(contentsOfFile: list, encoding: .utf8)
            born = text?.split(separator: " ").first.flatMap { Int32($0) }
        }
        kill(try #require(born), SIGKILL)
        let outcome = try parent.wait(timeout: 60)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errors.contains("ended too early; its work is done here"), "\(outcome)")
        let after = try processes()
        #expect(before.count == 2 && after.count == 2)
        for (old, new) in zip(before, after) {
            #expect(Set(old).isDisjoint(with: new) && new.count == 1)
        }
    }

    /// Killed while the old run was being deleted: nothing of it goes into the new one.
    @Test func aRestartKilledWhileItClearsBeginsFromNothing() throws {
        let folder = try tinyFolder("values: [cpt, cft]", "value: cft")
        #expect(try Program.run(sweep(), in: folder.path).exitCode == 0)
        let run = try #require(try runs(folder).first).directory
        // So many files that the old checkpoint, which comes after them, is met by the signal.
        for index in 0..<20_000 {
            let path = "\(run.checkpointsPath)/many/\(index)"
            if index == 0 { try folder.write("", to: "runs/tiny/\(run.name)/checkpoints/many/0") }
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
        }
        let child = try Program.start(sweep("--restart"), in: folder.path)
        try child.wait(timeout: 60) { _ in
            !FileManager.default.fileExists(atPath: run.metadataPath)
        }
        child.send(signal: SIGKILL)
        #expect(try child.wait(timeout: 60).signal == SIGKILL)
        #expect(try run.latestCheckpointStep() == 30, "the signal came too late")
        let listed = try Program.run(["runs", "ls", "tiny"], in: folder.path)
        #expect(listed.exitCode == 0 && listed.output.contains(run.name), "\(listed)")
        let plain = try Program.run(sweep(), in: folder.path)
        #expect(plain.exitCode == 0, "\(plain)")
        let metadata = try #require(try run.metadata())
        #expect(metadata.status == .finished && metadata.sessions.map(\.step) == [0])
        let names = try FileManager.default.contentsOfDirectory(atPath: run.checkpointsPath)
        #expect(Set(names) == ["latest", "step_0000000030"])
        let all = try FileManager.default.contentsOfDirectory(atPath: run.path)
        #expect(!all.contains("metadata.json.clearing"))
    }
}
