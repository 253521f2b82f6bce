import Experiments
import Foundation
import InContextRegression
import Kernels
import Platform
import TensorStorage
import Training
import Transformer

/// Trains and measures one base or one run at a time, in their folders.
public struct RunTrainer {
    /// The folder that holds `<sweep>/` and `bases/`.
    public let root: String
    /// Workers of every training step.
    public let workers: Int
    /// Version of the program, for the metadata.
    public let programVersion: String
    /// Who is told.
    public let reporter: RunReporter

    /// - Parameters:
    ///   - root: the folder that holds `<sweep>/` and `bases/`.
    ///   - workers: workers of every training step.
    ///   - programVersion: version of the program, for the metadata.
    ///   - reporter: who is told.
    public init(root: String, workers: Int, programVersion: String, reporter: RunReporter) {
        self.root = root
        self.workers = workers
        self.programVersion = programVersion
        self.reporter = reporter
    }

    /// A base's folder.
    public func directory(_ base: PlannedBase) -> RunDirectory {
        RunDirectory(path: "\(root)/bases/\(base.name)")
    }

    /// A run's folder.
    public func directory(_ run: PlannedRun, sweep: String) -> RunDirectory {
        RunDirectory(path: "\(root)/\(sweep)/\(run.name)")
    }

    /// Makes a base's folder, so that another process can train it.
    public func prepare(_ base: PlannedBase, _ policy: RunPolicy) throws {
        try keeper(base).prepare(policy)
    }

    /// Makes a run's folder, so that another process can train it.
    public func prepare(_ run: PlannedRun, sweep: String, _ policy: RunPolicy) throws {
        try keeper(run, sweep: sweep).prepare(policy)
    }

    // MARK: Bases

    /// Trains a base that is not trained, and measures it on linear functions where that is not done.
    ///
    /// - Parameters:
    ///   - base: the base.
    ///   - plan: tells on what to measure it; nil leaves it unmeasured.
    ///   - policy: what to do about a base that is there.
    /// - Returns: false when another process holds it.
    /// - Throws: ``InterruptedError`` after a signal, or what stopped it.
    public func complete(
        _ base: PlannedBase, for plan: SweepPlan?, policy: RunPolicy
    ) throws -> Bool {
        let directory = directory(base)
        let store = plan.map { EvaluationStore(base, of: $0, in: directory) }
        let keeper = keeper(base)
        if policy.trains, policy.tellsWhatWasThere, !policy.restarts,
            try keeper.metadata()?.status == .finished
        {
            reporter.noticed("base \(base.name): found, trained already")
        }
        return try keeper.perform(policy, isDone: { try store?.isComplete([.base]) ?? true }) {
            work in
            if !work.isTrained, try train(base, work) == .interrupted { return .interrupted }
            guard let store else { return .finished }
            return try measure([.base], in: store, work)
        }
    }

    private func train(_ base: PlannedBase, _ work: RunWork) throws -> TrainingOutcome {
        guard let pretraining = base.configuration.pretraining,
            let recording = base.configuration.recording
        else { return try copy(base, work) }
        let decoder = base.configuration.model.decoder
        tellPrecision(pretraining.phase)
        reporter.began("pretraining \(base.name)", pretraining.phase.steps)
        defer { reporter.ended() }
        return try PhaseRunner(
            directory: directory(base), decoder: decoder, phase: pretraining.phase,
            recording: recording, curriculum: pretraining.curriculum.curriculum,
            functionClass: LinearFunction(), layout: .cpt, seed: pretraining.seed,
            purpose: { .pretraining(step: $0) }, workers: workers,
            positionOffset: pretraining.positionOffset,
            initialParameters: { decoder.initialParameters(seed: pretraining.seed) },
            progress: reporter.stepped
        ).run(work.records)
    }

    /// Says where bf16 gains nothing.
    private func tellPrecision(_ phase: PhaseConfiguration) {
        guard phase.precision == .bf16, let notice = ProductPrecision.missingBF16Notice else {
            return
        }
        reporter.noticed(notice)
    }

    /// A base from elsewhere is copied, so that its runs do not hang on a folder that may go.
    private func copy(_ base: PlannedBase, _ work: RunWork) throws -> TrainingOutcome {
        let model = try base.configuration.storedModel()
        try directory(base).publish(model, files: work.records.lengths)
        return .finished
    }

    private func keeper(_ base: PlannedBase) -> RunKeeper {
        RunKeeper(
            directory: directory(base), hash: base.hash, sweep: nil, base: nil,
            configuration: base.configuration.resolved,
            hashOfFile: { path in
                // What `from` names may be gone: the weights were copied.
                try BaseConfiguration(file: path).identity().map { try CanonicalJSON.hash($0) }
                    ?? base.hash
            },
            programVersion: programVersion, workers: workers, reporter: reporter)
    }

    // MARK: Runs

    /// Trains a run that is not trained, from a base that is, and measures what is not measured.
    ///
    /// - Parameters:
    ///   - run: the run.
    ///   - sweep: the sweep it belongs to, whose manifest follows its status.
    ///   - policy: what to do about a run that is there.
    /// - Returns: false when another process holds it.
    /// - Throws: ``InterruptedError`` after a signal, or what stopped it.
    public func complete(_ run: PlannedRun, sweep: String, policy: RunPolicy) throws -> Bool {
        let directory = directory(run, sweep: sweep)
        let store = EvaluationStore(run, in: directory)
        let analysis = RunAnalysis(run, in: directory)
        let settings = run.configuration.evaluationSettings
        // What is wrong with the run comes first, hence no error from here.
        defer { try? noteStatus(of: run, sweep: sweep) }
        return try keeper(run, sweep: sweep).perform(
            policy, isDone: { try store.isComplete(settings) && analysis.isComplete }
        ) { work in
            try noteStatus(of: run, sweep: sweep)
            if !work.isTrained, try train(run, in: directory, work) == .interrupted {
                return .interrupted
            }
            if try measure(settings, in: store, work) == .interrupted { return .interrupted }
            return try analysis.measure(workers: workers, reporter: reporter)
        }
    }

    /// A model that was trained just now and gives no numbers is not kept: the checkpoint before it is the good one.
    private func measure(
        _ settings: [EvaluationSetting], in store: EvaluationStore, _ work: RunWork
    ) throws -> TrainingOutcome {
        do {
            return try store.measure(settings, records: work.records) {
                try store.model(settings, workers: workers)
            }
        } catch let error as DivergenceError {
            if !work.isTrained { try store.directory.removeLatestCheckpoint() }
            throw error
        }
    }

    /// The means of a finished run's errors on what its configuration asks for.
    ///
    /// - Throws: what is missing or damaged.
    public func measurements(_ run: PlannedRun, sweep: String) throws -> [EvaluationRecord] {
        try EvaluationStore(run, in: directory(run, sweep: sweep))
            .records(run.configuration.evaluationSettings)
    }

    private func train(
        _ run: PlannedRun, in directory: RunDirectory, _ work: RunWork
    ) throws -> TrainingOutcome {
        let configuration = run.configuration
        let base = try StoredModel(folder: self.directory(run.base).path)
        tellPrecision(configuration.training)
        reporter.began(
            "\(configuration.functionClass.name) \(run.name)", configuration.training.steps)
        defer { reporter.ended() }
        return try PhaseRunner(
            directory: directory, decoder: base.decoder, phase: configuration.training,
            recording: configuration.recording,
            curriculum: Curriculum(
                dims: CurriculumSchedule(constant: configuration.model.inputDimension),
                points: CurriculumSchedule(constant: configuration.training.points)),
            functionClass: configuration.functionClass, layout: configuration.layout,
            seed: configuration.seed, purpose: { .training(step: $0) }, workers: workers,
            initialParameters: { base.parameters }, progress: reporter.stepped
        ).run(work.records)
    }

    private func keeper(_ run: PlannedRun, sweep: String) -> RunKeeper {
        RunKeeper(
            directory: directory(run, sweep: sweep), hash: run.hash, sweep: sweep,
            base: run.base.name, configuration: { try run.configuration.resolved(sweep: sweep) },
            hashOfFile: { try RunConfiguration.hash(ofFile: $0, base: run.base) },
            programVersion: programVersion, workers: workers, reporter: reporter)
    }

    /// Copies how far a run has come from its metadata to the sweep's manifest.
    private func noteStatus(of run: PlannedRun, sweep: String) throws {
        let metadata = try directory(run, sweep: sweep).metadata()
        let directory = SweepDirectory(path: "\(root)/\(sweep)")
        guard
            let entry = try directory.manifest()?.trials.first(where: { $0.run == run.name }),
            entry.status != metadata?.status ?? .queued || entry.error != metadata?.error
        else { return }
        try directory.updateManifest { manifest in
            for index in manifest.trials.indices where manifest.trials[index].run == run.name {
                manifest.trials[index].status = metadata?.status ?? .queued
                manifest.trials[index].error = metadata?.error
            }
        }
    }
}

extension RunDirectory {
    /// Writes a model that was not trained here as the checkpoint at step 0.
    func publish(_ model: StoredModel, files: [String: Int]) throws {
        let state = TrainingState(layout: model.decoder.layout, parameters: model.parameters)
        let record = CheckpointState(
            step: 0, lossSum: 0, lossCount: 0, files: files, blasKernel: BLAS.kernelName,
            workers: 1)
        try publishCheckpoint(step: 0) { try Checkpoint.write(state, record: record, into: $0) }
    }
}

extension CurriculumConfiguration {
    /// The schedules as the trainer uses them.
    var curriculum: Curriculum {
        func schedule(_ ramp: RampConfiguration) -> CurriculumSchedule {
            CurriculumSchedule(
                start: ramp.start, end: ramp.end, inc: ramp.inc, interval: ramp.interval)
        }
        return Curriculum(dims: schedule(dims), points: schedule(points))
    }
}
