import Experiments
import Foundation
import TestSupport
import Testing

/// Processes killed at random moments of a sweep, and what the same command makes of it.
///
/// `make test` kills six times, `make soak` twenty; SANDBOX_KILLS and SANDBOX_KILL_SEED choose others.
@Suite struct KillTests {
    /// One base, one run, three evaluations; a record after every step, a checkpoint every few.
    private static let text =
        tinySweep
        .replacingOccurrences(
            of: "steps: 40", with: "steps: 900\n  log_every: 1\n  checkpoint_seconds: 0.03"
        )
        .replacingOccurrences(
            of: "steps: 30\n", with: "steps: 700\n  log_every: 1\n  checkpoint_seconds: 0.03\n"
        )
        .replacingOccurrences(of: "values: [cpt, cft]", with: "value: cft")
        .replacingOccurrences(of: "examples: 32", with: "examples: 20000")

    /// Where a process is killed.
    enum Moment: CustomStringConvertible {
        /// When a share of the base's steps is on record.
        case pretraining(share: Double)
        /// When a share of the run's steps is on record.
        case fineTuning(share: Double)
        /// When the run is trained and so many of its three evaluations are on record.
        case evaluation(records: Int)
        /// While a checkpoint is written, after a share of the run's or the base's steps.
        case checkpoint(isBase: Bool, share: Double)

        var description: String {
            switch self {
            case .pretraining(let share): "pretraining \(share)"
            case .fineTuning(let share): "fine-tuning \(share)"
            case .evaluation(let records): "evaluation \(records)"
            case .checkpoint(let isBase, let share):
                "checkpoint \(isBase ? "base" : "run") \(share)"
            }
        }
    }

    /// As many moments as asked for, of each kind in turn, at random places, in the order a sweep meets them.
    private static func moments(_ count: Int, seed: UInt64) -> [Moment] {
        var generator = TestGenerator(seed: seed)
        func share() -> Double { Double.random(in: 0.02...0.95, using: &generator) }
        var base: [(Double, Moment)] = []
        var run: [(Double, Moment)] = []
        var evaluations: [Moment] = []
        for index in 0..<count {
            let place = share()
            switch index % 6 {
            case 0: base.append((place, .pretraining(share: place)))
            case 1: run.append((place, .fineTuning(share: place)))
            case 2: evaluations.append(.evaluation(records: evaluations.count % 3))
            case 3: base.append((place, .checkpoint(isBase: true, share: place)))
            case 4: run.append((place, .checkpoint(isBase: false, share: place)))
            default: run.append((place, .fineTuning(share: place)))
            }
        }
        func ordered(_ moments: [(Double, Moment)]) -> [Moment] {
            moments.sorted { $0.0 < $1.0 }.map(\.1)
        }
        return ordered(base) + ordered(run) + evaluations.sorted { "\($0)" < "\($1)" }
    }

    private static func number(_ variable: String, default fallback: Int) -> Int {
        ProcessInfo.processInfo.environment[variable].flatMap(Int.init) ?? fallback
    }

    @Test func aSweepKilledAtRandomMomentsEndsAsAnUndisturbedOne() throws {
        let count = Self.number("SANDBOX_KILLS", default: 6)
        let seed = Self.number("SANDBOX_KILL_SEED", default: 0)
        let folder = try TemporaryDirectory()
        try folder.write(Self.text, to: "tiny.yaml")
        let steady = try Program.run(arguments("steady"), in: folder.path)
        #expect(steady.exitCode == 0, "\(steady)")

        var generator = TestGenerator(seed: UInt64(seed) + 1)
        var hits = 0
        for (index, moment) in Self.moments(count, seed: UInt64(seed)).enumerated() {
            let signal = [SIGKILL, SIGTERM, SIGKILL, SIGINT][index % 4]
            let child = try Program.start(arguments("broken"), in: folder.path)
            try child.wait(timeout: 120) { _ in try isReached(moment, below: folder.file("broken"))
            }
            // A checkpoint is written within milliseconds.
            if case .checkpoint = moment {
            } else {
                usleep(UInt32.random(in: 0...20_000, using: &generator))
            }
            child.send(signal: signal)
            let outcome = try child.wait(timeout: 120)
            // A signal that asks may come when nothing is left to do.
            let isRight =
                signal == SIGKILL
                ? outcome.signal == SIGKILL || outcome.exitCode == 0
                : outcome.exitCode == 75 || outcome.exitCode == 0
            #expect(isRight, "\(moment), signal \(signal), seed \(seed): \(outcome)")
            if outcome.exitCode != 0 { hits += 1 }
        }
        print("\(hits) of \(count) processes were stopped before their end, seed \(seed)")
        #expect(2 * hits >= count, "too many came too late to test anything, seed \(seed)")
        let last = try Program.run(arguments("broken"), in: folder.path)
        #expect(last.exitCode == 0, "\(last)")
        try expectEqual(folder.file("broken"), folder.file("steady"), "seed \(seed)")
    }

    /// What a power cut can leave besides: records that were never checkpointed, half of one, zeros, half a checkpoint.
    @Test func whatAPowerCutLeavesIsClearedAway() throws {
        let folder = try TemporaryDirectory()
        try folder.write(Self.text, to: "tiny.yaml")
        #expect(try Program.run(arguments("steady"), in: folder.path).exitCode == 0)
        let child = try Program.start(arguments("broken"), in: folder.path)
        try child.wait(timeout: 120) { _ in
            try isReached(.fineTuning(share: 0.4), below: folder.file("broken"))
        }
        child.send(signal: SIGKILL)
        _ = try child.wait(timeout: 60)
        let run = try #require(only(folder.file("broken"), "tiny", prefix: "s0-"))
        try append("{\"step\": 9999, \"train/loss\": 1}\n{\"step\": 10", to: run.metricsPath)
        try append("{\"step\": 700}\n", to: run.evaluationsPath)
        let events = try #require(try EventFile.paths(in: run.path).last)
        try append(String(repeating: "\0", count: 512), to: events)
        try folder.write("x", to: "broken/tiny/\(run.name)/events.out.tfevents.0000000001.h.1.0")
        try folder.write(
            "half",
            to: "broken/tiny/\(run.name)/checkpoints/step_0000000650.partial-1/model.safetensors")
        try folder.write("{", to: "broken/tiny/\(run.name)/.metadata.json.writing-1")
        let last = try Program.run(arguments("broken"), in: folder.path)
        #expect(last.exitCode == 0, "\(last)")
        try expectEqual(folder.file("broken"), folder.file("steady"), "power cut")
    }

    // MARK: Watching

    private func arguments(_ runs: String) -> [String] {
        ["sweep", "-f", "tiny.yaml", "--runs", runs, "--quiet"]
    }

    private func isReached(_ moment: Moment, below root: String) throws -> Bool {
        let base = only(root, "bases", prefix: "linear-")
        let run = only(root, "tiny", prefix: "s0-")
        switch moment {
        case .pretraining(let share): return lines(base?.metricsPath) >= Int(share * 900)
        case .fineTuning(let share): return lines(run?.metricsPath) >= Int(share * 700)
        case .evaluation(let records):
            return lines(run?.metricsPath) == 700 && lines(run?.evaluationsPath) >= records
        case .checkpoint(let isBase, let share):
            let (directory, steps) = isBase ? (base, 900) : (run, 700)
            guard let directory, lines(directory.metricsPath) >= Int(share * Double(steps)) else {
                return false
            }
            let names = try? FileManager.default.contentsOfDirectory(
                atPath: directory.checkpointsPath)
            // The moment may also pass: a run that is done writes no further checkpoint.
            return names?.contains { $0.contains(".partial-") } == true
                || lines(directory.metricsPath) == steps
        }
    }

    private func lines(_ path: String?) -> Int {
        guard let path, let data = FileManager.default.contents(atPath: path) else { return 0 }
        return data.count { $0 == UInt8(ascii: "\n") }
    }

    /// The folder of the one base, or of the one run, below `root`; nil before it is there.
    private func only(_ root: String, _ parent: String, prefix: String) -> RunDirectory? {
        (try? FileManager.default.contentsOfDirectory(atPath: "\(root)/\(parent)"))?
            .first { $0.hasPrefix(prefix) }.map { RunDirectory(path: "\(root)/\(parent)/\($0)") }
    }

    private func append(_ text: String, to path: String) throws {
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(text.utf8))
        try file.close()
    }

}

/// Everything two sweeps of the same request must have in common, whatever befell them.
func expectEqual(_ root: String, _ other: String, _ note: String) throws {
    let manager = FileManager.default
    let isCompared = { (path: String) in
        path.hasSuffix("summary.csv") || path.hasSuffix(".safetensors")
            || path.hasSuffix("config.yaml")
    }
    let snapshots = try [root, other].map { try FolderSnapshot($0, where: isCompared) }
    let contents = snapshots.map { $0.files.mapValues(\.contents) }
    #expect(Set(contents[0].keys) == Set(contents[1].keys), "\(note)")
    for (path, bytes) in contents[0] { #expect(contents[1][path] == bytes, "\(path), \(note)") }
    for path in try manager.subpathsOfDirectory(atPath: root) {
        let isLeftOver = [".partial-", ".writing-", ".replaced-"].contains { path.contains($0) }
        #expect(!isLeftOver, "\(path), \(note)")
        if path.hasSuffix(".jsonl") {
            #expect(
                try recordsWithoutTimes("\(root)/\(path)")
                    == recordsWithoutTimes("\(other)/\(path)"),
                "\(path), \(note)")
        }
        if path.hasSuffix("metadata.json") {
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
            #expect(
                try eventsWithoutTimes("\(root)/\(folder)")
                    == eventsWithoutTimes("\(other)/\(folder)"))
            for cell in try manager.contentsOfDirectory(atPath: "\(root)/\(folder)/curves") {
                let curve = "\(folder)/curves/\(cell)"
                #expect(
                    try eventsWithoutTimes("\(root)/\(curve)")
                        == eventsWithoutTimes("\(other)/\(curve)"))
            }
            #expect(try RunDirectory(path: "\(root)/\(folder)").metadata()?.status == .finished)
        }
    }
}

/// The events of the one event file in a folder, without times and without what is measured of the machine.
func eventsWithoutTimes(_ folder: String) throws -> [Event] {
    let paths = try EventFile.paths(in: folder)
    #expect(paths.count == 1, "\(folder): \(paths)")
    return try paths.flatMap { try EventReader.read($0) }.map { event in
        let values: [Event.Value] = event.values.compactMap { value in
            switch value.content {
            case .sessionStart(let session):
                let plain = Event.Session(
                    hyperparameters: session.hyperparameters, groupName: session.groupName,
                    startTime: 0)
                return Event.Value(tag: value.tag, content: .sessionStart(plain))
            case .sessionEnd(let status, _):
                return Event.Value(tag: value.tag, content: .sessionEnd(status, time: 0))
            default: return value.tag.hasPrefix("perf/") ? nil : value
            }
        }
        return Event(wallTime: 0, step: event.step, values: values)
    }
}
