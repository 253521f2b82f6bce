import Experiments
import Foundation
import Platform
import Testing

/// A folder of runs made by hand: names, states and links between them, without any training.
private struct RunsFolder {
    let folder: TemporaryFolder
    let root: String
    var catalog: RunCatalog { RunCatalog(root: root) }

    /// Two sweeps that share the hash `1a2b3c4d`, and the base of both.
    init() throws {
        folder = try TemporaryFolder()
        root = folder.path + "/runs"
        try add("bases/linear-s0-c7744882", base: nil)
        try add("first/cpt-s0-1a2b3c4d")
        try add("first/cft-s0-1affffff")
        try add("second/cpt-s0-1a2b3c4d")
        try add("second/neg-cft-s1-9e000001")
        try Folder.create(root + "/first/plots")
        for sweep in ["first", "second"] { try writeManifest(sweep) }
    }

    func add(
        _ name: String, status: String = "finished", base: String? = "linear-s0-c7744882",
        from: String? = nil, version: Int = 1
    ) throws {
        let path = "\(root)/\(name)"
        try Folder.create(path)
        try AtomicFile.write(
            """
            {"format_version": \(version), "status": "\(status)", "created": "2026-11-22T16:00:00Z",
             "sandbox_version": "0.1.0", "libraries": {}, "hash": "\(name.suffix(8))",
             "base": \(base.map { "\"\($0)\"" } ?? "null"), "sessions": [], "a_later_field": {"x": [1]},
             "provenance": {"host": "h", "cpu": "c", "architecture": "a", "cores": 2, "argv": ["sandbox"],
                            "pid": 1, "date": "2026-11-22T16:00:00Z"}}
            """, to: path + "/metadata.json")
        let source = from.map { "pretraining: {from: \($0)}\n" } ?? ""
        try AtomicFile.write(source + "layout: cpt\n", to: path + "/config.yaml")
        try AtomicFile.write("1\n", to: path + "/lock")
    }

    private func writeManifest(_ sweep: String) throws {
        let names = try RunCatalog(root: root).sweep(sweep).runs.map(\.name)
        let trials = names.map {
            "{\"run\": \"\($0)\", \"hash\": \"\($0.suffix(8))\", \"base\": \"linear-s0-c7744882\", "
                + "\"seed\": 0, \"varying\": [], \"status\": \"finished\"}"
        }
        try AtomicFile.write(
            """
            {"format_version": 1, "name": "\(sweep)", "file": "sweeps/x.yaml", "overrides": [], "evaluate": {},
             "trials": [\(trials.joined(separator: ", "))]}
            """, to: "\(root)/\(sweep)/manifest.json")
    }

    func sentence(_ body: () throws -> Void) throws -> String {
        do { try body() } catch { return "\(error)" }
        return "nothing was thrown"
    }
}

@Suite struct RunCatalogTests {
    @Test func listsRunsAndBases() throws {
        let runs = try RunsFolder()
        try Folder.create(runs.root + "/first/cft-s9-00000000.removed-12")
        try AtomicFile.write("x", to: runs.root + "/first/cft-s9-00000000.removed-12/lock")
        try Folder.create(runs.root + "/empty")
        #expect(try runs.catalog.sweeps().map(\.name) == ["bases", "first", "second"])
        #expect(
            try runs.catalog.runs().map(\.qualifiedName) == [
                "bases/linear-s0-c7744882", "first/cft-s0-1affffff", "first/cpt-s0-1a2b3c4d",
                "second/cpt-s0-1a2b3c4d", "second/neg-cft-s1-9e000001",
            ])
    }

    @Test(arguments: [
        ("cft-s0-1affffff", "first/cft-s0-1affffff"),
        ("second/cpt-s0-1a2b3c4d", "second/cpt-s0-1a2b3c4d"),
        ("bases/linear-s0-c7744882", "bases/linear-s0-c7744882"),
        ("c77", "bases/linear-s0-c7744882"), ("1af", "first/cft-s0-1affffff"),
        ("1AFFFFFF", "first/cft-s0-1affffff"), ("first/1A2", "first/cpt-s0-1a2b3c4d"),
        ("first/1a2", "first/cpt-s0-1a2b3c4d"), ("9", "second/neg-cft-s1-9e000001"),
    ])
    func findsARun(argument: String, name: String) throws {
        let runs = try RunsFolder()
        #expect(try runs.catalog.run(argument).qualifiedName == name)
    }

    @Test func findsARunByItsPath() throws {
        let runs = try RunsFolder()
        let other = RunCatalog(root: runs.root + "/elsewhere")
        let path = runs.root + "/first/cft-s0-1affffff"
        for spelling in [
            path, path + "/", path + "/.", runs.root + "/second/../first/cft-s0-1affffff",
        ] {
            let run = try other.run(spelling)
            #expect(run.qualifiedName == "first/cft-s0-1affffff" && run.metadata != nil)
        }
    }

    @Test(arguments: [
        (
            "1a",
            "command line: 1a: '1a' names 3 runs: first/cft-s0-1affffff, first/cpt-s0-1a2b3c4d, "
                + "second/cpt-s0-1a2b3c4d; name one of them in full"
        ),
        (
            "cpt-s0-1a2b3c4d",
            "command line: cpt-s0-1a2b3c4d: 'cpt-s0-1a2b3c4d' names 2 runs: first/cpt-s0-1a2b3c4d, "
                + "second/cpt-s0-1a2b3c4d; name one of them in full"
        ),
        (
            "first",
            "command line: first: 'first' is a sweep and one run is wanted; name one of its runs ('sandbox runs ls' "
                + "lists them)"
        ),
    ])
    func refusesWhatIsNotOneRun(argument: String, message: String) throws {
        let runs = try RunsFolder()
        #expect(try runs.sentence { _ = try runs.catalog.run(argument) } == message)
    }

    @Test func namesTheNearest() throws {
        let runs = try RunsFolder()
        let sentence = try runs.sentence { _ = try runs.catalog.run("neg-cft-s1-9e000002") }
        #expect(
            sentence.contains("is no run under '\(runs.root)' (the nearest: second/neg-cft-s1-"))
        let sweep = try runs.sentence { _ = try runs.catalog.sweep("secnd") }
        #expect(sweep.contains("'secnd' is no sweep under") && sweep.contains("nearest: second,"))
        let nowhere = RunCatalog(root: runs.root + "/nowhere")
        let missing = try runs.sentence { _ = try nowhere.run("x") }
        #expect(missing.contains("there is no folder '\(runs.root)/nowhere'; give --runs"))
        for argument in ["", "/", "..", "bases/", "first/", "first/plots"] {
            #expect(throws: ConfigurationError.self) { _ = try runs.catalog.run(argument) }
        }
    }

    @Test func statusFollowsTheLock() throws {
        let runs = try RunsFolder()
        try runs.add("first/cpt-s0-1a2b3c4d", status: "running")
        let dead = try runs.catalog.run("first/1a2b")
        #expect(dead.status == .interrupted && dead.isResumable && !dead.isHeld)
        let lock = try RunDirectory(path: runs.root + "/first/cpt-s0-1a2b3c4d").lock()
        let alive = try runs.catalog.run("first/1a2b")
        #expect(alive.status == .running && !alive.isResumable && alive.isHeld)
        lock.release()
    }

    @Test func damagedRunsAreListedWithTheirProblem() throws {
        let runs = try RunsFolder()
        try AtomicFile.write("{", to: runs.root + "/first/cpt-s0-1a2b3c4d/metadata.json")
        try runs.add("first/cft-s0-1affffff", version: 99)
        try Folder.remove(runs.root + "/second/cpt-s0-1a2b3c4d/metadata.json")
        let all = try runs.catalog.runs()
        #expect(all.count == 5)
        let problems = all.compactMap(\.problem)
        #expect(problems.count == 3 && all.count { $0.status == nil } == 3)
        #expect(
            problems[0].contains(
                "cft-s0-1affffff/metadata.json' has format version 99, newer than "))
        #expect(problems[1].contains("cpt-s0-1a2b3c4d/metadata.json'") && problems[1].contains(";"))
        #expect(problems[2].contains("is missing") && problems[2].contains("the same sweep"))
    }
}

@Suite struct RunRemovalTests {
    @Test func aRemovedRunIsQueuedInItsSweep() throws {
        let runs = try RunsFolder()
        let removal = try RunRemoval(["first/1a2b", "cft-s0-1affffff", "1aff"], in: runs.catalog)
        #expect(removal.runs.count == 2 && removal.sweeps.isEmpty && removal.bytes > 500)
        var removed: [String] = []
        try removal.perform { removed.append(Path.name(of: $0)) }
        #expect(removed == ["cpt-s0-1a2b3c4d", "cft-s0-1affffff"])
        #expect(
            try Folder.contents(of: runs.root + "/first") == [
                "manifest.json", "manifest.lock", "plots",
            ])
        let manifest = try #require(try SweepDirectory(path: runs.root + "/first").manifest())
        #expect(manifest.trials.map(\.status) == [.queued, .queued])
        #expect(try runs.catalog.runs().count == 3)
    }

    @Test func aSweepGoesWithItsFolderAndThenItsBase() throws {
        let runs = try RunsFolder()
        let all = ["bases/linear-s0-c7744882", "first", runs.root + "/second/"]
        let removal = try RunRemoval(all, in: runs.catalog)
        #expect(removal.runs.last?.sweep == "bases")
        try removal.perform()
        #expect(try Folder.contents(of: runs.root) == ["bases"])
        #expect(try runs.catalog.runs().isEmpty)
    }

    @Test func aBaseStaysWhileRunsNeedIt() throws {
        let runs = try RunsFolder()
        let sentence = try runs.sentence {
            _ = try RunRemoval(["bases", "first"], in: runs.catalog)
        }
        #expect(
            sentence
                == "bases/linear-s0-c7744882 stays: second/cpt-s0-1a2b3c4d, second/neg-cft-s1-9e000001 were trained "
                + "from it; remove those runs first, or in the same command, or give --force to remove the base alone "
                + "(their results stay readable); nothing was removed")
        #expect(try runs.catalog.runs().count == 5)
        try RunRemoval(["bases/c774"], in: runs.catalog, force: true).perform()
        #expect(try runs.catalog.runs().map(\.sweep) == ["first", "first", "second", "second"])
    }

    /// By metadata, or by the manifest where that is damaged.
    @Test(arguments: [false, true])
    func knowsTheBaseOfARun(isDamaged: Bool) throws {
        let runs = try RunsFolder()
        let path = runs.root + "/first/cpt-s0-1a2b3c4d"
        if isDamaged { try AtomicFile.write("{", to: path + "/metadata.json") }
        #expect(try runs.catalog.run("first/1a2b").baseName() == "linear-s0-c7744882")
    }

    @Test func aRunStaysWhileAnotherWasTrainedFromIt() throws {
        let runs = try RunsFolder()
        try runs.add(
            "second/neg-cft-s1-9e000001", base: "from-00000002",
            from: "runs/first/cft-s0-1affffff/checkpoints/latest")
        let sentence = try runs.sentence { _ = try RunRemoval(["1aff"], in: runs.catalog) }
        #expect(
            sentence
                == "first/cft-s0-1affffff stays: second/neg-cft-s1-9e000001 was trained from it; remove that run "
                + "first, or in the same command; nothing was removed")
    }

    @Test func aHeldRunStays() throws {
        let runs = try RunsFolder()
        let lock = try RunDirectory(path: runs.root + "/first/cpt-s0-1a2b3c4d").lock()
        let sentence = try runs.sentence { _ = try RunRemoval(["first"], in: runs.catalog) }
        #expect(
            sentence
                == "the run '\(runs.root)/first/cpt-s0-1a2b3c4d' is held by process \(getpid()); "
                + "wait for it or stop it; nothing was removed")
        lock.release()
        // Taken after it was looked up: perform meets the lock itself.
        let removal = try RunRemoval(["first/1a2b"], in: runs.catalog)
        let late = try RunDirectory(path: runs.root + "/first/cpt-s0-1a2b3c4d").lock()
        #expect(throws: SystemError.self) { try removal.perform() }
        late.release()
        #expect(try runs.catalog.runs().count == 5)
    }
}

@Suite struct FlatteningTests {
    @Test func namesEveryValue() throws {
        let node = try ConfigurationNode.parse(
            document: "b: {d: [1, 2], c: {}}\na: 1.0e-4\n", source: "x.yaml")
        #expect(
            node.flattened == [
                FlatValue(key: "a", value: 1.0e-4), FlatValue(key: "b.c", value: [:]),
                FlatValue(key: "b.d", value: [1, 2]),
            ])
    }

    @Test func theLastRecordIsFoundBehindDamage() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/metrics.jsonl"
        try AtomicFile.write(
            "{\"step\":1,\"x\":2}\n{\"step\":2,\"x\":3}\n{\"step\":3}\nnot\n{\"st", to: path)
        #expect(RecordReader.last(path) { $0["x"] != nil }?["step"] == 2)
        #expect(RecordReader.last(path + "x") { _ in true } == nil)
    }
}
