import Foundation
import Platform

/// A sweep's folder, or `bases`, that is to be removed: what the program wrote into it, and what it did not.
public struct RemovedSweep: Sendable {
    /// The folder's own name.
    public let name: String
    /// The folder.
    public let path: String
    /// The runs in it; they go first.
    public let runs: [CatalogedRun]
    /// The paths of what the program wrote beside the runs, what makes the folder a sweep and the lock last.
    let own: [String]
    /// The folders of runs that ended before they had a configuration.
    let begun: [String]
    /// The names of what the program did not write, sorted; it stays, and the folder with it.
    public let foreign: [String]

    init(_ sweep: CatalogedSweep) throws {
        let folder = sweep.directory.path
        var (own, begun, foreign): ([String], [String], [String]) = ([], [], [])
        var runs: [CatalogedRun] = []
        for name in try Folder.contents(of: folder) {
            let path = "\(folder)/\(name)"
            if Folder.isLink(path) {
                // Whatever it points to, nobody but the user made it.
                foreign.append(name)
            } else if let run = sweep.runs.first(where: { $0.name == name }) {
                runs.append(run)
            } else if Self.isOwn(name, in: folder) {
                own.append(path)
            } else if try Self.isBegun(name, in: folder) {
                begun.append(path)
            } else {
                foreign.append(name)
            }
        }
        name = sweep.name
        path = folder
        self.runs = runs
        self.own =
            own.filter { !Self.isMark($0) && $0 != sweep.directory.lockPath }
            + own.filter(Self.isMark) + own.filter { $0 == sweep.directory.lockPath }
        self.begun = begun
        self.foreign = foreign
    }

    /// The paths that go after the runs.
    var paths: [String] { foreign.isEmpty ? [path] : begun + own }

    /// The folder's foreign entries, up to three of them by name; nil when there are none.
    public var reasonToStay: String? {
        if foreign.isEmpty { return nil }
        let rest = foreign.count > 3 ? " and \(foreign.count - 3) more" : ""
        return "'\(path)' stays: it also holds \(foreign.prefix(3).joined(separator: ", "))\(rest)"
    }

    /// The lock that those share who work on the sweep.
    private var lockPath: String { SweepDirectory(path: path).lockPath }

    /// Refuses a sweep that a process works on.
    func refuseHeld() throws {
        if try FileLock.isHeld(lockPath, isShareCounted: true) { throw heldError }
    }

    /// Keeps others from working on the sweep.
    ///
    /// - Throws: ``RunRemovalError`` when somebody does.
    func lock() throws -> FileLock {
        guard let lock = try FileLock.tryLock(lockPath) else { throw heldError }
        return lock
    }

    private var heldError: RunRemovalError {
        let holder = FileLock.holder(of: lockPath).map { "process \($0)" } ?? "another process"
        return RunRemovalError(
            description:
                "the sweep '\(path)' stays: \(holder) works on it; wait for it or stop it; "
                + "nothing was removed")
    }

    /// Deletes what the program wrote, and the folder when nothing else is in it; the runs are gone already.
    func perform(_ removed: (String) -> Void) throws {
        // A process that began a run here in between keeps it, and the folder with it.
        let late = try Folder.contents(of: path).filter {
            !Folder.isUnfinished($0) && !foreign.contains($0)
        }.compactMap { CatalogedRun(path: "\(path)/\($0)") }
        if let run = late.first {
            throw RunRemovalError(
                description:
                    "the run '\(run.directory.path)' was begun meanwhile and stays, and so does '\(path)'; "
                    + "stop the sweep that runs there and remove it again")
        }
        for path in begun {
            let lock = try RunDirectory(path: path).lock()
            defer { lock.release() }
            try Folder.discard(path)
            if !foreign.isEmpty { removed(path) }
        }
        for path in own {
            try Folder.remove(path)
            if !foreign.isEmpty { removed(path) }
        }
        // Made by the removal itself where the sweep had none.
        try Folder.remove(lockPath)
        if !foreign.isEmpty { return }
        // Never more than the empty folder: what came into it since it was looked at stays.
        try Folder.removeEmpty(path)
        removed(path)
    }

    // MARK: Kinds of entries

    private static let marks: Set = ["manifest.json", "sweep.yaml"]
    private static let files: Set = marks.union([
        "lock", "manifest.lock", "summary.csv", "parameters.csv", "claims.json", "report.html",
    ])

    /// Whether the file is one by which a folder is known as a sweep's.
    private static func isMark(_ path: String) -> Bool { marks.contains(Path.name(of: path)) }

    private static func isOwn(_ name: String, in folder: String) -> Bool {
        let path = "\(folder)/\(name)"
        if files.contains(name) { return Folder.holdsFile(path) }
        return (name == "plots" && Folder.isFolder(path)) || Folder.isLeftover(name)
    }

    /// Whether a process made the folder for a run and died before it wrote more than lock and configuration.
    private static func isBegun(_ name: String, in folder: String) throws -> Bool {
        let path = "\(folder)/\(name)"
        guard RunCatalog.hash(of: name) != nil, Folder.isFolder(path) else { return false }
        return try Folder.contents(of: path).allSatisfy {
            $0 == "lock" || $0 == "config.yaml" || Folder.isLeftover($0)
        }
    }

    /// Whether all that is in the folder is such as a sweep's folder holds, or bases.
    static func looksOwn(_ folder: String) throws -> Bool {
        if Folder.isLink(folder) || !Folder.isFolder(folder) { return false }
        return try Folder.contents(of: folder).allSatisfy { name in
            let path = "\(folder)/\(name)"
            if Folder.isLink(path) { return false }
            return isOwn(name, in: folder)
                || (Folder.isFolder(path)
                    && (CatalogedRun.isRun(path) || RunCatalog.hash(of: name) != nil))
        }
    }
}
