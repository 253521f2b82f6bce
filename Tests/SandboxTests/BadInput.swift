import Foundation
import TestSupport
import Testing

/// One row of the table "bad input and bad luck": something is wrong, and the program says what and where.
struct BadInput: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Spoils a copy of the finished sweep.
    let prepare: @Sendable (SpoiledFolder) throws -> Void
    /// `{base}`, `{cpt}` and `{cft}` stand for the folders of the finished runs.
    let arguments: [String]
    /// 64 for a mistake of the user, 1 for a failed run or a damaged file.
    let status: Int32
    /// What the sentence contains: file or key, and what is wrong.
    let says: [String]
    /// The words of which the sentence has at least one: what to do.
    let cures: [String]
    /// Parts of the paths that may change or appear; everything else stays as it was.
    let allowed: [String]
    /// Limits for the program, as a shell's `ulimit` commands.
    let limits: String

    init(
        _ description: String, _ arguments: [String] = ["sweep", "-f", "tiny.yaml", "--quiet"],
        status: Int32 = 64, says: [String], cures: [String] = [], allowed: [String] = [],
        limits: String = ":",
        prepare: @escaping @Sendable (SpoiledFolder) throws -> Void = { _ in }
    ) {
        testDescription = description
        self.prepare = prepare
        self.arguments = arguments
        self.status = status
        self.says = says
        self.cures = cures
        self.allowed = allowed
        self.limits = limits
    }

    /// A row about a value of the command line.
    static func value(_ override: String, says: [String], cures: [String]) -> BadInput {
        BadInput(
            override, ["sweep", "-f", "tiny.yaml", "--quiet", override],
            says: ["command line: \(override): "] + says, cures: cures)
    }

    /// A row about a file `bad.yaml`; mistakes in a file name it with line and column.
    static func file(
        _ description: String, says: [String], cures: [String] = [],
        limits: String = "ulimit -v 3000000; ulimit -t 10",
        prepare: @escaping @Sendable (SpoiledFolder) throws -> Void
    ) -> BadInput {
        BadInput(
            description, ["sweep", "-f", "bad.yaml", "--quiet"], says: says, cures: cures,
            limits: limits, prepare: prepare)
    }

    /// A row about a file `bad.yaml` with this text.
    static func text(
        _ description: String, _ text: String, says: [String], cures: [String] = []
    ) -> BadInput {
        file(description, says: says, cures: cures) { try $0.write(text, to: "bad.yaml") }
    }
}

/// A copy of the finished sweep, to be spoiled by a row.
struct SpoiledFolder: Sendable {
    let folder: TemporaryDirectory
    /// Paths of the base and the runs inside the folder.
    let names: [String: String]

    init(copyOf finished: FinishedSweep) throws {
        folder = try TemporaryDirectory()
        names = finished.names
        for name in try finished.folder.names() {
            try FileManager.default.copyItem(
                atPath: finished.folder.file(name), toPath: folder.file(name))
        }
    }

    /// `text` with the runs' folders in the place of `{base}`, `{cpt}` and `{cft}`.
    func filled(_ text: String) -> String {
        names.reduce(text) { $0.replacingOccurrences(of: "{\($1.key)}", with: $1.value) }
    }

    func path(_ name: String) -> String { folder.file(filled(name)) }

    func write(_ text: String, to name: String) throws {
        try folder.write(text, to: filled(name))
    }

    func write(bytes: [UInt8], to name: String) throws {
        try folder.write(bytes, to: filled(name))
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: path(name), withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: path(name), withDestinationPath: target)
    }

    /// Puts a file where something else was.
    func replaceByFile(_ name: String) throws {
        try remove(name)
        try write("", to: name)
    }

    /// Cuts a file to its first bytes, or lengthens it by zeros that take no disk.
    func cut(_ name: String, to count: UInt64) throws {
        if !FileManager.default.fileExists(atPath: path(name)) { try write("", to: name) }
        let handle = try #require(FileHandle(forWritingAtPath: path(name)))
        try handle.truncate(atOffset: count)
        try handle.close()
    }

    /// Drops the last `count` bytes of a file.
    func drop(_ count: Int, from name: String) throws {
        try write(bytes: Array(try bytes(path(name)).dropLast(count)), to: name)
    }

    /// Changes the first occurrence of `old`, which must be there, in a file's bytes.
    func patch(_ name: String, _ old: String, _ new: String) throws {
        var data = try bytes(path(name))
        let range = try #require(data.range(of: Data(old.utf8)), "\(name) lacks \(old)")
        data.replaceSubrange(range, with: Data(new.utf8))
        try write(bytes: Array(data), to: name)
    }

    /// Changes a whole-number member of a JSON file, however it is spaced.
    func setInteger(_ key: String, _ value: String, in name: String) throws {
        let text = String(decoding: try bytes(path(name)), as: UTF8.self)
        let pattern = try Regex("(\"\(key)\"\\s*:\\s*)[0-9]+")
        let match = try #require(text.firstMatch(of: pattern), "\(name) lacks \(key)")
        let prefix = text[match.range].prefix { !$0.isNumber }
        try write(text.replacingCharacters(in: match.range, with: prefix + value), to: name)
    }

    /// Makes a finished run look as if it had been interrupted.
    func interrupt(_ run: String) throws {
        let name = "\(run)/metadata.json"
        let text = String(decoding: try bytes(path(name)), as: UTF8.self)
        let status = try #require(
            text.firstRange(of: /"status"\s*:\s*"finished"/), "\(name) is of no finished run")
        try write(
            text.replacingCharacters(in: status, with: "\"status\" : \"interrupted\""), to: name)
    }

    /// Lets a sweep measure the run `cpt` again, for which it reads the weights.
    func forgetEvaluations(_ run: String) throws { try remove("\(run)/evaluations") }

    /// A folder in the public form and a batch for `forward`.
    func exportModel() throws {
        let outcome = try Program.run(
            ["export", "garg", filled("{cpt}"), "--output", "public"], in: folder.path)
        try #require(outcome.exitCode == 0, "\(outcome)")
        let batch = RawTensor("inputs", shape: [1, 4, 2], [Float](repeating: 0.5, count: 8))
        try write(bytes: rawSafetensors([batch]), to: "in.safetensors")
    }
}

/// The sweep of `tiny.yaml`, run to its end.
struct FinishedSweep: Sendable {
    @TaskLocal static var current: FinishedSweep?

    let folder: TemporaryDirectory
    let names: [String: String]

    init() throws {
        folder = try tinyFolder()
        let outcome = try Program.run(["sweep", "-f", "tiny.yaml", "--quiet"], in: folder.path)
        try #require(outcome.exitCode == 0, "\(outcome)")
        var names: [String: String] = [:]
        for (key, parent, prefix) in [
            ("base", "runs/bases", "linear-s0-"), ("cpt", "runs/tiny", "cpt-s0-"),
            ("cft", "runs/tiny", "cft-s0-"),
        ] {
            let all = try FileManager.default.contentsOfDirectory(atPath: folder.file(parent))
            let name = try #require(all.first { $0.hasPrefix(prefix) })
            names[key] = "\(parent)/\(name)"
        }
        self.names = names
    }
}

/// Trains the ``FinishedSweep`` before a suite's first test and removes it after the last.
struct FinishedSweepTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: () async throws -> Void
    ) async throws {
        try await FinishedSweep.$current.withValue(try FinishedSweep(), operation: function)
    }
}

extension Trait where Self == FinishedSweepTrait {
    /// A finished sweep, trained once for the suite.
    static var finishedSweep: Self { Self() }
}
