import Experiments
import Foundation
import Platform
import Training

/// What a sweep came to.
public struct SweepOutcome: Sendable {
    /// Everything measured on the runs that are finished; nil when none is.
    public let results: SweepResults?
    /// The runs that could not be finished.
    public let failures: [RunFailure]
}

/// Runs a sweep: bases, fine-tuning, evaluation. What is done already is not done again, and what another process works
/// on is waited for.
public struct SweepRunner {
    /// What to run.
    public let plan: SweepPlan
    /// Trains and measures one run.
    public let trainer: RunTrainer
    /// Trains several runs side by side; nil for one after the other in this process.
    public let elsewhere: RunQueue.Elsewhere?

    /// - Parameters:
    ///   - plan: what to run.
    ///   - trainer: trains and measures one run.
    ///   - elsewhere: trains several runs side by side; nil for one after the other in this process.
    public init(plan: SweepPlan, trainer: RunTrainer, elsewhere: RunQueue.Elsewhere? = nil) {
        self.plan = plan
        self.trainer = trainer
        self.elsewhere = elsewhere
    }

    /// The sweep's folder.
    public var directory: SweepDirectory {
        SweepDirectory(path: "\(trainer.root)/\(plan.name)")
    }

    /// Runs everything that is not done yet and measures it.
    ///
    /// - Parameters:
    ///   - request: the sweep as it was asked for, for the sweep's folder.
    ///   - policy: what to do about runs that are there already.
    /// - Throws: ``InterruptedError`` after a signal; otherwise what concerns the sweep as a whole.
    public func run(_ request: SweepFile, policy: RunPolicy = RunPolicy()) throws -> SweepOutcome {
        try directory.create(sweepText: request.text, manifest: manifest(request))
        return try outcome(policy)
    }

    /// Notes the request again and lets `write` write what it came to: what the sweep's folder holds then belongs
    /// together, whatever else was asked for under the sweep's name meanwhile.
    ///
    /// - Parameters:
    ///   - request: the sweep as it was asked for.
    ///   - write: writes table and pictures.
    public func conclude(_ request: SweepFile, _ write: () throws -> Void) throws {
        try directory.create(sweepText: request.text, manifest: manifest(request), write)
    }

    /// Trains and measures everything that is not done yet, and reads it.
    ///
    /// - Parameter policy: what to do about runs that are there already.
    /// - Throws: ``InterruptedError`` after a signal; otherwise what concerns the sweep as a whole.
    public func outcome(_ policy: RunPolicy) throws -> SweepOutcome {
        var (finished, failures) = try train(policy)
        var results: SweepResults?
        var lastProblem = ""
        while results == nil, !finished.isEmpty {
            if InterruptFlag.isRaised { throw InterruptedError() }
            do {
                results = try SweepResults(
                    plan, runs: finished, root: trainer.root, workers: trainer.workers,
                    reporter: trainer.reporter)
            } catch let error where !(error is InterruptedError) && "\(error)" != lastProblem {
                // Another process may have begun a run anew since; what is wrong otherwise is wrong again.
                lastProblem = "\(error)"
                let again = try SweepRunner(plan: plan.with(finished), trainer: trainer)
                    .train(policy.afterwards)
                finished = again.finished
                failures += again.failures
            }
        }
        // Nothing is lost from here on: files are written whole or not at all.
        if InterruptFlag.isRaised { throw InterruptedError() }
        InterruptFlag.exitAtOnce()
        return SweepOutcome(results: results, failures: failures)
    }

    /// Trains and measures everything that is not done yet.
    ///
    /// A run that fails does not keep the others from being run.
    ///
    /// - Parameter policy: what to do about runs that are there already. Bases are shared between sweeps: they are
    ///   retried, never restarted.
    /// - Throws: ``InterruptedError`` after a signal.
    public func train(
        _ policy: RunPolicy
    ) throws -> (finished: [PlannedRun], failures: [RunFailure]) {
        var ofBases = policy
        ofBases.retriesFailed = policy.retriesFailed || policy.restarts
        ofBases.restarts = false
        let queue = RunQueue(reporter: trainer.reporter, elsewhere: elsewhere)
        var failures = try queue.complete(
            plan.bases, policy: ofBases,
            prepare: trainer.prepare, path: { trainer.directory($0).configurationPath }
        ) { try trainer.complete($0, for: plan, policy: $1) }
        let lost = Set(failures.map(\.index))
        let runs = plan.runs.filter { run in
            !plan.bases.indices.contains {
                lost.contains($0) && plan.bases[$0].hash == run.base.hash
            }
        }
        let failed = try queue.complete(
            runs, policy: policy, prepare: { try trainer.prepare($0, sweep: plan.name, $1) },
            path: { trainer.directory($0, sweep: plan.name).configurationPath }
        ) { try trainer.complete($0, sweep: plan.name, policy: $1) }
        let finished = runs.indices.filter { index in !failed.contains { $0.index == index } }
        failures += failed
        return (
            finished.map { runs[$0] }, failures.map(\.failure)
        )
    }

    private func manifest(_ request: SweepFile) throws -> SweepManifest {
        let trials = plan.runs.map { run in
            // A damaged file is reported when the run's turn comes.
            let metadata = try? directory.run(run.name).metadata()
            return SweepManifest.Entry(
                run: run.name, hash: run.hash, base: run.base.name,
                seed: Int(run.configuration.seed), varying: run.varying,
                status: metadata?.status ?? .queued, error: metadata?.error)
        }
        return SweepManifest(
            name: plan.name, file: request.path, preset: request.preset,
            overrides: request.overrides, evaluate: plan.evaluation.json, trials: trials)
    }
}
