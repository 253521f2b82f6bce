import Randomness

/// What part A of a prompt tells about the base function f, beside the inputs themselves.
public enum PrefixInformation: Sendable, Hashable {
    /// Nothing: there is no part A, or its labels are independent of the task.
    case nothing
    /// f(x_i) at every point of part B, *the query included*.
    case allBaseLabels
}

/// A class of functions g(x) = h(f(x), x) on R^d over the base f(x) = w · x, w ~ N(0, I_d).
///
/// A task is one function: a vector of parameters whose first d numbers are w. A conformer is one
/// small file; ``FunctionClasses`` lists them. Source: Choi et al., "Teaching LLMs How to Learn with
/// Contextual Fine-Tuning" (ICLR 2025), section 4; Garg et al. (2022), section 2.
public protocol FunctionClass: Sendable {
    /// The name in configurations, files and plots.
    var name: String { get }
    /// Other names that are accepted for it.
    var aliases: [String] { get }

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
    ///   - prefix: what part A tells about f.
    func bayesError(contextLength: Int, dims: Int, prefix: PrefixInformation) -> Double?

    /// E[g(x)²], the mean squared error of predicting 0, for x ~ N(0, I_d).
    func zeroPredictorError(dims: Int) -> Double
}

extension FunctionClass {
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
