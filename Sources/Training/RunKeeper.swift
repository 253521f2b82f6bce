import Experiments
import Foundation
import Kernels
import Logging
import Platform

/// Leads one run's folder through its states: lock, configuration, metadata, work, result.
public struct RunKeeper {
    /// The run's folder.
    public let directory: RunDirectory
    /// The hash of what decides the weights.
    public let hash: String
    /// The sweep it belongs to; nil for a base.
    public let sweep: String?
    /// The base it starts from; nil for a base.
    public let base: String?
    /// What `config.yaml` says.
    public let configuration: () throws -> ConfigurationNode
    /// The hash that a `config.yaml` stands for.
    public let hashOfFile: (_ path: String) throws -> String
    /// Version of the program, for the metadata.
    public let programVersion: String
    /// Workers of a step, for the metadata.
    public let workers: Int
    /// Told of anything worth a line.
    private let notice: (String) -> Void

    /// - Parameters:
    ///   - directory: the run's folder.
    ///   - hash: the hash of what decides the weights.
    ///   - sweep: the sweep it belongs to.
    ///   - base: the base it starts from.
    ///   - configuration: what `config.yaml` says.
    ///   - hashOfFile: the hash that a `config.yaml` stands for.
    ///   - programVersion: version of the program, for the metadata.
    ///   - workers: workers of a step, for the metadata.
    ///   - reporter: told of anything worth a line.
    public init(
        directory: RunDirectory, hash: String, sweep: String?, base: String?,
        configuration: @escaping () throws -> ConfigurationNode,
        hashOfFile: @escaping (_ path: String) throws -> String, programVersion: String,
        workers: Int, reporter: RunReporter
    ) {
        self.directory = directory
        self.hash = hash
        self.sweep = sweep
        self.base = base
        self.configuration = configuration
        self.hashOfFile = hashOfFile
        self.programVersion = programVersion
        self.workers = workers
        notice = reporter.noticed
    }

    /// How far the run has come; nil when its folder holds none.
    ///
    /// - Throws: ``RunError`` when the folder holds another run.
    public func metadata() throws -> RunMetadata? {
        guard let metadata = try directory.metadata() else { return nil }
        if metadata.hash != hash {
            throw RunError(
                description:
                    "'\(directory.path)' holds another run than the one asked for (hash \(metadata.hash) in "
                    + "metadata.json, \(hash) asked for); move or delete the folder")
        }
        let stored = try hashOfFile(directory.configurationPath)
        if stored != hash {
            throw RunError(
                description:
                    "'\(directory.configurationPath)' describes another run (hash \(stored)) than the one that "
                    + "was trained there (hash \(hash)); \(directory.cure)")
        }
        if metadata.status == .finished, try directory.latestCheckpointStep() == nil {
            throw RunError(
                description:
                    "'\(directory.path)' is a finished run without a checkpoint; \(directory.cure)")
        }
        return metadata
    }

    /// Writes the configuration of a run that is to be trained, and the metadata of one that is not there yet, so that
    /// another process can train it.
    public func prepare(_ policy: RunPolicy) throws {
        guard let lock = try directory.tryLock() else { return }
        defer { lock.release() }
        // A restart clears whatever is there, so that it need not be readable.
        let present = policy.restarts ? try? directory.metadata() : try metadata()
        if present?.status == .finished && !policy.restarts { return }
        // The file tells the process that takes the run up on what to measure it.
        try AtomicFile.write(configuration().yaml(), to: directory.configurationPath)
        if present == nil && !policy.restarts {
            try directory.write(freshMetadata(after: nil))
        }
    }

    /// Does the work under the run's lock; the status follows what happens.
    ///
    /// - Parameters:
    ///   - policy: what to do about a run that is there.
    ///   - isDone: whether nothing is left to do; asked before and after the lock is taken.
    ///   - work: trains what is not trained and measures what is not measured.
    /// - Returns: false when another process holds the run.
    /// - Throws: ``InterruptedError``, or what stopped the run (its status says so then).
    public func perform(
        _ policy: RunPolicy, isDone: () throws -> Bool, _ work: (RunWork) throws -> TrainingOutcome
    ) throws -> Bool {
        if !policy.restarts, try metadata()?.status == .finished, try isDone() { return true }
        guard let lock = try directory.tryLock() else { return false }
        defer { lock.release() }
        if policy.restarts { try directory.clear() }
        let earlier = try metadata()
        if earlier?.status == .finished, try isDone() { return true }
        if let error = earlier?.error, earlier?.status == .failed, !policy.retriesFailed {
            let hint = " (it failed earlier; --retry-failed tries it again from there)"
            throw DivergenceError(
                step: (earlier?.step ?? 0) + 1,
                description: error + (policy.tellsWhatWasThere ? hint : ""))
        }
        if earlier?.status == .finished {
            try measure(earlier, work)
        } else {
            guard policy.trains else {
                throw RunError(
                    description: "'\(directory.path)' is not finished; ask for it again to train it"
                )
            }
            try train(after: earlier, policy, work)
        }
        return true
    }

    /// Measures a finished run, which it stays whatever happens.
    private func measure(
        _ earlier: RunMetadata?, _ work: (RunWork) throws -> TrainingOutcome
    ) throws {
        guard var metadata = earlier, let step = try directory.latestCheckpointStep() else {
            return
        }
        let checkpoint = try Checkpoint.checkedState(directory.checkpointPath(step: step))
        let log = try log()
        let records = try RunRecords(directory: directory, lengths: checkpoint.files, isCut: false)
        metadata.sessions.append(session(at: step, Provenance.current()))
        try directory.write(metadata)
        log.notice("measuring step \(step), BLAS kernel \(BLAS.kernelName)")
        let outcome = try work(RunWork(records: records, isTrained: true))
        try records.synchronize()
        if outcome == .interrupted { throw InterruptedError() }
    }

    private func train(
        after earlier: RunMetadata?, _ policy: RunPolicy,
        _ work: (RunWork) throws -> TrainingOutcome
    ) throws {
        let checkpoint = try directory.latestCheckpointStep().map {
            try Checkpoint.checkedState(directory.checkpointPath(step: $0))
        }
        if let checkpoint { try checkRecords(countedBy: checkpoint) }
        let log = try log()
        let records = try RunRecords(directory: directory, lengths: checkpoint?.files ?? [:])
        var metadata = try freshMetadata(after: earlier)
        metadata.sessions.append(session(at: checkpoint?.step ?? 0, metadata.provenance))
        metadata.become(.running, at: Date())
        try AtomicFile.write(configuration().yaml(), to: directory.configurationPath)
        try directory.write(metadata)
        if checkpoint == nil {
            try records.appendHyperparameters(configuration().json)
        }
        log.notice(
            "step \(checkpoint?.step ?? 0), \(workers) workers, BLAS kernel \(BLAS.kernelName)")
        if let checkpoint { tellContinuation(of: checkpoint, log) }
        do {
            let outcome = try work(RunWork(records: records, isTrained: false))
            metadata.step = try directory.latestCheckpointStep()
            metadata.become(outcome == .finished ? .finished : .interrupted, at: Date())
            if outcome == .finished {
                // A measurement of the last checkpoint is a number: the one before it may go.
                try directory.removeEarlierCheckpoints()
                try records.appendEnd(.finished)
            }
            try records.synchronize()
            try directory.write(metadata)
            log.notice("\(metadata.status.rawValue) at step \(metadata.step ?? 0)")
            if outcome == .interrupted {
                throw InterruptedError(run: directory.path, policy: policy)
            }
        } catch let error as InterruptedError {
            // A signal before the first step, or between two things the work does.
            if metadata.status == .running {
                metadata.step = try? directory.latestCheckpointStep()
                metadata.become(.interrupted, at: Date())
                try? directory.write(metadata)
            }
            throw error
        } catch {
            metadata.step = try? directory.latestCheckpointStep()
            // What the numbers did they would do again; a disk or a lost file may be mended.
            let isFinal = error is DivergenceError
            metadata.become(isFinal ? .failed : .interrupted, at: Date(), error: "\(error)")
            try? directory.write(metadata)
            if isFinal { try? records.appendEnd(.failed) }
            log.error("\(error)")
            throw error
        }
    }

    /// Makes sure that the records up to a checkpoint can be read, before the rest is trained.
    ///
    /// The event file's records are read where the file is opened.
    private func checkRecords(countedBy checkpoint: CheckpointState) throws {
        let path = directory.metricsPath
        let count = checkpoint.files[Path.name(of: path)] ?? 0
        try CountedRecords.check(path, against: count)
        if count == 0 { return }
        let check = RecordCheck(path: path, isEvaluations: false, first: count)
        if let problem = check.problems.first { throw RunError(description: problem.message) }
    }

    private func session(at step: Int, _ provenance: Provenance) -> RunMetadata.Session {
        RunMetadata.Session(
            began: Date(), step: step, blasKernel: BLAS.kernelName, workers: workers,
            provenance: provenance)
    }

    /// Says what continuing from a checkpoint means for the bits, where that is not plain.
    private func tellContinuation(of checkpoint: CheckpointState, _ log: Logger) {
        func tell(_ change: String, _ reason: String) {
            let line =
                "\(directory.path) continues with \(change): the result is bit-identical to an undisturbed run "
                + reason
            log.notice("\(line)")
            notice(line)
        }
        if checkpoint.blasKernel != BLAS.kernelName {
            tell(
                "the BLAS kernel \(BLAS.kernelName) instead of \(checkpoint.blasKernel)",
                "under any of them, because training uses none")
        }
        if checkpoint.workers != workers {
            tell(
                "\(workers) instead of \(checkpoint.workers) workers", "for any number of workers")
        }
    }

    private func log() throws -> Logger {
        let file = try MessageFile(path: directory.logPath)
        let handler = MessageHandler(label: directory.name, file: file, sink: { _ in })
        return Logger(label: directory.name, factory: { _ in handler })
    }

    /// Metadata of this process; the times and sessions of earlier ones are kept.
    private func freshMetadata(after earlier: RunMetadata?) throws -> RunMetadata {
        var metadata = RunMetadata(
            hash: hash, sweep: sweep, base: base, sandboxVersion: programVersion,
            blasKernel: BLAS.kernelName, libraries: ["openblas": BLAS.version],
            provenance: Provenance.current())
        if let earlier {
            metadata.created = earlier.created
            metadata.started = earlier.started
            metadata.sessions = earlier.sessions
        }
        return metadata
    }
}

/// What a run's work gets: its record files, and whether it is trained already.
public struct RunWork {
    /// Where what is measured is noted.
    public let records: RunRecords
    /// Whether the run is trained already.
    public let isTrained: Bool
}
