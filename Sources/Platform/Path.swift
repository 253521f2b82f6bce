/// The parts of a path, by its slashes alone.
///
/// Foundation's `NSString.deletingLastPathComponent` traps on a path of one letter (Swift 6.3, Linux).
public enum Path {
    /// The folder that holds `path`: empty when it has no slash, `/` for what lies at the top.
    public static func parent(of path: String) -> String {
        let trimmed = trimmed(path)
        guard let slash = trimmed.lastIndex(of: "/") else { return "" }
        return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
    }

    /// The last part of `path`.
    public static func name(of path: String) -> String {
        let trimmed = trimmed(path)
        guard let slash = trimmed.lastIndex(of: "/") else { return trimmed }
        return String(trimmed[trimmed.index(after: slash)...])
    }

    /// The last part of `path` without its extension.
    public static func stem(of path: String) -> String {
        let name = name(of: path)
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else { return name }
        return String(name[..<dot])
    }

    /// `path` without slashes at its end; `/` stays.
    private static func trimmed(_ path: String) -> String {
        var end = path.endIndex
        while end > path.startIndex, path[path.index(before: end)] == "/" {
            end = path.index(before: end)
        }
        return end == path.startIndex && !path.isEmpty ? "/" : String(path[..<end])
    }
}
