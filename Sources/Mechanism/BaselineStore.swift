import Experiments
import InContextRegression
import Kernels
import Platform
import Training

/// Squared errors of baselines on evaluation prompts; those of slow ones are kept in `references/` below the folder of
/// the runs, under the hash of everything that decides them.
public struct BaselineStore {
    /// The folder of the runs.
    let root: String
    let pool: WorkerPool
    /// Told how far a slow baseline is.
    let reporter: RunReporter

    /// Prompts that a slow baseline sees where more are asked for.
    public static let slowExamples = 1280

    /// - Parameters:
    ///   - root: the folder of the runs.
    ///   - pool: workers to spread the prompts over.
    ///   - reporter: told how far a slow baseline is.
    public init(root: String, pool: WorkerPool, reporter: RunReporter = RunReporter()) {
        self.root = root
        self.pool = pool
        self.reporter = reporter
    }

    /// What a baseline errs on each prompt at each k: `[examples, contexts]`.
    ///
    /// - Parameters:
    ///   - baseline: a predictor that is not trained.
    ///   - evaluator: class, sizes and prompts; a slow baseline sees the first ``slowExamples`` of them.
    ///   - distribution: where the prompts come from.
    /// - Returns: the errors; nil when a signal asked for a stop.
    /// - Throws: `BaselineError` when the baseline does not apply to the class, or the disk's error.
    public func errors(
        of baseline: any Baseline, _ evaluator: Evaluator,
        distribution: PromptDistribution = .standard
    ) throws -> FloatView? {
        try baseline.requireApplies(to: evaluator.functionClass)
        if !baseline.isSlow {
            return evaluator.squaredErrors(of: baseline, distribution: distribution, pool: pool)
        }
        let setting = EvaluationSetting(layout: .cpt, distribution: distribution)
        let examples = min(evaluator.examples(setting), Self.slowExamples)
        let fewer = Evaluator(
            functionClass: evaluator.functionClass, dims: evaluator.dims, points: evaluator.points,
            examples: examples, seed: evaluator.seed)
        let file = try AnalysisFile(
            folder: "\(root)/references",
            kind: "baseline-\(fewer.functionClass.name)-\(baseline.name)",
            identity: [
                "prompt": .string(distribution.name), "dims": .integer(fewer.dims),
                "points": .integer(fewer.points), "examples": .integer(examples),
                "seed": .integer(Int(fewer.seed)),
            ])
        if let found = file.read()?["squared_error"] { return found }
        reporter.began("\(baseline.name), \(fewer.functionClass.name)", examples)
        defer { reporter.ended() }
        let columns = fewer.contextCount(setting)
        let errors = FloatView(zeros: examples * columns)
        // Whole groups of prompts for every worker between two signs of life.
        let stretch = 64 * pool.workerCount
        for first in stride(from: 0, to: examples, by: stretch) {
            if InterruptFlag.isRaised { return nil }
            let range = first..<min(first + stretch, examples)
            errors[range.lowerBound * columns..<range.upperBound * columns]
                .copy(
                    from: fewer.squaredErrors(
                        of: baseline, distribution: distribution, range, pool: pool))
            let sum = errors[0..<range.upperBound * columns].array.reduce(0.0) { $0 + Double($1) }
            reporter.stepped(range.upperBound, sum / Double(range.upperBound * columns))
        }
        try file.write([("squared_error", [examples, columns], errors)])
        return errors
    }

    /// The squared errors of the posterior mean without a prefix, and the context lengths where it is known; nil where it
    /// is known nowhere.
    ///
    /// - Throws: the disk's error.
    public func bayesErrors(_ evaluator: Evaluator) throws -> (errors: FloatView, isKnown: [Bool])?
    {
        let setting = EvaluationSetting(layout: .cpt)
        guard
            let posterior = try Posterior.known(evaluator, setting, root: root, pool: pool)
        else { return nil }
        let n = evaluator.points
        let errors = FloatView(zeros: evaluator.examples * n)
        for range in evaluator.ranges(setting) {
            let labels = evaluator.prompts(range, setting).queryLabels
            for place in 0..<range.count * n {
                let difference = posterior.means[range.lowerBound * n + place] - labels[place]
                errors[range.lowerBound * n + place] = difference * difference
            }
        }
        return (errors, posterior.bayesErrors(points: n).map { $0 != nil })
    }
}
