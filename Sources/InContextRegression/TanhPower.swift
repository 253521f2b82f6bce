import Foundation

/// What is left of tanh(a w · x) when k values of w · x are known, averaged over w, x ~ N(0, I_d).
///
/// Given the inputs and k < d values, f(x) ~ N(m, S). Let r = ‖x‖ and ρ = T/r², where T is the squared length of x
/// within the span of k inputs. r and ρ are independent, r ~ χ_d, ρ ~ Beta(k/2, (d − k)/2), and two tasks that agree on
/// the examples have values of f(x) that are jointly Gaussian with variance r² and correlation ρ. In the orthonormal
/// Hermite polynomials p_n, tanh(a r z) = Σ c_n(r) p_n(z), so (Mehler) the expected product of the two labels is
/// Σ c_n² ρⁿ, and the mean variance is Σ_n E[c_n(r)²] (1 − E[ρⁿ]). All sums have positive terms.
struct TanhPower {
    private static let terms = 600
    private static let step = 0.04
    private static let nodes = 300

    private let dims: Int
    /// E[tanh²(a f)], f ~ N(0, r²).
    let secondMoment: Double
    private let slope: Double
    private let radii: [(value: Double, weight: Double)]

    /// The function tanh(a f) with a = `slope` in d = `dims` dimensions.
    init(slope: Double, dims: Int) {
        self.slope = slope
        self.dims = dims
        radii = Self.radii(dims: dims)
        secondMoment = radii.reduce(0) { sum, radius in
            // tanh is odd, so its second moment about 0 is its variance.
            let scalar = ScalarFunction.tanh.moments(
                mean: 0, variance: slope * slope * radius.value * radius.value)
            return sum + radius.weight * scalar.variance
        }
    }

    /// E Var(tanh(a f(x)) | f(x_1) … f(x_k)), with an error below 10⁻⁵ of it, up to d = 100.
    ///
    /// The terms beyond the 600th have the weight that is missing from E[tanh²], and count with the last factor
    /// 1 − E[ρⁿ].
    func bayesError(contextLength: Int) -> Double {
        if contextLength >= dims { return 0 }
        if contextLength == 0 { return secondMoment }
        let values = tanhValues()
        var (previous, current) = (
            [Double](repeating: 0, count: Self.nodes), Self.rootDensity()
        )
        var (moment, known, error) = (1.0, 0.0, 0.0)
        for order in 1...Self.terms {
            // √n p_n = z p_{n−1} − √(n−1) p_{n−2}, here times √density, which keeps every value of order 1.
            let (root, last) = (Double(order).squareRoot(), Double(order - 1).squareRoot())
            for node in 0..<Self.nodes {
                let z = (Double(node) + 0.5) * Self.step
                let next = (z * current[node] - last * previous[node]) / root
                previous[node] = current[node]
                current[node] = next
            }
            let place = Double(order - 1)
            moment *= (Double(contextLength) / 2 + place) / (Double(dims) / 2 + place)
            // Even coefficients of an odd function are 0.
            if order % 2 == 0 { continue }
            let power = power(of: values, polynomial: current)
            known += power
            error += power * (1 - moment)
        }
        return error + max(secondMoment - known, 0) * (1 - moment)
    }

    /// E_r[c_n(r)²], with c_n = 2 ∫₀^∞ tanh(a r z) p_n(z) φ(z) dz.
    private func power(of values: [Double], polynomial: [Double]) -> Double {
        var power = 0.0
        for (index, radius) in radii.enumerated() {
            var sum = 0.0
            for node in 0..<Self.nodes {
                sum += values[index * Self.nodes + node] * polynomial[node]
            }
            power += radius.weight * sum * sum * 4 * Self.step * Self.step
        }
        return power
    }

    /// tanh(a r z) √φ(z): [radii, nodes]
    private func tanhValues() -> [Double] {
        let density = Self.rootDensity()
        return radii.flatMap { radius in
            density.indices.map { node in
                tanh(slope * radius.value * (Double(node) + 0.5) * Self.step) * density[node]
            }
        }
    }

    /// √φ at the midpoints z of the steps on z > 0.
    private static func rootDensity() -> [Double] {
        (0..<nodes).map { node in
            let z = (Double(node) + 0.5) * step
            return exp(-z * z / 4) / (2 * Double.pi).squareRoot().squareRoot()
        }
    }

    /// Nodes and weights for r ~ χ_d: the trapezoidal rule in ln r, where the density is smooth, with steps of 0.4 of
    /// its standard deviation.
    private static func radii(dims: Int) -> [(value: Double, weight: Double)] {
        let d = Double(dims)
        let center = log(d) / 2
        let step = 0.4 / (2 * d).squareRoot()
        let below = Int((20 / d + 5 / d.squareRoot()) / step)
        let above = Int(log(1 + 6 / d.squareRoot()) / step)
        let nodes = (-below...above).map { index in
            let logarithm = center + Double(index) * step
            let value = exp(logarithm)
            // r^(d−1) e^(−r²/2) dr with dr = r d(ln r), against its value at the center.
            let exponent = d * (logarithm - center) - (value * value - d) / 2
            return (value: value, weight: exp(exponent))
        }
        let total = nodes.reduce(0) { $0 + $1.weight }
        return nodes.map { ($0.value, $0.weight / total) }
    }
}
