import Experiments
import Foundation
import TestSupport
import Testing

/// A project with runs made by hand under `runs`, and what else lies about in such a folder.
private struct Project {
    let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        for run in ["bases/linear-s0-c7744882", "tiny/cft-s0-1affffff", "tiny/cpt-s0-1a2b3c4d"] {
            try folder.write(
                run.hasPrefix("bases") ? Self.base : Self.run, to: "runs/\(run)/metadata.json")
            try folder.write("layout: cpt\n", to: "runs/\(run)/config.yaml")
            try folder.write("", to: "runs/\(run)/lock")
        }
        try folder.write(Self.manifest, to: "runs/tiny/manifest.json")
        try folder.write("x", to: "runs/tiny/sweep.yaml")
        try folder.write("x", to: "runs/tiny/plots/a.png")
        try folder.write("x", to: "runs/tiny/report.html")
        // Folders that only resemble runs and sweeps.
        try folder.write("x", to: "victim/child/config.yaml")
        try folder.write("", to: "victim/other/lock")
        try folder.write("{}", to: "victim/data/metadata.json")
        try folder.write("x", to: "runs/notes/child/config.yaml")
        try folder.write("", to: "runs/lone/child/lock")
    }

    static func metadata(base: String) -> String {
        """
        {"format_version": 1, "status": "finished", "created": "2026-11-22T16:00:00Z", "sandbox_version": "0.1.0",
         "libraries": {}, "hash": "1a", "base": \(base), "sessions": [], "provenance": {"host": "h", "cpu": "c",
         "architecture": "a", "cores": 2, "argv": ["sandbox"], "pid": 1, "date": "2026-11-22T16:00:00Z"}}
        """
    }
    static let base = metadata(base: "null")
    static let run = metadata(base: "\"linear-s0-c7744882\"")
    static let manifest = """
        {"format_version": 1, "name": "tiny", "file": "tiny.yaml", "overrides": [], "evaluate": {}, "trials": [
         {"run": "cft-s0-1affffff", "hash": "1a", "seed": 0, "varying": [], "status": "finished"}]}
        """

    func run(_ arguments: [String]) throws -> ChildProcess.Outcome {
        try Program.run(["runs"] + arguments, in: folder.path, environment: ["HOME": folder.path])
    }

    func rm(_ arguments: String...) throws -> ChildProcess.Outcome {
        try run(["rm", "--yes"] + arguments)
    }

    func has(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: folder.file(name))
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.file(name), withDestinationPath: target)
    }

    func files() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
    }
}

@Suite struct RunRemovalTests {
    /// Everything here is asked for with --dry-run first: the refusal must not hang on the removing.
    @Test(arguments: [
        ("/", "lies outside 'runs'"), (".", "is the folder that holds the runs, and stays"),
        ("runs", "is the folder that holds the runs"), ("..", "lies outside"),
        ("victim", "lies outside 'runs'"), ("victim/child", "lies outside"),
        ("victim/data", "lies outside"), ("tiny/../../victim", "lies outside"),
        ("notes", "is neither a run"), ("lone", "is neither a run"),
        ("lone/child", "is neither a run"), ("notes/child", "is neither a run"),
        ("tiny/plots", "is neither a run"), ("tiny/manifest.json", "is neither a run"),
        ("loose", "is no sweep's folder"), ("", "is no run or sweep"), ("tniy", "nearest: tiny,"),
    ])
    func refusesWhatIsNoRunAndNoSweep(argument: String, message: String) throws {
        let project = try Project()
        try project.folder.write(Project.run, to: "runs/loose/a-s0-00000001/metadata.json")
        let before = try project.files()
        for flags in [["--dry-run"], ["--yes"]] where flags != ["--yes"] || argument != "/" {
            let outcome = try project.run(["rm", argument] + flags)
            #expect(outcome.exitCode == 64 && outcome.output == "", "\(outcome)")
            #expect(outcome.errors.contains(message), "\(outcome)")
            #expect(outcome.errors.split(separator: "\n").count == 1)
        }
        #expect(try project.files() == before)
    }

    /// Listing and showing take any unambiguous beginning; what is deleted must be meant.
    @Test(arguments: ["c", "c77", "bases/c77", "1af", "tiny/1AF"])
    func aFewDigitsRemoveNothing(argument: String) throws {
        let project = try Project()
        let before = try project.files()
        let outcome = try project.rm(argument)
        #expect(outcome.exitCode == 64 && outcome.output == "", "\(outcome)")
        #expect(outcome.errors.contains("is too short to remove a run by (it would be "))
        #expect(outcome.errors.hasSuffix("give at least 4 digits of its hash, or its name\n"))
        #expect(try project.files() == before)
        #expect(try project.run(["show", argument, "--json"]).exitCode == 0)
    }

    @Test func theFoldersOneStandsInStay() throws {
        let project = try Project()
        // The project is a sweep of the folder above, and the home folder.
        try project.folder.write("x", to: "sweep.yaml")
        let before = try project.files()
        let above = (project.folder.path as NSString).deletingLastPathComponent
        let own = (project.folder.path as NSString).lastPathComponent
        let here = try project.run(["rm", own, "--runs", above, "--dry-run"])
        #expect(here.exitCode == 64 && here.errors.contains("holds the working directory"))
        let home = try Program.run(
            ["runs", "rm", own, "--runs", above, "--dry-run"], in: "/",
            environment: ["HOME": project.folder.path])
        #expect(home.exitCode == 64 && home.errors.contains("holds the home folder"), "\(home)")
        #expect(try project.files() == before)
    }

    @Test func whatIsBelowTheRootComesFirst() throws {
        let project = try Project()
        try project.folder.write(Project.manifest, to: "tiny/manifest.json")
        let outcome = try project.rm("tiny")
        #expect(outcome.exitCode == 0 && outcome.output.hasSuffix("removed runs/tiny\n"))
        #expect(project.has("tiny/manifest.json") && !project.has("runs/tiny"))
        #expect(project.has("runs/bases") && project.has("runs/notes/child/config.yaml"))
        // By a path from the working directory, and of a root that is a link.
        try project.link("linked", to: "runs")
        let base = try project.rm("linked/bases/linear-s0-c7744882", "--runs", "linked")
        #expect(base.exitCode == 0 && !project.has("runs/bases/linear-s0-c7744882"), "\(base)")
    }

    @Test func foreignFilesStay() throws {
        let project = try Project()
        for name in ["notes.md", "notebook/a.ipynb", "a.removed-by-me", "z"] {
            try project.folder.write("x", to: "runs/tiny/\(name)")
        }
        try project.folder.write("x", to: "runs/tiny/cft-s0-00000009.removed-999999999/lock")
        try project.folder.write("", to: "runs/tiny/cft-s0-00000008/lock")
        let line =
            "'runs/tiny' stays: it also holds a.removed-by-me, notebook, notes.md and 1 more\n"
        let dry = try project.run(["rm", "tiny", "--dry-run"])
        #expect(dry.exitCode == 0 && dry.output.hasSuffix("\n" + line), "\(dry)")
        #expect(!dry.output.contains("would remove runs/tiny\n") && project.has("runs/tiny/plots"))
        let unasked = try project.run(["rm", "tiny"])
        #expect(unasked.exitCode == 64 && unasked.errors.contains("the files of tiny"))
        #expect(unasked.errors.contains("it also holds a.removed-by-me"))
        let asked = try Program.onATerminal(["runs", "rm", "tiny"], in: project.folder.path)
        #expect(asked.output.contains("'runs/tiny' stays: it also holds a.removed-by-me"))
        let report = try json(project.run(["rm", "tiny", "--dry-run", "--json"]).output)
        #expect(report["kept"]?.arrayValue?.first?["holds"]?.arrayValue?.count == 4)
        let outcome = try project.rm("tiny")
        #expect(outcome.exitCode == 0 && outcome.output.hasSuffix("\n" + line), "\(outcome)")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: project.folder.file("runs/tiny"))
                .sorted() == ["a.removed-by-me", "notebook", "notes.md", "z"])
        #expect(project.has("runs/tiny/notebook/a.ipynb"))
    }

    @Test func foreignFilesOfARunAreNamedAndGo() throws {
        let project = try Project()
        let run = "runs/tiny/cft-s0-1affffff"
        try project.folder.write("x", to: "\(run)/notes.md")
        try project.folder.write("x", to: "\(run)/checkpoints/mine/a")
        try project.folder.write("x", to: "\(run)/checkpoints/step_0000000030/state.json")
        let dry = try project.run(["rm", "1AFF", "--dry-run"])
        #expect(
            dry.output == """
                would remove \(run)
                would remove \(run)/checkpoints/mine, which sandbox did not write
                would remove \(run)/notes.md, which sandbox did not write

                """)
        #expect(try project.rm("1aff").output == "removed \(run)\n" && !project.has(run))
    }

    @Test func linksStay() throws {
        let project = try Project()
        try FileManager.default.moveItem(
            atPath: project.folder.file("runs/tiny"), toPath: project.folder.file("store"))
        try project.link("runs/tiny", to: "../store")
        try project.folder.write("x", to: "runs/other/sweep.yaml")
        try project.link("runs/other/cft-s0-1affffff", to: "../../store/cft-s0-1affffff")
        try project.link("runs/gone", to: "nowhere")
        let before = try project.files()
        for (name, target) in [
            ("tiny", "../store"), ("tiny/", "../store"), ("runs/tiny", "../store"),
            ("tiny/.", "../store"), ("gone", "nowhere"), ("tiny/cpt-s0-1a2b3c4d", "../store"),
            ("other/cft-s0-1affffff", "../../store/cft-s0-1affffff"),
        ] {
            let outcome = try project.rm(name)
            #expect(outcome.exitCode == 64 && outcome.output == "", "\(outcome)")
            #expect(outcome.errors.contains(" a link to '\(target)'"), "\(outcome)")
            #expect(outcome.errors.contains("remove the link itself (rm '"), "\(outcome)")
        }
        #expect(try project.files() == before)
        // A link in a sweep's folder is not the program's.
        let sweep = try project.rm("other")
        #expect(sweep.output.contains("'runs/other' stays: it also holds cft-s0-1affffff\n"))
        #expect(project.has("store/cft-s0-1affffff/metadata.json"))
    }

    @Test(arguments: [["ls"], ["rm", "--yes", "1aff"]])
    func leftoversOfSweepsAreCleared(arguments: [String]) throws {
        let project = try Project()
        let dead = "999999999"
        try project.folder.write("x", to: "runs/old.removed-\(dead)/summary.csv")
        try project.folder.write("x", to: "runs/old.removed-\(dead)/cft-s0-00000001/run.log")
        // Not the program's, or a living process's.
        try project.folder.write("x", to: "runs/mine.removed-\(dead)/notes.md")
        try project.folder.write("x", to: "runs/alive.removed-\(getpid())/summary.csv")
        let dry = try project.run(["rm", "1aff", "--dry-run"])
        #expect(dry.exitCode == 0 && project.has("runs/old.removed-\(dead)"))
        #expect(try project.run(arguments).exitCode == 0)
        #expect(!project.has("runs/old.removed-\(dead)"))
        #expect(project.has("runs/mine.removed-\(dead)/notes.md"))
        #expect(project.has("runs/alive.removed-\(getpid())/summary.csv"))
    }

    @Test func aBaseGoesByForce() throws {
        let project = try Project()
        let refused = try project.rm("c7744882")
        #expect(refused.exitCode == 1 && refused.errors.contains("or give --force to remove the"))
        let forced = try project.rm("c7744882", "--force")
        #expect(forced.output == "removed runs/bases/linear-s0-c7744882\n", "\(forced)")
        let listed = try project.run(["ls"])
        #expect(listed.exitCode == 0 && listed.output.contains("tiny/cft-s0-1affffff  finished"))
    }

    @Test func aListHoldsOnlyRuns() throws {
        let project = try Project()
        let listed = try json(project.run(["ls", "--json"]).output).arrayValue ?? []
        #expect(listed.count == 3 && listed.allSatisfy { $0["status"] == "finished" })
        let top = try project.run(["ls", "/"])
        #expect(top.exitCode == 64 && top.output == "", "\(top)")
        #expect(try project.run(["ls", "victim", "--status", "damaged"]).output.contains("data"))
    }

    @Test func equalNamesAreToldApartByPath() throws {
        let folder = try tinyFolder()
        let swept = try Program.run(
            ["sweep", "-f", "tiny.yaml", "--quiet", "--layouts", "cft"], in: folder.path)
        #expect(swept.exitCode == 0, "\(swept)")
        try FileManager.default.copyItem(
            atPath: folder.file("runs"), toPath: folder.file("elsewhere"))
        let name = try #require(try RunCatalog(root: folder.file("runs")).runs().last).name
        let (a, b) = ("runs/tiny/\(name)", "elsewhere/tiny/\(name)")
        let text = try Program.run(["runs", "diff", a, b], in: folder.path)
        #expect(text.exitCode == 0 && text.output.hasPrefix("A  \(a)\nB  \(b)\n"), "\(text)")
        let same = try Program.run(
            ["runs", "diff", a, folder.file(a), "--json"], in: folder.path)
        #expect(try json(same.output)["b"]?.stringValue == "tiny/\(name)", "\(same)")
    }
}
