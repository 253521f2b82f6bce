/// An orthonormal basis of the span of vectors that are added one by one (Gram–Schmidt, twice, which is as orthogonal
/// as Householder).
///
/// The coordinates of the vectors are the rows of the triangle L in X = L Q, so v = X w is solved for the coordinates
/// z = Q w by forward substitution, and XXᵀ, whose condition number would be squared, is never formed.
struct SpanBasis {
    /// Dimensions of a vector.
    let dims: Int
    /// Dimensions of the span.
    private(set) var rank = 0
    /// Q: [rank, dims]
    private(set) var vectors: [Double]
    /// The coordinates of the vector projected last: [rank], then zeros.
    private(set) var coordinates: [Double]
    /// The squared length of the part of the vector projected last that lies outside the span; 0 where it is
    /// rounding.
    private(set) var outside = 0.0
    private var residual: [Double]

    init(dims: Int) {
        self.dims = dims
        vectors = [Double](repeating: 0, count: dims * dims)
        coordinates = [Double](repeating: 0, count: dims)
        residual = [Double](repeating: 0, count: dims)
    }

    /// Splits row `row` of `matrix`: [rows, dims] into its coordinates and what is outside.
    mutating func project(_ matrix: [Double], row: Int) {
        var length = 0.0
        for index in 0..<dims {
            let value = matrix[row * dims + index]
            residual[index] = value
            coordinates[index] = 0
            length += value * value
        }
        outside = 0
        if rank == dims {
            removeSpan()
            return
        }
        removeSpan()
        removeSpan()
        for index in 0..<dims { outside += residual[index] * residual[index] }
        let tolerance = IncrementalLeastSquares.dependenceTolerance
        if outside <= tolerance * tolerance * length { outside = 0 }
    }

    /// Makes what is ``outside`` of the vector projected last a new basis vector; returns whether there was any.
    mutating func grow() -> Bool {
        if outside == 0 { return false }
        let length = outside.squareRoot()
        for index in 0..<dims { vectors[rank * dims + index] = residual[index] / length }
        rank += 1
        return true
    }

    /// Moves the residual's part within the span into the coordinates.
    private mutating func removeSpan() {
        for row in 0..<rank {
            let start = row * dims
            var product = 0.0
            for index in 0..<dims { product += vectors[start + index] * residual[index] }
            coordinates[row] += product
            for index in 0..<dims { residual[index] -= product * vectors[start + index] }
        }
    }
}
