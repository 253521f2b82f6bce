import Experiments
import InContextRegression
import Kernels
import Statistics

/// A mean curve with its 95 % interval, point by point.
public struct Curve: Sendable {
    /// Context lengths or steps.
    public let x: [Double]
    /// Mean over seeds and prompts: squared errors and losses in label units², cosines, shares.
    public let mean: [Double]
    /// Lower end of the interval.
    public let low: [Double]
    /// Upper end of the interval.
    public let high: [Double]
}

/// Runs that differ in their seed alone.
public struct RunGroup: Sendable {
    /// The composed class.
    public let functionClass: any FunctionClass
    /// The layout it was trained under.
    public let layout: PromptLayout
    /// Other parameters in which the sweep's trials differ, as `steps=100, learning_rate=1.71e-4`; empty when there
    /// are none.
    public let remainder: String
    /// One run for each seed.
    public let runs: [MeasuredRun]

    /// `cft`, or `cft, steps=100`.
    public var label: String {
        remainder.isEmpty ? layout.name : "\(layout.name), \(remainder)"
    }
}

/// The statistics of a sweep's results: groups over seeds, curves with intervals, and the tidy table.
public struct SweepSummary {
    /// What it summarises.
    public let results: SweepResults
    /// Runs that differ in their seed alone, in the plan's order.
    public let groups: [RunGroup]
    /// Resamples by number of prompts: other distributions and what is measured along the steps have fewer.
    let bootstraps = Bootstraps()
    /// Spreads the bootstraps, which are independent of each other.
    let pool: WorkerPool

    /// - Parameters:
    ///   - results: a finished sweep.
    ///   - workers: workers for the bootstraps; the results do not depend on it.
    public init(_ results: SweepResults, workers: Int) {
        self.results = results
        pool = WorkerPool(workers: workers)
        var groups: [RunGroup] = []
        var places: [String: Int] = [:]
        let words = ParameterWords(results.runs.flatMap(\.plan.varying))
        for run in results.runs {
            let configuration = run.plan.configuration
            let others = run.plan.otherParameters
            let remainder = others.map(words.text).joined(separator: ", ")
            let values = others.map { "\($0.name)=\($0.text)" }.joined(separator: ", ")
            let key = "\(configuration.functionClass.name)/\(configuration.layout.name)/\(values)"
            let earlier = places[key].map { groups[$0].runs } ?? []
            let group = RunGroup(
                functionClass: configuration.functionClass, layout: configuration.layout,
                remainder: remainder, runs: earlier + [run])
            if let place = places[key] {
                groups[place] = group
            } else {
                places[key] = groups.count
                groups.append(group)
            }
        }
        self.groups = groups
    }

    /// Error against context length of a group under an evaluation layout; nil when it was not measured.
    ///
    /// The interval is the crossed one over seeds and prompts, or Student's t over seeds where that is wider
    /// (fewer than ten seeds).
    ///
    /// - Parameters:
    ///   - group: runs that differ in their seed alone.
    ///   - layout: the evaluation layout.
    public func errorCurve(_ group: RunGroup, layout: PromptLayout) -> Curve? {
        errorCurve(group, EvaluationSetting(layout: layout))
    }

    /// Error against context length of a group under an evaluation setting; nil when it was not measured.
    public func errorCurve(_ group: RunGroup, _ setting: EvaluationSetting) -> Curve? {
        let cells = group.runs.compactMap { $0.cell(setting) }
        guard cells.count == group.runs.count, let first = cells.first else { return nil }
        let bootstrap = bootstrap(setting.distribution)
        return curve(
            bootstrap.estimates(
                cells.map { $0.errors.array }, columns: first.errors.count / bootstrap.prompts))
    }

    /// Resamples of the evaluation prompts of a distribution.
    func bootstrap(_ distribution: PromptDistribution = .standard) -> CrossedBootstrap {
        bootstraps.of(prompts: results.plan.evaluation.examples(distribution))
    }

    /// The mean over k of a group's error, with its interval.
    ///
    /// - Parameters:
    ///   - group: runs that differ in their seed alone.
    ///   - layout: the evaluation layout.
    public func meanError(_ group: RunGroup, layout: PromptLayout) -> Estimate? {
        let points = group.runs[0].plan.configuration.training.points
        let cells = group.runs.compactMap { $0.cell(layout) }
        guard cells.count == group.runs.count else { return nil }
        let means = cells.map { rowMeans($0.errors.array, columns: points) }
        return bootstrap().estimates(means, columns: 1).first
    }

    /// Error against context length of a predictor that is not trained; the interval is over prompts.
    public func errorCurve(_ baseline: MeasuredBaseline) -> Curve {
        curve(estimates(baseline))
    }

    /// The mean error of a predictor that is not trained at every context length of its prompts.
    func estimates(_ baseline: MeasuredBaseline) -> [Estimate] {
        bootstraps.of(prompts: baseline.examples).estimates(
            [baseline.errors.array], columns: baseline.errors.count / baseline.examples)
    }

    /// The base model's and least squares' error on linear functions.
    public func errorCurves(_ base: MeasuredBase) -> (model: Curve, leastSquares: Curve) {
        (
            curve(bootstrap().estimates([base.errors.array], columns: base.points)),
            curve(bootstrap().estimates([base.leastSquares.array], columns: base.points))
        )
    }

    /// Fine-tuning loss against step: mean over seeds, the band from the lowest to the highest seed.
    public func lossCurve(_ group: RunGroup) -> Curve {
        let steps = group.runs[0].losses.map(\.step)
        let losses = group.runs.map { run in run.losses.map(\.loss) }
        let complete = losses.filter { $0.count == steps.count }
        return Curve(
            x: steps.map(Double.init),
            mean: steps.indices.map { index in
                complete.reduce(0) { $0 + $1[index] } / Double(complete.count)
            },
            low: steps.indices.map { index in complete.map { $0[index] }.min() ?? .nan },
            high: steps.indices.map { index in complete.map { $0[index] }.max() ?? .nan })
    }

    /// The step from which each of a group's runs has left the plateau for good: the first at which the mean of the last
    /// ``escapeWindow`` training losses lies below half of E[g²], what predicting zero costs, and stays there; nil of a
    /// run that never does.
    public func escapeSteps(_ group: RunGroup) -> [Int?] {
        let dims = group.runs[0].plan.configuration.model.inputDimension
        let plateau = group.functionClass.zeroPredictorError(dims: dims)
        return group.runs.map { run in
            escapeStep(
                steps: run.losses.map(\.step), values: run.losses.map(\.loss), plateau: plateau,
                window: Self.escapeWindow)
        }
    }

    /// The end of the first whole window of a group's training records: no escape is seen before.
    public func earliestEscape(_ group: RunGroup) -> Int {
        let steps = group.runs[0].losses.map(\.step)
        return steps.count >= Self.escapeWindow ? steps[Self.escapeWindow - 1] : .max
    }

    /// Training records in the trailing mean of ``escapeSteps(_:)``.
    public static let escapeWindow = 10

    func curve(_ estimates: [Estimate]) -> Curve {
        Curve(
            x: estimates.indices.map(Double.init), mean: estimates.map(\.mean),
            low: estimates.map(\.interval.low), high: estimates.map(\.interval.high))
    }
}
