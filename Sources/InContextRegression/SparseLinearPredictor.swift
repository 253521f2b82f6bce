import Foundation

/// The posterior of w · x where w has three coordinates ~ N(0, 1) at unknown places: a mixture over all choices of
/// places, exact.
///
/// A choice S of places has weight ∝ the density of the labels under N(0, X_S X_Sᵀ): with X_S = L Q and y = L z that is
/// exp(−½‖z‖²)/Π L_ii for up to three examples. Further ones either fit, within what the rounding of labels explains, or
/// rule S out. f = g, so f at the examples tells nothing more.
struct SparseLinearPredictor: BayesPredictor {
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
        var choices = Self.places(dims: dims).map(Places.init)
        for k in 0..<numbers.points {
            let knowledge = prefix.knowledge(contextLength: k, dims: dims)
            if knowledge == .function || knowledge == .query {
                means[k] = numbers.queryBase[k]
                variances[k] = 0
            } else if knowledge != .other {
                (means[k], variances[k]) = Self.mixture(
                    of: choices, numbers.queries, at: k * dims)
            }
            if knowledge == .function || knowledge == .other { continue }
            for index in choices.indices {
                choices[index].add(numbers.inputs, at: k * dims, label: Double(numbers.labels[k]))
            }
            let best = choices.reduce(-Double.infinity) { max($0, $1.logWeight) }
            // e^−1000 is 0 in double.
            if k >= 3 { choices.removeAll { $0.logWeight < best - 1000 } }
        }
    }

    /// All choices of three of d places; for d < 3 the one of all places, the missing ones being −1.
    private static func places(dims: Int) -> [SIMD3<Int>] {
        if dims < 3 { return [SIMD3(0, dims > 1 ? 1 : -1, -1)] }
        return (0..<dims).flatMap { first in
            (first + 1..<dims).flatMap { second in
                (second + 1..<dims).map { SIMD3(first, second, $0) }
            }
        }
    }

    /// Mean and variance at the query that starts at `start`.
    private static func mixture(
        of choices: [Places], _ queries: [Double], at start: Int
    ) -> (Double, Double) {
        let greatest = choices.reduce(-Double.infinity) { max($0, $1.logWeight) }
        var (total, mean, variance) = (0.0, 0.0, 0.0)
        for choice in choices {
            let weight = exp(choice.logWeight - greatest)
            if weight == 0 { continue }
            let part = choice.posterior(of: queries, at: start)
            // The variance of two groups is theirs and that of their means (Chan et al., 1979).
            let difference = part.mean - mean
            let share = weight / (total + weight)
            variance += share * (part.variance - variance)
            variance += share * (1 - share) * difference * difference
            mean += share * difference
            total += weight
        }
        return (mean, variance)
    }
}

/// w ~ N(0, I) at three places, given labels, in an orthonormal basis of what the examples show there.
private struct Places {
    private let places: SIMD3<Int>
    private(set) var logWeight = 0.0
    /// Q
    private var basis: (SIMD3<Double>, SIMD3<Double>, SIMD3<Double>) = (.zero, .zero, .zero)
    /// z, 0 beyond the rank.
    private var solution = SIMD3<Double>.zero
    private var rank = 0
    /// What rounding of the labels moves a prediction by, for each unit of an input's length.
    private var rounding = 0.0

    init(_ places: SIMD3<Int>) { self.places = places }

    /// Adds the example whose input starts at `start`.
    mutating func add(_ inputs: [Double], at start: Int, label: Double) {
        let x = row(inputs, at: start)
        let coordinates = coordinates(of: x)
        let outside = outside(x, coordinates).squareRoot()
        let difference = label - (coordinates * solution).sum()
        let labelRounding = abs(label) * 0x1p-24
        if outside == 0 {
            let length = x.length
            let deviation = 2 * (labelRounding + rounding * length) + 1e-12
            logWeight -= difference * difference / (2 * deviation * deviation)
            return
        }
        let direction = residual(x, coordinates) / outside
        switch rank {
        case 0: basis.0 = direction
        case 1: basis.1 = direction
        default: basis.2 = direction
        }
        solution[rank] = difference / outside
        logWeight -= solution[rank] * solution[rank] / 2 + log(outside)
        rounding += (labelRounding + rounding * coordinates.length) / outside
        rank += 1
    }

    /// Mean and variance at the query that starts at `start`.
    func posterior(of queries: [Double], at start: Int) -> (mean: Double, variance: Double) {
        let x = row(queries, at: start)
        let coordinates = coordinates(of: x)
        return ((coordinates * solution).sum(), outside(x, coordinates))
    }

    private func row(_ matrix: [Double], at start: Int) -> SIMD3<Double> {
        var x = SIMD3<Double>.zero
        for index in 0..<3 where places[index] >= 0 { x[index] = matrix[start + places[index]] }
        return x
    }

    private func coordinates(of x: SIMD3<Double>) -> SIMD3<Double> {
        SIMD3((basis.0 * x).sum(), (basis.1 * x).sum(), (basis.2 * x).sum())
    }

    private func residual(
        _ x: SIMD3<Double>, _ coordinates: SIMD3<Double>
    ) -> SIMD3<Double> {
        let once = x - combination(coordinates)
        return once - combination(self.coordinates(of: once))
    }

    private func combination(_ coordinates: SIMD3<Double>) -> SIMD3<Double> {
        let first = basis.0 * coordinates.x
        return first + basis.1 * coordinates.y + basis.2 * coordinates.z
    }

    /// The squared length of x outside the span; 0 where it is rounding.
    private func outside(_ x: SIMD3<Double>, _ coordinates: SIMD3<Double>) -> Double {
        if rank == 3 { return 0 }
        let residual = residual(x, coordinates)
        let tolerance = IncrementalLeastSquares.dependenceTolerance
        let square = (residual * residual).sum()
        return square > tolerance * tolerance * (x * x).sum() ? square : 0
    }
}

extension SIMD3<Double> {
    fileprivate var length: Double { (self * self).sum().squareRoot() }
}
