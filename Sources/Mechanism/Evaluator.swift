import InContextRegression
import Kernels
import Platform
import Transformer

/// Squared errors of models and baselines on the same fresh prompts.
public struct Evaluator: Sendable {
    /// The class that labels the points.
    public let functionClass: any FunctionClass
    /// d.
    public let dims: Int
    /// n: errors are taken at k = 0 … n − 1.
    public let points: Int
    /// Number of prompts.
    public let examples: Int
    /// Key of the prompts.
    public let seed: UInt64

    /// - Parameters:
    ///   - functionClass: the class that labels the points.
    ///   - dims: d.
    ///   - points: n.
    ///   - examples: number of prompts.
    ///   - seed: key of the prompts.
    public init(
        functionClass: any FunctionClass, dims: Int, points: Int, examples: Int, seed: UInt64
    ) {
        self.functionClass = functionClass
        self.dims = dims
        self.points = points
        self.examples = examples
        self.seed = seed
    }

    /// The squared error of a model at every prompt and context length: `[examples, points]`.
    ///
    /// - Parameters:
    ///   - model: a parallel decoder with room for the layout's prompts.
    ///   - weights: the parameters.
    ///   - layout: what a prompt looks like; the numbers behind it are the same for every layout.
    /// - Returns: nil when a signal asked for a stop.
    public func squaredErrors(
        of model: ParallelDecoder, weights: DecoderWeights, layout: PromptLayout
    ) -> FloatView? {
        let errors = FloatView(zeros: examples * points)
        let source = PromptSource(
            functionClass, layout: layout, seed: seed, dims: dims, batchSize: examples,
            points: [points], workers: model.workerCount)
        let batch = source.shape(points: points)
        let queries = layout.queryTokens(points: points)
        model.forward(
            weights: weights, batch: batch,
            filling: source.batch(.evaluation, points: points, activeDims: dims),
            goesOn: { !InterruptFlag.isRaised }
        ) { range, workspace in
            for (row, example) in range.enumerated() {
                for (k, token) in queries.enumerated() {
                    let place = row * batch.length + token
                    let difference = workspace.predictions[place] - workspace.targets[place]
                    errors[example * points + k] = difference * difference
                }
            }
        }
        return InterruptFlag.isRaised ? nil : errors
    }

    /// The squared error of a baseline at every prompt and context length: `[examples, points]`.
    ///
    /// It sees part B, the composed labels, alone.
    ///
    /// - Parameters:
    ///   - baseline: a predictor that is not trained.
    ///   - pool: workers to spread the prompts over.
    public func squaredErrors(of baseline: any Baseline, pool: WorkerPool) -> FloatView {
        let errors = FloatView(zeros: examples * points)
        let size = 64
        let chunks = (examples + size - 1) / size
        pool.run(parts: chunks) { chunk, _ in
            let range = chunk * size..<min(examples, (chunk + 1) * size)
            let batch = PromptBatch(
                examples: range.count, points: points, dims: dims, functionClass: functionClass)
            batch.sample(
                functionClass, seed: seed, phase: .evaluation, firstExample: range.lowerBound)
            errors[range.lowerBound * points..<range.upperBound * points]
                .copy(from: baseline.squaredErrors(on: batch))
        }
        return errors
    }
}
