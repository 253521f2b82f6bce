import Experiments
import Foundation
import Mechanism
import Platform
import Plotting

extension SweepOutput {
    /// Writes table, claims and pictures to `plots/<sweep>`, in place of what an earlier publication left there.
    ///
    /// What is stale goes last, so that an interruption loses nothing.
    ///
    /// - Parameters:
    ///   - summary: the finished sweep.
    ///   - table: its summary.csv.
    ///   - claims: its claims.json.
    ///   - figures: its pictures.
    ///   - root: the folder that holds the runs.
    /// - Returns: the files written and those removed.
    func publish(
        _ summary: SweepSummary, table: CSVTable, claims: ClaimsFile, figures: [NamedFigure],
        root: String
    ) throws -> (written: [String], removed: [String]) {
        let publication = Publication(sweep: summary.results.plan.name)
        let folder = publication.folder
        try Folder.create(folder)
        try table.write(to: folder + "/summary.csv")
        try claims.write(to: folder + "/claims.json")
        var written = ["summary.csv", "claims.json"].map { "\(folder)/\($0)" }
        if let parameters = summary.parameterTable() {
            try parameters.write(to: folder + "/parameters.csv")
            written.append(folder + "/parameters.csv")
        }
        written += try draw(figures, in: folder, root: root, summaryText: table.text)
        return (written, try publication.removeStale(besides: written))
    }
}

/// The folder `plots/<sweep>`.
struct Publication {
    let sweep: String

    var folder: String { "plots/\(sweep)" }

    /// Removes what an earlier publication wrote and the present one did not: pictures beside a sidecar that names this
    /// sweep's runs, and parameters.csv. Whatever else lies in the folder stays.
    ///
    /// - Parameter written: the files of the present publication.
    /// - Returns: the files removed.
    func removeStale(besides written: [String]) throws -> [String] {
        let kept = Set(written)
        var removed: [String] = []
        func remove(_ path: String) throws {
            guard !kept.contains(path), Folder.holdsFile(path) else { return }
            try Folder.remove(path)
            removed.append(path)
        }
        for name in try Folder.contents(of: folder)
        where name.hasSuffix(".json") && isOwnSidecar("\(folder)/\(name)") {
            let stem = "\(folder)/\(name.dropLast(".json".count))"
            let pictures = FigureFormat.allCases.map { "\(stem).\($0.rawValue)" }
            for picture in pictures { try remove(picture) }
            // The sidecar last: without it nobody would know whose the pictures are.
            if kept.isDisjoint(with: pictures) { try remove("\(stem).json") }
        }
        try remove(folder + "/parameters.csv")
        return removed
    }

    /// Whether a file is the sidecar of a picture of this sweep: its data are summary.csv, its runs those of the sweep,
    /// or the bases that a picture of the base names.
    private func isOwnSidecar(_ path: String) -> Bool {
        guard let data = try? WholeFile.read(path),
            let sidecar = try? JSONDecoder().decode(JSONValue.self, from: data),
            sidecar["data"]?.stringValue == "summary.csv",
            let runs = sidecar["runs"]?.arrayValue?.map({ $0["run"]?.stringValue ?? "" }),
            !runs.isEmpty
        else { return false }
        return runs.allSatisfy { $0.hasPrefix("\(sweep)/") || $0.hasPrefix("bases/") }
    }
}
