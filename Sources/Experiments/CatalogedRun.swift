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
    /// A folder is a run's when it holds metadata.json, or config.yaml or lock beside no model of its own: what a
    /// process that was killed early leaves.
    public init?(path: String) {
        guard Self.isRun(path) else { return nil }
        let full = URL(fileURLWithPath: path).standardizedFileURL.path
        let isPlain = Path.name(of: full) == Path.name(of: path)
        directory = RunDirectory(path: isPlain ? Self.withoutSlashes(path) : full)
        sweep = Path.name(of: Path.parent(of: full))
        // A lock that cannot be looked at will be met again, with its reason, by whoever takes it.
        isHeld = (try? FileLock.isHeld(directory.lockPath)) ?? false
        do {
            let (json, metadata) = try Self.readMetadata(directory)
            metadataJSON = json
            self.metadata = metadata
            problem = nil
        } catch {
            metadataJSON = nil
            metadata = nil
            let cure = "; restore the file, or remove the run and make it again"
            problem = "\(error)".contains(";") ? "\(error)" : "\(error)\(cure)"
        }
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

    /// The folder under `bases` of the model it was trained from: by metadata.json, config.yaml or the sweep's
    /// manifest, whichever says so first; nil for a base.
    public func baseName() -> String? {
        if let base = metadataJSON?["base"]?.stringValue { return base }
        if let base = (try? configuration())?["base"]?.json.stringValue { return base }
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

    /// Whether `path` is a run's folder, whole or damaged.
    static func isRun(_ path: String) -> Bool {
        func has(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: "\(path)/\(name)")
        }
        if has("metadata.json") { return true }
        return (has("config.yaml") || has("lock")) && !has("model.safetensors")
            && !has("manifest.json")
    }

    /// What metadata.json holds, untyped and typed.
    private static func readMetadata(
        _ directory: RunDirectory
    ) throws -> (JSONValue, RunMetadata) {
        let path = directory.metadataPath
        let data: Data
        do {
            data = try WholeFile.read(path)
        } catch let error as SystemError where error.code == ENOENT {
            throw SystemError(
                "'\(path)' is missing: the run ended before it began; the same sweep begins it again"
            )
        }
        let json = (try? JSONDecoder().decode(JSONValue.self, from: data)) ?? .null
        if let version = json["format_version"]?.integerValue,
            version > RunMetadata.currentFormatVersion
        {
            throw SystemError(
                "'\(path)' has format version \(version), newer than "
                    + "\(RunMetadata.currentFormatVersion), the newest this program reads; use a newer sandbox"
            )
        }
        guard let metadata = try directory.metadata() else {
            throw SystemError("'\(path)' has just gone; look again")
        }
        return (json, metadata)
    }

    private static func withoutSlashes(_ path: String) -> String {
        let parent = Path.parent(of: path)
        if parent.isEmpty { return Path.name(of: path) }
        return parent == "/" ? "/" + Path.name(of: path) : "\(parent)/\(Path.name(of: path))"
    }
}
