import Foundation

/// Student's t distribution.
public struct StudentT: Sendable, Hashable {
    /// ν > 0
    public let degreesOfFreedom: Double

    /// The distribution with `degreesOfFreedom` ν > 0.
    public init(degreesOfFreedom: Double) {
        precondition(degreesOfFreedom > 0, "\(degreesOfFreedom) degrees of freedom cannot be")
        self.degreesOfFreedom = degreesOfFreedom
    }

    /// P(T ≤ t) = 1 − ½ I(ν / (ν + t²); ν/2, ½) for t ≥ 0, with I the regularised incomplete beta
    /// function (Abramowitz and Stegun 26.7.1); the rest by symmetry.
    public func cumulative(_ t: Double) -> Double {
        let tail =
            0.5
            * regularizedIncompleteBeta(
                degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5)
        return t < 0 ? tail : 1 - tail
    }

    /// The t with P(T ≤ t) = `probability`, by bisection to the last bits.
    ///
    /// - Precondition: 0 < probability < 1.
    public func quantile(_ probability: Double) -> Double {
        precondition(
            probability > 0 && probability < 1, "no finite quantile at \(probability)")
        if probability < 0.5 { return -quantile(1 - probability) }
        var low = 0.0
        var high = 1.0
        while cumulative(high) < probability && high < 1e300 { high *= 2 }
        for _ in 0..<200 {
            let middle = low + (high - low) / 2
            if middle <= low || middle >= high { break }
            if cumulative(middle) < probability { low = middle } else { high = middle }
        }
        return high
    }
}

/// I(x; a, b) for 0 ≤ x ≤ 1, by the continued fraction of Abramowitz and Stegun 26.5.8 in Lentz's
/// form, on the side of the mean where it converges fast.
func regularizedIncompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    if x > (a + 1) / (a + b + 2) { return 1 - regularizedIncompleteBeta(1 - x, b, a) }
    let logFactor =
        a * log(x) + b * log1p(-x) - log(a) - (lgamma(a) + lgamma(b) - lgamma(a + b))
    let tiny = 1e-300
    var c = 1.0
    var d = 1 / nonZero(1 - (a + b) * x / (a + 1), tiny)
    var fraction = d
    for m in 1..<1000 {
        let m = Double(m)
        let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / nonZero(1 + even * d, tiny)
        c = nonZero(1 + even / c, tiny)
        fraction *= d * c
        let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / nonZero(1 + odd * d, tiny)
        c = nonZero(1 + odd / c, tiny)
        fraction *= d * c
        if abs(d * c - 1) < 1e-15 { break }
    }
    return exp(logFactor) * fraction
}

private func nonZero(_ value: Double, _ tiny: Double) -> Double {
    abs(value) < tiny ? tiny : value
}
