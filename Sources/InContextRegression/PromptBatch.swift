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

    /// The three independent number sequences of one prompt.
    func keys(
        seed: UInt64, example: Int
    ) -> (inputs: RandomKey, task: RandomKey, noise: RandomKey) {
        let streams: (RandomStream, RandomStream, RandomStream)
        let updates: Int
        switch self {
        case .pretraining(let step):
            streams = (.pretrainingInputs, .pretrainingTask, .pretrainingNoise)
            updates = step
        case .training(let step):
            streams = (.trainingInputs, .trainingTask, .trainingNoise)
            updates = step
        case .evaluation:
            streams = (.evaluationInputs, .evaluationTask, .evaluationNoise)
            updates = 0
        }
        return (
            RandomKey(seed: seed, stream: streams.0, step: updates, example: example),
            RandomKey(seed: seed, stream: streams.1, step: updates, example: example),
            RandomKey(seed: seed, stream: streams.2, step: updates, example: example)
        )
    }
}

/// The numbers behind b prompts of n points: what every layout is written from.
///
/// A prompt depends on (seed, phase, example) and the function class only: not on the layout, the
/// shard it is drawn in, or n (a shorter prompt is the beginning of a longer one). All memory is
/// allocated by the initializer; ``shaped(examples:points:)`` and ``rows(_:)`` are views of it, so
/// workers may fill disjoint rows of one batch at the same time.
public struct PromptBatch: Sendable {
    /// b, the number of prompts.
    public let exampleCount: Int
    /// n, points per prompt.
    public let points: Int
    /// d, input dimensions.
    public let dims: Int
    /// Task parameters per prompt.
    public let taskSize: Int
    /// x: [b, n, d]
    public let inputs: FloatView
    /// f(x), the base function's labels: [b, n]
    public let base: FloatView
    /// g(x), the class's labels: [b, n]
    public let labels: FloatView
    /// r ~ N(0, 1), labels that mean nothing: [b, n]
    public let noise: FloatView
    /// Task parameters: [b, taskSize]
    public let tasks: FloatView

    /// Memory for `examples` prompts of `points` points in `dims` dimensions, all zeros.
    public init(examples: Int, points: Int, dims: Int, functionClass: any FunctionClass) {
        precondition(
            examples >= 0 && points >= 1 && dims >= 1,
            "a batch cannot have \(examples) prompts of \(points) points in \(dims) dimensions")
        let size = functionClass.taskSize(dims: dims)
        self.init(
            exampleCount: examples, points: points, dims: dims, taskSize: size,
            inputs: FloatView(zeros: examples * points * dims),
            base: FloatView(zeros: examples * points),
            labels: FloatView(zeros: examples * points),
            noise: FloatView(zeros: examples * points),
            tasks: FloatView(zeros: examples * size))
    }

    private init(
        exampleCount: Int, points: Int, dims: Int, taskSize: Int, inputs: FloatView,
        base: FloatView, labels: FloatView, noise: FloatView, tasks: FloatView
    ) {
        self.exampleCount = exampleCount
        self.points = points
        self.dims = dims
        self.taskSize = taskSize
        self.inputs = inputs[0..<exampleCount * points * dims]
        self.base = base[0..<exampleCount * points]
        self.labels = labels[0..<exampleCount * points]
        self.noise = noise[0..<exampleCount * points]
        self.tasks = tasks[0..<exampleCount * taskSize]
    }

    /// A batch of at most as many prompts and points in the same memory; its contents are undefined
    /// until it is sampled.
    public func shaped(examples: Int, points: Int) -> PromptBatch {
        PromptBatch(
            exampleCount: examples, points: points, dims: dims, taskSize: taskSize, inputs: inputs,
            base: base, labels: labels, noise: noise, tasks: tasks)
    }

    /// The prompts `range` of this batch, in place.
    public func rows(_ range: Range<Int>) -> PromptBatch {
        PromptBatch(
            exampleCount: range.count, points: points, dims: dims, taskSize: taskSize,
            inputs: inputs[range.lowerBound * points * dims..<range.upperBound * points * dims],
            base: base[range.lowerBound * points..<range.upperBound * points],
            labels: labels[range.lowerBound * points..<range.upperBound * points],
            noise: noise[range.lowerBound * points..<range.upperBound * points],
            tasks: tasks[range.lowerBound * taskSize..<range.upperBound * taskSize])
    }

    /// Draws the prompts `firstExample` … `firstExample + b − 1` of a phase into this memory.
    ///
    /// Inputs are N(0, I) in the first `activeDims` coordinates and 0 in the others (the whole row is
    /// drawn first, so a coordinate's value does not depend on how many are active).
    ///
    /// - Parameters:
    ///   - functionClass: the class that draws the tasks and labels the points, of ``taskSize``.
    ///   - seed: the Philox key.
    ///   - phase: what the prompts are for.
    ///   - firstExample: the first prompt's index in the step's batch or the evaluation set.
    ///   - activeDims: coordinates that are not 0; all of them by default.
    public func sample(
        _ functionClass: any FunctionClass, seed: UInt64, phase: PromptPhase, firstExample: Int,
        activeDims: Int? = nil
    ) {
        let active = activeDims ?? dims
        precondition(
            active >= 1 && active <= dims, "\(active) active dimensions of \(dims) cannot be")
        precondition(
            functionClass.taskSize(dims: dims) == taskSize,
            "the batch holds \(taskSize) task parameters, not those of \(functionClass.name)")
        for row in 0..<exampleCount {
            let prompt = rows(row..<row + 1)
            let keys = phase.keys(seed: seed, example: firstExample + row)
            prompt.inputs.withMutableSpan { inputs in
                keys.inputs.fillNormals(&inputs)
                guard active < dims else { return }
                for point in 0..<points {
                    for coordinate in active..<dims { inputs[point * dims + coordinate] = 0 }
                }
            }
            prompt.noise.withMutableSpan { keys.noise.fillNormals(&$0) }
            prompt.tasks.withMutableSpan { functionClass.drawTask(keys.task, into: &$0) }
            prompt.label(functionClass)
        }
    }

    /// Computes f and g of a single prompt from its inputs and task.
    private func label(_ functionClass: any FunctionClass) {
        inputs.withSpan { x in
            tasks.withSpan { task in
                base.withMutableSpan {
                    dotProducts(inputs: x, weights: task.extracting(0..<dims), into: &$0)
                }
                base.withSpan { f in
                    labels.withMutableSpan {
                        functionClass.evaluate(inputs: x, base: f, task: task, into: &$0)
                    }
                }
            }
        }
    }

    /// Writes ∇g at every point of every prompt.
    ///
    /// - Parameters:
    ///   - functionClass: the class that the batch was sampled from.
    ///   - gradients: [b, n, d]
    public func gradients(_ functionClass: any FunctionClass, into gradients: FloatView) {
        let size = points * dims
        for row in 0..<exampleCount {
            let prompt = rows(row..<row + 1)
            prompt.inputs.withSpan { x in
                prompt.base.withSpan { f in
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
