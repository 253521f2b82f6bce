import Foundation

/// The posterior of g = f + f²: a mixture over the choices of one root of u + u² = y for every example.
///
/// Both roots u = (−1 ± √(1 + 4y))/2 of one equation have the same Jacobian √(1 + 4y), so a pattern of roots has weight
/// ∝ exp(−½ uᵀ(XXᵀ)⁻¹u), and given it f(x) ~ N(m, S): g has mean m + m² + S and variance S + 2S² + 4mS + 4m²S. With
/// X = L Q and u = L z the exponent is −½‖z‖², and z grows by one number per example, in O(k) for each of the 2ᵏ
/// patterns. An example within the span of the others has one consistent pattern; its root is compared with the
/// prediction within what the rounding of the labels explains. Roots that the prefix shows are not enumerated.
///
/// Source: derived for this project.
struct RootPatternPredictor: BayesPredictor {
    /// At most 2¹⁰ patterns are enumerated.
    static let mostUnknownRoots = 10

    let dims: Int
    let prefix: PrefixInformation

    func covers(contextLength: Int) -> Bool {
        switch prefix.knowledge(contextLength: contextLength, dims: dims) {
        case .function, .query, .context: true
        case .nothing, .partOfContext:
            // Examples beyond the d-th double no patterns.
            (0..<min(contextLength, dims)).count { !prefix.showsBase(ofExample: $0) }
                <= Self.mostUnknownRoots
        case .other: false
        }
    }

    func posterior(
        of prompt: PromptBatch, means: inout MutableSpan<Double>,
        variances: inout MutableSpan<Double>
    ) {
        let numbers = PromptNumbers(prompt)
        var patterns = RootPatterns(dims: dims)
        for k in 0..<numbers.points where covers(contextLength: k) {
            let knowledge = prefix.knowledge(contextLength: k, dims: dims)
            if knowledge == .function || knowledge == .query {
                let f = numbers.queryBase[k]
                means[k] = f + f * f
                variances[k] = 0
            } else {
                (means[k], variances[k]) = patterns.posterior(of: numbers.queries, row: k)
            }
            // Nobody asks for the patterns after one more example where they are too many, or f is known.
            if knowledge != .function && covers(contextLength: k + 1) {
                patterns.add(
                    numbers.inputs, row: k, label: Double(numbers.labels[k]),
                    root: prefix.showsBase(ofExample: k) ? numbers.base[k] : nil)
            }
        }
    }
}

/// The patterns of roots that the examples so far leave, each with its log weight.
private struct RootPatterns {
    private static let rounding = 0x1p-24

    private var span: SpanBasis
    private var logWeights = [0.0]
    /// z of every pattern: [patterns, d]
    private var solutions: [Double]
    /// L, lower triangle: [rank, d]
    private var triangle: [Double] = []
    /// How far rounding of the labels moves the roots that z is made from: [rank]
    private var roundings: [Double] = []
    /// Means of g by pattern, for a second pass.
    private var patternMeans: [Double] = []

    init(dims: Int) {
        span = SpanBasis(dims: dims)
        solutions = [Double](repeating: 0, count: dims)
    }

    /// Adds an example; `root` is f there if it is known.
    mutating func add(_ inputs: [Double], row: Int, label: Double, root known: Double?) {
        // Rounding may push a label below the least value −¼ of u + u².
        let width = max(1 + 4 * label, 0).squareRoot()
        let roots = known.map { [$0] } ?? [(-1 + width) / 2, (-1 - width) / 2]
        // dy/√(1 + 4y), and √dy at the double root.
        let labelRounding = max(abs(label), 1e-3) * Self.rounding
        let moved =
            known.map { abs($0) * Self.rounding }
            ?? labelRounding / max(width, labelRounding.squareRoot())
        span.project(inputs, row: row)
        let outside = span.outside.squareRoot()
        if span.grow() {
            grow(by: roots, outside: outside)
            roundings.append(moved)
        } else {
            weigh(by: roots, rounding: moved)
        }
    }

    /// Splits every pattern by the roots of an example with a part outside the span.
    private mutating func grow(by roots: [Double], outside: Double) {
        let (dims, rank, count) = (span.dims, span.rank - 1, logWeights.count)
        triangle += span.coordinates
        triangle[rank * dims + rank] = outside
        if roots.count == 2 {
            solutions += solutions
            logWeights += logWeights
        }
        for pattern in 0..<count {
            let known = prediction(pattern, rank: rank)
            for (index, root) in roots.enumerated() {
                let place = index * count + pattern
                let z = (root - known) / outside
                solutions[place * dims + rank] = z
                logWeights[place] -= z * z / 2
            }
        }
    }

    /// Lowers the weight of patterns that miss both roots of an example within the span.
    private mutating func weigh(by roots: [Double], rounding: Double) {
        let deviation = 2 * predictionRounding(own: rounding)
        for pattern in logWeights.indices {
            let value = prediction(pattern, rank: span.rank)
            var distance = Double.infinity
            for root in roots { distance = min(distance, abs(value - root)) }
            logWeights[pattern] -= distance * distance / (2 * deviation * deviation)
        }
        dropHopeless()
    }

    /// Forgets patterns that miss an example by over 1,000 times what rounding explains.
    private mutating func dropHopeless() {
        let least = (logWeights.max() ?? 0) - 1e6
        var kept = 0
        for pattern in logWeights.indices where logWeights[pattern] >= least {
            logWeights[kept] = logWeights[pattern]
            for index in 0..<span.dims {
                solutions[kept * span.dims + index] = solutions[pattern * span.dims + index]
            }
            kept += 1
        }
        logWeights.removeLast(logWeights.count - kept)
        solutions.removeLast(solutions.count - kept * span.dims)
    }

    /// How far rounding moves the difference of a root from its prediction α · u, where Lᵀα = coordinates.
    private func predictionRounding(own: Double) -> Double {
        let dims = span.dims
        var rest = span.coordinates
        var squares = own * own + 1e-24
        for row in (0..<span.rank).reversed() {
            let factor = rest[row] / triangle[row * dims + row]
            for column in 0..<row { rest[column] -= factor * triangle[row * dims + column] }
            squares += factor * factor * roundings[row] * roundings[row]
        }
        return squares.squareRoot()
    }

    /// Mean and variance of g at a query.
    mutating func posterior(of queries: [Double], row: Int) -> (Double, Double) {
        span.project(queries, row: row)
        let s = span.outside
        let greatest = logWeights.max() ?? 0
        if patternMeans.count < logWeights.count {
            patternMeans = [Double](repeating: 0, count: logWeights.count)
        }
        var (total, first, within) = (0.0, 0.0, 0.0)
        for pattern in logWeights.indices {
            let m = prediction(pattern, rank: span.rank)
            let weight = exp(logWeights[pattern] - greatest)
            let mean = m + m * m + s
            patternMeans[pattern] = mean
            total += weight
            first += weight * mean
            within += weight * s * (1 + 2 * s + 4 * m * (1 + m))
        }
        let mean = first / total
        var between = 0.0
        for pattern in logWeights.indices {
            let difference = patternMeans[pattern] - mean
            between += exp(logWeights[pattern] - greatest) * difference * difference
        }
        return (mean, (within + between) / total)
    }

    /// f at the vector projected last, by the first `rank` coordinates.
    private func prediction(_ pattern: Int, rank: Int) -> Double {
        let start = pattern * span.dims
        var sum = 0.0
        for index in 0..<rank { sum += span.coordinates[index] * solutions[start + index] }
        return sum
    }
}
