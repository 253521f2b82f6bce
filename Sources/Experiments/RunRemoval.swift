import Foundation
import Platform

/// Runs that are not removed, in one sentence with the reason and the cure.
public struct RunRemovalError: Error, CustomStringConvertible, Sendable {
    /// The sentence.
    public let description: String
}

/// Runs, bases and sweep folders to be deleted.
public struct RunRemoval: Sendable {
    /// The runs and bases that go, runs first: a base goes after what was trained from it.
    public let runs: [CatalogedRun]
    /// The sweep folders that go after their runs, whole or but for what the program did not write.
    public let sweeps: [RemovedSweep]
    /// Bytes of everything that goes.
    public let bytes: Int
    private let catalog: RunCatalog

    /// Looks up what `arguments` name and refuses what must stay.
    ///
    /// - Parameters:
    ///   - arguments: runs, bases and sweeps below the catalog's root, as ``RunCatalog/removable(_:)`` takes them.
    ///   - catalog: where they are looked up, and where runs may need a base that is named.
    ///   - force: whether bases go although runs which stay were trained from them.
    /// - Throws: ``ConfigurationError`` for what is no run and no sweep below the root; ``RunRemovalError`` for a run
    ///   or sweep that a process works on, and for a model that another run was trained from.
    public init(_ arguments: [String], in catalog: RunCatalog, force: Bool = false) throws {
        self.catalog = catalog
        var runs: [CatalogedRun] = []
        var folders: [RemovedSweep] = []
        for argument in arguments {
            switch try catalog.removable(argument) {
            case .run(let run): runs.append(run)
            case .sweep(let sweep):
                if !folders.contains(where: { sameFolder($0.path, sweep.directory.path) }) {
                    folders.append(try RemovedSweep(sweep))
                }
            }
        }
        runs += folders.flatMap(\.runs)
        var distinct: [CatalogedRun] = []
        for run in runs where !distinct.contains(where: run.isSame) { distinct.append(run) }
        self.runs =
            distinct.filter { $0.sweep != "bases" } + distinct.filter { $0.sweep == "bases" }
        sweeps = folders
        let all = self.runs.map(\.directory.path) + folders.flatMap { $0.own + $0.begun }
        bytes = all.reduce(0) { $0 + Self.bytes(at: $1) }
        for folder in folders { try folder.refuseHeld() }
        for run in self.runs where run.isHeld { throw Self.held(run.directory) }
        for path in folders.flatMap(\.begun) {
            let directory = RunDirectory(path: path)
            if try FileLock.isHeld(directory.lockPath) { throw Self.held(directory) }
        }
        try refuseNeeded(in: catalog, force: force)
    }

    /// The paths that go, in their order: runs, then sweep folders; of a sweep folder that stays its own files.
    public var paths: [String] { runs.map(\.directory.path) + sweeps.flatMap(\.paths) }

    private static func held(_ directory: RunDirectory) -> RunRemovalError {
        let holder = FileLock.holder(of: directory.lockPath).map { "process \($0)" }
        return RunRemovalError(
            description: "the run '\(directory.path)' is held by \(holder ?? "another process"); "
                + "wait for it or stop it; nothing was removed")
    }

    /// Deletes the runs and the sweep folders.
    ///
    /// Every sweep's lock is held meanwhile, and every run's while it goes, whose folder is renamed aside first; a sweep
    /// that stays has the run as `queued` in its manifest. Of a sweep's folder only what the program wrote goes, and the folder itself when
    /// nothing else is in it.
    ///
    /// - Parameter removed: told of each path that is gone.
    public func perform(_ removed: (String) -> Void = { _ in }) throws {
        let locks = try sweeps.map { try $0.lock() }
        defer { for lock in locks { lock.release() } }
        try catalog.clearDiscarded()
        for run in runs {
            let folder = Path.parent(of: run.directory.path)
            try Folder.clearDiscarded(in: folder)
            let lock = try run.directory.lock()
            defer { lock.release() }
            let goesToo = sweeps.contains { sameFolder($0.path, folder) }
            if run.sweep != "bases" && !goesToo {
                try queue(run, in: SweepDirectory(path: folder))
            }
            try Folder.discard(run.directory.path)
            removed(run.directory.path)
        }
        for sweep in sweeps { try sweep.perform(removed) }
    }

    /// Marks the run as not begun where the sweep keeps count.
    private func queue(_ run: CatalogedRun, in sweep: SweepDirectory) throws {
        guard let manifest = try sweep.manifest(),
            manifest.trials.contains(where: { $0.run == run.name })
        else { return }
        try sweep.updateManifest { manifest in
            for index in manifest.trials.indices where manifest.trials[index].run == run.name {
                manifest.trials[index].status = .queued
                manifest.trials[index].error = nil
            }
        }
    }

    // MARK: What must stay

    /// Refuses a model that a run which stays was trained from: it could neither go on nor be measured again.
    private func refuseNeeded(in catalog: RunCatalog, force: Bool) throws {
        let staying = try catalog.runs().filter { !runs.contains(where: $0.isSame) }
        let sources = staying.map { (run: $0, sources: Self.sources(of: $0)) }
        for run in runs where !(force && run.sweep == "bases") {
            let dependents = sources.filter { $0.sources.contains { $0.means(run) } }
                .map(\.run.qualifiedName)
            if dependents.isEmpty { continue }
            let shown = dependents.prefix(3).joined(separator: ", ")
            let rest = dependents.count > 3 ? " and \(dependents.count - 3) more" : ""
            throw RunRemovalError(
                description:
                    "\(run.qualifiedName) stays: \(shown)\(rest) \(dependents.count == 1 ? "was" : "were") trained "
                    + "from it; remove \(dependents.count == 1 ? "that run" : "those runs") first, or in the "
                    + "same command"
                    + (run.sweep == "bases"
                        ? ", or give --force to remove the base alone (their results stay readable)"
                        : "")
                    + "; nothing was removed")
        }
    }

    /// A model that a run says it was trained from.
    private enum Source {
        /// The name of a base.
        case base(String)
        /// The folder that `pretraining.from` names.
        case folder(String)

        func means(_ run: CatalogedRun) -> Bool {
            switch self {
            case .base(let name): return run.sweep == "bases" && run.name == name
            case .folder(let path):
                let own = URL(fileURLWithPath: run.directory.path).standardizedFileURL.path
                let full = URL(fileURLWithPath: path).standardizedFileURL.path
                // The path may have been given from another folder than this one.
                return full == own || full.hasPrefix(own + "/")
                    || "/\(path)/".contains("/\(run.qualifiedName)/")
            }
        }
    }

    private static func sources(of run: CatalogedRun) -> [Source] {
        if run.sweep == "bases" { return [] }
        var sources = run.baseName().map { [Source.base($0)] } ?? []
        let from = (try? run.configuration())?.value(at: "pretraining.from")?.json.stringValue
        if let from { sources.append(.folder(from)) }
        return sources
    }

    /// Bytes of the file, or of all files in the folder, at `path`.
    private static func bytes(at path: String) -> Int {
        let manager = FileManager.default
        let below = (try? manager.subpathsOfDirectory(atPath: path)) ?? []
        return ([path] + below.map { "\(path)/\($0)" }).reduce(0) { sum, path in
            let attributes = try? manager.attributesOfItem(atPath: path)
            guard attributes?[.type] as? FileAttributeType == .typeRegular else { return sum }
            return sum + (attributes?[.size] as? Int ?? 0)
        }
    }
}

/// Whether two paths name one folder.
func sameFolder(_ first: String, _ second: String) -> Bool {
    URL(fileURLWithPath: first.isEmpty ? "." : first).resolvingSymlinksInPath().path
        == URL(fileURLWithPath: second.isEmpty ? "." : second).resolvingSymlinksInPath().path
}
