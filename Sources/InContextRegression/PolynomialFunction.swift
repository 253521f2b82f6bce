/// g = f + f²: the composed class `polynomial` of Choi et al. (ICLR 2025).
public struct PolynomialFunction: FunctionClass {
    /// The name in configurations, files and plots.
    public let name = "polynomial"
    /// Other names that are accepted for it.
    public let aliases: [String] = []

    /// The class has no settings.
    public init() {}

    /// d: the weights w.
    public func taskSize(dims: Int) -> Int { dims }

    /// g = f + f².
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        for point in 0..<base.count { labels[point] = base[point] + base[point] * base[point] }
    }

    /// ∇g = (1 + 2f) w.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        let dims = task.count
        for point in 0..<base.count {
            let slope = 1 + 2 * base[point]
            for coordinate in 0..<dims {
                gradients[point * dims + coordinate] = slope * task[coordinate]
            }
        }
    }

    /// Without information on w: d + 2d(d + 2) at k = 0, 0 at k > d, nil between, where the posterior
    /// is a sum over the 2ᵏ choices of the roots of u + u² = y.
    ///
    /// At k = 0 the query x is known, f given x is N(0, s) with s = ‖x‖², and
    /// Var(f + f²) = s + 2s², whose mean is d + 2d(d + 2). More than d equations leave one root each.
    ///
    /// With f known at the k examples, f(x) is N(m, s) with s = ‖x‖² outside their span, E[s] = d − k, and
    /// Var(f + f²) = s + 2s² + 4ms + 4m²s, whose mean is (d − k)(2d + 2k + 5).
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        let d = Double(dims)
        let k = Double(contextLength)
        switch knowledge {
        case .nothing:
            if contextLength == 0 { return d + 2 * d * (d + 2) }
            return contextLength > dims ? 0 : nil
        case .context: return max(d - k, 0) * (2 * d + 2 * k + 5)
        case .partOfContext: return contextLength > dims ? 0 : nil
        case .function, .query: return 0
        case .other: return nil
        }
    }

    /// The mixture over the roots of u + u² = y: see ``RootPatternPredictor``.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        RootPatternPredictor(dims: dims, prefix: prefix)
    }

    /// E[(f + f²)²] = E[s] + 3 E[s²] = d + 3d(d + 2) with s = ‖x‖².
    public func zeroPredictorError(dims: Int) -> Double {
        let d = Double(dims)
        return d + 3 * d * (d + 2)
    }
}
