import Foundation
import TestSupport
import Testing

/// The help of every verb, frozen in Tests/Fixtures/help.
///
/// `SANDBOX_WRITE_HELP=1 swift test … --filter HelpTests` writes the files anew.
@Suite struct HelpTests {
    static let verbs = [
        [], ["sweep"], ["train"], ["eval"], ["eval", "run"], ["eval", "baselines"], ["plot"],
        ["claims"], ["report"], ["forward"], ["import"], ["import", "garg"],
        ["export"], ["export", "garg"],
        ["export", "csv"], ["export", "metrics-json"], ["runs"], ["runs", "ls"], ["runs", "show"],
        ["runs", "diff"], ["runs", "rm"], ["validate"], ["text"],
        ["text", "tokenize"], ["text", "tokenizer"], ["text", "tokenizer", "train"],
        ["text", "train"],
        ["text", "merge"], ["text", "init"], ["text", "forward"], ["text", "generate"], ["bench"],
        ["bench", "machine"],
        ["bench", "step"], ["bench", "kernels"], ["bench", "eval"], ["bench", "tokenize"],
        ["bench", "text"], ["bench", "tune"],
    ]

    private func help(_ verb: [String]) throws -> String {
        let outcome = try Program.run(verb + ["--help"], in: Program.package)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        return outcome.output
    }

    @Test(arguments: verbs) func isAsItWas(_ verb: [String]) throws {
        let found = try help(verb)
        let name = "help/" + (verb.isEmpty ? "sandbox" : verb.joined(separator: "-")) + ".txt"
        if ProcessInfo.processInfo.environment["SANDBOX_WRITE_HELP"] == "1" {
            try FileManager.default.createDirectory(
                atPath: Fixture.path("help"), withIntermediateDirectories: true)
            try Data(found.utf8).write(to: URL(fileURLWithPath: Fixture.path(name)))
        }
        #expect(found == String(decoding: try Fixture.data(name), as: UTF8.self))
    }

    @Test(arguments: verbs) func showsAnExampleOfItself(_ verb: [String]) throws {
        let lines = try help(verb).split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        let title = try #require(lines.firstIndex { $0 == "Example:" || $0 == "Examples:" })
        #expect(lines[title + 1].hasPrefix((["sandbox"] + verb).joined(separator: " ")))
    }

    @Test(arguments: verbs) func tellsItsExitStatus(_ verb: [String]) throws {
        #expect(try help(verb).contains("Exit status: 0 "))
    }

    @Test func everyVerbIsListed() throws {
        let listed = try help([]).components(separatedBy: "SUBCOMMANDS:\n").last?
            .split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }
            .compactMap { $0.split(separator: " ").first.map(String.init) }
        #expect(
            listed?.filter { $0 != "See" } == [
                "sweep", "train", "eval", "plot", "claims", "report", "runs", "validate", "forward",
                "import", "export", "text", "bench",
            ])
    }

    /// Each example of `sweep` is a command that this program takes.
    @Test func examplesOfSweepWork() throws {
        let folder = try TemporaryDirectory()
        let examples = try help(["sweep"]).split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }.filter { $0.hasPrefix("sandbox sweep ") }
        #expect(examples.count == 4)
        for example in examples {
            let arguments = example.split(separator: " ").dropFirst().map(String.init)
            let dry = arguments.filter { $0 != "--dry-run" } + ["--dry-run", "--runs", folder.path]
            let outcome = try Program.run(dry, in: Program.package)
            #expect(outcome.exitCode == 0 && outcome.errors == "", "\(example): \(outcome)")
        }
    }

    @Test func tellsItsVersion() throws {
        let outcome = try Program.run(["--version"], in: Program.package)
        let parts = outcome.output.trimmingCharacters(in: .newlines).split(separator: ".")
        #expect(outcome.exitCode == 0 && parts.count == 3 && parts.allSatisfy { Int($0) != nil })
    }
}
