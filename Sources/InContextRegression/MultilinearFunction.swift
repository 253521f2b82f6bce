/// g = f + w₂ · x, w₂ ~ N(0, I_d): the composed class `multilinear` of Choi et al. (ICLR 2025), `sumdot`
/// in its public code. The task is w followed by w₂.
public struct MultilinearFunction: FunctionClass {
    /// The name in configurations, files and plots.
    public let name = "multilinear"
    /// Other names that are accepted for it.
    public let aliases = ["sumdot"]

    /// The class has no settings.
    public init() {}

    /// 2d: the weights w, then w₂.
    public func taskSize(dims: Int) -> Int { 2 * dims }

    /// g = f + w₂ · x.
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        let dims = task.count / 2
        dotProducts(inputs: inputs, weights: task.extracting(dims..<2 * dims), into: &labels)
        for point in 0..<base.count { labels[point] += base[point] }
    }

    /// ∇g = w + w₂.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        let dims = task.count / 2
        for point in 0..<base.count {
            for coordinate in 0..<dims {
                gradients[point * dims + coordinate] = task[coordinate] + task[dims + coordinate]
            }
        }
    }

    /// 2(d − k)₊ for the sum of two unknown linear functions; (d − k)₊ when the prefix tells f and only
    /// w₂ is unknown.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        let missing = Double(max(dims - contextLength, 0))
        switch knowledge {
        // f at the examples tells nothing about g outside their span.
        case .nothing, .context, .partOfContext: return 2 * missing
        case .function, .query: return missing
        case .other: return nil
        }
    }

    /// Least squares on g; where the prefix shows f at the query, f plus least squares on g − f.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        LeastSquaresPredictor(dims: dims, prefix: prefix, summands: 2)
    }

    /// E[((w + w₂) · x)²] = 2d.
    public func zeroPredictorError(dims: Int) -> Double { 2 * Double(dims) }
}
