/// g = tanh f: the class `tanh` of the public code of Choi et al. (ICLR 2025).
public struct TanhFunction: FunctionClass {
    /// The name in configurations, files and plots.
    public let name = "tanh"
    /// Other names that are accepted for it.
    public let aliases: [String] = []

    /// The class has no settings.
    public init() {}

    /// d: the weights w.
    public func taskSize(dims: Int) -> Int { dims }

    /// g = tanh f.
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        ScalarFunction.tanh.evaluate(base: base, into: &labels)
    }

    /// ∇g = (1 − tanh² f) w.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        ScalarFunction.tanh.gradients(base: base, weights: task, into: &gradients)
    }

    /// The mean variance of tanh(f(x)) given f at k examples, by quadrature, relative error below 10⁻⁵; 0 from
    /// k = d on.
    ///
    /// The labels reveal f at the examples, so nothing is gained from a prefix that shows it there. That is the bound
    /// for ideal labels: a Float label is within 10⁻⁷ of ±1 from |f| = 8.5 on and leaves f open.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        switch knowledge {
        case .nothing, .context, .partOfContext:
            TanhPower(slope: 1, dims: dims).bayesError(contextLength: contextLength)
        case .function, .query: 0
        case .other: nil
        }
    }

    /// The posterior of w given f within the rounding of the labels: see ``CensoredPredictor``.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        CensoredPredictor(.tanh, dims: dims, prefix: prefix)
    }

    /// E[tanh² f], by quadrature over f given ‖x‖ and over ‖x‖, to 10⁻⁸.
    public func zeroPredictorError(dims: Int) -> Double {
        TanhPower(slope: 1, dims: dims).secondMoment
    }
}
