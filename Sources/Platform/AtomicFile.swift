import Foundation

/// Files and folders that appear whole or not at all: written beside, flushed, then renamed.
public enum AtomicFile {
    /// Writes `data` to `path`: readers see the old bytes or the new, never a part.
    ///
    /// A device or a pipe is written through.
    ///
    /// - Throws: ``SystemError`` that names the path and the reason; no temporary file stays behind.
    public static func write(_ data: Data, to path: String) throws {
        if isDevice(path) { return try writeThrough(data, to: path) }
        let temporary = temporaryName(beside: path)
        let descriptor = retrying {
            open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        }
        if descriptor < 0 { throw SystemError.failed(to: "write", path) }
        do {
            defer { close(descriptor) }
            try writeAll(data, to: descriptor, path: path)
            if retrying({ fsync(descriptor) }) != 0 { throw SystemError.failed(to: "flush", path) }
        } catch {
            unlink(temporary)
            throw error
        }
        if rename(temporary, path) != 0 {
            let error = SystemError.failed(to: "write", path)
            unlink(temporary)
            throw error
        }
        synchronizeFolder(of: path)
    }

    /// Writes `text` to `path` as UTF-8: readers see the old text or the new, never a part.
    public static func write(_ text: String, to path: String) throws {
        try write(Data(text.utf8), to: path)
    }

    /// Gives the file at `path` the name `target`, in place of a file that was there.
    ///
    /// - Returns: false when nothing is at `path`.
    public static func move(_ path: String, to target: String) throws -> Bool {
        if rename(path, target) != 0 {
            if errno == ENOENT { return false }
            throw SystemError.failed(to: "rename", path)
        }
        synchronizeFolder(of: target)
        return true
    }

    /// Makes `path` a symbolic link to `target`, in place of a link that was there.
    ///
    /// - Parameter target: the link's text, usually a name in the same folder.
    public static func replaceSymbolicLink(at path: String, to target: String) throws {
        let temporary = temporaryName(beside: path)
        if symlink(target, temporary) != 0 { throw SystemError.failed(to: "link", path) }
        if rename(temporary, path) != 0 {
            let error = SystemError.failed(to: "link", path)
            unlink(temporary)
            throw error
        }
        synchronizeFolder(of: path)
    }

    /// Fills a folder under another name and gives it its own when `fill` has returned.
    ///
    /// `fill` gets the path of `<path>.partial-<pid>`. Its files are flushed before the rename. A folder that
    /// stood at `path` is moved aside, then deleted; ``Folder/recover(_:)`` mends a crash in between.
    public static func publishFolder(at path: String, _ fill: (String) throws -> Void) throws {
        let partial = path + Folder.partialMark + String(getpid())
        var isMade = mkdir(partial, 0o777) == 0
        if !isMade && errno == EEXIST {
            try Folder.remove(partial)
            isMade = mkdir(partial, 0o777) == 0
        }
        if !isMade { throw SystemError.failed(to: "create the folder", path) }
        do {
            try fill(partial)
            try synchronizeTree(partial)
            try replaceFolder(at: path, with: partial)
        } catch {
            try? Folder.remove(partial)
            throw error
        }
        synchronizeFolder(of: path)
    }

    /// Whether `path` is a device, a pipe or a socket: there is nothing to replace, and a rename would put a file in
    /// its place for everybody on the machine.
    private static func isDevice(_ path: String) -> Bool {
        var information = stat()
        guard stat(path, &information) == 0 else { return false }
        return ![S_IFREG, S_IFDIR].contains(information.st_mode & S_IFMT)
    }

    private static func writeThrough(_ data: Data, to path: String) throws {
        let descriptor = retrying { open(path, O_WRONLY | O_CLOEXEC) }
        if descriptor < 0 { throw SystemError.failed(to: "write", path) }
        defer { close(descriptor) }
        try writeAll(data, to: descriptor, path: path)
    }

    private static func temporaryName(beside path: String) -> String {
        "\(path)\(Folder.temporaryMark)\(UUID().uuidString)"
    }

    private static func writeAll(_ data: Data, to descriptor: Int32, path: String) throws {
        try data.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                let written = retrying { systemWrite(descriptor, rest) }
                if written < 0 { throw SystemError.failed(to: "write", path) }
                offset += written
            }
        }
    }

    private static func replaceFolder(at path: String, with partial: String) throws {
        let aside = path + Folder.replacedMark + String(getpid())
        let existed = access(path, F_OK) == 0
        if existed && rename(path, aside) != 0 { throw SystemError.failed(to: "replace", path) }
        if rename(partial, path) != 0 {
            let error = SystemError.failed(to: "create the folder", path)
            if existed { rename(aside, path) }
            throw error
        }
        if existed { try Folder.remove(aside) }
    }

    private static func synchronizeTree(_ folder: String) throws {
        for name in try Folder.contents(of: folder) {
            let path = folder + "/" + name
            var information = stat()
            if lstat(path, &information) != 0 { throw SystemError.failed(to: "read", path) }
            switch information.st_mode & S_IFMT {
            case S_IFDIR: try synchronizeTree(path)
            case S_IFREG: try synchronize(path)
            default: break
            }
        }
        try synchronize(folder)
    }

    private static func synchronize(_ path: String) throws {
        let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC) }
        if descriptor < 0 { throw SystemError.failed(to: "flush", path) }
        defer { close(descriptor) }
        if retrying({ fsync(descriptor) }) != 0 { throw SystemError.failed(to: "flush", path) }
    }

    /// Makes the rename itself durable. Some file systems refuse `fsync` on folders: then they need none.
    private static func synchronizeFolder(of path: String) {
        let folder = Path.parent(of: path)
        try? synchronize(folder.isEmpty ? "." : folder)
    }
}

/// `write(2)`, reachable where a method named `write` hides it.
func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
