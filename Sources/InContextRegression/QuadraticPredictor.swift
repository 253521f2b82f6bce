import Kernels

/// The posterior of g = Σ_i w_i x_i²/√3 given labels g and values f = w · x: both are linear in w ~ N(0, I), so g at the
/// query is Gaussian with the squared length of its features outside the span of all known rows as variance.
///
/// Where the prefix determines w, so does it the label, which is taken as it stands.
struct QuadraticPredictor: BayesPredictor {
    let dims: Int
    let prefix: PrefixInformation

    func covers(contextLength: Int) -> Bool {
        prefix.knowledge(contextLength: contextLength, dims: dims) != .other
    }

    func posterior(
        of prompt: PromptBatch, means: inout MutableSpan<Double>,
        variances: inout MutableSpan<Double>
    ) {
        let numbers = PromptNumbers(prompt)
        let features = Self.features(numbers.inputs)
        let queryFeatures = Self.features(numbers.queries)
        var known = KnownProducts(dims: dims)
        for k in 0..<numbers.points {
            let knowledge = prefix.knowledge(contextLength: k, dims: dims)
            switch knowledge {
            case .function:
                means[k] = Double(prompt.queryLabels[k])
                variances[k] = 0
            case .query:
                var all = known
                // The query stands in its own point's place in the prefix.
                all.add(numbers.queries, row: k, product: numbers.queryBase[k])
                for point in k + 1..<numbers.points
                where prefix.showsBase(ofExample: point) {
                    all.add(numbers.inputs, row: point, product: numbers.base[point])
                }
                (means[k], variances[k]) = all.posterior(of: queryFeatures, row: k)
            case .nothing, .context, .partOfContext:
                (means[k], variances[k]) = known.posterior(of: queryFeatures, row: k)
            case .other: break
            }
            if knowledge == .function || knowledge == .other { continue }
            known.add(features, row: k, product: Double(numbers.labels[k]))
            if prefix.showsBase(ofExample: k) {
                known.add(numbers.inputs, row: k, product: numbers.base[k])
            }
        }
    }

    /// x_i²/√3
    private static func features(_ inputs: [Double]) -> [Double] {
        inputs.map { $0 * $0 / 3.0.squareRoot() }
    }
}

/// A vector w ~ N(0, I_d) of which products with some rows are known without noise.
private struct KnownProducts {
    private var span: SpanBasis
    /// w in the coordinates of the span: [rank]
    private var solution: [Double] = []

    init(dims: Int) { span = SpanBasis(dims: dims) }

    /// Adds w · row; a row within the span repeats what is known.
    mutating func add(_ matrix: [Double], row: Int, product: Double) {
        span.project(matrix, row: row)
        let known = projectedMean
        let outside = span.outside.squareRoot()
        if span.grow() { solution.append((product - known) / outside) }
    }

    /// Mean and variance of w · row.
    mutating func posterior(of matrix: [Double], row: Int) -> (Double, Double) {
        span.project(matrix, row: row)
        return (projectedMean, span.outside)
    }

    private var projectedMean: Double {
        var sum = 0.0
        for index in 0..<span.rank { sum += span.coordinates[index] * solution[index] }
        return sum
    }
}
