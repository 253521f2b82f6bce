/// The lasso of pairs that come one at a time, by coordinate descent on their second moments.
///
/// With G = XᵀX, b = Xᵀy and c = Xᵀ(y − Xw) = b − Gw a round over the coordinates costs O(d²) whatever k is. Coordinate
/// j goes to S(c_j + G_jj w_j, t) / G_jj with S(v, t) = sign(v) max(|v| − t, 0) and t = kα. Source: Friedman, Hastie and
/// Tibshirani, "Regularization Paths for Generalized Linear Models via Coordinate Descent" (2010), sections 2.1 and 2.2.
///
/// Where inputs are nearly dependent, rounds alone come near the solution by thousands. So every few of them all weights
/// that are not 0 take one Newton step together, as far as the first that would change its sign: Lee, Battle, Raina and
/// Ng, "Efficient Sparse Coding Algorithms" (2006), algorithm 1. Neither step ever raises the objective.
struct IncrementalLasso {
    /// The duality gap that ends the descent, as a share of yᵀy; scikit-learn's is 1e-4.
    static let tolerance = 1e-10
    /// The rounds after which the descent ends in any case, with the w of then. Of 1,000 prompts at d = 20 and each of
    /// α = 10⁻⁶ … 10³ none took 200.
    static let roundLimit = 10_000
    /// What is added to the diagonal of G for a Newton step, as a share of its largest element: more weights than pairs
    /// leave G without an inverse, and then the step goes on until a weight is 0.
    static let damping = 1e-9

    private let dims: Int
    /// Vectors of four coordinates; the last one is filled up with coordinates that are 0.
    private let width: Int
    private var count = 0
    /// G: [d, width]
    private var gram: [SIMD4<Double>]
    /// w, b and c: [width]
    private var weights, moments, correlations: [SIMD4<Double>]
    private var input: [SIMD4<Double>]
    /// The coordinates of a Newton step.
    private var support: [Int] = []
    /// The lower factor of their part of G, rows of length d.
    private var factor: [Double]
    private var direction: [Double]
    /// yᵀy
    private var labelSquares = 0.0

    init(dims: Int) {
        self.dims = dims
        width = (dims + 3) / 4
        let zeros = [SIMD4<Double>](repeating: .zero, count: width)
        gram = [SIMD4<Double>](repeating: .zero, count: dims * width)
        weights = zeros
        moments = zeros
        correlations = zeros
        input = zeros
        factor = [Double](repeating: 0, count: dims * dims)
        direction = [Double](repeating: 0, count: dims)
    }

    /// w · x.
    mutating func predict(at x: Span<Float>) -> Double {
        load(x)
        return dot(weights.span, input.span)
    }

    /// Adds a pair; w stays.
    mutating func add(_ x: Span<Float>, label: Double) {
        load(x)
        let residual = label - dot(weights.span, input.span)
        for block in 0..<width {
            moments[block] += label * input[block]
            correlations[block] += residual * input[block]
        }
        for row in 0..<dims {
            let factor = Double(x[row])
            for block in 0..<width { gram[row * width + block] += factor * input[block] }
        }
        labelSquares += label * label
        count += 1
    }

    /// Descends from the present w until the duality gap is within the tolerance.
    mutating func solve(penalty: Double) {
        let threshold = Double(count) * penalty
        for round in 1...Self.roundLimit {
            Self.descend(threshold, gram, dims: dims, &weights, &correlations)
            if gap(threshold) <= Self.tolerance * labelSquares { return }
            if round.isMultiple(of: 2) {
                while stepTogether(threshold) {}
            }
        }
    }

    /// Takes the Newton step of all weights that are not 0; returns whether it ended at a weight that became 0, so that
    /// another step with the rest is worth while.
    private mutating func stepTogether(_ threshold: Double) -> Bool {
        support.removeAll(keepingCapacity: true)
        for index in 0..<dims where weights[index / 4][index % 4] != 0 { support.append(index) }
        if support.isEmpty || !factorize() { return false }
        solveForDirection(threshold)
        var share = 1.0
        var stopped: Int?
        for (place, index) in support.enumerated() {
            let weight = weights[index / 4][index % 4]
            if weight / -direction[place] > 0, weight / -direction[place] <= share {
                share = weight / -direction[place]
                stopped = index
            }
        }
        for (place, index) in support.enumerated() {
            let step = share * direction[place]
            weights[index / 4][index % 4] += step
            for block in 0..<width { correlations[block] -= step * gram[index * width + block] }
        }
        guard let stopped else { return false }
        // What rounding leaves of the weight leaves the correlations as well.
        let rest = weights[stopped / 4][stopped % 4]
        weights[stopped / 4][stopped % 4] = 0
        for block in 0..<width { correlations[block] += rest * gram[stopped * width + block] }
        return true
    }

    /// Cholesky's factor of the damped G over the support; false where rounding leaves it no positive pivot.
    private mutating func factorize() -> Bool {
        var largest = 0.0
        for index in support { largest = max(largest, gram[index * width + index / 4][index % 4]) }
        for (row, index) in support.enumerated() {
            for column in 0...row {
                let other = support[column]
                var sum = gram[index * width + other / 4][other % 4]
                if row == column { sum += Self.damping * largest }
                for inner in 0..<column {
                    sum -= factor[row * dims + inner] * factor[column * dims + inner]
                }
                if row > column {
                    factor[row * dims + column] = sum / factor[column * dims + column]
                } else if sum > 0 {
                    factor[row * dims + row] = sum.squareRoot()
                } else {
                    return false
                }
            }
        }
        return true
    }

    /// Solves for the step to where c is t sign(w) on the support.
    private mutating func solveForDirection(_ threshold: Double) {
        for (row, index) in support.enumerated() {
            let sign = weights[index / 4][index % 4] > 0 ? threshold : -threshold
            var value = correlations[index / 4][index % 4] - sign
            for inner in 0..<row { value -= factor[row * dims + inner] * direction[inner] }
            direction[row] = value / factor[row * dims + row]
        }
        for row in support.indices.reversed() {
            var value = direction[row]
            for inner in row + 1..<support.count {
                value -= factor[inner * dims + row] * direction[inner]
            }
            direction[row] = value / factor[row * dims + row]
        }
    }

    /// One round over the coordinates.
    private static func descend(
        _ threshold: Double, _ gram: [SIMD4<Double>], dims: Int, _ weights: inout [SIMD4<Double>],
        _ correlations: inout [SIMD4<Double>]
    ) {
        let width = weights.count
        let gram = gram.span
        var weights = weights.mutableSpan
        var correlations = correlations.mutableSpan
        for block in 0..<width {
            // Constant lanes keep w and c in registers.
            for lane in 0..<4 where 4 * block + lane < dims {
                let column = gram.extracting(droppingFirst: (4 * block + lane) * width)
                let curvature = column[block][lane]
                let old = weights[block][lane]
                let target = correlations[block][lane] + curvature * old
                let size = abs(target) - threshold
                let new = size > 0 ? (target > 0 ? size : -size) / curvature : 0
                if new == old { continue }
                weights[block][lane] = new
                let step = SIMD4(repeating: new - old)
                for other in 0..<width { correlations[other] -= step * column[other] }
            }
        }
    }

    /// The objective ½‖y − Xw‖² + t‖w‖₁ less the dual objective at s(y − Xw), the residual shrunk until it is feasible.
    private func gap(_ threshold: Double) -> Double {
        var largest = 0.0
        var norm = 0.0
        for block in 0..<width {
            for lane in 0..<4 {
                largest = max(largest, abs(correlations[block][lane]))
                norm += abs(weights[block][lane])
            }
        }
        let explained = dot(weights.span, moments.span)
        let squares = labelSquares - explained - dot(weights.span, correlations.span)
        let scale = largest > threshold ? threshold / largest : 1
        return 0.5 * squares * (1 + scale * scale) + threshold * norm
            - scale * (labelSquares - explained)
    }

    private mutating func load(_ x: Span<Float>) {
        for index in 0..<dims { input[index / 4][index % 4] = Double(x[index]) }
    }

    private func dot(_ a: Span<SIMD4<Double>>, _ b: Span<SIMD4<Double>>) -> Double {
        var sum = SIMD4<Double>.zero
        for block in 0..<width { sum += a[block] * b[block] }
        return sum.sum()
    }
}
