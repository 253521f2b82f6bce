/// g = Σ_i w_i x_i² / √3 with the w of f = w · x: `quadratic_regression` of the public code of Garg et al. (2022).
public struct QuadraticFunction: FunctionClass {
    /// The name in configurations, files and plots.
    public let name = "quadratic"
    /// Other names that are accepted for it.
    public let aliases = ["quadratic_regression"]

    /// The class has no settings.
    public init() {}

    /// d: the weights w.
    public func taskSize(dims: Int) -> Int { dims }

    /// g = Σ_i w_i x_i² / √3.
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        let dims = task.count
        for point in 0..<base.count {
            var sum = 0.0
            for coordinate in 0..<dims {
                let x = Double(inputs[point * dims + coordinate])
                sum += Double(task[coordinate]) * x * x
            }
            labels[point] = Float(sum / 3.0.squareRoot())
        }
    }

    /// (∇g)_i = 2 w_i x_i / √3.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        let dims = task.count
        let factor = 2 / Float(3).squareRoot()
        for place in 0..<base.count * dims {
            gradients[place] = factor * task[place % dims] * inputs[place]
        }
    }

    /// d without information, 0 where w is determined: by d labels, or by half as many examples with f and g known;
    /// nil between, as the squares x_i² are not Gaussian.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        switch knowledge {
        case .function: return 0
        case .nothing where contextLength == 0: return Double(dims)
        case .context: return 2 * contextLength >= dims ? 0 : nil
        case .nothing, .query, .partOfContext, .other: return contextLength >= dims ? 0 : nil
        }
    }

    /// g is linear in w with the features x_i²/√3, so the posterior is Gaussian and exact.
    public func bayesPredictor(dims: Int, prefix: PrefixInformation) -> (any BayesPredictor)? {
        QuadraticPredictor(dims: dims, prefix: prefix)
    }

    /// Σ_i E[x_i⁴]/3 = d.
    public func zeroPredictorError(dims: Int) -> Double { Double(dims) }
}
