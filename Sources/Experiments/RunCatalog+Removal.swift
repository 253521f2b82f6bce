import Foundation
import Platform

extension RunCatalog {
    /// The run or the sweep that `argument` names, where it may be removed: a run two levels below ``root``, a sweep
    /// (its folder holds manifest.json or sweep.yaml) or `bases` one level below it.
    ///
    /// What lies below the root comes before a path from the working directory; a run that is named by the beginning of
    /// its hash takes four digits of it. Links are followed up to the root;
    /// below it they are refused.
    ///
    /// - Throws: ``ConfigurationError`` for anything else.
    public func removable(_ argument: String) throws -> Target {
        let inside = "\(root)/\(argument)"
        if argument.isEmpty || !Folder.isFolder(root) {
            throw unknown(argument, kind: "run or sweep", among: [])
        }
        if !argument.hasPrefix("/") && Self.exists(inside) { return try checked(inside, argument) }
        if let run = try named(argument) {
            if run.name != argument, Path.name(of: argument).count < Self.fewestDigits {
                throw Self.error(
                    argument,
                    "is too short to remove a run by (it would be \(run.qualifiedName)); give at least "
                        + "\(Self.fewestDigits) digits of its hash, or its name")
            }
            return try checked(run.directory.path, argument)
        }
        if Self.exists(argument) { return try checked(argument, argument) }
        let all = try sweeps()
        throw unknown(
            argument, kind: "run or sweep",
            among: all.flatMap { [$0.name] + $0.runs.map(\.qualifiedName) })
    }

    /// One digit more or less, or a number meant otherwise, must not name another run.
    private static let fewestDigits = 4

    /// Clears what processes that died left of sweep folders they were removing.
    ///
    /// - Throws: ``SystemError`` where a folder cannot be removed.
    public func clearDiscarded() throws {
        for name in try Folder.contents(of: root) where Folder.isDiscarded(name) {
            // The name alone is no proof: anybody may call a folder so.
            let path = "\(root)/\(name)"
            if try RemovedSweep.looksOwn(path) { try Folder.remove(path) }
        }
    }

    /// The run or sweep in the folder `path`, which is there.
    private func checked(_ path: String, _ argument: String) throws -> Target {
        try refuseLinks(path, argument)
        guard let full = Folder.resolved(path), let top = Folder.resolved(root) else {
            throw unknown(argument, kind: "run or sweep", among: [])
        }
        let (parts, rootParts) = (Self.parts(full), Self.parts(top))
        if parts == rootParts {
            throw Self.error(
                argument,
                "is the folder that holds the runs, and stays; name runs or sweeps in it")
        }
        guard parts.starts(with: rootParts) else {
            throw Self.error(
                argument,
                "lies outside '\(root)', and only runs and sweeps in there are removed; --runs names another folder"
            )
        }
        for place in [
            ".", ProcessInfo.processInfo.environment["HOME"] ?? NSHomeDirectory(),
        ] {
            guard let kept = Folder.resolved(place) else { continue }
            if Self.parts(kept).starts(with: parts) {
                let kind = place == "." ? "working directory" : "home folder"
                throw Self.error(argument, "is or holds the \(kind), and stays")
            }
        }
        let below = parts.dropFirst(rootParts.count)
        let own = "\(root)/\(below.joined(separator: "/"))"
        if below.allSatisfy({ !Folder.isUnfinished($0) }) {
            if below.count == 2, let run = CatalogedRun(path: own) { return .run(run) }
            if below.count == 1, let sweep = try Self.sweep(path: own) {
                if sweep.name == "bases" || Self.isMarked(own) { return .sweep(sweep) }
                throw Self.error(
                    argument,
                    "is no sweep's folder (it has neither manifest.json nor sweep.yaml); name the runs in it"
                )
            }
        }
        throw Self.error(
            argument,
            "is neither a run of '\(root)' (metadata.json, or config.yaml and lock) nor a sweep of it (manifest.json "
                + "or sweep.yaml)")
    }

    /// Refuses a link, and a run below one: the folder it points to is somebody else's.
    private func refuseLinks(_ path: String, _ argument: String) throws {
        var plain = path
        while Path.name(of: plain) == "." && plain != "." { plain = Path.parent(of: plain) }
        while plain.count > 1 && plain.hasSuffix("/") { plain.removeLast() }
        let above = Path.parent(of: plain)
        let isBelowRoot = above.isEmpty || sameFolder(above, root)
        for link in isBelowRoot ? [plain] : [plain, above] where Folder.isLink(link) {
            // The root itself may be a link.
            if sameFolder(link, root) { continue }
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link)
            throw Self.error(
                argument,
                "\(link == plain ? "is" : "lies behind") a link to '\(target ?? "")', which stays; remove the link "
                    + "itself (rm '\(link)') or name the folder it points to")
        }
    }

    private static func parts(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init)
    }

    private static func exists(_ path: String) -> Bool {
        Folder.isLink(path) || FileManager.default.fileExists(atPath: path)
    }

    private static func isMarked(_ folder: String) -> Bool {
        ["manifest.json", "sweep.yaml"].contains { Folder.holdsFile("\(folder)/\($0)") }
    }
}
