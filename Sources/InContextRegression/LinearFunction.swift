/// g = f: linear functions w · x, w ~ N(0, I_d), the class of pretraining (Garg et al. 2022, section 3).
public struct LinearFunction: FunctionClass {
    /// The name in configurations, files and plots.
    public let name = "linear"
    /// Other names that are accepted for it.
    public let aliases = ["linear_regression"]

    /// The class has no settings.
    public init() {}

    /// d: the weights w.
    public func taskSize(dims: Int) -> Int { dims }

    /// g = f.
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        for point in 0..<base.count { labels[point] = base[point] }
    }

    /// ∇g = w.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        let dims = task.count
        for point in 0..<base.count {
            for coordinate in 0..<dims { gradients[point * dims + coordinate] = task[coordinate] }
        }
    }

    /// (d − k)₊, the mean squared length of the query's part outside the span of k inputs; 0 when the
    /// prefix already shows the query's label.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        switch knowledge {
        case .nothing, .context, .partOfContext: Double(max(dims - contextLength, 0))
        case .function, .query: 0
        case .other: nil
        }
    }

    /// Least squares; f itself where the prefix shows it at the query.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        LeastSquaresPredictor(dims: dims, prefix: prefix, summands: 1)
    }

    /// E[(w · x)²] = d.
    public func zeroPredictorError(dims: Int) -> Double { Double(dims) }
}
