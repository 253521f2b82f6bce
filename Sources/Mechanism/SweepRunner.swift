import Experiments
import Foundation
import Platform
import Training

/// A run that could not be finished.
public struct RunFailure: Sendable {
    /// The run's folder.
    public let run: String
    /// What stopped it, one sentence.
    public let sentence: String
    /// Whether it was the run's own numbers, which would stop it again.
    public let isFinal: Bool
}

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
    /// Trains runs in other processes, several at a time, and returns when all of them have ended: those of the runs
    /// whose process ended before its work was done.
    ///
    /// - Parameters:
    ///   - configurations: their `config.yaml`s.
    ///   - policy: what to do about runs that are there.
    public typealias Elsewhere =
        (_ configurations: [String], _ policy: RunPolicy) throws -> Set<String>

    /// What to run.
    public let plan: SweepPlan
    /// Trains and measures one run.
    public let trainer: RunTrainer
    /// Trains several runs side by side; nil for one after the other in this process.
    public let elsewhere: Elsewhere?

    /// - Parameters:
    ///   - plan: what to run.
    ///   - trainer: trains and measures one run.
    ///   - elsewhere: trains several runs side by side; nil for one after the other in this process.
    public init(plan: SweepPlan, trainer: RunTrainer, elsewhere: Elsewhere? = nil) {
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
        var failures = try complete(
            plan.bases, policy: ofBases,
            prepare: trainer.prepare, path: { trainer.directory($0).configurationPath }
        ) { try trainer.complete($0, for: plan, policy: $1) }
        let lost = Set(failures.map(\.index))
        let runs = plan.runs.filter { run in
            !plan.bases.indices.contains {
                lost.contains($0) && plan.bases[$0].hash == run.base.hash
            }
        }
        let failed = try complete(
            runs, policy: policy, prepare: { try trainer.prepare($0, sweep: plan.name, $1) },
            path: { trainer.directory($0, sweep: plan.name).configurationPath }
        ) { try trainer.complete($0, sweep: plan.name, policy: $1) }
        let finished = runs.indices.filter { index in !failed.contains { $0.index == index } }
        failures += failed
        return (
            finished.map { runs[$0] }, failures.map(\.failure)
        )
    }

    private struct Failure {
        let index: Int
        let failure: RunFailure
    }

    /// Completes every item; those that other processes hold come last.
    private func complete<Item>(
        _ items: [Item], policy: RunPolicy, prepare: (Item, RunPolicy) throws -> Void,
        path: (Item) -> String, _ body: (Item, RunPolicy) throws -> Bool
    ) throws -> [Failure] {
        var failures: [Failure] = []
        var handedOver = Set<Int>()
        if let elsewhere, items.count > 1 {
            // What is wrong with a folder is said below, when its turn comes.
            handedOver = Set(
                items.indices.filter { index in
                    let run = RunDirectory(path: Path.parent(of: path(items[index])))
                    let isDone = try? run.metadata()?.status == .finished
                    return (isDone == false || isDone == nil || policy.restarts)
                        && (try? prepare(items[index], policy)) != nil
                })
            let undone = try elsewhere(handedOver.sorted().map { path(items[$0]) }, policy)
            for index in handedOver where undone.contains(path(items[index])) {
                handedOver.remove(index)
                trainer.reporter.noticed(
                    "the process for \(Path.parent(of: path(items[index]))) ended too early; its work is done here"
                )
            }
        }
        var pending = Array(items.indices)
        var isWaiting = false
        while !pending.isEmpty {
            var held: [Int] = []
            for index in pending {
                if InterruptFlag.isRaised { throw InterruptedError() }
                do {
                    let policy = handedOver.contains(index) ? policy.afterwards : policy
                    if try !body(items[index], policy) { held.append(index) }
                } catch let error as InterruptedError {
                    throw error
                } catch {
                    let folder = Path.parent(of: path(items[index]))
                    trainer.reporter.noticed("failed: \(error)")
                    let failure = RunFailure(
                        run: folder, sentence: "\(error)", isFinal: error is DivergenceError)
                    failures.append(Failure(index: index, failure: failure))
                }
            }
            if held == pending {
                if !isWaiting {
                    trainer.tellWaiting(for: held.map { Path.parent(of: path(items[$0])) })
                }
                isWaiting = true
                usleep(200_000)
            }
            pending = held
        }
        return failures.sorted { $0.index < $1.index }
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
