import Foundation
import Platform

/// A configuration file together with what it inherits.
public struct ConfigurationFile: Sendable {
    /// The merged tree, without the key `inherit`; command-line values are not in it yet.
    public let tree: ConfigurationNode
    /// The text of the file itself, byte for byte.
    public let text: String
    /// The path it was read from, or the name it was given.
    public let path: String

    /// Reads `path` and the files named by `inherit` (relative to the file that names them; later wins).
    ///
    /// - Parameters:
    ///   - preset: replaces the entry `base/….yaml` of `inherit` by `base/<preset>.yaml`, also in a file
    ///     that this one inherits; when there is no such entry it comes before everything.
    ///   - searchFolders: where `base/` is looked for when it does not lie beside the file.
    public static func load(
        path: String, preset: String? = nil, searchFolders: [String] = []
    ) throws -> ConfigurationFile {
        let (node, text) = try ConfigurationNode.read(path: path)
        return try load(
            node, text: text, path: path, preset: preset, searchFolders: searchFolders)
    }

    /// Reads a configuration from `yaml`, as if it stood in a file at `path` (whose folder `inherit` starts
    /// from; the file need not exist).
    public static func load(
        yaml: String, path: String, preset: String? = nil, searchFolders: [String] = []
    ) throws -> ConfigurationFile {
        let node = try ConfigurationNode.parse(document: yaml, source: path)
        return try load(
            node, text: yaml, path: path, preset: preset, searchFolders: searchFolders)
    }

    private static func load(
        _ node: ConfigurationNode, text: String, path: String, preset: String?,
        searchFolders: [String]
    ) throws -> ConfigurationFile {
        var loader = InheritanceLoader(preset: preset, searchFolders: searchFolders)
        let tree = try loader.resolveWithPreset(node, path: path)
        return ConfigurationFile(tree: tree, text: text, path: path)
    }
}

/// Follows `inherit` and lays the files over one another.
private struct InheritanceLoader {
    /// Preset not yet put in its place.
    var preset: String?
    let searchFolders: [String]
    /// The files being read, outermost first: shown path and resolved path.
    var chain: [(shown: String, resolved: String)] = []
    var fileCount = 0

    init(preset: String?, searchFolders: [String]) {
        self.preset = preset
        self.searchFolders = searchFolders
    }

    /// The tree of the outermost file. A preset that took no entry's place lies under everything.
    mutating func resolveWithPreset(
        _ node: ConfigurationNode, path: String
    ) throws -> ConfigurationNode {
        let folder = Path.parent(of: path)
        if let preset { try checkPreset(preset, folder: folder) }
        let tree = try resolve(node, path: path, isPreset: false)
        guard let preset else { return tree }
        let file = locate("base/\(preset).yaml", folder: folder, isBase: true)
        let inner = try ConfigurationNode.read(path: file).node
        return lay(tree, over: try resolve(inner, path: file, isPreset: true))
    }

    mutating func resolve(
        _ node: ConfigurationNode, path: String, isPreset: Bool
    ) throws -> ConfigurationNode {
        chain.append((path, URL(fileURLWithPath: path).resolvingSymlinksInPath().path))
        defer { chain.removeLast() }
        let folder = Path.parent(of: path)
        var merged: ConfigurationNode?
        for (entry, mark) in try inheritedEntries(of: node, isPreset: isPreset) {
            let isBase = entry.hasPrefix("base/")
            let file = locate(entry, folder: folder, isBase: isBase)
            if isBase { try checkIsThere(file, preset: entry, inheritedBy: path, mark: mark) }
            try check(file, mark: mark)
            let inner: ConfigurationNode
            do {
                inner = try ConfigurationNode.read(path: file).node
            } catch let error as ConfigurationError where error.mark.line == nil {
                throw ConfigurationError(mark, "inherit: \(error)")
            }
            let tree = try resolve(inner, path: file, isPreset: isPreset || isBase)
            merged = merged.map { lay(tree, over: $0) } ?? tree
        }
        let own = node.removing { $0 == "inherit" }
        return merged.map { lay(own, over: $0) } ?? own
    }

    /// The entries of `inherit`, the preset in place of `base/…`.
    private mutating func inheritedEntries(
        of node: ConfigurationNode, isPreset: Bool
    ) throws -> [(String, SourceMark)] {
        let reader = try ConfigurationReader(node)
        var entries: [(String, SourceMark)] = []
        if let list = reader.node("inherit") {
            let names = try reader.strings("inherit")
            let marks = (list.elements ?? [list]).map(\.mark)
            entries = Array(zip(names, marks))
        }
        guard !isPreset, let preset,
            let index = entries.firstIndex(where: { $0.0.hasPrefix("base/") })
        else { return entries }
        let mark = SourceMark(source: "command line: --preset \(preset)")
        entries[index] = ("base/\(preset).yaml", mark)
        self.preset = nil
        return entries
    }

    /// Refuses a preset that lies in none of the places it is looked for. A sweep that the program makes itself has no
    /// file that could be cited.
    private func checkIsThere(
        _ file: String, preset: String, inheritedBy path: String, mark: SourceMark
    ) throws {
        if FileManager.default.fileExists(atPath: file) { return }
        let isWritten = FileManager.default.fileExists(atPath: path)
        throw ConfigurationError(
            isWritten ? mark : SourceMark(source: preset),
            (isWritten ? "inherit: \(preset) " : "the preset ")
                + "is in none of the folders \(places(beside: Path.parent(of: path))); run sandbox in the folder "
                + "that holds sweeps/, or name a sweep file that lies beside base/")
    }

    /// The folders in which `base/` is looked for, for a message.
    private func places(beside folder: String) -> String {
        var all: [String] = []
        for place in [folder.isEmpty ? "." : folder] + searchFolders where !all.contains(place) {
            all.append(place)
        }
        return all.joined(separator: ", ")
    }

    private func checkPreset(_ preset: String, folder: String) throws {
        var names: Set<String> = []
        for place in [folder.isEmpty ? "." : folder] + searchFolders {
            for file in (try? Folder.contents(of: place + "/base")) ?? []
            where file.hasSuffix(".yaml") {
                names.insert(String(file.dropLast(5)))
            }
        }
        let mark = SourceMark(source: "command line: --preset \(preset)")
        if names.isEmpty {
            throw ConfigurationError(
                mark,
                "no preset (base/*.yaml) is in the folders \(places(beside: folder)); run sandbox in the folder "
                    + "that holds sweeps/")
        }
        if !names.contains(preset) {
            throw ConfigurationError(
                mark,
                "unknown preset '\(preset)'" + Spelling.hint(for: preset, among: names.sorted()))
        }
    }

    private func locate(_ entry: String, folder: String, isBase: Bool) -> String {
        if entry.hasPrefix("/") { return entry }
        let beside = folder.isEmpty ? entry : "\(folder)/\(entry)"
        if !isBase || FileManager.default.fileExists(atPath: beside) { return beside }
        let candidates = searchFolders.map { "\($0)/\(entry)" }
        return candidates.first { FileManager.default.fileExists(atPath: $0) } ?? beside
    }

    private mutating func check(_ file: String, mark: SourceMark) throws {
        let resolved = URL(fileURLWithPath: file).resolvingSymlinksInPath().path
        if let start = chain.firstIndex(where: { $0.resolved == resolved }) {
            let cycle = chain[start...].map(\.shown) + [file]
            throw ConfigurationError(
                mark, "inherit goes in a circle: " + cycle.joined(separator: " → "))
        }
        fileCount += 1
        if fileCount > 100 {
            throw ConfigurationError(mark, "inherit leads to more than 100 files")
        }
    }

    /// Under `parameters` a definition (`value`, `values`, `min`, …) replaces the inherited one: half of each
    /// would mean nothing.
    private func lay(
        _ upper: ConfigurationNode, over lower: ConfigurationNode
    ) -> ConfigurationNode {
        let merged = lower.overlaid(by: upper)
        guard let lowerParameters = lower["parameters"], let upperParameters = upper["parameters"],
            var entries = merged.entries,
            let index = entries.firstIndex(where: { $0.key == "parameters" })
        else { return merged }
        entries[index].value = lowerParameters.overlaid(by: upperParameters) { node in
            ["value", "values", "min", "max"].contains { node[$0] != nil }
        }
        return ConfigurationNode(.mapping(entries), mark: merged.mark)
    }
}
