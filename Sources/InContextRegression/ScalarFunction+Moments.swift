import Foundation

extension ScalarFunction {
    /// Mean and variance of h(f) for f ~ N(`mean`, `variance`).
    ///
    /// relu in closed form: E h = mΦ(m/s) + sφ(m/s), E h² = (m² + s²)Φ(m/s) + msφ(m/s). sigmoid and tanh by
    /// ``tanhMoments(slope:mean:deviation:error:)``, the sigmoid as ½ + ½ tanh(f/2).
    ///
    /// - Parameter error: the absolute error that quadrature may make, about.
    func moments(mean: Double, variance: Double, error: Double = 1e-10) -> (
        mean: Double, variance: Double
    ) {
        if variance <= 0 { return (value(mean), 0) }
        let deviation = variance.squareRoot()
        switch self {
        case .relu:
            let ratio = mean / deviation
            let below = erfc(-ratio / 2.0.squareRoot()) / 2
            let density = exp(-ratio * ratio / 2) / (2 * Double.pi).squareRoot()
            let first = mean * below + deviation * density
            let second = (mean * mean + variance) * below + mean * deviation * density
            return (first, max(second - first * first, 0))
        case .sigmoid:
            let half = Self.tanhMoments(
                slope: 0.5, mean: mean, deviation: deviation, error: error)
            return (0.5 + 0.5 * half.mean, 0.25 * half.variance)
        case .tanh:
            return Self.tanhMoments(slope: 1, mean: mean, deviation: deviation, error: error)
        }
    }

    /// Mean and variance of tanh(a f) for f ~ N(m, s²), by the trapezoidal rule in u = (f − m)/s.
    ///
    /// The rule's error is e^(−2πy/h) for poles at a distance y = π/(2as) from the real line and e^(−2π²/h²) for the
    /// Gaussian itself (Trefethen and Weideman, "The Exponentially Convergent Trapezoidal Rule", 2014, section 5), so
    /// the step h follows from the error that is allowed.
    private static func tanhMoments(
        slope: Double, mean: Double, deviation: Double, error: Double
    ) -> (mean: Double, variance: Double) {
        let digits = -log(error)
        let pole = Double.pi / (2 * slope * deviation)
        let step = 0.9 * min(2 * Double.pi * pole / digits, Double.pi * (2 / digits).squareRoot())
        let count = Int(((2 * digits).squareRoot() / step).rounded(.up))
        var (total, first, second) = (0.0, 0.0, 0.0)
        // Deviations from the value in the middle: their squares do not cancel where tanh is near ±1.
        let middle = Foundation.tanh(slope * mean)
        for index in -count...count {
            let u = Double(index) * step
            let weight = exp(-u * u / 2)
            let difference = Foundation.tanh(slope * (mean + deviation * u)) - middle
            total += weight
            first += weight * difference
            second += weight * difference * difference
        }
        first /= total
        return (middle + first, max(second / total - first * first, 0))
    }
}
