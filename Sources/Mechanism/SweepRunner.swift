import Experiments
import Foundation
import InContextRegression
import Kernels
import Platform
import TensorStorage
import Training
import Transformer

/// Runs a sweep: bases, fine-tuning, evaluation. What is done already is not done again.
public struct SweepRunner {
    /// What to run.
    public let plan: SweepPlan
    /// The folder that holds `<sweep>/` and `bases/`.
    public let root: String
    /// Workers of every training step.
    public let workers: Int
    /// Version of the program, for the metadata.
    public let programVersion: String
    /// Who is told.
    public let reporter: RunReporter

    /// - Parameters:
    ///   - plan: what to run.
    ///   - root: the folder that holds `<sweep>/` and `bases/`.
    ///   - workers: workers of every training step.
    ///   - programVersion: version of the program, for the metadata.
    ///   - reporter: who is told.
    public init(
        plan: SweepPlan, root: String, workers: Int, programVersion: String, reporter: RunReporter
    ) {
        self.plan = plan
        self.root = root
        self.workers = workers
        self.programVersion = programVersion
        self.reporter = reporter
    }

    /// The sweep's folder.
    public var directory: SweepDirectory { SweepDirectory(path: root + "/" + plan.file.name) }

    /// Runs everything that is not done yet and measures it.
    ///
    /// - Throws: ``InterruptedError`` after a signal; otherwise what stopped a run.
    public func run() throws -> SweepResults {
        try directory.create(sweepText: plan.file.text)
        try writeManifest()
        var bases: [(plan: PlannedBase, model: StoredModel)] = []
        for base in plan.bases { bases.append((base, try obtain(base))) }
        var measuredBases: [MeasuredBase] = []
        for base in bases { measuredBases.append(try measure(base.plan, base.model)) }
        var runs: [MeasuredRun] = []
        for run in plan.runs {
            if InterruptFlag.isRaised { throw InterruptedError(run: run.name) }
            guard let base = bases.first(where: { $0.plan.hash == run.base.hash }) else {
                preconditionFailure("the plan's bases lack that of \(run.name)")
            }
            do {
                runs.append(try fineTuneAndMeasure(run, from: base.model))
                try recordStatus(of: run)
            } catch {
                try? recordStatus(of: run)
                throw error
            }
        }
        return SweepResults(
            plan: plan, bases: measuredBases, runs: runs, baselines: try measureBaselines())
    }

    // MARK: Training

    /// The base model: read when it is there, trained otherwise.
    private func obtain(_ base: PlannedBase) throws -> StoredModel {
        guard let pretraining = base.configuration.pretraining,
            let recording = base.configuration.recording
        else { return try StoredModel(folder: base.configuration.source ?? "") }
        let keeper = RunKeeper(
            directory: baseDirectory(base),
            configuration: {
                ConfigurationNode(
                    [
                        "version": 1, "model": try JSONValue(encoding: base.configuration.model),
                        "pretraining": try base.configuration.json(),
                    ], source: "resolved configuration")
            },
            programVersion: programVersion)
        let decoder = base.configuration.model.decoder
        if try keeper.isFinished() { reporter.noticed("base \(base.name): found, trained already") }
        try keeper.perform {
            reporter.began("pretraining \(base.name)", pretraining.phase.steps)
            defer { reporter.ended() }
            return try PhaseRunner(
                directory: keeper.directory, decoder: decoder, phase: pretraining.phase,
                recording: recording, curriculum: pretraining.curriculum.curriculum,
                functionClass: LinearFunction(), layout: .cpt, seed: pretraining.seed,
                purpose: { .pretraining(step: $0) }, workers: workers,
                initialParameters: { decoder.initialParameters(seed: pretraining.seed) },
                progress: reporter.stepped, notice: reporter.noticed
            ).run()
        }
        return try StoredModel(folder: keeper.directory.path)
    }

    private func fineTuneAndMeasure(_ run: PlannedRun, from base: StoredModel) throws -> MeasuredRun
    {
        let configuration = run.configuration
        let keeper = RunKeeper(
            directory: directory.run(run.name),
            configuration: { try configuration.resolved(baseName: run.base.name) },
            programVersion: programVersion)
        try keeper.perform {
            try recordStatus(of: run)
            reporter.began(
                "\(configuration.functionClass.name) \(run.name)", configuration.training.steps)
            defer { reporter.ended() }
            return try PhaseRunner(
                directory: keeper.directory, decoder: base.decoder, phase: configuration.training,
                recording: configuration.recording,
                curriculum: Curriculum(
                    dims: CurriculumSchedule(constant: configuration.model.inputDimension),
                    points: CurriculumSchedule(constant: configuration.training.points)),
                functionClass: configuration.functionClass, layout: configuration.layout,
                seed: configuration.seed, purpose: { .training(step: $0) }, workers: workers,
                initialParameters: { FloatView(base.parameters.array) },
                progress: reporter.stepped, notice: reporter.noticed
            ).run()
        }
        return try measure(run, keeper.directory)
    }

    // MARK: Measuring

    private func measure(_ run: PlannedRun, _ directory: RunDirectory) throws -> MeasuredRun {
        let configuration = run.configuration
        let evaluator = Evaluator(
            functionClass: configuration.functionClass, dims: configuration.model.inputDimension,
            points: configuration.training.points, examples: configuration.evaluation.examples,
            seed: configuration.evaluation.seed)
        let store = EvaluationStore(
            directory: directory, step: configuration.training.steps, evaluator: evaluator)
        let layouts = configuration.evaluationLayouts
        let cells = try store.cells(layouts: layouts) {
            try decoderForEvaluation(StoredModel(folder: directory.path), evaluator, layouts)
        }
        return MeasuredRun(
            plan: run, path: directory.path, losses: try readLosses(directory), cells: cells)
    }

    private func measure(_ base: PlannedBase, _ model: StoredModel) throws -> MeasuredBase {
        let points =
            base.configuration.pretraining?.phase.points
            ?? plan.runs[0].configuration.training.points
        let evaluator = Evaluator(
            functionClass: LinearFunction(), dims: model.configuration.inputDimension,
            points: points, examples: plan.evaluation.examples, seed: plan.evaluation.seed)
        let pool = WorkerPool(workers: workers)
        let errors: FloatView
        if base.configuration.pretraining == nil {
            let (parallel, weights) = decoderForEvaluation(model, evaluator, [.cpt])
            errors = evaluator.squaredErrors(of: parallel, weights: weights, layout: .cpt)
        } else {
            let directory = baseDirectory(base)
            let store = EvaluationStore(
                directory: directory, step: try directory.latestCheckpointStep() ?? 0,
                evaluator: evaluator)
            errors = try store.cells(layouts: [.cpt]) {
                decoderForEvaluation(model, evaluator, [.cpt])
            }[0].errors
        }
        let isOwn = base.configuration.pretraining != nil
        return MeasuredBase(
            plan: base, path: isOwn ? baseDirectory(base).path : nil, points: points,
            errors: errors,
            leastSquares: evaluator.squaredErrors(of: LeastSquares(), pool: pool),
            losses: isOwn ? try readLosses(baseDirectory(base)) : [])
    }

    /// One measurement of each baseline for each class and size in the sweep.
    private func measureBaselines() throws -> [MeasuredBaseline] {
        let pool = WorkerPool(workers: workers)
        var measured: [MeasuredBaseline] = []
        for run in plan.runs {
            let configuration = run.configuration
            let name = configuration.functionClass.name
            let dims = configuration.model.inputDimension
            let points = configuration.training.points
            let isMeasured = measured.contains {
                $0.functionClass == name && $0.dims == dims && $0.points == points
            }
            if isMeasured { continue }
            let evaluator = Evaluator(
                functionClass: configuration.functionClass,
                dims: dims, points: points, examples: plan.evaluation.examples,
                seed: plan.evaluation.seed)
            for baseline in plan.evaluation.baselines where baseline != "bayes" {
                measured.append(
                    MeasuredBaseline(
                        functionClass: name, dims: dims, points: points, name: baseline,
                        errors: evaluator.squaredErrors(
                            of: try Baselines.named(baseline), pool: pool)))
            }
        }
        return measured
    }

    private func decoderForEvaluation(
        _ model: StoredModel, _ evaluator: Evaluator, _ layouts: [PromptLayout]
    ) -> (ParallelDecoder, DecoderWeights) {
        let batches = layouts.map {
            BatchShape(
                examples: evaluator.examples, length: $0.tokenCount(points: evaluator.points))
        }
        let parallel = ParallelDecoder(
            model.decoder, workers: workers, batches: batches, forTraining: false)
        return (parallel, model.decoder.weights(in: model.parameters))
    }

    private func readLosses(_ directory: RunDirectory) throws -> [LossRecord] {
        try RecordReader.read(directory.metricsPath).compactMap { record in
            guard let step = record["step"]?.integerValue,
                let loss = record["train/loss"]?.doubleValue
            else { return nil }
            return LossRecord(step: step, loss: loss)
        }
    }

    // MARK: Bookkeeping

    private func baseDirectory(_ base: PlannedBase) -> RunDirectory {
        RunDirectory(path: root + "/bases/" + base.name)
    }

    private func writeManifest() throws {
        let trials = try plan.runs.map { run in
            let metadata = try directory.run(run.name).metadata()
            return SweepManifest.Entry(
                run: run.name, hash: run.hash, base: run.base.name,
                seed: Int(run.configuration.seed), varying: run.varying,
                status: metadata?.status ?? .queued, error: metadata?.error)
        }
        try directory.write(
            SweepManifest(name: plan.file.name, file: plan.file.path, trials: trials))
    }

    /// Copies how far a run has come from its metadata to the manifest.
    private func recordStatus(of run: PlannedRun) throws {
        let metadata = try directory.run(run.name).metadata()
        try directory.updateManifest { manifest in
            for index in manifest.trials.indices where manifest.trials[index].run == run.name {
                manifest.trials[index].status = metadata?.status ?? .queued
                manifest.trials[index].error = metadata?.error
            }
        }
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
