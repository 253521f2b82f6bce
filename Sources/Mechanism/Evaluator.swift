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
    /// n: errors are taken at k = 0 … n − 1, or as far as the distribution is defined.
    public let points: Int
    /// Number of standard prompts.
    public let examples: Int
    /// Number of prompts of every other distribution.
    public let outsideExamples: Int
    /// Key of the prompts.
    public let seed: UInt64

    /// - Parameters:
    ///   - functionClass: the class that labels the points.
    ///   - dims: d.
    ///   - points: n.
    ///   - examples: number of standard prompts.
    ///   - outsideExamples: number of prompts of every other distribution; as many when nil.
    ///   - seed: key of the prompts.
    public init(
        functionClass: any FunctionClass, dims: Int, points: Int, examples: Int,
        outsideExamples: Int? = nil, seed: UInt64
    ) {
        self.functionClass = functionClass
        self.dims = dims
        self.points = points
        self.examples = examples
        self.outsideExamples = outsideExamples ?? examples
        self.seed = seed
    }

    /// Number of prompts under a setting.
    public func examples(_ setting: EvaluationSetting) -> Int {
        setting.distribution == .standard ? examples : outsideExamples
    }

    /// Prompts that are drawn and held at a time: a multiple of every distribution's group.
    static let chunk = 1024

    /// The context lengths that are measured under a setting: k = 0 … count − 1.
    public func contextCount(_ setting: EvaluationSetting) -> Int {
        setting.distribution.contextCount(points: points, dims: dims)
    }

    /// The sequences a setting is measured with.
    func forms(_ setting: EvaluationSetting) -> [PromptForm] {
        setting.layout.evaluationForms(
            points: points, distribution: setting.distribution, dims: dims)
    }

    /// The shapes of the batches that measuring a setting takes.
    public func shapes(_ setting: EvaluationSetting) -> [BatchShape] {
        forms(setting).map {
            BatchShape(
                examples: min(examples(setting), Self.chunk), length: $0.tokenCount)
        }
    }

    /// The prompts `range`, which begins at a multiple of ``chunk``.
    func prompts(_ range: Range<Int>, _ setting: EvaluationSetting) -> PromptBatch {
        let batch = PromptBatch(
            examples: range.count, points: points, dims: dims, functionClass: functionClass,
            draws: setting.layout.draws.union(setting.distribution.draws))
        batch.sample(
            functionClass, seed: seed, phase: .evaluation, firstExample: range.lowerBound,
            distribution: setting.distribution)
        return batch
    }

    /// All prompts of a setting, in ranges that are drawn and held together.
    func ranges(_ setting: EvaluationSetting) -> [Range<Int>] {
        let count = examples(setting)
        return stride(from: 0, to: count, by: Self.chunk).map {
            $0..<min($0 + Self.chunk, count)
        }
    }

    /// The squared error of a model at every prompt and context length.
    ///
    /// - Parameters:
    ///   - model: a parallel decoder with room for the setting's ``shapes(_:)``.
    ///   - weights: the parameters.
    ///   - setting: what a prompt looks like; the numbers behind it are the same for every layout.
    ///   - posterior: what the prompts tell, to compare with; nil to leave that out.
    ///   - progress: told how many prompts are done.
    /// - Returns: nil when a signal asked for a stop.
    public func errors(
        of model: ParallelDecoder, weights: DecoderWeights, _ setting: EvaluationSetting,
        posterior: Posterior? = nil, progress: (_ prompts: Int) -> Void = { _ in }
    ) -> MeasuredErrors? {
        let columns = contextCount(setting)
        let errors = FloatView(zeros: examples(setting) * columns)
        let excess = posterior.map { _ in FloatView(zeros: errors.count) }
        for range in ranges(setting) {
            let prompts = prompts(range, setting)
            let predictions = FloatView(zeros: range.count * columns)
            for form in forms(setting) {
                let queries = form.queryTokens
                let length = form.tokenCount
                model.forward(
                    weights: weights, batch: BatchShape(examples: range.count, length: length),
                    filling: DrawnPrompts(prompts: prompts, form: form),
                    goesOn: { !InterruptFlag.isRaised }
                ) { rows, workspace in
                    for (place, row) in rows.enumerated() {
                        for (k, token) in queries {
                            predictions[row * columns + k] =
                                workspace.predictions[place * length + token]
                        }
                    }
                }
            }
            if InterruptFlag.isRaised { return nil }
            for row in 0..<range.count {
                for k in 0..<columns {
                    let difference =
                        predictions[row * columns + k] - prompts.queryLabels[row * points + k]
                    let place = (range.lowerBound + row) * columns + k
                    errors[place] = difference * difference
                    if let posterior, let excess {
                        let excessive = predictions[row * columns + k] - posterior.means[place]
                        excess[place] = excessive * excessive
                    }
                }
            }
            progress(range.upperBound)
        }
        return MeasuredErrors(errors: errors, excess: excess)
    }

    /// The squared error of a baseline at every prompt and context length: `[examples, contexts]`.
    ///
    /// It sees part B, the composed labels, alone.
    ///
    /// - Parameters:
    ///   - baseline: a predictor that is not trained.
    ///   - distribution: where the prompts come from.
    ///   - pool: workers to spread the prompts over.
    public func squaredErrors(
        of baseline: any Baseline, distribution: PromptDistribution = .standard, pool: WorkerPool
    ) -> FloatView {
        squaredErrors(
            of: baseline, distribution: distribution,
            0..<examples(EvaluationSetting(layout: .cpt, distribution: distribution)), pool: pool)
    }

    /// The squared errors on the prompts `range`, which begins at a multiple of 64.
    func squaredErrors(
        of baseline: any Baseline, distribution: PromptDistribution, _ range: Range<Int>,
        pool: WorkerPool
    ) -> FloatView {
        let setting = EvaluationSetting(layout: .cpt, distribution: distribution)
        let columns = contextCount(setting)
        let errors = FloatView(zeros: range.count * columns)
        let size = 64
        pool.run(parts: (range.count + size - 1) / size) { part, _ in
            let first = range.lowerBound + part * size
            let rows = first..<min(range.upperBound, first + size)
            let all = baseline.squaredErrors(on: prompts(rows, setting))
            for (place, row) in rows.enumerated() {
                for k in 0..<columns {
                    errors[(row - range.lowerBound) * columns + k] = all[place * points + k]
                }
            }
        }
        return errors
    }
}

/// Under what a model is measured: how its prompts look and where their points come from.
public struct EvaluationSetting: Sendable, Hashable {
    /// What a prompt looks like.
    public let layout: PromptLayout
    /// Where points, queries and labels come from.
    public let distribution: PromptDistribution

    /// A setting; standard prompts unless said otherwise.
    public init(layout: PromptLayout, distribution: PromptDistribution = .standard) {
        self.layout = layout
        self.distribution = distribution
    }

    /// What a base model is measured on: linear functions without a prefix.
    static let base = EvaluationSetting(layout: .cpt)

    /// `cft.standard`: the name of its files.
    public var name: String { "\(layout.name).\(distribution.name)" }
}

/// What was measured of a model under one setting.
public struct MeasuredErrors: Sendable {
    /// (M − g)²: `[examples, contexts]`.
    public let errors: FloatView
    /// (M − E[g | prompt])²: `[examples, contexts]`, NaN where the posterior is not known; nil where
    /// it is known nowhere.
    public let excess: FloatView?
}
