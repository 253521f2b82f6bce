import Foundation
import Platform

/// A sweep as a person wrote it, with what it inherits and what the command line set.
///
/// The shape follows Weights & Biases' sweep files, plus seeds and an evaluation section. Sections (`model`,
/// `training`, …) are passed on as trees: only their readers know what they mean.
public struct SweepFile: Sendable {
    /// How trials are chosen.
    public enum Method: Hashable, Sendable {
        /// Every combination of values.
        case grid
        /// `count` draws, decided by `seed` alone.
        case random(count: Int, seed: Int)
    }

    /// The newest `version` this program reads.
    public static let newestVersion = 1
    static let ownKeys = [
        "version", "name", "method", "count", "sweep_seed", "seeds", "parameters", "exclude",
        "evaluate",
    ]

    /// The path it was read from, or the name it was given.
    public let path: String
    /// The text of the file, byte for byte.
    public let text: String
    /// The preset asked for; nil when none was.
    public let preset: String?
    /// The `key=value` arguments.
    public let overrides: [String]
    /// The sweep's name, also its folder's; the file's name without extension unless it says otherwise.
    public let name: String
    /// How trials are chosen.
    public let method: Method
    /// The seeds, the innermost axis.
    public let seeds: [Int]
    /// The parameters in the order of the file.
    public let parameters: [SweepParameter]
    /// For each entry of `exclude`, the values by which it matches each named parameter (or `seed`).
    let exclusions: [[String: [JSONValue]]]
    /// The section `evaluate`; an empty mapping when there is none.
    public let evaluate: ConfigurationNode
    /// The other sections merged, without the sweep's own keys and without parameter values.
    public let configuration: ConfigurationNode
    /// Everything merged, command line included: what `--print-config` shows.
    public let resolved: ConfigurationNode

    /// Reads a sweep file.
    ///
    /// - Parameters:
    ///   - sections: the top-level names the caller's readers know besides the sweep's own keys.
    ///   - preset: takes the place of the `base/…` entry of `inherit`.
    ///   - overrides: `key=value` arguments; one that names a parameter replaces its values (a list becomes
    ///     `values`, anything else `value`).
    ///   - searchFolders: where presets are looked for when they do not lie beside the file.
    public static func load(
        path: String, sections: [String], preset: String? = nil, overrides: [String] = [],
        searchFolders: [String] = []
    ) throws -> SweepFile {
        try refuseMissing(path, searchFolders: searchFolders)
        let file = try ConfigurationFile.load(
            path: path, preset: preset, searchFolders: searchFolders)
        return try SweepFile(file, sections: sections, preset: preset, overrides: overrides)
    }

    /// Reads a sweep from `yaml` as if it stood at `path`: for sweeps that a program writes itself.
    public static func load(
        yaml: String, path: String, sections: [String], preset: String? = nil,
        overrides: [String] = [], searchFolders: [String] = []
    ) throws -> SweepFile {
        let file = try ConfigurationFile.load(
            yaml: yaml, path: path, preset: preset, searchFolders: searchFolders)
        return try SweepFile(file, sections: sections, preset: preset, overrides: overrides)
    }

    private init(
        _ file: ConfigurationFile, sections: [String], preset: String?, overrides: [String]
    ) throws {
        self.preset = preset
        self.overrides = overrides
        let tree = try overrides.reduce(file.tree) {
            try SweepFile.apply(ConfigurationOverride($1), to: $0)
        }
        let reader = try ConfigurationReader(tree)
        path = file.path
        text = file.text
        resolved = tree
        try SweepFile.checkVersion(reader)
        let stem = Path.stem(of: file.path)
        name = try SweepFile.name(reader, default: stem)
        method = try SweepFile.method(reader)
        seeds = try SweepFile.seeds(reader)
        parameters = try reader.node("parameters").map { try SweepParameter.read($0) } ?? []
        exclusions = try SweepFile.exclusions(reader, parameters: parameters, seeds: seeds)
        evaluate =
            reader.node("evaluate") ?? .emptyMapping(mark: SourceMark(source: file.path))
        for section in sections { _ = reader.node(section) }
        try reader.finish()
        for parameter in parameters where !sections.contains(parameter.path[0]) {
            let hint = Spelling.hint(for: parameter.path[0], among: sections)
            throw ConfigurationError(
                parameter.mark, "unknown parameter '\(parameter.name)'" + hint)
        }
        configuration = tree.removing { SweepFile.ownKeys.contains($0) }
    }

    /// The resolved sweep as YAML, in a fixed order: the sweep's own keys, then the sections.
    ///
    /// - Parameter defaults: one of its runs with every default written out; what no parameter varies is taken from it
    ///   where the sweep does not say.
    public func printed(defaults: ConfigurationNode) throws -> String {
        let names = parameters.map(\.name)
        let tree = resolved.filled(from: defaults) { name in
            names.contains { $0 == name || $0.hasPrefix(name + ".") }
        }
        let entries = tree.entries ?? []
        let own = SweepFile.ownKeys.compactMap { key in entries.first { $0.key == key } }
        let rest = entries.filter { !SweepFile.ownKeys.contains($0.key) }
        return try ConfigurationNode(.mapping(own + rest), mark: resolved.mark).yaml()
    }

    // MARK: The sweep's own keys

    private static func checkVersion(_ reader: ConfigurationReader) throws {
        let version = try reader.integer("version", default: newestVersion, in: 1...)
        if version > newestVersion {
            throw reader.error(
                "version", "is \(version); this program reads versions up to \(newestVersion)")
        }
    }

    private static func name(_ reader: ConfigurationReader, default stem: String) throws -> String {
        // Not the file's name then: `name=$X` with an empty X would write over another sweep's table.
        if reader.keys.contains("name") && !reader.contains("name") {
            throw reader.error("name", "is empty; give the sweep a name, or leave the key out")
        }
        let name = try reader.string("name", default: stem)
        // Base models and posteriors live there, beside the sweeps.
        let taken = ["bases", "references"]
        if name.isEmpty || fileNameText(name) != name || name.hasPrefix(".") || taken.contains(name)
        {
            throw reader.error(
                "name",
                "is '\(abridged(name))'; expected a folder name of at most 40 letters, digits, '.', '_', '-', '+' and "
                    + "'=', not starting with '.', and not 'bases' or 'references'")
        }
        return name
    }

    private static func method(_ reader: ConfigurationReader) throws -> Method {
        let method = try reader.choice("method", default: "grid", among: ["grid", "random"])
        if method == "random" {
            return .random(
                count: try reader.integer("count", in: 1...),
                seed: try reader.integer("sweep_seed", in: 0...))
        }
        for key in ["count", "sweep_seed"] where reader.node(key) != nil {
            throw reader.error(key, "belongs to method: random; remove it or set the method")
        }
        return .grid
    }

    private static func seeds(_ reader: ConfigurationReader) throws -> [Int] {
        if let node = reader.node("seeds"), node.elements == nil {
            return Array(0..<(try reader.integer("seeds", in: 1...10_000)))
        }
        let seeds = try reader.integers("seeds", default: [0], in: 0...)
        if seeds.isEmpty { throw reader.error("seeds", "is an empty list; name at least one seed") }
        if Set(seeds).count < seeds.count {
            throw reader.error("seeds", "has a seed more than once; keep one of each")
        }
        return seeds
    }
}
