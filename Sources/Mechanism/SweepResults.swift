import Experiments
import InContextRegression
import Kernels
import Platform
import Training

/// What was measured of one model under one setting: what every curve and interval is computed from.
public struct EvaluationCell: Sendable {
    /// Layout and distribution of the evaluation prompts.
    public let setting: EvaluationSetting
    /// Squared errors: `[examples, contexts]`.
    public let errors: FloatView
    /// (M − E[g | prompt])², NaN where the posterior is not known: `[prompts, contexts]`; nil where it is known nowhere.
    public let excess: FloatView?

    /// Layout of the evaluation prompts.
    public var layout: PromptLayout { setting.layout }
    /// Distribution of the evaluation prompts.
    public var prompt: PromptDistribution { setting.distribution }
}

/// One point of the training loss: the mean since the record before.
public struct LossRecord: Sendable {
    /// Updates done.
    public let step: Int
    /// Mean squared error.
    public let loss: Double

    /// The training losses of a run.
    ///
    /// - Throws: one sentence with the cure when metrics.jsonl is missing or damaged, or is not as long as the last
    ///   checkpoint of a finished run says.
    static func read(_ directory: RunDirectory) throws -> [LossRecord] {
        if let step = try directory.latestCheckpointStep(),
            try directory.metadata()?.status == .finished
        {
            let state = try Checkpoint.readState(directory.checkpointPath(step: step))
            try CountedRecords.check(
                directory.metricsPath,
                against: state.files[Path.name(of: directory.metricsPath)] ?? 0, isExact: true)
        }
        do {
            return try RecordReader.read(directory.metricsPath).compactMap { record in
                guard let step = record["step"]?.integerValue,
                    let loss = record["train/loss"]?.doubleValue
                else { return nil }
                return LossRecord(step: step, loss: loss)
            }
        } catch let error as SystemError {
            throw RunError(description: "\(error); \(directory.cure)")
        }
    }
}

/// A finished run with everything measured on it.
public struct MeasuredRun: Sendable {
    /// The run.
    public let plan: PlannedRun
    /// Its folder.
    public let path: String
    /// Loss against step.
    public let losses: [LossRecord]
    /// Errors by evaluation setting.
    public let cells: [EvaluationCell]
    /// What was measured along the steps; nil when that was not asked for, or could not be.
    public let dynamics: LearningDynamics?
    /// What each layer knows of f; nil when that was not asked for.
    public let probes: LayerProbes.Scores?

    /// What was measured under a layout on standard prompts; nil when nothing was.
    public func cell(_ layout: PromptLayout) -> EvaluationCell? {
        cell(EvaluationSetting(layout: layout))
    }

    /// What was measured under a setting; nil when nothing was.
    public func cell(_ setting: EvaluationSetting) -> EvaluationCell? {
        cells.first { $0.setting == setting }
    }
}

/// A base model measured on linear functions.
public struct MeasuredBase: Sendable {
    /// The base.
    public let plan: PlannedBase
    /// Its folder.
    public let path: String
    /// n.
    public let points: Int
    /// Its errors on linear functions under `cpt`: `[examples, points]`.
    public let errors: FloatView
    /// The errors of least squares on the same prompts: `[examples, points]`.
    public let leastSquares: FloatView
    /// Pretraining loss against step.
    public let losses: [LossRecord]
}

/// Errors of a predictor that is not trained.
public struct MeasuredBaseline: Sendable {
    /// The class whose labels it predicts.
    public let functionClass: String
    /// d.
    public let dims: Int
    /// n.
    public let points: Int
    /// `least_squares`, `zero`, …
    public let name: String
    /// Where its prompts come from.
    public let prompt: PromptDistribution
    /// Prompts it saw: fewer than the models where it is slow.
    public let examples: Int
    /// Squared errors: `[examples, contexts]`.
    public let errors: FloatView
}

/// Everything a finished sweep knows.
public struct SweepResults: Sendable {
    /// The sweep.
    public let plan: SweepPlan
    /// The bases.
    public let bases: [MeasuredBase]
    /// The runs that are finished, in the plan's order.
    public let runs: [MeasuredRun]
    /// The baselines, by class.
    public let baselines: [MeasuredBaseline]
    /// The least errors possible, by class, size and layout.
    public let bayes: [BayesCurve]

    /// The least errors possible under what a run was measured; nil where no distribution's posterior is known.
    public func bayesCurve(
        _ configuration: RunConfiguration, _ setting: EvaluationSetting
    ) -> BayesCurve? {
        bayes.first {
            $0.functionClass == configuration.functionClass.name && $0.setting == setting
                && $0.dims == configuration.model.inputDimension
                && $0.values.count == configuration.training.points
        }
    }
}

extension SweepResults {
    /// Reads what finished runs left in their folders, and measures the baselines on the same prompts.
    ///
    /// - Parameters:
    ///   - plan: the sweep.
    ///   - runs: those of its runs that are finished and measured.
    ///   - root: the folder that holds the runs.
    ///   - workers: workers for the baselines.
    ///   - withBaselines: whether the baselines are measured; claims need none.
    ///   - reporter: told how far a slow baseline is.
    /// - Throws: one sentence that names a file that is missing or damaged, and the cure; ``InterruptedError`` after a
    ///   signal.
    public init(
        _ plan: SweepPlan, runs: [PlannedRun], root: String, workers: Int,
        withBaselines: Bool = true, reporter: RunReporter = RunReporter()
    ) throws {
        let pool = WorkerPool(workers: workers)
        let measured = try runs.map { run in
            let directory = RunDirectory(path: "\(root)/\(plan.name)/\(run.name)")
            return MeasuredRun(
                plan: run, path: directory.path, losses: try LossRecord.read(directory),
                cells: try EvaluationStore(run, in: directory)
                    .cells(run.configuration.evaluationSettings),
                dynamics: try RunAnalysis(run, in: directory).dynamics(),
                probes: try RunAnalysis(run, in: directory).probes())
        }
        let used = plan.bases.filter { base in runs.contains { $0.base.hash == base.hash } }
        let bases = try used.map { base in
            let directory = RunDirectory(path: "\(root)/bases/\(base.name)")
            let store = EvaluationStore(base, of: plan, in: directory)
            return MeasuredBase(
                plan: base, path: directory.path, points: store.evaluator.points,
                errors: try store.cells([.base])[0].errors,
                leastSquares: store.evaluator.squaredErrors(of: LeastSquares(), pool: pool),
                losses: try LossRecord.read(directory))
        }
        self.init(
            plan: plan, bases: bases, runs: measured,
            baselines: withBaselines
                ? try Self.measureBaselines(
                    plan, runs, BaselineStore(root: root, pool: pool, reporter: reporter)) : [],
            bayes: try Self.bayesCurves(plan, runs, root: root, pool: pool))
    }

    /// The Bayes error under every layout that a run was measured under.
    private static func bayesCurves(
        _ plan: SweepPlan, _ runs: [PlannedRun], root: String, pool: WorkerPool
    ) throws -> [BayesCurve] {
        var curves: [BayesCurve] = []
        for run in runs {
            let configuration = run.configuration
            for setting in configuration.evaluationSettings
            where setting.distribution == .standard {
                let evaluator = EvaluationStore.evaluator(configuration)
                let isKnown = curves.contains {
                    $0.setting == setting && $0.functionClass == evaluator.functionClass.name
                        && $0.dims == evaluator.dims && $0.values.count == evaluator.points
                }
                if !isKnown {
                    curves.append(
                        try BayesCurve(evaluator, setting, root: root, pool: pool))
                }
            }
        }
        return curves
    }
}
