import Experiments
import InContextRegression
import Kernels

/// What the standard prompts of an evaluation tell about each label: the posterior of the class under a layout.
public struct Posterior: Sendable {
    /// E[g(x_{k+1}) | prompt]: `[examples, n]`, NaN where it is not known.
    public let means: FloatView
    /// Var[g(x_{k+1}) | prompt]: `[examples, n]`, NaN where it is not known.
    public let variances: FloatView

    /// The mean variance for every k, the Bayes error; nil where the posterior is not known.
    public func bayesErrors(points: Int) -> [Double?] {
        let values = variances.array
        return (0..<points).map { k in
            var sum = 0.0
            for place in stride(from: k, to: values.count, by: points) {
                sum += Double(values[place])
            }
            return sum.isFinite ? sum / Double(values.count / points) : nil
        }
    }

    /// The posterior under a setting, read from the folder of references, or computed and kept there; nil where none is
    /// known.
    ///
    /// - Parameters:
    ///   - evaluator: class, sizes and prompts.
    ///   - setting: what a prompt looks like; other distributions than the standard one have another prior.
    ///   - root: the folder of the runs; references are in `references/` below it.
    ///   - pool: workers to spread the prompts over.
    /// - Throws: when the disk refuses.
    static func known(
        _ evaluator: Evaluator, _ setting: EvaluationSetting, root: String, pool: WorkerPool
    ) throws -> Posterior? {
        let information = setting.layout.information(points: evaluator.points)
        guard setting.distribution == .standard,
            let predictor = evaluator.functionClass.bayesPredictor(
                dims: evaluator.dims, prefix: information)
        else { return nil }
        let file = try AnalysisFile(
            folder: "\(root)/references", kind: "posterior-\(evaluator.functionClass.name)",
            identity: [
                "information": .string("\(information)"), "dims": .integer(evaluator.dims),
                "points": .integer(evaluator.points), "examples": .integer(evaluator.examples),
                "seed": .integer(Int(evaluator.seed)),
            ])
        if let found = file.read(), let means = found["mean"], let variances = found["variance"] {
            return Posterior(means: means, variances: variances)
        }
        let posterior = Posterior(evaluator, predictor, pool: pool)
        let shape = [evaluator.examples, evaluator.points]
        try file.write([
            ("mean", shape, posterior.means), ("variance", shape, posterior.variances),
        ])
        return posterior
    }

    private init(means: FloatView, variances: FloatView) {
        self.means = means
        self.variances = variances
    }

    /// Computes the posterior of every prompt.
    private init(_ evaluator: Evaluator, _ predictor: any BayesPredictor, pool: WorkerPool) {
        let (examples, n) = (evaluator.examples, evaluator.points)
        let means = FloatView(zeros: examples * n)
        let variances = FloatView(zeros: examples * n)
        let size = 64
        pool.run(parts: (examples + size - 1) / size) { part, _ in
            let range = part * size..<min(examples, (part + 1) * size)
            // The layout shows what is drawn already: examples, their labels and f there.
            let prompts = evaluator.prompts(range, EvaluationSetting(layout: .cpt))
            for (row, example) in range.enumerated() {
                let found = predictor.posterior(of: prompts.rows(row..<row + 1))
                for k in 0..<n {
                    let isKnown = predictor.covers(contextLength: k)
                    means[example * n + k] = isKnown ? Float(found.means[k]) : .nan
                    variances[example * n + k] = isKnown ? Float(found.variances[k]) : .nan
                }
            }
        }
        self.means = means
        self.variances = variances
    }
}

/// The least mean squared error any predictor can have, against k: the closed form where there is one, otherwise the
/// mean posterior variance over the evaluation prompts.
public struct BayesCurve: Sendable {
    /// The class.
    public let functionClass: String
    /// d.
    public let dims: Int
    /// What a prompt looks like.
    public let setting: EvaluationSetting
    /// The error at k = 0 … n − 1; nil where neither is known.
    public let values: [Double?]

    /// Computes the curve.
    ///
    /// - Parameters:
    ///   - evaluator: class, sizes and prompts.
    ///   - setting: what a prompt looks like; the distribution is the standard one.
    ///   - root: the folder of the runs, where posteriors are kept.
    ///   - pool: workers to spread the prompts over.
    /// - Throws: when the disk refuses.
    init(
        _ evaluator: Evaluator, _ setting: EvaluationSetting, root: String, pool: WorkerPool
    ) throws {
        let closed = (0..<evaluator.points).map {
            setting.layout.bayesError(
                of: evaluator.functionClass, contextLength: $0, points: evaluator.points,
                dims: evaluator.dims)
        }
        functionClass = evaluator.functionClass.name
        dims = evaluator.dims
        self.setting = setting
        let measured =
            closed.contains(nil)
            ? try Posterior.known(evaluator, setting, root: root, pool: pool)?
                .bayesErrors(points: evaluator.points) : nil
        values = closed.indices.map { closed[$0] ?? measured?[$0] }
    }
}
