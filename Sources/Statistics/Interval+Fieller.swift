extension Interval {
    /// Fieller's interval for the ratio of two means, from pairs of observations.
    ///
    /// With means n and d of S pairs, their sample variances and covariance divided by S, v_nn, v_dd
    /// and v_nd, and t the (1 + level) / 2 quantile of Student's t with S − 1 degrees of freedom, it
    /// is the set of all ρ for which the t interval of numerator − ρ · denominator holds 0:
    ///
    ///     (n − ρ d)² ≤ t² (v_nn − 2 ρ v_nd + ρ² v_dd),  that is  A ρ² − 2 B ρ + C ≤ 0  with
    ///     A = d² − t² v_dd,  B = n d − t² v_nd,  C = n² − t² v_nn.
    ///
    /// For A > 0 its ends are (B ± √(B² − A C)) / A. Otherwise the denominator's own t interval holds
    /// 0 and the set has no bound: it is the whole line, the outside of an interval or, for A = 0, a
    /// half line. All of these are reported as ``unbounded``, which holds them.
    ///
    /// Source: E. C. Fieller, "Some problems in interval estimation", Journal of the Royal
    /// Statistical Society B 16, 175–185, 1954.
    ///
    /// - Parameters:
    ///   - numerators: two or more finite values.
    ///   - denominators: as many, paired with them.
    ///   - level: 0.95 for a 95 % interval.
    public static func fieller(
        _ numerators: [Double], _ denominators: [Double], level: Double = 0.95
    ) -> Interval {
        precondition(
            numerators.count == denominators.count && numerators.count >= 2,
            "\(numerators.count) and \(denominators.count) values are not two or more pairs")
        let pairs = Double(numerators.count)
        let n = Summary(numerators).mean
        let d = Summary(denominators).mean
        let t = StudentT(degreesOfFreedom: pairs - 1).quantile((1 + level) / 2)
        // t² over S (S − 1), the factor from a sum of squares to t² times a variance of a mean.
        let factor = t * t / (pairs * (pairs - 1))
        var (nn, nd, dd) = (0.0, 0.0, 0.0)
        for (x, y) in zip(numerators, denominators) {
            nn += (x - n) * (x - n)
            nd += (x - n) * (y - d)
            dd += (y - d) * (y - d)
        }
        let a = d * d - factor * dd
        guard a > 0 else { return .unbounded }
        let b = n * d - factor * nd
        let c = n * n - factor * nn
        // n / d solves the inequality, so only rounding can make the discriminant negative.
        let root = max(0, b * b - a * c).squareRoot()
        return Interval(low: (b - root) / a, high: (b + root) / a)
    }
}
