import Kernels

/// The posterior of f · (w₂ · x) where the prefix shows f at the examples: g_i/f_i is w₂ · x_i, so both factors are
/// least-squares problems.
///
/// With f known at the query the mean is f times the solution for w₂, the variance f² S, S the squared length of the
/// query outside the span of the examples. Otherwise the factors are independent N(m₁, S), N(m₂, S): mean m₁m₂,
/// variance S² + S(m₁² + m₂²).
struct ProductPredictor: BayesPredictor {
    let dims: Int
    let prefix: PrefixInformation

    /// Where f is known at the examples, and k = 0.
    func covers(contextLength: Int) -> Bool {
        switch prefix.knowledge(contextLength: contextLength, dims: dims) {
        case .function, .query, .context: true
        case .nothing: contextLength == 0
        case .partOfContext, .other: false
        }
    }

    func posterior(
        of prompt: PromptBatch, means: inout MutableSpan<Double>,
        variances: inout MutableSpan<Double>
    ) {
        var base = IncrementalLeastSquares(dims: dims)
        var other = IncrementalLeastSquares(dims: dims)
        prompt.inputs.withSpan { inputs in
            prompt.queries.withSpan { queries in
                for k in 0..<prompt.points {
                    let row = k * dims..<(k + 1) * dims
                    let query = queries.extracting(row)
                    let knowledge = prefix.knowledge(contextLength: k, dims: dims)
                    if covers(contextLength: k) {
                        let (second, outside) = other.posterior(at: query)
                        if knowledge == .function || knowledge == .query {
                            let first = Double(prompt.queryBase[k])
                            means[k] = first * second
                            variances[k] = first * first * outside
                        } else {
                            let first = base.posterior(at: query).mean
                            means[k] = first * second
                            variances[k] =
                                outside * (outside + first * first + second * second)
                        }
                    }
                    let value = Double(prompt.base[k])
                    // A known function is not solved for.
                    if knowledge != .function {
                        base.add(inputs.extracting(row), label: value)
                    }
                    // A point with f = 0 tells nothing about the other factor.
                    if value != 0 {
                        other.add(inputs.extracting(row), label: Double(prompt.labels[k]) / value)
                    }
                }
            }
        }
    }
}
