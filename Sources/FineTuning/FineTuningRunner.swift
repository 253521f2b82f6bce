import Experiments
import Foundation
import Kernels
import Platform
import Training

/// Trains and measures the runs of a text sweep in their folders.
public struct FineTuningRunner {
    /// The folder that holds `<sweep>/`.
    public let root: String
    /// What to run.
    public let plan: FineTuningPlan
    private let inputs: FineTuningInputs
    private let workers: Int
    private let programVersion: String
    private let reporter: RunReporter
    private let elsewhere: RunQueue.Elsewhere?

    /// - Parameters:
    ///   - root: the folder that holds `<sweep>/`.
    ///   - plan: what to run.
    ///   - inputs: models, corpora and prompts.
    ///   - workers: workers of a pass; the results do not depend on it.
    ///   - programVersion: version of the program, for the metadata.
    ///   - reporter: who is told.
    ///   - elsewhere: trains several runs side by side; nil for one after the other in this process.
    public init(
        root: String, plan: FineTuningPlan, inputs: FineTuningInputs, workers: Int,
        programVersion: String, reporter: RunReporter, elsewhere: RunQueue.Elsewhere? = nil
    ) {
        self.root = root
        self.plan = plan
        self.inputs = inputs
        self.workers = workers
        self.programVersion = programVersion
        self.reporter = reporter
        self.elsewhere = elsewhere
    }

    /// The sweep's folder.
    public var directory: SweepDirectory { SweepDirectory(path: "\(root)/\(plan.name)") }

    /// A run's folder.
    public func directory(_ run: PlannedFineTuning) -> RunDirectory {
        RunDirectory(path: "\(root)/\(plan.name)/\(run.name)")
    }

    /// Trains and measures every run that is not done yet; one that fails does not keep the others from being run.
    ///
    /// What a run that is to be trained would stumble over, its documents, its prompts or the memory that is free, is said
    /// before the first one begins and before anything is written: such an error stops all of them.
    ///
    /// - Parameters:
    ///   - request: the sweep as it was asked for, for the sweep's folder; nil notes nothing there.
    ///   - policy: what to do about runs that are there.
    ///   - isChecked: whether another process has looked for what the runs would stumble over.
    /// - Returns: the runs that could not be finished.
    /// - Throws: `InterruptedError` after a signal; what concerns the sweep as a whole; what a run would stumble over.
    public func run(
        _ request: SweepFile?, policy: RunPolicy, isChecked: Bool = false
    ) throws -> [RunFailure] {
        let pool = WorkerPool(workers: workers)
        let work = try plan.runs.map {
            try FineTuningWork($0, in: directory($0), inputs: inputs, pool: pool)
        }
        if !isChecked {
            let beginning = zip(plan.runs, work).filter { begins($0.0, policy) }
            // All places before the first endpoint is asked.
            for (run, _) in beginning { try Folder.requireCreatable(directory(run).path) }
            for (_, work) in beginning { try work.check() }
        }
        let lock = try request.map { _ in try directory.lock() }
        defer { lock?.release() }
        if let request {
            try directory.create(sweepText: request.text, manifest: manifest(request))
        }
        let queue = RunQueue(reporter: reporter, elsewhere: elsewhere)
        let failures = try queue.complete(
            Array(zip(plan.runs, work)), policy: policy, prepare: { try keeper($0.0).prepare($1) },
            path: { directory($0.0).configurationPath }
        ) { try complete($0.0, $0.1, policy: $1) }
        if let request {
            try directory.create(sweepText: request.text, manifest: manifest(request)) {
                try FineTuningSummary(plan, root: root).write(to: directory)
            }
        }
        return failures.map(\.failure)
    }

    /// Whether a run is to be trained here: it is not held by another process, and neither finished nor failed for good. A
    /// folder that cannot be read is reported when the run's turn comes.
    private func begins(_ run: PlannedFineTuning, _ policy: RunPolicy) -> Bool {
        let folder = directory(run)
        if (try? FileLock.isHeld(folder.lockPath)) == true { return false }
        guard !policy.restarts, let metadata = try? folder.metadata() else { return true }
        return metadata.status != .finished
            && (metadata.status != .failed || policy.retriesFailed)
    }

    /// Trains a run that is not trained, and writes what it lacks.
    ///
    /// - Returns: false when another process holds it.
    private func complete(
        _ run: PlannedFineTuning, _ work: FineTuningWork, policy: RunPolicy
    ) throws -> Bool {
        defer { work.forget() }
        return try keeper(run).perform(policy, isDone: { work.isPublished }) { record in
            if !record.isTrained {
                reporter.began("\(run.configuration.objective.name) \(run.name)", try work.steps())
                defer { reporter.ended() }
                if run.configuration.training.precision == .bf16,
                    let notice = ProductPrecision.missingBF16Notice
                {
                    reporter.noticed(notice)
                }
                let outcome = try work.train(record.records, progress: reporter.stepped)
                if outcome == .interrupted { return .interrupted }
            }
            try work.publish()
            return .finished
        }
    }

    private func keeper(_ run: PlannedFineTuning) -> RunKeeper {
        RunKeeper(
            directory: directory(run), hash: run.hash, sweep: plan.name, base: nil,
            configuration: {
                try run.configuration.resolved(
                    sweep: plan.name,
                    pool: run.configuration.objective.prompts.map(inputs.placeOfPool))
            },
            hashOfFile: { path in
                // The inputs are the same: they are part of the hash that the folder's name was made from.
                let file = try SweepFile.load(
                    path: path, sections: FineTuningConfiguration.sections)
                guard let trial = try file.trials().first else { return "" }
                let evaluation = try TextEvaluationConfiguration(of: file)
                let configuration = try FineTuningConfiguration(
                    trial.configuration, evaluation: evaluation, seed: trial.seed)
                return try CanonicalJSON.hash(configuration.identity(run.inputs))
            }, programVersion: programVersion, workers: workers, reporter: reporter)
    }

    private func manifest(_ request: SweepFile) throws -> SweepManifest {
        let trials = plan.runs.map { run in
            // A damaged file is reported when the run's turn comes.
            let metadata = try? directory(run).metadata()
            return SweepManifest.Entry(
                run: run.name, hash: run.hash, seed: Int(run.configuration.seed),
                varying: run.varying, status: metadata?.status ?? .queued, error: metadata?.error)
        }
        return SweepManifest(
            name: plan.name, file: request.path, preset: request.preset,
            overrides: request.overrides, evaluate: try JSONValue(encoding: plan.evaluation),
            trials: trials)
    }
}
