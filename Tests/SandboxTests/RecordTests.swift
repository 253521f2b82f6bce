import Experiments
import Foundation
import TestSupport
import Testing

/// A run's records: nothing else is written into them, what is damaged is found, what can be written anew is.
@Suite(.finishedSweep) struct RecordTests {
    private let sweep = ["sweep", "-f", "tiny.yaml", "--quiet"]

    private func spoiled() throws -> SpoiledFolder {
        try SpoiledFolder(copyOf: try #require(FinishedSweep.current))
    }

    private func run(
        _ arguments: [String], in folder: SpoiledFolder
    ) throws -> ChildProcess.Outcome {
        try Program.run(arguments.map(folder.filled), in: folder.folder.path)
    }

    /// Changes one byte in the middle of a file.
    private func flip(_ path: String) throws {
        var data = try bytes(path)
        data[data.count / 2] ^= 0x10
        try data.write(to: URL(fileURLWithPath: path))
    }

    /// Files take the place of closed streams, and progress would be written into them.
    @Test(arguments: ["1", "2"]) func closedStreamsLeaveTheRecordsAlone(_ jobs: String) throws {
        let folder = try tinyFolder()
        let outcome = try Program.run(
            ["sweep", "-f", "tiny.yaml", "--jobs", jobs], in: folder.path,
            limits: "exec <&- >&- 2>&-")
        #expect(outcome.exitCode == 0, "\(outcome)")
        let checked = try Program.run(["validate", "runs/tiny", "runs/bases"], in: folder.path)
        #expect(checked.exitCode == 0, "\(checked)")
        let table = try String(
            contentsOfFile: folder.file("runs/tiny/summary.csv"), encoding: .utf8)
        #expect(table.hasPrefix("sweep,run,base,"))
    }

    // MARK: Event files

    @Test func theCureOfADamagedEventFileWorks() throws {
        let folder = try spoiled()
        let events = try #require(try EventFile.paths(in: folder.path("{cft}")).first)
        let weights = folder.path("{cft}/checkpoints/step_0000000030/model.safetensors")
        let before = try bytes(weights)
        try flip(events)
        let checked = try run(["validate", "{cft}", events], in: folder)
        #expect(checked.exitCode == 1 && checked.errors.split(separator: "\n").count == 2)
        #expect(checked.errors.contains("is damaged at byte "), "\(checked)")
        try folder.interrupt("{cft}")
        let refused = try run(sweep, in: folder)
        let cure = "delete the folder '\(folder.filled("{cft}"))' and ask for the run again"
        #expect(refused.exitCode == 1 && refused.errors.contains(cure), "\(refused)")
        try folder.remove("{cft}")
        let cured = try run(sweep, in: folder)
        #expect(cured.exitCode == 0, "\(cured)")
        #expect(try run(["validate", "{cft}"], in: folder).exitCode == 0)
        #expect(try bytes(weights) == before)
    }

    @Test func aDamagedCurveIsFoundAndDrawnAgain() throws {
        let folder = try spoiled()
        let curve = folder.path("{cft}/curves/cft.standard")
        let file = try #require(try EventFile.paths(in: curve).first)
        let before = try EventReader.read(file).map(\.values)
        try flip(file)
        let checked = try run(["validate", "{cft}"], in: folder)
        #expect(checked.exitCode == 1 && checked.errors.contains("curves/cft.standard/"))
        for _ in 0..<2 {
            let outcome = try run(["eval", "{cft}"], in: folder)
            #expect(outcome.exitCode == 0, "\(outcome)")
            let files = try EventFile.paths(in: curve)
            #expect(try files.map { try EventReader.read($0).map(\.values) } == [before])
            #expect(try run(["validate", "{cft}"], in: folder).exitCode == 0)
            // Lost altogether, the next time.
            try folder.remove("{cft}/curves")
        }
    }

    // MARK: Evaluations

    @Test func lostEvaluationRecordsAreWrittenAgain() throws {
        let folder = try spoiled()
        let name = "{cft}/evaluations.jsonl"
        #expect(try run(["eval", "{cft}", "--examples", "50"], in: folder).exitCode == 0)
        let records = try recordsWithoutTimes(folder.path(name)).sorted()
        #expect(records.count == 6)
        for verb in [["eval", "{cft}"], sweep, ["plot", "tiny"]] {
            try folder.remove(name)
            let found = try run(["validate", "{cft}"], in: folder)
            #expect(
                found.exitCode == 1 && found.errors.contains("lacks 6 of the 6 measurements"),
                "\(found)")
            let outcome = try run(verb, in: folder)
            #expect(outcome.exitCode == 0, "\(outcome)")
            #expect(try recordsWithoutTimes(folder.path(name)).sorted() == records)
            #expect(try run(["validate", "{cft}"], in: folder).exitCode == 0)
        }
        // A line that nobody can read is not thrown away unasked; the cure is followed.
        try folder.patch(name, "{", "[")
        let refused = try run(sweep, in: folder)
        #expect(refused.exitCode == 1 && refused.errors.contains("; delete it: what it lists"))
        try folder.remove(name)
        #expect(try run(sweep, in: folder).exitCode == 0)
        #expect(try recordsWithoutTimes(folder.path(name)).sorted() == records)
        // What is complete is left alone.
        let before = try FolderSnapshot(folder.path("{cft}"))
        #expect(try run(sweep, in: folder).exitCode == 0)
        #expect(try FolderSnapshot(folder.path("{cft}")).changes(since: before) == [])
    }

    @Test func laterMeasurementsAreShownAndExported() throws {
        let folder = try spoiled()
        let first = try run(["export", "csv", "{cft}"], in: folder)
        // As many prompts as the first time, but others.
        for options in [["--examples", "50"], ["--seed", "7"]] {
            #expect(try run(["eval", "{cft}"] + options, in: folder).exitCode == 0)
        }
        let table = try CSVTable(
            text: try run(["export", "csv", "{cft}"], in: folder).output, source: "output")
        let earlier = try CSVTable(text: first.output, source: "output")
        #expect(table.header.last == "evaluation")
        #expect(Array(table.rows.prefix(15)) == Array(earlier.rows.prefix(15)))
        let measured = table.rows.filter { $0[9] == "squared_error" }
        #expect(measured.count == 3 * earlier.rows.count { $0[9] == "squared_error" })
        #expect(measured.count { $0[17] == "50" && $0[8] == "standard" } == 15)
        let kinds = Set(measured.map { [$0[7], $0[17], $0[18]] })
        #expect(kinds.count == 9 && kinds.allSatisfy { $0[2].count == 8 })
        let shown = try run(["runs", "show", "{cft}", "--json"], in: folder)
        let evaluations = try #require(try json(shown.output)["evaluations"]?.arrayValue)
        #expect(evaluations.count == 9)
        #expect(evaluations.count { $0["examples"] == 50 && $0["prompt"] == "standard" } == 3)
        // The public form has one place for a layout: what was measured first.
        let metrics = try run(["export", "metrics-json", "{cft}"], in: folder)
        #expect(try json(metrics.output)["standard"]?["zero"] != nil)
        #expect(try run(["runs", "diff", "{cft}", "{cpt}", "--json"], in: folder).exitCode == 0)
    }

    @Test func aDamagedEvaluationHasOneCure() throws {
        let folder = try spoiled()
        let name = folder.filled("{cft}/evaluations/step_30/cft.standard.safetensors")
        try flip(folder.path(name))
        for arguments in [["validate", "{cft}"], ["runs", "show", "{cft}"]] {
            let outcome = try run(arguments, in: folder)
            #expect(outcome.exitCode == 1 && outcome.errors.contains(name), "\(outcome)")
            #expect(
                outcome.errors.hasSuffix("; delete it: the same sweep measures it again\n")
                    && outcome.errors.count { $0 == ";" } == 1, "\(outcome)")
        }
        try folder.remove(name)
        #expect(try run(sweep, in: folder).exitCode == 0)
        #expect(try run(["validate", "{cft}"], in: folder).exitCode == 0)
    }

    @Test func validateDoesNotWaitForAPipe() throws {
        let folder = try TemporaryDirectory()
        _ = try TestSupport.run("mkfifo", [folder.file("pipe")])
        let outcome = try Program.run(["validate", "pipe"], in: folder.path, limits: ":")
        #expect(outcome.exitCode == 64, "\(outcome)")
        #expect(
            outcome.errors == "'pipe' is a pipe or a device; name a file or a folder\n",
            "\(outcome)")
    }
}
