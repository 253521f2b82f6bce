import InContextRegression
import Kernels

/// Squared errors of one model under one evaluation layout: what every curve and interval is computed from.
public struct EvaluationCell: Sendable {
    /// Layout of the evaluation prompts.
    public let layout: PromptLayout
    /// Distribution of the evaluation prompts.
    public let prompt: String
    /// `[examples, points]`.
    public let errors: FloatView
}

/// One point of the training loss: the mean since the record before.
public struct LossRecord: Sendable {
    /// Updates done.
    public let step: Int
    /// Mean squared error.
    public let loss: Double
}

/// A finished run with everything measured on it.
public struct MeasuredRun: Sendable {
    /// The run.
    public let plan: PlannedRun
    /// Its folder.
    public let path: String
    /// Loss against step.
    public let losses: [LossRecord]
    /// Errors by evaluation layout.
    public let cells: [EvaluationCell]
}

/// A base model measured on linear functions.
public struct MeasuredBase: Sendable {
    /// The base.
    public let plan: PlannedBase
    /// Its folder; nil when it was taken from elsewhere.
    public let path: String?
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
    /// `[examples, points]`.
    public let errors: FloatView
}

/// Everything a finished sweep knows.
public struct SweepResults: Sendable {
    /// The sweep.
    public let plan: SweepPlan
    /// The bases.
    public let bases: [MeasuredBase]
    /// The runs, in the plan's order.
    public let runs: [MeasuredRun]
    /// The baselines, by class.
    public let baselines: [MeasuredBaseline]
}
