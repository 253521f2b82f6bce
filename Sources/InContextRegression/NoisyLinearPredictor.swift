/// The posterior of a label w · x + ε: that of w given noisy labels, and exact values of f where the prefix shows
/// them, with the noise of the label itself.
///
/// Labels alone give ridge regression with λ = σ²: ŵ = (XᵀX + σ²I)⁻¹Xᵀy, Σ = σ²(XᵀX + σ²I)⁻¹, kept by adding one
/// observation at a time (Kalman), which also takes observations without noise.
struct NoisyLinearPredictor: BayesPredictor {
    let dims: Int
    let prefix: PrefixInformation
    /// σ
    let noise: Double

    func covers(contextLength: Int) -> Bool {
        prefix.knowledge(contextLength: contextLength, dims: dims) != .other
    }

    func posterior(
        of prompt: PromptBatch, means: inout MutableSpan<Double>,
        variances: inout MutableSpan<Double>
    ) {
        let numbers = PromptNumbers(prompt)
        var weights = GaussianWeights(dims: dims)
        for k in 0..<numbers.points {
            let knowledge = prefix.knowledge(contextLength: k, dims: dims)
            switch knowledge {
            case .function, .query:
                means[k] = numbers.queryBase[k]
                variances[k] = noise * noise
            case .nothing, .context, .partOfContext:
                let (mean, variance) = weights.product(with: numbers.queries, row: k)
                means[k] = mean
                variances[k] = variance + noise * noise
            case .other: break
            }
            if knowledge == .function || knowledge == .other { continue }
            // Where f is known, its noisy label tells nothing more.
            let exact = prefix.showsBase(ofExample: k)
            weights.observe(
                numbers.inputs, row: k,
                product: exact ? numbers.base[k] : Double(numbers.labels[k]),
                noiseVariance: exact ? 0 : noise * noise)
        }
    }
}

/// N(ŵ, Σ), from N(0, I) on.
private struct GaussianWeights {
    private let dims: Int
    private var mean: [Double]
    /// Σ: [d, d]
    private var covariance: [Double]
    /// Σ x of the row used last: [d]
    private var gain: [Double]

    init(dims: Int) {
        self.dims = dims
        mean = [Double](repeating: 0, count: dims)
        gain = mean
        covariance = [Double](repeating: 0, count: dims * dims)
        for index in 0..<dims { covariance[index * dims + index] = 1 }
    }

    /// Mean and variance of w · x.
    mutating func product(with matrix: [Double], row: Int) -> (Double, Double) {
        var (product, variance) = (0.0, 0.0)
        for index in 0..<dims {
            var sum = 0.0
            for other in 0..<dims {
                sum += covariance[index * dims + other] * matrix[row * dims + other]
            }
            gain[index] = sum
            product += mean[index] * matrix[row * dims + index]
            variance += sum * matrix[row * dims + index]
        }
        return (product, max(variance, 0))
    }

    /// Conditions on w · x plus noise.
    mutating func observe(
        _ matrix: [Double], row: Int, product: Double, noiseVariance: Double
    ) {
        let (expected, variance) = self.product(with: matrix, row: row)
        let total = variance + noiseVariance
        // An exact value of what is known already.
        if total < 1e-10 { return }
        for index in 0..<dims {
            mean[index] += gain[index] * (product - expected) / total
            for other in 0..<dims {
                covariance[index * dims + other] -= gain[index] * gain[other] / total
            }
        }
    }
}
