import Experiments
import Foundation
import TestSupport
import Testing

/// `--publish` puts one publication in the place of another.
@Suite struct PublicationTests {
    private static let curves = Fixture.directory + "/../../plots/published/choi2025.json"

    /// A trained sweep whose publication has a picture of another format and one beside published curves, and whose
    /// folder holds what others left there.
    private func published() throws -> TemporaryDirectory {
        let folder = try tinyFolder()
        let trained = try Program.run(["sweep", "-f", "tiny.yaml", "--quiet"], in: folder.path)
        #expect(trained.exitCode == 0, "\(trained)")
        let outcome = try Program.run(
            ["plot", "tiny", "--publish", "--format", "png,svg", "--published", Self.curves],
            in: folder.path)
        #expect(outcome.exitCode == 0 && !outcome.output.contains("removed"), "\(outcome)")
        return folder
    }

    private func sidecar(_ runs: String...) -> String {
        let runs = runs.map { #"{"run":"\#($0)"}"# }.joined(separator: ",")
        return #"{"data":"summary.csv","runs":[\#(runs)]}"#
    }

    private func names(_ folder: TemporaryDirectory) throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.file("plots/tiny")))
    }

    @Test func whatIsNotDrawnAnyMoreGoes() throws {
        let folder = try published()
        let before = try names(folder)
        #expect(
            before.isSuperset(of: [
                "polynomial-published.png", "polynomial-published.svg", "polynomial-published.json",
            ]))
        let stale = [
            "polynomial-old.pdf": "", "polynomial-old.json": sidecar("tiny/cpt-s0", "tiny/cft-s0"),
            "base-old.png": "", "base-old.json": sidecar("bases/old"), "parameters.csv": "run\n",
        ]
        let others = [
            "mine.png": "", "mine.json": "{", "notes.json": #"{"data": "summary.csv"}"#,
            "empty.png": "", "empty.json": sidecar(), "README.md": "",
            "small-old.png": "", "small-old.json": sidecar("tiny-small/cpt-s0"),
        ]
        for (name, text) in stale.merging(others, uniquingKeysWith: { $1 }) {
            try folder.write(text, to: "plots/tiny/\(name)")
        }
        let outcome = try Program.run(["plot", "tiny", "--publish"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let gone = before.filter { $0.hasSuffix(".svg") || $0.contains("-published.") }
            .union(stale.keys)
        #expect(gone.count > 8)
        #expect(try names(folder) == before.subtracting(gone).union(others.keys))
        for name in gone {
            let line = "removed plots/tiny/\(name), left by an earlier --publish\n"
            #expect(outcome.output.contains(line), "\(outcome.output)")
        }
        let again = try Program.run(["plot", "tiny", "--publish", "--json"], in: folder.path)
        #expect(try json(again.output)["removed"]?.arrayValue == [])
    }

    /// What is stale goes last: a publication that does not come to its end removes nothing.
    @Test func anUnfinishedPublicationRemovesNothing() throws {
        let folder = try published()
        let picture = folder.file("plots/tiny/polynomial-training-loss.png")
        try FileManager.default.removeItem(atPath: picture)
        try folder.write("", to: "plots/tiny/polynomial-training-loss.png/in-the-way")
        let before = try names(folder)
        let outcome = try Program.run(["plot", "tiny", "--publish"], in: folder.path)
        #expect(outcome.exitCode == 1 && outcome.errors.contains("training-loss"), "\(outcome)")
        #expect(try names(folder) == before)
    }
}
