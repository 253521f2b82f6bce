import Foundation
import Platform

/// A run's folder as a listing sees it: what it says about itself, or why it cannot be read.
public struct CatalogedRun: Sendable {
    /// The folder.
    public let directory: RunDirectory
    /// The name of the folder above: a sweep, or `bases`.
    public let sweep: String
    /// What metadata.json says; nil when it cannot be read.
    public let metadata: RunMetadata?
    /// metadata.json as it stands there, with fields that only other versions know; nil with ``metadata``.
    public let metadataJSON: JSONValue?
    /// Why ``metadata`` is nil, with the file; nil when it is there.
    public let problem: String?
    /// Whether a process holds the run's lock now.
    public let isHeld: Bool

    /// Reads the run in the folder `path`; nil when no run is there.
    ///
    /// A folder is a run's when it holds metadata.json, by whatever name a process that was killed while it began the
    /// run anew left it, or config.yaml and lock beside no model of its own: what a process that was killed early
    /// leaves.
    public init?(path: String) {
        guard Self.isRun(path) else { return nil }
        let full = URL(fileURLWithPath: path).standardizedFileURL.path
        let isPlain = Path.name(of: full) == Path.name(of: path)
        directory = RunDirectory(path: isPlain ? Self.withoutSlashes(path) : full)
        sweep = Path.name(of: Path.parent(of: full))
        // A lock that cannot be looked at will be met again, with its reason, by whoever takes it.
        isHeld = (try? FileLock.isHeld(directory.lockPath)) ?? false
        do {
            let (typed, json) = try Self.read(directory)
            metadata = typed
            metadataJSON = json
            problem =
                typed == nil
                ? "'\(directory.metadataPath)' is missing: the run ended before it began; the same sweep begins it "
                    + "again" : nil
        } catch {
            metadata = nil
            metadataJSON = nil
            problem = "\(error)"
        }
    }

    /// metadata.json, typed and untyped; nil when it is missing.
    private static func read(_ directory: RunDirectory) throws -> (RunMetadata?, JSONValue?) {
        guard let metadata = try directory.metadata() else { return (nil, nil) }
        let data = try WholeFile.read(directory.metadataPath)
        return (metadata, try JSONDecoder().decode(JSONValue.self, from: data))
    }

    /// The folder's own name.
    public var name: String { directory.name }

    /// `<sweep>/<name>`, or `bases/<name>`.
    public var qualifiedName: String { "\(sweep)/\(name)" }

    /// How far the run has come: a `running` one whose lock is free is interrupted, its process died. Nil when
    /// metadata.json cannot be read.
    public var status: RunStatus? {
        guard let status = metadata?.status else { return nil }
        return status == .running && !isHeld ? .interrupted : status
    }

    /// Whether the same command would go on from a checkpoint.
    public var isResumable: Bool { status == .interrupted && !isHeld }

    /// The tree in config.yaml.
    ///
    /// - Throws: ``ConfigurationError`` naming the file and what is wrong with it.
    public func configuration() throws -> ConfigurationNode {
        try ConfigurationNode.read(path: directory.configurationPath).node
    }

    /// Whether it is a language model's fine-tuning: its configuration has a corpus.
    public var isText: Bool { (try? configuration())?["corpus"] != nil }

    /// The folder under `bases` of the model it was trained from, by metadata.json or, where that is damaged, by the
    /// sweep's manifest; nil for a base.
    public func baseName() -> String? {
        if let metadata { return metadata.base }
        let manifest = try? SweepDirectory(path: Path.parent(of: directory.path)).manifest()
        return manifest?.trials.first { $0.run == name }?.base
    }

    /// The files of the run with their bytes, by path inside the folder, sorted; links are left out.
    public func files() throws -> [(path: String, bytes: Int)] {
        let manager = FileManager.default
        return try manager.subpathsOfDirectory(atPath: directory.path).sorted().compactMap {
            let attributes = try? manager.attributesOfItem(atPath: "\(directory.path)/\($0)")
            guard attributes?[.type] as? FileAttributeType == .typeRegular,
                let bytes = attributes?[.size] as? Int
            else { return nil }
            return ($0, bytes)
        }
    }

    /// What is in the folder that no version of this program writes, by path inside the folder, sorted.
    public func foreignEntries() throws -> [String] {
        let known: Set = [
            "config.yaml", "metadata.json", RunDirectory.clearingName, "metrics.jsonl",
            "evaluations.jsonl", "run.log", "lock", "curves", "evaluations", "checkpoints",
            "snapshots", "analysis", "model", "adapter", "best",
        ]
        let own = try Folder.contents(of: directory.path).filter {
            !known.contains($0) && !EventFile.isName($0) && !Folder.isLeftover($0)
        }
        let nested = try ["checkpoints", "evaluations"].flatMap { folder in
            try Folder.contents(of: "\(directory.path)/\(folder)").filter {
                !$0.hasPrefix("step_") && $0 != "latest" && !Folder.isLeftover($0)
            }.map { "\(folder)/\($0)" }
        }
        return (own + nested).sorted()
    }

    /// Whether `other` is the same folder, by whatever path and links.
    public func isSame(as other: CatalogedRun) -> Bool {
        sameFolder(directory.path, other.directory.path)
    }

    /// Whether `path` is a run's folder, whole or damaged.
    static func isRun(_ path: String) -> Bool {
        // Files only: a system has folders named lock.
        func has(_ name: String) -> Bool { Folder.holdsFile("\(path)/\(name)") }
        if has("metadata.json") || has(RunDirectory.clearingName) { return true }
        return has("config.yaml") && has("lock") && !has("model.safetensors")
            && !has("manifest.json")
    }

    private static func withoutSlashes(_ path: String) -> String {
        let parent = Path.parent(of: path)
        if parent.isEmpty { return Path.name(of: path) }
        return parent == "/" ? "/" + Path.name(of: path) : "\(parent)/\(Path.name(of: path))"
    }
}
