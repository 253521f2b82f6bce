/// Predicts with the least-squares solution of the pairs seen, the one of minimum norm while they do
/// not determine it (k < d, or inputs in a subspace).
public struct LeastSquares: Baseline {
    /// The name in configurations, files and plots.
    public let name = "least_squares"

    /// The baseline has no settings.
    public init() {}

    /// Predictions of the solution of the first k pairs; 0 at k = 0.
    public func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>
    ) {
        let dims = inputs.count / labels.count
        var solver = IncrementalLeastSquares(dims: dims)
        for k in 0..<labels.count {
            let row = k * dims..<(k + 1) * dims
            predictions[k] = solver.predict(at: queries.extracting(row))
            solver.add(inputs.extracting(row), label: Double(labels[k]))
        }
    }
}

/// Least squares, plain or with a penalty λ‖w‖², that grows by one pair at a time, in O(d²) each.
///
/// The minimum-norm solution lies in the span of the inputs. So an orthonormal basis Q of that span is
/// kept (Gram–Schmidt, twice, which is as orthogonal as Householder), the inputs are written in its
/// coordinates z = Q x, and R with RᵀR = Σ z zᵀ is updated by Givens rotations: no Gram matrix, whose
/// condition number would be squared, is ever formed. See Björck, "Numerical Methods for Least Squares
/// Problems" (1996), sections 2.4 and 3.2.
///
/// A penalty is the rows √λ I below the inputs (there, section 2.7.2). The penalised solution lies in the span of the
/// inputs too, so a new basis vector brings its own row √λ, and R has no direction that only rounding determines,
/// however small λ is.
struct IncrementalLeastSquares {
    /// An input whose part outside the span is smaller than this share of its length counts as inside:
    /// inputs are rounded to Float, so a smaller part is rounding and not direction.
    static let dependenceTolerance = 1e-6

    private let dims: Int
    /// √λ
    private let penaltyRoot: Double
    private(set) var rank = 0
    /// Q: [rank, d]
    private var basis: [Double]
    /// R: upper triangle of [rank, rank], rows of length d.
    private var triangle: [Double]
    /// The rotated labels: [rank]
    private var rotated: [Double]
    private var coordinates: [Double]
    private var residual: [Double]
    private var solution: [Double]

    /// No pairs, and the penalty λ ≥ 0.
    init(dims: Int, penalty: Double = 0) {
        self.dims = dims
        penaltyRoot = penalty.squareRoot()
        basis = [Double](repeating: 0, count: dims * dims)
        triangle = [Double](repeating: 0, count: dims * dims)
        rotated = [Double](repeating: 0, count: dims)
        coordinates = [Double](repeating: 0, count: dims)
        residual = [Double](repeating: 0, count: dims)
        solution = [Double](repeating: 0, count: dims)
    }

    /// The prediction at `query` from the pairs added so far.
    mutating func predict(at query: Span<Float>) -> Double {
        project(query)
        return predict()
    }

    /// The prediction at `query` and the squared length of its part outside the span of the inputs added so far.
    mutating func posterior(at query: Span<Float>) -> (mean: Double, outside: Double) {
        let length = project(query)
        let outside = rank < dims ? norm(residual) : 0
        return (predict(), outside > Self.dependenceTolerance * length ? outside * outside : 0)
    }

    /// Adds a pair.
    mutating func add(_ x: Span<Float>, label: Double) {
        let length = project(x)
        if rank < dims {
            removeSpan()
            let outside = norm(residual)
            if outside > Self.dependenceTolerance * length { growBasis(outside) }
        }
        rotateIn(label)
    }

    /// Splits `x` into its coordinates within the span of Q and the residual; returns its length.
    @discardableResult
    private mutating func project(_ x: Span<Float>) -> Double {
        for index in 0..<dims {
            residual[index] = Double(x[index])
            coordinates[index] = 0
        }
        let length = norm(residual)
        removeSpan()
        return length
    }

    /// Moves the residual's part within the span of Q into the coordinates.
    private mutating func removeSpan() {
        for row in 0..<rank {
            let start = row * dims
            var product = 0.0
            for index in 0..<dims { product += basis[start + index] * residual[index] }
            coordinates[row] += product
            for index in 0..<dims { residual[index] -= product * basis[start + index] }
        }
    }

    /// Solves R u = rotated labels from the last row up and returns z · u.
    private mutating func predict() -> Double {
        var prediction = 0.0
        for row in (0..<rank).reversed() {
            var value = rotated[row]
            for column in (row + 1)..<rank {
                value -= triangle[row * dims + column] * solution[column]
            }
            solution[row] = value / triangle[row * dims + row]
            prediction += solution[row] * coordinates[row]
        }
        return prediction
    }

    /// Makes the residual, of norm `outside`, a new basis vector; earlier inputs have no part along it.
    private mutating func growBasis(_ outside: Double) {
        for index in 0..<dims { basis[rank * dims + index] = residual[index] / outside }
        coordinates[rank] = outside
        triangle[rank * dims + rank] = penaltyRoot
        rank += 1
    }

    /// Rotates the row (z, label) into (R, rotated labels); what is left of the label is the residual.
    private mutating func rotateIn(_ label: Double) {
        var remaining = label
        for row in 0..<rank where coordinates[row] != 0 {
            let start = row * dims
            let diagonal = triangle[start + row]
            let entry = coordinates[row]
            let radius = (diagonal * diagonal + entry * entry).squareRoot()
            let cosine = diagonal / radius
            let sine = entry / radius
            for column in row..<rank {
                let upper = triangle[start + column]
                let lower = coordinates[column]
                triangle[start + column] = cosine * upper + sine * lower
                coordinates[column] = cosine * lower - sine * upper
            }
            let upper = rotated[row]
            rotated[row] = cosine * upper + sine * remaining
            remaining = cosine * remaining - sine * upper
        }
    }

    private func norm(_ values: [Double]) -> Double {
        var sum = 0.0
        for index in 0..<dims { sum += values[index] * values[index] }
        return sum.squareRoot()
    }
}
