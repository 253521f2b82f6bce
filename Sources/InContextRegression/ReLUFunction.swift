/// g = max(f, 0): the class `relu` of the public code of Choi et al. (ICLR 2025), which also calls it
/// `relu_2nn_regression`; the network of Garg et al. under that name is ``TwoLayerReLUFunction``.
public struct ReLUFunction: FunctionClass {
    /// The name in configurations, files and plots.
    public let name = "relu"
    /// Other names that are accepted for it.
    public let aliases = ["relu_2nn_regression"]

    /// The class has no settings.
    public init() {}

    /// d: the weights w.
    public func taskSize(dims: Int) -> Int { dims }

    /// g = max(f, 0).
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        ScalarFunction.relu.evaluate(base: base, into: &labels)
    }

    /// ∇g = 1[f > 0] w.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        ScalarFunction.relu.gradients(base: base, weights: task, into: &gradients)
    }

    /// Without information on w: d(½ − 1/2π) at k = 0 and nil from there on, where the labels 0 cut half-spaces off the
    /// posterior.
    ///
    /// With f known at k examples, two tasks that agree there have f(x) of variance r² and correlation ρ ~
    /// Beta(k/2, (d − k)/2), and E[g g′] = r² (√(1 − ρ²) + ρ(π − arccos ρ))/2π (the arc-cosine kernel of Cho and Saul,
    /// 2009), which falls short of E[g²] = r²/2 by the mean variance. With √(1 − ρ²) + ρ arcsin ρ =
    /// 1 + Σ_j C(2j, j) ρ^(2j+2) / (4ʲ (2j + 1)(2j + 2)) that is
    /// d(½ − E[1 + πρ/2 + Σ_j …]/2π), here with 20,000 terms, a relative error below 10⁻⁵.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        switch knowledge {
        case .nothing: contextLength == 0 ? Double(dims) * (0.5 - 0.5 / .pi) : nil
        case .context: errorWithContext(k: Double(contextLength), d: Double(dims))
        case .function, .query: 0
        case .partOfContext, .other: nil
        }
    }

    private func errorWithContext(k: Double, d: Double) -> Double {
        if k >= d { return 0 }
        // E[ρⁿ] for n = 1, 2 and the binomial's share for j = 0.
        var moment = k / d
        var sum = 1 + Double.pi / 2 * moment
        var binomial = 1.0
        for j in 0..<20_000 {
            let n = Double(2 * j + 1)
            moment *= (k / 2 + n) / (d / 2 + n)
            sum += binomial * moment / (n * (n + 1))
            moment *= (k / 2 + n + 1) / (d / 2 + n + 1)
            binomial *= n / (n + 1)
        }
        return d * (0.5 - sum / (2 * .pi))
    }

    /// The posterior of w given f where labels are positive and f ≤ 0 where they are 0, sampled: see
    /// ``CensoredPredictor``.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        CensoredPredictor(.relu, dims: dims, prefix: prefix)
    }

    /// E[max(f, 0)²] = d/2.
    public func zeroPredictorError(dims: Int) -> Double { Double(dims) / 2 }
}
