import Foundation
import TestSupport
import Testing

/// Bad input and bad luck: each row of the tables ends in one sentence that names the file and the cure, with the
/// right exit status, and leaves what was written before as it was.
@Suite(.finishedSweep) struct BadInputTests {
    @Test(arguments: BadInput.texts) func textThatIsNoConfiguration(_ row: BadInput) throws {
        try check(row)
    }

    @Test(arguments: BadInput.values) func valuesThatMakeNoSense(_ row: BadInput) throws {
        try check(row)
    }

    @Test(arguments: BadInput.bases) func basesThatDoNotFit(_ row: BadInput) throws {
        try check(row)
    }

    @Test(arguments: BadInput.runs) func runsThatAreDamaged(_ row: BadInput) throws {
        try check(row)
    }

    @Test(arguments: BadInput.cures) func curesThatWork(_ row: BadInput) throws {
        try check(row)
    }

    @Test(arguments: BadInput.outputs) func placesThatCannotBeWritten(_ row: BadInput) throws {
        try check(row)
    }

    @Test(arguments: BadInput.divergences) func lossesThatAreNoNumbers(_ row: BadInput) throws {
        try check(row)
    }

    @Test(arguments: BadInput.models) func modelsThatAreDamaged(_ row: BadInput) throws {
        try check(row)
    }

    /// An evaluation follows from the weights, so it is measured again, to the same bytes.
    @Test func aDamagedEvaluationIsMeasuredAgain() throws {
        let folder = try SpoiledFolder(copyOf: try #require(FinishedSweep.current))
        let name = "{cpt}/evaluations/step_30/cft.standard.safetensors"
        let whole = try bytes(folder.path(name))
        let table = try bytes(folder.path("runs/tiny/summary.csv"))
        try folder.cut(name, to: 100)
        let outcome = try Program.run(
            ["sweep", "-f", "tiny.yaml", "--quiet"], in: folder.folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        #expect(try bytes(folder.path(name)) == whole)
        #expect(try bytes(folder.path("runs/tiny/summary.csv")) == table)
    }

    private func check(_ row: BadInput) throws {
        let folder = try SpoiledFolder(copyOf: try #require(FinishedSweep.current))
        try row.prepare(folder)
        let before = try FolderSnapshot(folder.folder.path)
        let outcome = try Program.run(
            row.arguments.map(folder.filled), in: folder.folder.path, limits: row.limits)
        let errors = outcome.errors
        #expect(outcome.exitCode == row.status, "\(outcome)")
        #expect(
            errors.hasPrefix("error: ") && errors.hasSuffix("\n")
                && errors.count { $0 == "\n" } == 1 && errors.count < 1000, "\(outcome)")
        for text in row.says.map(folder.filled) {
            #expect(errors.contains(text), "\(text) is not in \(errors)")
        }
        #expect(
            row.cures.isEmpty || row.cures.contains { errors.contains($0) },
            "none of \(row.cures) is in \(errors)")
        #expect(!errors.contains("-nan"), "\(errors)")
        let allowed = row.allowed.map(folder.filled)
        let after = try FolderSnapshot(folder.folder.path)
        // Writing the same bytes again damages nothing; who takes a lock writes its process's number into the file.
        let changes = after.changes(since: before).filter { path in
            after.files[path]?.contents != before.files[path]?.contents
                && !path.hasSuffix("lock") && !allowed.contains { path.contains($0) }
        }
        #expect(changes == [], "\(outcome)")
    }
}
