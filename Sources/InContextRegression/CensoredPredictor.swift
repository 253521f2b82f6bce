import Randomness

/// The posterior of g = h(f) for a function h that loses part of f in a label: relu where f ≤ 0, sigmoid and tanh where a
/// Float label is too near the end of their range.
///
/// Labels that tell f are equations for w ~ N(0, I), the others intervals. Without intervals f(x) is N(m, S) and the
/// posterior exact. With intervals the part of w within their span, beyond that of the equations, is a Gaussian in a
/// polyhedron, sampled by Gibbs (Geweke, "Efficient Simulation from the Multivariate Normal … Subject to Linear
/// Constraints", 1991); each sample leaves N(m, S), whose moments of h are exact. So means carry a Monte Carlo error,
/// see ``estimate(of:means:variances:standardErrors:)``, and variances one of the same order; the mean of
/// (M − mean)² over prompts is larger by the mean square of that error.
///
/// Bias: f counts as known where the label leaves less than 0.1 of it open (sigmoid below f = 14, tanh below
/// |f| = 7.9), an error of at most 0.05. Equations are used in the order of their precision, so it matters only where
/// fewer than d labels are better.
public struct CensoredPredictor: BayesPredictor {
    /// A label that leaves less of f open is an equation.
    static let equationWidth = 0.1
    /// The standard error is that of so many means of consecutive samples.
    static let batches = 20

    let function: ScalarFunction
    let dims: Int
    let prefix: PrefixInformation
    /// Gibbs sweeps for each k, after a tenth of them to warm up.
    public let sweeps: Int

    init(_ function: ScalarFunction, dims: Int, prefix: PrefixInformation, sweeps: Int = 400) {
        precondition(
            sweeps >= Self.batches && sweeps.isMultiple(of: Self.batches),
            "\(sweeps) sweeps are not a multiple of \(Self.batches)")
        self.function = function
        self.dims = dims
        self.prefix = prefix
        self.sweeps = sweeps
    }

    /// True where f is shown by point or not at all.
    public func covers(contextLength: Int) -> Bool {
        prefix.knowledge(contextLength: contextLength, dims: dims) != .other
    }

    /// Posterior means and variances at all queries.
    public func posterior(
        of prompt: PromptBatch, means: inout MutableSpan<Double>,
        variances: inout MutableSpan<Double>
    ) {
        var standardErrors = [Double](repeating: 0, count: prompt.points)
        var span = standardErrors.mutableSpan
        estimate(of: prompt, means: &means, variances: &variances, standardErrors: &span)
    }

    /// Posterior means and variances with the Monte Carlo standard error of every mean, by batch means (Geyer,
    /// "Practical Markov Chain Monte Carlo", 1992); 0 where the posterior is exact.
    ///
    /// The random numbers are those of a key made from the prompt's own labels, so equal prompts have equal results.
    ///
    /// - Parameters:
    ///   - prompt: a batch of one prompt.
    ///   - means: [n]
    ///   - variances: [n]
    ///   - standardErrors: [n]
    public func estimate(
        of prompt: PromptBatch, means: inout MutableSpan<Double>,
        variances: inout MutableSpan<Double>, standardErrors: inout MutableSpan<Double>
    ) {
        let numbers = PromptNumbers(prompt)
        var weights = CensoredWeights(dims: dims)
        for k in 0..<numbers.points {
            switch prefix.knowledge(contextLength: k, dims: dims) {
            case .function, .query:
                means[k] = function.value(numbers.queryBase[k])
                variances[k] = 0
                standardErrors[k] = 0
            case .nothing, .context, .partOfContext:
                weights.condition(on: evidence(numbers, contextLength: k), inputs: numbers.inputs)
                let estimate = estimate(at: k, numbers, &weights)
                means[k] = estimate.mean
                variances[k] = estimate.variance
                standardErrors[k] = estimate.standardError
            case .other: break
            }
        }
    }

    /// What the examples before the query say about f there, the most precise first.
    private func evidence(_ numbers: PromptNumbers, contextLength: Int) -> [Evidence] {
        let all = (0..<contextLength).map { index in
            let known = numbers.base[index]
            return Evidence(
                row: index,
                range: prefix.showsBase(ofExample: index)
                    ? known...known : function.preimage(of: numbers.labels[index]))
        }
        // Equal widths stay in order of the examples on every machine.
        return all.sorted { ($0.width, $0.row) < ($1.width, $1.row) }
    }

    private func estimate(
        at k: Int, _ numbers: PromptNumbers, _ weights: inout CensoredWeights
    ) -> (mean: Double, variance: Double, standardError: Double) {
        let query = weights.query(numbers.queries, row: k)
        if weights.freedom == 0 {
            let moments = function.moments(mean: query.fixed, variance: query.outside)
            return (moments.mean, moments.variance, 0)
        }
        var generator = CounterGenerator(key(numbers, contextLength: k))
        for _ in 0..<sweeps / 10 { weights.sweep(&generator) }
        var batchMeans = [Double](repeating: 0, count: Self.batches)
        let batchSize = sweeps / Self.batches
        var (within, squares) = (0.0, 0.0)
        for batch in 0..<Self.batches {
            for _ in 0..<batchSize {
                weights.sweep(&generator)
                // An error far below that of the sampling.
                let moments = function.moments(
                    mean: weights.mean(of: query), variance: query.outside, error: 1e-4)
                batchMeans[batch] += moments.mean / Double(batchSize)
                squares += moments.mean * moments.mean
                within += moments.variance
            }
        }
        let mean = batchMeans.reduce(0, +) / Double(Self.batches)
        let spread = batchMeans.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let between = max(squares / Double(sweeps) - mean * mean, 0)
        let count = Double(Self.batches)
        return (
            mean, within / Double(sweeps) + between, (spread / (count - 1) / count).squareRoot()
        )
    }

    /// A key of the prompt's own numbers (FNV-1a over the labels and the point that the query is drawn at).
    ///
    /// A query that is moved keeps its random numbers, so that differences of posterior means are slopes and not noise.
    private func key(_ numbers: PromptNumbers, contextLength: Int) -> RandomKey {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        let query = numbers.inputs[contextLength * dims..<(contextLength + 1) * dims]
        for value in numbers.labels[..<contextLength].map(Double.init) + query {
            hash = (hash ^ value.bitPattern) &* 0x100_0000_01B3
        }
        return RandomKey(seed: hash, stream: .measurement, step: contextLength)
    }
}

/// That f at an example lies in a range, which may be one number.
struct Evidence {
    /// The example.
    let row: Int
    let range: ClosedRange<Double>

    var width: Double { range.upperBound - range.lowerBound }
    /// A number that stands for the whole range.
    var isEquation: Bool { width <= CensoredPredictor.equationWidth }
    var value: Double { (range.lowerBound + range.upperBound) / 2 }
}
