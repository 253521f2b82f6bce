import InContextRegression
import Kernels

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
    ///   - pool: workers to spread the prompts over.
    public init(_ evaluator: Evaluator, _ setting: EvaluationSetting, pool: WorkerPool) {
        let closed = (0..<evaluator.points).map {
            setting.layout.bayesError(
                of: evaluator.functionClass, contextLength: $0, points: evaluator.points,
                dims: evaluator.dims)
        }
        functionClass = evaluator.functionClass.name
        dims = evaluator.dims
        self.setting = setting
        guard closed.contains(nil),
            let predictor = evaluator.functionClass.bayesPredictor(
                dims: evaluator.dims, prefix: setting.layout.information(points: evaluator.points))
        else {
            values = closed
            return
        }
        let measured = evaluator.meanPosteriorVariances(of: predictor, setting, pool: pool)
        values = closed.indices.map { k in
            closed[k] ?? (predictor.covers(contextLength: k) ? measured[k] : nil)
        }
    }
}

extension Evaluator {
    /// The mean of the posterior variance over the prompts, for every k.
    fileprivate func meanPosteriorVariances(
        of predictor: any BayesPredictor, _ setting: EvaluationSetting, pool: WorkerPool
    ) -> [Double] {
        let size = 64
        let parts = (examples + size - 1) / size
        let sums = BufferView<Double>(zeros: parts * points)
        pool.run(parts: parts) { part, _ in
            let range = part * size..<min(examples, (part + 1) * size)
            let prompts = prompts(range, setting)
            for row in 0..<range.count {
                let variances = predictor.posterior(of: prompts.rows(row..<row + 1)).variances
                for k in 0..<points { sums[part * points + k] += variances[k] }
            }
        }
        return (0..<points).map { k in
            (0..<parts).reduce(0.0) { $0 + sums[$1 * points + k] } / Double(examples)
        }
    }
}
