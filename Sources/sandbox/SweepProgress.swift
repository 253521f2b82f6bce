import Experiments
import Platform

/// How far the runs of a sweep have come.
struct SweepProgress {
    /// The number of runs that are finished.
    let finished: Int
    /// What is not finished, and the command that makes it; nil when everything is.
    let absence: String?

    /// - Parameter directory: the sweep's folder.
    /// - Returns: nil when nothing was asked for there.
    init?(_ directory: SweepDirectory) throws {
        guard let manifest = try directory.manifest(), !manifest.trials.isEmpty else { return nil }
        let root = Path.parent(of: directory.path)
        // A base that failed keeps its runs from ever being begun.
        let bases = Set(manifest.trials.compactMap(\.base)).sorted().map {
            (name: "bases/\($0)", run: RunDirectory(path: "\(root)/bases/\($0)"))
        }
        let runs = manifest.trials.map { (name: $0.run, run: directory.run($0.run)) }
        func failed(_ all: [(name: String, run: RunDirectory)]) throws -> [String] {
            try all.filter { try $0.run.metadata()?.status == .failed }.map(\.name)
        }
        finished = try runs.count { try $0.run.metadata()?.status == .finished }
        let failures = try failed(bases) + failed(runs)
        let missing = runs.count - finished
        let command = ReportWords.command(manifest)
        guard missing > 0 else {
            absence = nil
            return
        }
        absence =
            "\(missing) of \(runs.count) runs in \(directory.path) "
            + (failures.isEmpty
                ? "unfinished; finish them with: \(command)"
                : "unfinished, as \(Self.list(failures)) failed; try again with: \(command) --retry-failed")
    }

    /// The first few names, and how many more there are.
    private static func list(_ names: [String]) -> String {
        let more = names.count - 3
        return names.prefix(3).joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }
}
