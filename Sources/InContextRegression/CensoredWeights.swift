import Randomness

/// w ~ N(0, I_d), of which some products are known and others lie in ranges, in coordinates Q w: first those that the
/// equations fix, then those that only ranges touch. The rest of w is free.
struct CensoredWeights {
    /// How a query depends on w: f = fixed + coefficients · (sampled coordinates) + N(0, outside).
    struct Query {
        let fixed: Double
        let outside: Double
        let coefficients: [Double]
    }

    private let dims: Int
    private var span: SpanBasis
    /// The coordinates that equations fix: [fixed]
    private var solution: [Double] = []
    private var polyhedron = GaussianPolyhedron(dims: 0)
    /// The last sample of w within the span, from which the next k starts: [d]
    private var last: [Double]

    init(dims: Int) {
        self.dims = dims
        span = SpanBasis(dims: dims)
        last = [Double](repeating: 0, count: dims)
    }

    /// The number of coordinates that have to be sampled.
    var freedom: Int { polyhedron.dims }

    /// Forgets what was known and takes `evidence`, equations first, instead.
    mutating func condition(on evidence: [Evidence], inputs: [Double]) {
        remember()
        span = SpanBasis(dims: dims)
        solution = []
        for equation in evidence where equation.isEquation {
            span.project(inputs, row: equation.row)
            let rest = equation.value - fixedPart
            let length = span.outside.squareRoot()
            if span.grow() { solution.append(rest / length) }
        }
        let ranges = evidence.filter { !$0.isEquation }
        for range in ranges {
            span.project(inputs, row: range.row)
            _ = span.grow()
        }
        polyhedron = GaussianPolyhedron(dims: span.rank - solution.count)
        for range in ranges {
            span.project(inputs, row: range.row)
            polyhedron.add(
                Array(span.coordinates[solution.count..<span.rank]),
                lower: range.range.lowerBound - fixedPart,
                upper: range.range.upperBound - fixedPart)
        }
        polyhedron.start(
            near: (solution.count..<span.rank).map { row in
                (0..<dims).reduce(0) { $0 + span.vectors[row * dims + $1] * last[$1] }
            })
    }

    /// Draws every sampled coordinate once.
    mutating func sweep(_ generator: inout CounterGenerator) { polyhedron.sweep(&generator) }

    /// How a row of `queries` depends on w.
    mutating func query(_ queries: [Double], row: Int) -> Query {
        span.project(queries, row: row)
        return Query(
            fixed: fixedPart, outside: span.outside,
            coefficients: Array(span.coordinates[solution.count..<span.rank]))
    }

    /// The mean of f at a query given the present sample.
    func mean(of query: Query) -> Double {
        var sum = query.fixed
        for index in 0..<polyhedron.dims {
            sum += query.coefficients[index] * polyhedron.point[index]
        }
        return sum
    }

    /// What the fixed coordinates make of the vector projected last.
    private var fixedPart: Double {
        var sum = 0.0
        for index in solution.indices { sum += span.coordinates[index] * solution[index] }
        return sum
    }

    private mutating func remember() {
        let coordinates = solution + polyhedron.point
        for index in 0..<dims {
            last[index] = coordinates.indices.reduce(0) {
                $0 + coordinates[$1] * span.vectors[$1 * dims + index]
            }
        }
    }
}
