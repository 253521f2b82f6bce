import Experiments
import Foundation
import Mechanism
import Platform

/// The finished runs of a sweep, read without training anything.
struct FinishedSweep {
    /// The sweep's folder.
    let directory: SweepDirectory
    /// What was last asked for under the sweep's name.
    let manifest: SweepManifest
    /// What the runs came to.
    let outcome: SweepOutcome

    /// The folder that holds the runs.
    var root: String { Path.parent(of: directory.path) }

    /// Reads a sweep, lets `body` work while nobody may remove it, and reports the runs that cannot be read.
    ///
    /// - Parameters:
    ///   - sweep: its name or its folder.
    ///   - place: where runs are and how they are measured.
    ///   - body: prints or writes; see ``writing(_:)``.
    /// - Throws: one sentence, also when no run is finished.
    static func read(
        _ sweep: String, _ place: RunPlace, _ body: (FinishedSweep) throws -> Void
    ) throws {
        let found = try RunCatalog(root: place.runs).sweep(sweep)
        try found.requireErrorCurves()
        let directory = found.directory.placed
        let root = Path.parent(of: directory.path)
        let (plan, manifest) = try SweepPlan.finished(in: directory, root: root)
        let (shown, asked) = (plan.runs.count, manifest.trials.count)
        if shown < asked {
            note("\(asked - shown) of \(asked) runs are not finished and not shown")
        }
        let lock = try directory.lock()
        defer { lock.release() }
        InterruptFlag.install()
        // Measures what another evaluation has taken the place of.
        let outcome = try SweepRunner(plan: plan, trainer: place.trainer(root: root))
            .outcome(.measuring)
        try body(FinishedSweep(directory: directory, manifest: manifest, outcome: outcome))
        try outcome.failures.report()
    }

    /// Lets `body` write what belongs to the request; nothing is written when a run cannot be read for the moment,
    /// which must not narrow what is there.
    ///
    /// - Returns: whether it was written.
    func writing(_ body: (SweepResults) throws -> Void) throws -> Bool {
        guard outcome.failures.isEmpty, let results = outcome.results else { return false }
        try directory.whileAskedFor(manifest) { try body(results) }
        return true
    }
}
