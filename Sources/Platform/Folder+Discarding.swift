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

    /// Whether `name` belongs to a file or folder that is being written, replaced or removed, or was when a
    /// process died.
    public static func isUnfinished(_ name: String) -> Bool {
        [partialMark, replacedMark, temporaryMark, removedMark].contains { name.contains($0) }
    }
}
