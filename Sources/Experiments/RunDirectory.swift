import Foundation
import Platform

/// The exclusive right to work on a run; given back by `release()`, at the object's end, or when the process
/// dies.
public typealias RunLock = FileLock

/// The folder of one run: its paths, its status, its checkpoints.
public struct RunDirectory: Hashable, Sendable {
    /// The folder.
    public let path: String

    /// Names a run's folder, which need not exist.
    public init(path: String) { self.path = path }

    /// A run's folder name: `<varying values>-s<seed>-<first 8 digits of the hash>`.
    ///
    /// - Parameter hash: the hexadecimal SHA-256 of what decides the weights.
    public static func name(label: String, hash: String) -> String {
        "\(label)-\(hash.prefix(8))"
    }

    /// What brings the run back when one of its files is damaged and nothing else can write it: the end of a sentence.
    public var cure: String { "restore it, or delete the folder '\(path)' to train it anew" }

    // MARK: Paths

    /// The folder's own name.
    public var name: String { Path.name(of: path) }
    /// The fully resolved configuration.
    public var configurationPath: String { "\(path)/config.yaml" }
    /// Status, times, machine, versions.
    public var metadataPath: String { "\(path)/metadata.json" }
    /// Training records.
    public var metricsPath: String { "\(path)/metrics.jsonl" }
    /// Evaluation records.
    public var evaluationsPath: String { "\(path)/evaluations.jsonl" }
    /// Messages.
    public var logPath: String { "\(path)/run.log" }
    /// The file whose lock is the right to work on the run.
    public var lockPath: String { "\(path)/lock" }
    /// What the metadata is called while the folder is cleared.
    static let clearingName = "metadata.json.clearing"
    private var clearingPath: String { "\(path)/\(Self.clearingName)" }
    /// TensorBoard files of error curves.
    public var curvesPath: String { "\(path)/curves" }
    /// All checkpoints.
    public var checkpointsPath: String { "\(path)/checkpoints" }
    /// The link to the last whole checkpoint.
    public var latestCheckpointLink: String { "\(checkpointsPath)/latest" }

    /// The weights kept along the way.
    public var snapshotsPath: String { "\(path)/snapshots" }
    /// The weights after `step`, without the optimizer's state.
    public func snapshotPath(step: Int) -> String {
        "\(snapshotsPath)/\(RunDirectory.checkpointName(step: step)).safetensors"
    }
    /// What was measured over steps, and what is computed from many prompts at once.
    public var analysisPath: String { "\(path)/analysis" }

    /// The per-prompt errors measured after `step`.
    public func evaluationFolder(step: Int) -> String { "\(path)/evaluations/step_\(step)" }

    /// The checkpoint after `step`.
    public func checkpointPath(step: Int) -> String {
        "\(checkpointsPath)/\(RunDirectory.checkpointName(step: step))"
    }

    static func checkpointName(step: Int) -> String {
        let digits = String(step)
        return "step_" + String(repeating: "0", count: max(0, 10 - digits.count)) + digits
    }

    // MARK: Status

    /// Creates the folder (and those above it).
    public func create() throws { try Folder.create(path) }

    /// The metadata; nil when the file is missing.
    ///
    /// - Throws: ``SystemError`` for a file that is damaged, or of a newer form than this program knows.
    public func metadata() throws -> RunMetadata? {
        do {
            return try JSONFile.read(
                metadataPath, as: RunMetadata.self, version: RunMetadata.currentFormatVersion,
                cure: cure)
        } catch let error as SystemError where error.code == ENOENT {
            return nil
        }
    }

    /// Writes the metadata, whole or not at all.
    public func write(_ metadata: RunMetadata) throws {
        try JSONFile.write(metadata, to: metadataPath)
    }

    /// Takes the run's lock and clears what a crashed process left half-written.
    ///
    /// - Throws: ``SystemError`` naming the process that holds it.
    public func lock() throws -> RunLock {
        guard let lock = try tryLock() else {
            let holder = FileLock.holder(of: lockPath).map { "process \($0)" } ?? "another process"
            throw SystemError("the run '\(path)' is held by \(holder); wait for it or stop it")
        }
        return lock
    }

    /// Removes everything in the folder but the lock; call it while holding that.
    ///
    /// From its first act on the folder holds no run, and whoever locks it after a crash removes the rest.
    public func clear() throws {
        if try !AtomicFile.move(metadataPath, to: clearingPath) {
            try AtomicFile.write("", to: clearingPath)
        }
        try clearRest()
    }

    private func clearRest() throws {
        let last = [Path.name(of: lockPath), Self.clearingName]
        for name in try Folder.contents(of: path) where !last.contains(name) {
            try Folder.remove("\(path)/\(name)")
        }
        try Folder.remove(clearingPath)
    }

    /// Takes the run's lock as ``lock()`` does; nil at once when another process has it.
    public func tryLock() throws -> RunLock? {
        try create()
        guard let lock = try FileLock.tryLock(lockPath) else { return nil }
        if Folder.holdsFile(clearingPath) { try clearRest() }
        for folder in [path, checkpointsPath, snapshotsPath, analysisPath] {
            try Folder.recover(folder)
        }
        for parent in ["\(path)/evaluations", curvesPath] {
            for name in try Folder.contents(of: parent)
            where Folder.isFolder("\(parent)/\(name)") {
                try Folder.recover("\(parent)/\(name)")
                try Folder.recover("\(parent)/\(name)/other")
            }
        }
        return lock
    }

    /// Whether the run was begun, is not done and nobody works on it: interrupted, or `running` with a free
    /// lock.
    public func isResumable() throws -> Bool {
        guard let status = try metadata()?.status else { return false }
        return try (status == .interrupted || status == .running) && !FileLock.isHeld(lockPath)
    }

    // MARK: Checkpoints

    /// Writes the checkpoint after `step` whole or not at all, then lets `latest` point to it.
    ///
    /// - Parameter fill: gets a folder's path and writes the files into it.
    public func publishCheckpoint(step: Int, _ fill: (String) throws -> Void) throws {
        try Folder.create(checkpointsPath)
        try AtomicFile.publishFolder(at: checkpointPath(step: step), fill)
        try AtomicFile.replaceSymbolicLink(
            at: latestCheckpointLink, to: RunDirectory.checkpointName(step: step))
    }

    /// The steps that have a checkpoint, ascending.
    public func checkpointSteps() throws -> [Int] {
        try Folder.contents(of: checkpointsPath).compactMap { name in
            guard name.hasPrefix("step_"), let step = Int(name.dropFirst(5)),
                name == RunDirectory.checkpointName(step: step)
            else { return nil }
            return step
        }.sorted()
    }

    /// The step of the last whole checkpoint: what `latest` points to, or the highest step when the link is
    /// missing; nil without checkpoints.
    public func latestCheckpointStep() throws -> Int? {
        let steps = try checkpointSteps()
        let target = try? FileManager.default.destinationOfSymbolicLink(
            atPath: latestCheckpointLink)
        return steps.first { RunDirectory.checkpointName(step: $0) == target } ?? steps.last
    }

    /// Removes all checkpoints but the latest.
    public func removeEarlierCheckpoints() throws {
        let latest = try latestCheckpointStep()
        for step in try checkpointSteps() where step != latest {
            try Folder.remove(checkpointPath(step: step))
        }
    }

    /// Removes the latest checkpoint when there is one before it, to which `latest` then points.
    public func removeLatestCheckpoint() throws {
        guard let latest = try latestCheckpointStep(),
            let before = try checkpointSteps().last(where: { $0 < latest })
        else { return }
        try AtomicFile.replaceSymbolicLink(
            at: latestCheckpointLink, to: RunDirectory.checkpointName(step: before))
        try Folder.remove(checkpointPath(step: latest))
    }
}

extension RunDirectory {
    /// The same folder by a path that shows the two folders above it, absolute where the given one does not.
    public var placed: RunDirectory { RunDirectory(path: pathShowing(2, above: path)) }
}

extension SweepDirectory {
    /// The same folder by a path that shows the folder above it, absolute where the given one does not.
    public var placed: SweepDirectory { SweepDirectory(path: pathShowing(1, above: path)) }
}

private func pathShowing(_ levels: Int, above path: String) -> String {
    let parts = path.split(separator: "/")
    let isPlain = parts.count > levels && !parts.contains("..") && !parts.contains(".")
    return isPlain ? path : URL(fileURLWithPath: path).standardizedFileURL.path
}
