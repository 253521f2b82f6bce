import Foundation
import Platform

/// A sweep's `manifest.json`: the trials it expands to and how far each has come.
public struct SweepManifest: Hashable, Codable, Sendable {
    /// One trial of the sweep.
    public struct Entry: Hashable, Codable, Sendable {
        /// The run's folder name inside the sweep's folder.
        public var run: String
        /// The hash of what decides the run's weights.
        public var hash: String
        /// The base model's folder name under `runs/bases`; nil for a run without one.
        public var base: String?
        /// The trial's seed.
        public var seed: Int
        /// The values of the parameters that differ between trials.
        public var varying: [Trial.Value]
        /// How far the run has come.
        public var status: RunStatus
        /// Why it failed; nil otherwise.
        public var error: String?

        /// Makes an entry.
        public init(
            run: String, hash: String, base: String? = nil, seed: Int, varying: [Trial.Value],
            status: RunStatus = .queued, error: String? = nil
        ) {
            self.run = run
            self.hash = hash
            self.base = base
            self.seed = seed
            self.varying = varying
            self.status = status
            self.error = error
        }
    }

    /// The version of this file's form.
    public var formatVersion = SweepManifest.currentFormatVersion
    /// The newest version of this file's form: the one that is written.
    public static let currentFormatVersion = 2
    /// The sweep's name.
    public var name: String
    /// The sweep file as it was named.
    public var file: String
    /// The preset asked for on the command line; nil when none was.
    public var preset: String?
    /// The values set on the command line.
    public var overrides: [String]
    /// The section `evaluate` with its defaults: what the table and the pictures show.
    public var evaluate: JSONValue
    /// The trials in the order they are run.
    public var trials: [Entry]

    enum CodingKeys: String, CodingKey {
        case formatVersion = "format_version"
        case name, file, preset, overrides, evaluate, trials
    }

    /// Makes a manifest.
    public init(
        name: String, file: String, preset: String? = nil, overrides: [String] = [],
        evaluate: JSONValue, trials: [Entry]
    ) {
        self.name = name
        self.file = file
        self.preset = preset
        self.overrides = overrides
        self.evaluate = evaluate
        self.trials = trials
    }

    /// Whether both ask for the same runs, measured alike, however far these have come.
    func asksForTheSame(as other: SweepManifest) -> Bool {
        evaluate == other.evaluate && trials.map(\.run) == other.trials.map(\.run)
    }
}

/// The folder of one sweep.
public struct SweepDirectory: Hashable, Sendable {
    /// The columns of `summary.csv`: one row per run × evaluation cell × k.
    public static let summaryColumns = [
        "sweep", "run", "base", "seed", "step", "function_class", "train_layout", "eval_layout",
        "prompt", "metric", "k", "mean", "standard_error", "bootstrap_low", "bootstrap_high",
        "bayes", "excess_risk", "examples",
    ]

    /// The folder.
    public let path: String

    /// Names a sweep's folder, which need not exist.
    public init(path: String) { self.path = path }

    /// The copy of the sweep file.
    public var sweepPath: String { "\(path)/sweep.yaml" }
    /// The trials with their status.
    public var manifestPath: String { "\(path)/manifest.json" }
    /// The verdicts on the paper's claims.
    public var claimsPath: String { "\(path)/claims.json" }
    /// The tidy table of results.
    public var summaryPath: String { "\(path)/summary.csv" }
    /// The page that `sandbox report` writes.
    public var reportPath: String { "\(path)/report.html" }
    /// The pictures.
    public var plotsPath: String { "\(path)/plots" }

    /// The folder of one of its runs.
    public func run(_ name: String) -> RunDirectory { RunDirectory(path: "\(path)/\(name)") }

    /// The file whose lock those share who work on the sweep.
    public var lockPath: String { "\(path)/lock" }

    /// Creates the folder and keeps it from being removed until the lock is released; others may do the same.
    public func lock() throws -> FileLock {
        try Folder.create(path)
        do {
            return try FileLock.lockShared(lockPath)
        } catch let error as SystemError where error.code == ENOENT {
            // It was being removed just now.
            try Folder.create(path)
            return try FileLock.lockShared(lockPath)
        }
    }

    /// Creates the folder and writes what was asked for: the sweep file, byte for byte, and the manifest.
    ///
    /// - Parameter body: writes what belongs to the request; nobody else's request comes in between.
    /// - Throws: ``SystemError``, also for a manifest of a newer form than this program knows, which stays.
    public func create(
        sweepText: String, manifest: SweepManifest, _ body: () throws -> Void = {}
    ) throws {
        try Folder.create(path)
        let lock = try lockManifest()
        defer { lock.release() }
        try JSONFile.checkReplaceable(
            manifestPath, version: SweepManifest.currentFormatVersion)
        try AtomicFile.write(sweepText, to: sweepPath)
        try JSONFile.write(manifest, to: manifestPath)
        try body()
    }

    /// Lets `body` write what belongs to the request that `manifest` was read from; nobody else's comes in between.
    ///
    /// - Throws: ``SystemError`` when another request has taken its place.
    public func whileAskedFor(_ manifest: SweepManifest, _ body: () throws -> Void) throws {
        let lock = try lockManifest()
        defer { lock.release() }
        guard try self.manifest()?.asksForTheSame(as: manifest) == true else {
            throw SystemError(
                "'\(manifestPath)' has changed meanwhile: another sweep was asked for under this name; plot it again"
            )
        }
        try body()
    }

    /// The manifest; nil when the file is missing.
    ///
    /// - Throws: ``SystemError`` for a file that is damaged, or of a newer form than this program knows.
    public func manifest() throws -> SweepManifest? {
        do {
            return try JSONFile.read(
                manifestPath, as: SweepManifest.self, version: SweepManifest.currentFormatVersion,
                cure: "delete it and run the sweep again to write it anew")
        } catch let error as SystemError where error.code == ENOENT {
            return nil
        }
    }

    /// Changes the manifest while holding a lock, so that two processes working on one sweep keep each
    /// other's entries; without a manifest nothing happens.
    public func updateManifest(_ change: (inout SweepManifest) throws -> Void) throws {
        guard FileManager.default.fileExists(atPath: manifestPath) else { return }
        let lock = try lockManifest()
        defer { lock.release() }
        guard var manifest = try manifest() else { return }
        try change(&manifest)
        try JSONFile.write(manifest, to: manifestPath)
    }

    private func lockManifest() throws -> FileLock { try FileLock.lock("\(path)/manifest.lock") }
}
