import Foundation
import Platform

/// A sweep's folder, or `bases`, with the runs in it.
public struct CatalogedSweep: Sendable {
    /// The folder.
    public let directory: SweepDirectory
    /// The folder's own name.
    public let name: String
    /// The runs in it, by name.
    public let runs: [CatalogedRun]

    /// Whether its runs fine-tune language models.
    public var isText: Bool {
        // All runs of a sweep are of one kind: the first that can be read tells.
        runs.lazy.compactMap { try? $0.configuration() }.first?["corpus"] != nil
    }
}

/// Every run under one folder, and the ways to name one.
public struct RunCatalog: Sendable {
    /// The folder that holds `<sweep>/` and `bases/`.
    public let root: String

    /// - Parameter root: the folder that holds `<sweep>/` and `bases/`; it need not exist.
    public init(root: String) { self.root = root }

    /// What a name on the command line stands for.
    public enum Target: Sendable {
        /// One run or base.
        case run(CatalogedRun)
        /// A sweep's folder with all its runs, or all bases.
        case sweep(CatalogedSweep)
    }

    /// The sweeps by name, `bases` among them; folders without a run and without a sweep file are left out.
    public func sweeps() throws -> [CatalogedSweep] {
        try Folder.contents(of: root).compactMap { try Self.sweep(path: "\(root)/\($0)") }
    }

    /// All runs and bases, by sweep and name.
    public func runs() throws -> [CatalogedRun] { try sweeps().flatMap(\.runs) }

    /// The run that `argument` names: a run's folder, `<sweep>/<run>`, `bases/<name>`, a run's name, or the
    /// beginning of the hash its name ends with (also `<sweep>/<hash>`).
    ///
    /// - Throws: ``ConfigurationError`` with the nearest names when there is none, with all of them when there are
    ///   several.
    public func run(_ argument: String) throws -> CatalogedRun {
        if let found = try runIfPresent(argument) { return found }
        let names = try runs().map(\.qualifiedName)
        if try sweepIfPresent(argument) != nil {
            throw Self.error(
                argument,
                "is a sweep and one run is wanted; name one of its runs ('sandbox runs ls' lists them)"
            )
        }
        throw unknown(argument, kind: "run", among: names)
    }

    /// The sweep that `argument` names: its folder or its name; `bases` stands for all bases.
    ///
    /// - Throws: ``ConfigurationError`` with the nearest names.
    public func sweep(_ argument: String) throws -> CatalogedSweep {
        if let found = try sweepIfPresent(argument) { return found }
        throw unknown(argument, kind: "sweep", among: try sweeps().map(\.name))
    }

    /// The run or the sweep that `argument` names; a run comes first.
    ///
    /// - Throws: ``ConfigurationError`` as ``run(_:)`` does.
    public func target(_ argument: String) throws -> Target {
        if let run = try runIfPresent(argument) { return .run(run) }
        if let sweep = try sweepIfPresent(argument) { return .sweep(sweep) }
        let all = try sweeps()
        throw unknown(
            argument, kind: "run or sweep",
            among: all.flatMap { [$0.name] + $0.runs.map(\.qualifiedName) })
    }

    // MARK: Looking

    private func runIfPresent(_ argument: String) throws -> CatalogedRun? {
        if argument.isEmpty { return nil }
        if let run = CatalogedRun(path: argument) { return run }
        if let run = CatalogedRun(path: "\(root)/\(argument)") { return run }
        return try named(argument)
    }

    /// The run with the name, or with the beginning of a hash in digits of either case; nil when there is none.
    func named(_ argument: String) throws -> CatalogedRun? {
        let all = try runs()
        var matches = all.filter { $0.name == argument }
        if matches.isEmpty {
            let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
            let prefix = (parts.last ?? "").lowercased()
            matches = all.filter { run in
                (parts.count == 1 || (parts.count == 2 && run.sweep == parts[0]))
                    && Self.hash(of: run.name)?.hasPrefix(prefix) == true && !prefix.isEmpty
            }
        }
        if matches.count > 1 {
            throw Self.error(
                argument,
                "names \(matches.count) runs: \(matches.map(\.qualifiedName).joined(separator: ", ")); "
                    + "name one of them in full")
        }
        return matches.first
    }

    private func sweepIfPresent(_ argument: String) throws -> CatalogedSweep? {
        if argument.isEmpty { return nil }
        return try Self.sweep(path: argument) ?? Self.sweep(path: "\(root)/\(argument)")
    }

    static func sweep(path: String) throws -> CatalogedSweep? {
        let full = URL(fileURLWithPath: path).standardizedFileURL.path
        guard Folder.isFolder(full), !CatalogedRun.isRun(path), !Folder.isUnfinished(full)
        else { return nil }
        let isPlain = Path.name(of: full) == Path.name(of: path)
        let folder = isPlain && !path.hasSuffix("/") ? path : full
        let names = try Folder.contents(of: folder)
        let runs = names.filter { !Folder.isUnfinished($0) }
            .compactMap { CatalogedRun(path: "\(folder)/\($0)") }
        let isSweep =
            names.contains("manifest.json") || names.contains("sweep.yaml") || !runs.isEmpty
        if !isSweep { return nil }
        return CatalogedSweep(
            directory: SweepDirectory(path: folder), name: Path.name(of: full), runs: runs)
    }

    /// The eight hexadecimal digits at the end of a run's name; nil when it ends otherwise.
    static func hash(of name: String) -> String? {
        guard let dash = name.lastIndex(of: "-") else { return nil }
        let digits = name[name.index(after: dash)...]
        let isHash = digits.count == 8 && digits.allSatisfy { "0123456789abcdef".contains($0) }
        return isHash ? String(digits) : nil
    }

    // MARK: Errors

    static func error(_ argument: String, _ message: String) -> ConfigurationError {
        ConfigurationError(
            SourceMark(source: "command line: \(argument)"), "'\(argument)' \(message)")
    }

    /// One sentence with up to three names that resemble `argument`.
    func unknown(
        _ argument: String, kind: String, among names: [String]
    ) -> ConfigurationError {
        if !Folder.isFolder(root) {
            return Self.error(
                argument,
                "cannot be found: there is no folder '\(root)'; give --runs the folder that holds the runs"
            )
        }
        let word = argument.lowercased()
        // The qualified name or its last part, whichever is nearer: people type either. A beginning is nearest.
        let ranked = names.map { name -> (name: String, distance: Int) in
            let spellings = [name.lowercased(), Path.name(of: name).lowercased()]
            let distance = spellings.map {
                $0.hasPrefix(word) ? 0 : 1 + Spelling.editDistance(word, $0)
            }
            return (name, distance.min() ?? 0)
        }.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
        let hint =
            ranked.isEmpty
            ? "there are none" : "the nearest: \(ranked.joined(separator: ", "))"
        return Self.error(
            argument,
            "is no \(kind) under '\(root)' (\(hint); 'sandbox runs ls' lists all)")
    }
}
