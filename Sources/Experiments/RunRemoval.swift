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
    /// The sweep folders that go as a whole, after their runs.
    public let sweeps: [CatalogedSweep]
    /// Bytes of everything that goes.
    public let bytes: Int

    /// Looks up what `arguments` name and refuses what must stay.
    ///
    /// - Parameters:
    ///   - arguments: runs, bases and sweeps as ``RunCatalog/target(_:)`` takes them.
    ///   - catalog: where they are looked up, and where runs may need a base that is named.
    /// - Throws: ``ConfigurationError`` for an unknown name; ``RunRemovalError`` for a run that a process works on,
    ///   and for a model that another run was trained from.
    public init(_ arguments: [String], in catalog: RunCatalog) throws {
        var runs: [CatalogedRun] = []
        var sweeps: [CatalogedSweep] = []
        for argument in arguments {
            switch try catalog.target(argument) {
            case .run(let run): runs.append(run)
            case .sweep(let sweep):
                if !sweeps.contains(where: { sameFolder($0.directory.path, sweep.directory.path) })
                {
                    sweeps.append(sweep)
                }
                runs += sweep.runs
            }
        }
        var distinct: [CatalogedRun] = []
        for run in runs
        where !distinct.contains(where: { sameFolder($0.directory.path, run.directory.path) }) {
            distinct.append(run)
        }
        self.runs =
            distinct.filter { $0.sweep != "bases" } + distinct.filter { $0.sweep == "bases" }
        self.sweeps = sweeps
        let loose = self.runs.filter { run in
            !sweeps.contains { sameFolder($0.directory.path, Path.parent(of: run.directory.path)) }
        }
        bytes = (loose.map(\.directory.path) + sweeps.map(\.directory.path)).reduce(0) {
            $0 + Self.bytes(below: $1)
        }
        for run in self.runs where run.isHeld {
            let holder = FileLock.holder(of: run.directory.lockPath).map { "process \($0)" }
            throw RunRemovalError(
                description: "the run '\(run.directory.path)' is held by "
                    + "\(holder ?? "another process"); wait for it or stop it; nothing was removed")
        }
        try refuseNeeded(in: catalog)
    }

    /// Deletes the runs and the sweep folders.
    ///
    /// Every run's lock is held while it goes, and its folder is renamed aside first; a sweep that stays has the run
    /// as `queued` in its manifest.
    ///
    /// - Parameter removed: told of each path that is gone.
    public func perform(_ removed: (String) -> Void = { _ in }) throws {
        for run in runs {
            let folder = Path.parent(of: run.directory.path)
            try Folder.clearDiscarded(in: folder.isEmpty ? "." : folder)
            let lock = try run.directory.lock()
            defer { lock.release() }
            let goesWhole = sweeps.contains { sameFolder($0.directory.path, folder) }
            if run.sweep != "bases" && !goesWhole {
                try queue(run, in: SweepDirectory(path: folder.isEmpty ? "." : folder))
            }
            try Folder.discard(run.directory.path)
            removed(run.directory.path)
        }
        for sweep in sweeps {
            // A process that began a run here in between keeps it, and the folder with it.
            let path = sweep.directory.path
            let late = try Folder.contents(of: path).filter { !Folder.isUnfinished($0) }
                .compactMap { CatalogedRun(path: "\(path)/\($0)") }
            if let run = late.first {
                throw RunRemovalError(
                    description:
                        "the run '\(run.directory.path)' was begun meanwhile and stays, and so does '\(path)'; "
                        + "stop the sweep that runs there and remove it again")
            }
            try Folder.discard(path)
            removed(path)
        }
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
    private func refuseNeeded(in catalog: RunCatalog) throws {
        let staying = try catalog.runs().filter { run in
            !runs.contains { sameFolder($0.directory.path, run.directory.path) }
        }
        let sources = staying.map { (run: $0, sources: Self.sources(of: $0)) }
        for run in runs {
            let dependents = sources.filter { $0.sources.contains { $0.means(run) } }
                .map(\.run.qualifiedName)
            if dependents.isEmpty { continue }
            let shown = dependents.prefix(3).joined(separator: ", ")
            let rest = dependents.count > 3 ? " and \(dependents.count - 3) more" : ""
            throw RunRemovalError(
                description:
                    "\(run.qualifiedName) stays: \(shown)\(rest) \(dependents.count == 1 ? "was" : "were") trained "
                    + "from it; remove \(dependents.count == 1 ? "that run" : "those runs") first, or in the "
                    + "same command; nothing was removed")
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

    private static func bytes(below path: String) -> Int {
        let manager = FileManager.default
        let paths = (try? manager.subpathsOfDirectory(atPath: path)) ?? []
        return paths.reduce(0) { sum, name in
            let attributes = try? manager.attributesOfItem(atPath: "\(path)/\(name)")
            guard attributes?[.type] as? FileAttributeType == .typeRegular else { return sum }
            return sum + (attributes?[.size] as? Int ?? 0)
        }
    }
}

/// Whether two paths name one folder.
private func sameFolder(_ first: String, _ second: String) -> Bool {
    URL(fileURLWithPath: first.isEmpty ? "." : first).resolvingSymlinksInPath().path
        == URL(fileURLWithPath: second.isEmpty ? "." : second).resolvingSymlinksInPath().path
}
