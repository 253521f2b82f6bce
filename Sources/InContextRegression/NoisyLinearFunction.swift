/// y = f + ε, ε ~ N(0, 1): `noisy_linear_regression` of the public code of Garg et al. (2022). g itself is f; every
/// label carries its own noise.
public struct NoisyLinearFunction: FunctionClass {
    /// The name in configurations, files and plots.
    public let name = "noisy_linear"
    /// Other names that are accepted for it.
    public let aliases = ["noisy_linear_regression"]
    /// 1: σ of the noise on every label.
    public let labelNoise: Float = 1

    /// The class has no settings.
    public init() {}

    /// d: the weights w.
    public func taskSize(dims: Int) -> Int { dims }

    /// f; the noise is added to it with the distribution's own.
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        LinearFunction().evaluate(inputs: inputs, base: base, task: task, into: &labels)
    }

    /// w.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        LinearFunction().gradients(inputs: inputs, base: base, task: task, into: &gradients)
    }

    /// The error on a noisy label: σ² with f known at the query, σ² + (d − k)₊ with f known at the examples,
    /// σ² + d without examples; nil elsewhere, where it is σ² + E tr (I + XᵀX/σ²)⁻¹ over Wishart matrices.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        let noise = Double(labelNoise * labelNoise)
        switch knowledge {
        case .nothing: return contextLength == 0 ? noise + Double(dims) : nil
        case .context: return noise + Double(max(dims - contextLength, 0))
        case .function, .query: return noise
        case .partOfContext, .other: return nil
        }
    }

    /// Ridge regression with λ = σ² and its variance.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        NoisyLinearPredictor(dims: dims, prefix: prefix, noise: Double(labelNoise))
    }

    /// E[(w · x + ε)²] = d + σ².
    public func zeroPredictorError(dims: Int) -> Double {
        Double(dims) + Double(labelNoise * labelNoise)
    }
}
