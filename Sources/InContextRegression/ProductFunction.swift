/// g = f · (w₂ · x), w₂ ~ N(0, I_d): the class `proddot` of the public code of Choi et al. (ICLR 2025). The task is w
/// followed by w₂.
public struct ProductFunction: FunctionClass {
    /// The name in configurations, files and plots.
    public let name = "proddot"
    /// Other names that are accepted for it.
    public let aliases: [String] = []

    /// The class has no settings.
    public init() {}

    /// 2d: the weights w, then w₂.
    public func taskSize(dims: Int) -> Int { 2 * dims }

    /// g = f · (w₂ · x).
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        let dims = task.count / 2
        dotProducts(inputs: inputs, weights: task.extracting(dims..<2 * dims), into: &labels)
        for point in 0..<base.count { labels[point] *= base[point] }
    }

    /// ∇g = (w₂ · x) w + (w · x) w₂.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        let dims = task.count / 2
        for point in 0..<base.count {
            var factor = 0.0
            for coordinate in 0..<dims {
                let x = Double(inputs[point * dims + coordinate])
                factor += x * Double(task[dims + coordinate])
            }
            for coordinate in 0..<dims {
                gradients[point * dims + coordinate] =
                    Float(factor) * task[coordinate] + base[point] * task[dims + coordinate]
            }
        }
    }

    /// With f known at query and examples (d − k)₊(d + 2); at the examples alone (d − k)₊(d + k + 2); d(d + 2) without
    /// examples; nil where only products are seen.
    ///
    /// Let S ~ χ²_{d−k} and T ~ χ²_k be the squared lengths of x outside and within the span of the examples. g_i/f_i
    /// gives w₂ · x_i, so w₂ · x has variance S; with f known the error is E[f² S] = E[(S + T) S]. With both factors
    /// N(m₁, S), N(m₂, S) it is E[S² + S(m₁² + m₂²)] = E[S² + 2ST].
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        let d = Double(dims)
        let missing = Double(max(dims - contextLength, 0))
        switch knowledge {
        case .nothing: return contextLength == 0 ? d * (d + 2) : nil
        case .context: return missing * (d + Double(contextLength) + 2)
        case .function, .query: return missing * (d + 2)
        case .partOfContext, .other: return nil
        }
    }

    /// The predictor where f is known at the examples; nil where only products are seen.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        let predictor = ProductPredictor(dims: dims, prefix: prefix)
        return predictor.covers(contextLength: 1) ? predictor : nil
    }

    /// E[(w · x)² (w₂ · x)²] = E[‖x‖⁴] = d(d + 2).
    public func zeroPredictorError(dims: Int) -> Double { Double(dims * (dims + 2)) }
}
