import Foundation

/// Folders: listing, creating, removing, and clearing up after a crash.
public enum Folder {
    static let partialMark = ".partial-"
    static let replacedMark = ".replaced-"
    static let temporaryMark = ".writing-"

    /// The names in `folder`, sorted; empty when the folder is missing.
    public static func contents(of folder: String) throws -> [String] {
        guard let stream = opendir(folder) else {
            if errno == ENOENT { return [] }
            throw SystemError.failed(to: "list", folder)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { tuple in
                tuple.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Creates the folder `path` and the folders above it; one that exists is fine.
    public static func create(_ path: String) throws {
        if mkdir(path, 0o777) == 0 || isFolder(path) { return }
        let code = errno
        let parent = Path.parent(of: path)
        if code == ENOENT && !parent.isEmpty && parent != path {
            try create(parent)
            // Another process may have been faster, hence the second look.
            if mkdir(path, 0o777) == 0 || isFolder(path) { return }
        }
        throw SystemError.failed(to: "create the folder", path, code: code)
    }

    /// Makes sure that ``create(_:)`` could make `path`, or write into it where it is there, without doing so.
    ///
    /// - Throws: `SystemError` when what is there, or nearest above it, is no folder or must not be written to.
    public static func requireCreatable(_ path: String) throws {
        var nearest = path
        while access(nearest, F_OK) != 0 {
            if isLink(nearest) {
                throw SystemError.failed(to: "create the folder", nearest, code: EEXIST)
            }
            let parent = Path.parent(of: nearest)
            if parent.isEmpty {
                nearest = "."
                break
            }
            nearest = parent
        }
        guard isFolder(nearest) else {
            throw SystemError.failed(to: "create the folder", path, code: ENOTDIR)
        }
        if access(nearest, W_OK | X_OK) != 0 { throw SystemError.failed(to: "write in", nearest) }
    }

    /// Whether `path` is a folder, through links.
    public static func isFolder(_ path: String) -> Bool {
        let code = errno
        defer { errno = code }
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether `path` itself is a symbolic link, wherever it points.
    public static func isLink(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
    }

    /// Whether `path` is an ordinary file, through links.
    public static func holdsFile(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    }

    /// The absolute path of what `path` names, without links, `.` and `..`; nil when nothing is there.
    public static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Removes the file, link or whole folder at `path`; a missing one is fine.
    public static func remove(_ path: String) throws {
        var information = stat()
        if lstat(path, &information) != 0 {
            if errno == ENOENT { return }
            throw SystemError.failed(to: "remove", path)
        }
        if information.st_mode & S_IFMT != S_IFDIR {
            if unlink(path) != 0 { throw SystemError.failed(to: "remove", path) }
            return
        }
        for name in try contents(of: path) { try remove(path + "/" + name) }
        if rmdir(path) != 0 { throw SystemError.failed(to: "remove", path) }
    }

    /// Removes the folder `path`, which must be empty; a missing one is fine.
    public static func removeEmpty(_ path: String) throws {
        if rmdir(path) != 0 && errno != ENOENT { throw SystemError.failed(to: "remove", path) }
    }

    /// Clears what crashed processes left in `folder`: partial folders and temporary files go, a replaced
    /// folder without a successor comes back.
    ///
    /// Call it while holding the lock that guards the folder: another writer's work looks the same.
    public static func recover(_ folder: String) throws {
        for name in try contents(of: folder) {
            let path = folder + "/" + name
            if name.contains(partialMark) || name.contains(temporaryMark) {
                try remove(path)
            } else if let range = name.range(of: replacedMark) {
                let original = folder + "/" + name[..<range.lowerBound]
                if access(original, F_OK) == 0 {
                    try remove(path)
                } else if rename(path, original) != 0 {
                    throw SystemError.failed(to: "restore", original)
                }
            }
        }
    }
}
