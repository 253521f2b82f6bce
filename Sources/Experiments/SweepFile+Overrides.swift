import Foundation
import Platform

extension SweepFile {
    /// `tree` with an override in place: in `parameters` when it names one of them, else where it says.
    static func apply(
        _ override: ConfigurationOverride, to tree: ConfigurationNode
    ) throws -> ConfigurationNode {
        guard let parameters = tree["parameters"],
            let path = try definitionPath(override, in: parameters, from: 0)
        else { return try override.applied(to: tree) }
        let form = override.value.elements == nil ? "value" : "values"
        let entry = ConfigurationNode.Entry(
            key: form, keyMark: override.mark, value: override.value)
        let definition = ConfigurationNode(.mapping([entry]), mark: override.mark)
        return try tree.setting((["parameters"] + path)[...], to: definition, mark: override.mark)
    }

    /// The path inside `parameters` of the definition that the override names; nil when it names none.
    private static func definitionPath(
        _ override: ConfigurationOverride, in parameters: ConfigurationNode, from depth: Int
    ) throws -> [String]? {
        let key = override.path[depth]
        guard let definition = parameters[key] else { return nil }
        if depth == override.path.count - 1 { return [key] }
        if let nested = definition["parameters"] {
            return try definitionPath(override, in: nested, from: depth + 1)
                .map { [key, "parameters"] + $0 }
        }
        let name = override.path[...depth].joined(separator: ".")
        throw ConfigurationError(
            override.mark,
            "the parameter '\(name)' at \(definition.mark) sets the whole of it; set \(name)={…}")
    }

    /// Where sweep files are looked for: `./sweeps`, then `share/sandbox/sweeps` of the installation that the
    /// running program belongs to.
    public static func defaultSearchFolders() -> [String] {
        guard let executable = Executable.path else { return ["sweeps"] }
        let folder = Path.parent(of: executable)
        let prefix = Path.parent(of: folder)
        return ["sweeps", "\(prefix)/share/sandbox/sweeps"]
    }

    /// The path of `<name>.yaml` in the first of `folders` that has it; nil when none does.
    public static func find(_ name: String, in folders: [String]) -> String? {
        let candidates = folders.map { "\($0)/\(name).yaml" }
        return candidates.first { FileManager.default.fileExists(atPath: $0) }
    }

    /// Refuses the path of no file with the sweep files that are there.
    static func refuseMissing(_ path: String, searchFolders: [String]) throws {
        if path.isEmpty || FileManager.default.fileExists(atPath: path) { return }
        let parent = Path.parent(of: path)
        let files = ([parent.isEmpty ? "." : parent] + searchFolders).flatMap { folder in
            available(in: [folder]).map { folder == "." ? "\($0).yaml" : "\(folder)/\($0).yaml" }
        }
        let names = files.map { Path.stem(of: $0) }
        let nearest = Spelling.nearest(to: Path.stem(of: path), among: names)
            .flatMap { names.firstIndex(of: $0) }.map { "; did you mean '\(files[$0])'?" }
        let list =
            files.isEmpty
            ? "; name a sweep file"
            : " (sweep files: \(files.prefix(8).joined(separator: ", "))\(files.count > 8 ? ", …" : ""))"
        throw ConfigurationError(
            SourceMark(source: path), "there is no such file" + (nearest ?? "") + list)
    }

    /// The names of the sweep files in `folders`, sorted.
    public static func available(in folders: [String]) -> [String] {
        let files = folders.flatMap { (try? Folder.contents(of: $0)) ?? [] }
        return Set(files.filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }).sorted()
    }
}
