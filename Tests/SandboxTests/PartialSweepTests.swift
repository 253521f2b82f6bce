import Experiments
import Foundation
import TestSupport
import Testing

/// Sweeps of which some runs, or all, are not there or say nothing.
@Suite struct PartialSweepTests {
    private func sweep(_ more: String...) -> [String] {
        ["sweep", "-f", "tiny.yaml", "--quiet"] + more
    }

    @Test func theFinishedRunsAreDrawn() throws {
        let folder = try tinyFolder()
        #expect(try Program.run(sweep(), in: folder.path).exitCode == 0)
        let trials = try #require(
            try SweepDirectory(path: folder.file("runs/tiny")).manifest()?.trials)
        // The first has no folder any more, as one that is still to be begun has none.
        try FileManager.default.removeItem(atPath: folder.file("runs/tiny/\(trials[0].run)"))
        let outcome = try Program.run(["plot", "tiny"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errors == "note: 1 of 2 runs are not finished and not shown\n")
        #expect(
            outcome.output.contains("polynomial  cft") && !outcome.output.contains("omial  cpt"))
        try FileManager.default.removeItem(atPath: folder.file("runs/tiny/\(trials[1].run)"))
        try expectNothing(folder)
    }

    @Test func picturesTellUnequalNumbersOfSeeds() throws {
        let folder = try tinyFolder()
        #expect(try Program.run(sweep("--seeds", "2"), in: folder.path).exitCode == 0)
        let trials = try #require(
            try SweepDirectory(path: folder.file("runs/tiny")).manifest()?.trials)
        try FileManager.default.removeItem(atPath: folder.file("runs/tiny/\(trials[0].run)"))
        let outcome = try Program.run(["report", "tiny"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let page = ReportDocument(
            String(decoding: try bytes(folder.file("runs/tiny/report.html")), as: UTF8.self))
        #expect(
            page.all("img").contains { $0.attributes["alt"]?.contains("1–2 seeds") == true })
    }

    @Test func nothingIsDrawnFromABaseThatDiverged() throws {
        let folder = try tinyFolder(
            "{learning_rate: 1.0e-3}\ntraining", "{learning_rate: 1.0e30}\ntraining")
        let outcome = try Program.run(sweep(), in: folder.path)
        #expect(outcome.exitCode == 1, "\(outcome)")
        try expectNothing(folder)
    }

    private func expectNothing(_ folder: TemporaryDirectory) throws {
        let outcome = try Program.run(["plot", "tiny"], in: folder.path)
        #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
        #expect(
            outcome.errors
                == "error: 'runs/tiny' has no finished run; ask for the sweep again to train them\n"
        )
    }

    @Test func aLossThatNobodyMeasuredIsNoNumber() throws {
        let folder = try tinyFolder()
        let untrained = try Program.run(sweep("training.steps=0"), in: folder.path)
        #expect(untrained.exitCode == 0, "\(untrained)")
        let row = try #require(
            untrained.output.split(separator: "\n").first { $0.hasPrefix("polynomial  cft") })
        #expect(row.split(separator: " ")[3] == "–", "\(row)")
        let report = try json(
            Program.run(sweep("training.steps=0", "--json"), in: folder.path).output)
        let rows = try #require(report["rows"]?.arrayValue)
        #expect(rows.count == 2 && rows.allSatisfy { $0["loss"] == .null })
        #expect(report["failures"]?.arrayValue == [])
    }

    @Test func aProgramLearnsThatEveryRunFailed() throws {
        let folder = try tinyFolder()
        let outcome = try Program.run(
            sweep("--json", "training.optimizer.learning_rate=1.0e30"), in: folder.path)
        #expect(outcome.exitCode == 1, "\(outcome)")
        let report = try json(outcome.output)
        #expect(report["rows"]?.arrayValue == [] && report["written"]?.arrayValue == [])
        let failures = try #require(report["failures"]?.arrayValue)
        #expect(failures.count == 2)
        for failure in failures {
            #expect(failure["run"]?.stringValue?.hasPrefix("runs/tiny/") == true)
            #expect(failure["error"]?.stringValue?.contains("at step 2;") == true)
        }
    }

    @Test(arguments: [
        (["name="], "name is empty; give the sweep a name, or leave the key out"),
        (["--print-config", "--json"], "--print-config prints YAML; leave --json out"),
        (["exclude=[{layout: nope}]"], "exclude names 'nope', which layout never is (accepted"),
    ])
    func whatWouldBeIgnoredIsRefused(arguments: [String], sentence: String) throws {
        let folder = try tinyFolder()
        let outcome = try Program.run(
            ["sweep", "-f", "tiny.yaml"] + arguments, in: folder.path)
        #expect(outcome.exitCode == 64 && outcome.output == "", "\(outcome)")
        #expect(outcome.errors.contains(sentence), "\(outcome)")
        #expect(try folder.names() == ["tiny.yaml"])
    }
}
