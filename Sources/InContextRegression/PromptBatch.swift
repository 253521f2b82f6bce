import Kernels
import Randomness

/// What a batch of prompts is drawn for. Phases never share a number, even under one seed.
public enum PromptPhase: Sendable, Hashable {
    /// The base model's update number `step`.
    case pretraining(step: Int)
    /// A fine-tuning run's update number `step`.
    case training(step: Int)
    /// The held-out prompts, the same for every model, layout and checkpoint.
    case evaluation

    /// An even number of 0 … `last` for one prompt, uniform.
    public func evenOffset(upTo last: Int, seed: UInt64, example: Int) -> Int {
        var generator = CounterGenerator(keys(seed: seed, example: example).draw)
        return 2 * generator.integer(below: max(last, 0) / 2 + 1)
    }

    /// The independent number sequences of one prompt.
    func keys(seed: UInt64, example: Int) -> PromptKeys {
        let streams: PromptKeys.Streams
        let updates: Int
        switch self {
        case .pretraining(let step):
            streams = PromptKeys.Streams(
                inputs: .pretrainingInputs, task: .pretrainingTask, noise: .pretrainingNoise,
                draw: .pretrainingDraw, labelNoise: .pretrainingLabelNoise,
                fresh: .pretrainingFreshInputs)
            updates = step
        case .training(let step):
            streams = PromptKeys.Streams(
                inputs: .trainingInputs, task: .trainingTask, noise: .trainingNoise,
                draw: .trainingDraw, labelNoise: .trainingLabelNoise, fresh: .trainingFreshInputs)
            updates = step
        case .evaluation:
            streams = PromptKeys.Streams(
                inputs: .evaluationInputs, task: .evaluationTask, noise: .evaluationNoise,
                draw: .evaluationDraw, labelNoise: .evaluationLabelNoise,
                fresh: .evaluationFreshInputs)
            updates = 0
        }
        return PromptKeys(seed: seed, step: updates, example: example, streams: streams)
    }
}

/// The keys of one prompt's numbers.
struct PromptKeys {
    struct Streams {
        let inputs, task, noise, draw, labelNoise, fresh: RandomStream
    }

    let seed: UInt64
    let step: Int
    let example: Int
    let streams: Streams

    var inputs: RandomKey { key(streams.inputs) }
    var task: RandomKey { key(streams.task) }
    /// Labels r that mean nothing.
    var noise: RandomKey { key(streams.noise) }
    /// Choices: a context length, a permutation, the queries of another distribution.
    var draw: RandomKey { key(streams.draw) }
    /// What is added to a label.
    var labelNoise: RandomKey { key(streams.labelNoise) }
    /// Inputs that stand in part A alone.
    var fresh: RandomKey { key(streams.fresh) }

    private func key(_ stream: RandomStream) -> RandomKey {
        RandomKey(seed: seed, stream: stream, step: step, example: example)
    }
}

/// Numbers of a prompt that only some layouts and distributions use.
public struct PromptDraws: OptionSet, Sendable, Hashable {
    /// The bits.
    public let rawValue: Int
    /// The set with these bits.
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Queries that are not the points themselves.
    public static let queries = PromptDraws(rawValue: 1)
    /// n inputs for part A alone.
    public static let freshInputs = PromptDraws(rawValue: 2)
    /// A permutation of the points.
    public static let permutation = PromptDraws(rawValue: 4)
    /// A context length.
    public static let contextLength = PromptDraws(rawValue: 8)
    /// What is added to the labels.
    public static let labelNoise = PromptDraws(rawValue: 16)
}

/// n points of b prompts with what f and g are there.
public struct PromptPoints: Sendable {
    /// x: [b, n, d]
    public let inputs: FloatView
    /// f(x), the base function's labels: [b, n]
    public let base: FloatView
    /// g(x), the class's labels: [b, n]
    public let labels: FloatView

    init(_ count: Int, dims: Int) {
        self.init(
            inputs: FloatView(zeros: count * dims), base: FloatView(zeros: count),
            labels: FloatView(zeros: count))
    }

    private init(inputs: FloatView, base: FloatView, labels: FloatView) {
        self.inputs = inputs
        self.base = base
        self.labels = labels
    }

    /// The points `range` of all prompts' points, in place; nothing of nothing.
    func part(_ range: Range<Int>) -> PromptPoints {
        if labels.count == 0 { return self }
        let dims = inputs.count / labels.count
        return PromptPoints(
            inputs: inputs[range.lowerBound * dims..<range.upperBound * dims], base: base[range],
            labels: labels[range])
    }
}

/// The numbers behind b prompts of n points: what every layout is written from.
///
/// A prompt depends on (seed, phase, example), the function class and the distribution only: not on the layout, the
/// shard it is drawn in, or n (a shorter prompt is the beginning of a longer one, but for a permutation and a context
/// length). All memory is allocated by the initializer; ``shaped(examples:points:)`` and ``rows(_:)`` are views of it,
/// so workers may fill disjoint rows of one batch at the same time.
public struct PromptBatch: Sendable {
    /// b, the number of prompts.
    public let exampleCount: Int
    /// n, points per prompt.
    public let points: Int
    /// d, input dimensions.
    public let dims: Int
    /// Task parameters per prompt.
    public let taskSize: Int
    /// What is drawn beside points, tasks and r.
    public let draws: PromptDraws
    /// The examples.
    let examples: PromptPoints
    /// The queries where they are not the examples themselves.
    let separateQueries: PromptPoints
    /// Inputs x' that stand in part A alone, with f and g there; empty unless drawn.
    public let fresh: PromptPoints
    /// r ~ N(0, 1), labels that mean nothing: [b, n]
    public let noise: FloatView
    /// Task parameters: [b, taskSize]
    public let tasks: FloatView
    /// π, a permutation of 0 … n − 1 for each prompt: [b, n]; empty unless drawn.
    public let permutations: IndexView
    /// k, uniform on 0 … n − 1: [b]; empty unless drawn.
    public let contextLengths: IndexView
    /// ε ~ N(0, 1) that a multiple of is added to the labels: [b, n]; empty unless drawn.
    let labelNoise: FloatView

    /// x: [b, n, d]
    public var inputs: FloatView { examples.inputs }
    /// f(x), the base function's labels: [b, n]
    public var base: FloatView { examples.base }
    /// g(x), the class's labels: [b, n]
    public var labels: FloatView { examples.labels }

    /// The points whose labels are predicted: at k the k-th of them. They are the examples but for the distributions
    /// that say otherwise.
    public var queryPoints: PromptPoints { draws.contains(.queries) ? separateQueries : examples }
    /// The queries' inputs: [b, n, d]
    public var queries: FloatView { queryPoints.inputs }
    /// f at the queries: [b, n]
    public var queryBase: FloatView { queryPoints.base }
    /// g at the queries: [b, n]
    public var queryLabels: FloatView { queryPoints.labels }

    /// Memory for `examples` prompts of `points` points in `dims` dimensions, all zeros.
    public init(
        examples: Int, points: Int, dims: Int, functionClass: any FunctionClass,
        draws: PromptDraws = []
    ) {
        precondition(
            examples >= 0 && points >= 1 && dims >= 1,
            "a batch cannot have \(examples) prompts of \(points) points in \(dims) dimensions")
        let size = functionClass.taskSize(dims: dims)
        let count = examples * points
        let draws = functionClass.labelNoise > 0 ? draws.union(.labelNoise) : draws
        func drawn(_ draw: PromptDraws) -> Int { draws.contains(draw) ? count : 0 }
        self.init(
            exampleCount: examples, points: points, dims: dims, taskSize: size, draws: draws,
            examples: PromptPoints(count, dims: dims),
            separateQueries: PromptPoints(drawn(.queries), dims: dims),
            fresh: PromptPoints(drawn(.freshInputs), dims: dims),
            noise: FloatView(zeros: count), tasks: FloatView(zeros: examples * size),
            permutations: IndexView(zeros: drawn(.permutation)),
            contextLengths: IndexView(zeros: draws.contains(.contextLength) ? examples : 0),
            labelNoise: FloatView(zeros: drawn(.labelNoise)))
    }

    private init(
        exampleCount: Int, points: Int, dims: Int, taskSize: Int, draws: PromptDraws,
        examples: PromptPoints, separateQueries: PromptPoints, fresh: PromptPoints,
        noise: FloatView, tasks: FloatView, permutations: IndexView, contextLengths: IndexView,
        labelNoise: FloatView
    ) {
        self.exampleCount = exampleCount
        self.points = points
        self.dims = dims
        self.taskSize = taskSize
        self.draws = draws
        self.examples = examples
        self.separateQueries = separateQueries
        self.fresh = fresh
        self.noise = noise
        self.tasks = tasks
        self.permutations = permutations
        self.contextLengths = contextLengths
        self.labelNoise = labelNoise
    }

    /// A batch of at most as many prompts and points in the same memory; its contents are undefined
    /// until it is sampled.
    public func shaped(examples: Int, points: Int) -> PromptBatch {
        view(of: 0..<examples, points: points)
    }

    /// The prompts `range` of this batch, in place.
    public func rows(_ range: Range<Int>) -> PromptBatch { view(of: range, points: points) }

    private func view(of range: Range<Int>, points: Int) -> PromptBatch {
        let part = range.lowerBound * points..<range.upperBound * points
        return PromptBatch(
            exampleCount: range.count, points: points, dims: dims, taskSize: taskSize, draws: draws,
            examples: examples.part(part), separateQueries: separateQueries.part(part),
            fresh: fresh.part(part), noise: noise[part],
            tasks: tasks[range.lowerBound * taskSize..<range.upperBound * taskSize],
            permutations: permutations.count == 0 ? permutations : permutations[part],
            contextLengths: contextLengths.count == 0 ? contextLengths : contextLengths[range],
            labelNoise: labelNoise.count == 0 ? labelNoise : labelNoise[part])
    }

    /// The same prompts with all queries moved by `distance` along one coordinate; the examples stay, and the queries'
    /// labels are those of the points where they were.
    public func movingQueries(along coordinate: Int, by distance: Float) -> PromptBatch {
        let moved = PromptPoints(exampleCount * points, dims: dims)
        for (target, source) in [
            (moved.inputs, queries), (moved.base, queryBase), (moved.labels, queryLabels),
        ] {
            target.copy(from: source)
        }
        for place in stride(from: coordinate, to: moved.inputs.count, by: dims) {
            moved.inputs[place] += distance
        }
        return PromptBatch(
            exampleCount: exampleCount, points: points, dims: dims, taskSize: taskSize,
            draws: draws.union(.queries), examples: examples, separateQueries: moved, fresh: fresh,
            noise: noise, tasks: tasks, permutations: permutations, contextLengths: contextLengths,
            labelNoise: labelNoise)
    }

    /// The parameters of the task of prompt `row`: [taskSize]
    func task(_ row: Int) -> FloatView { tasks[row * taskSize..<(row + 1) * taskSize] }

    /// Writes ∇g at every query of every prompt.
    ///
    /// - Parameters:
    ///   - functionClass: the class that the batch was sampled from.
    ///   - gradients: [b, n, d]
    public func gradients(_ functionClass: any FunctionClass, into gradients: FloatView) {
        let size = points * dims
        for row in 0..<exampleCount {
            let prompt = rows(row..<row + 1)
            prompt.queries.withSpan { x in
                prompt.queryBase.withSpan { f in
                    prompt.tasks.withSpan { task in
                        gradients[row * size..<(row + 1) * size].withMutableSpan {
                            functionClass.gradients(inputs: x, base: f, task: task, into: &$0)
                        }
                    }
                }
            }
        }
    }
}
