/// g = 1 / (1 + e⁻ᶠ): the class `sigmoid` of the public code of Choi et al. (ICLR 2025).
public struct SigmoidFunction: FunctionClass {
    /// The name in configurations, files and plots.
    public let name = "sigmoid"
    /// Other names that are accepted for it.
    public let aliases: [String] = []

    /// The class has no settings.
    public init() {}

    /// d: the weights w.
    public func taskSize(dims: Int) -> Int { dims }

    /// g = σ(f).
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        ScalarFunction.sigmoid.evaluate(base: base, into: &labels)
    }

    /// ∇g = σ(f)(1 − σ(f)) w.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        ScalarFunction.sigmoid.gradients(base: base, weights: task, into: &gradients)
    }

    /// A quarter of the error of tanh(f/2), as σ(f) = ½ + ½ tanh(f/2); by quadrature, relative error below 10⁻⁵.
    ///
    /// The labels reveal f at the examples, so nothing is gained from a prefix that shows it there. That is the bound
    /// for ideal labels: a Float label is within 10⁻⁷ of 1 from f = 16 on and leaves f open.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        switch knowledge {
        case .nothing, .context, .partOfContext:
            TanhPower(slope: 0.5, dims: dims).bayesError(contextLength: contextLength) / 4
        case .function, .query: 0
        case .other: nil
        }
    }

    /// The posterior of w given f within the rounding of the labels: see ``CensoredPredictor``.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        CensoredPredictor(.sigmoid, dims: dims, prefix: prefix)
    }

    /// E[σ(f)²] = ¼ + ¼ E[tanh²(f/2)], by quadrature over f given ‖x‖ and over ‖x‖, to 10⁻⁸.
    public func zeroPredictorError(dims: Int) -> Double {
        0.25 + 0.25 * TanhPower(slope: 0.5, dims: dims).secondMoment
    }
}
