import Randomness

/// A class of functions g(x) = h(f(x), x) on R^d over the base f(x) = w · x, w ~ N(0, I_d).
///
/// A task is one function: a vector of parameters whose first d numbers are w where there is a base
/// function. A conformer is one small file; ``FunctionClasses`` lists them. Source: Choi et al., "Teaching LLMs How to Learn with
/// Contextual Fine-Tuning" (ICLR 2025), section 4; Garg et al. (2022), section 2.
public protocol FunctionClass: Sendable {
    /// The name in configurations, files and plots.
    var name: String { get }
    /// Other names that are accepted for it.
    var aliases: [String] { get }

    /// Whether g is composed over f(x) = w · x with w in the task; without it prefixes that show f do not apply.
    var hasBase: Bool { get }
    /// Whether ∇g exists and is not 0 almost everywhere.
    var hasGradient: Bool { get }
    /// σ of the noise N(0, σ²) that is added to every label g(x).
    var labelNoise: Float { get }

    /// Number of task parameters at d = `dims`.
    func taskSize(dims: Int) -> Int

    /// Draws a task's parameters from the numbers of `key`; standard normals unless the class says
    /// otherwise.
    ///
    /// - Parameter task: [taskSize]
    func drawTask(_ key: RandomKey, into task: inout MutableSpan<Float>)

    /// Writes g at the n points of one prompt.
    ///
    /// - Parameters:
    ///   - inputs: x: [n, d], row-major.
    ///   - base: f(x_i): [n].
    ///   - task: [taskSize]
    ///   - labels: g(x_i): [n].
    func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>)

    /// Writes ∇g at the n points of one prompt.
    ///
    /// - Parameters:
    ///   - inputs: x: [n, d], row-major.
    ///   - base: f(x_i): [n].
    ///   - task: [taskSize]
    ///   - gradients: ∇g(x_i): [n, d].
    func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>)

    /// The least mean squared error any predictor of g(x_{k+1}) can have, over tasks and inputs
    /// x ~ N(0, I_d); nil where no closed form is known.
    ///
    /// - Parameters:
    ///   - contextLength: k, the composed examples (x_i, g(x_i)) before the query.
    ///   - dims: d
    ///   - knowledge: what part A tells about f.
    func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double?

    /// The predictor that attains ``bayesError(contextLength:dims:knowledge:)`` prompt by prompt; nil where none is
    /// known.
    ///
    /// - Parameters:
    ///   - dims: d
    ///   - prefix: what part A tells about f.
    func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)?

    /// E[y²] of a label y, the mean squared error of predicting 0, for x ~ N(0, I_d).
    func zeroPredictorError(dims: Int) -> Double
}

extension FunctionClass {
    /// True.
    public var hasBase: Bool { true }
    /// True.
    public var hasGradient: Bool { true }
    /// 0.
    public var labelNoise: Float { 0 }

    /// None.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        nil
    }

    /// Standard normals.
    public func drawTask(_ key: RandomKey, into task: inout MutableSpan<Float>) {
        key.fillNormals(&task)
    }
}

/// f(x) = w · x at the n points of one prompt, summed in double so that a label carries one rounding.
///
/// - Parameters:
///   - inputs: x: [n, d], row-major.
///   - weights: w: [d]
///   - values: f(x_i): [n]
func dotProducts(
    inputs: Span<Float>, weights: Span<Float>, into values: inout MutableSpan<Float>
) {
    let dims = weights.count
    for point in 0..<values.count {
        var sum = 0.0
        for coordinate in 0..<dims {
            sum += Double(inputs[point * dims + coordinate]) * Double(weights[coordinate])
        }
        values[point] = Float(sum)
    }
}
