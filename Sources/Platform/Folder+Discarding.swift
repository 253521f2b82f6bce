import Foundation

extension Folder {
    private static let removedMark = ".removed-"

    /// Removes the folder at `path` so that it is never seen half-empty under its own name.
    ///
    /// It is renamed to `<path>.removed-<pid>` first; what a killed process leaves there,
    /// ``clearDiscarded(in:)`` removes.
    ///
    /// - Throws: ``SystemError``; a missing folder is fine.
    public static func discard(_ path: String) throws {
        let aside = path + removedMark + String(getpid())
        try remove(aside)
        if rename(path, aside) != 0 {
            if errno == ENOENT { return }
            throw SystemError.failed(to: "remove", path)
        }
        try remove(aside)
    }

    /// Removes what killed processes left of folders they were discarding in `folder`.
    public static func clearDiscarded(in folder: String) throws {
        for name in try contents(of: folder) {
            guard let range = name.range(of: removedMark, options: .backwards),
                let process = Int32(name[range.upperBound...])
            else { continue }
            // A living process still removes its own.
            if kill(process, 0) != 0 && errno == ESRCH { try remove(folder + "/" + name) }
        }
    }

    /// Whether `name` is that of a folder that a process which has died was discarding.
    public static func isDiscarded(_ name: String) -> Bool { isLeftover(name, of: removedMark) }

    /// Whether `name` is what a process which has died left of a file or folder that it was writing, replacing or
    /// removing; a name that only resembles one, such as `notes.removed-by-me`, is not.
    public static func isLeftover(_ name: String) -> Bool {
        if [partialMark, replacedMark, removedMark].contains(where: { isLeftover(name, of: $0) }) {
            return true
        }
        guard let range = name.range(of: temporaryMark, options: .backwards) else { return false }
        return UUID(uuidString: String(name[range.upperBound...])) != nil
    }

    private static func isLeftover(_ name: String, of mark: String) -> Bool {
        guard let range = name.range(of: mark, options: .backwards),
            range.lowerBound > name.startIndex,
            let process = Int32(name[range.upperBound...]), process > 0
        else { return false }
        return process == getpid() || (kill(process, 0) != 0 && errno == ESRCH)
    }

    /// Whether `name` belongs to a file or folder that is being written, replaced or removed, or was when a
    /// process died.
    public static func isUnfinished(_ name: String) -> Bool {
        [partialMark, replacedMark, temporaryMark, removedMark].contains { name.contains($0) }
    }
}
