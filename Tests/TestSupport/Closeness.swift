import Foundation

/// How near numbers come to the expected ones, against a stated tolerance.
///
/// Element i may differ by absolute + relative · |expectedᵢ|, or, with `scale: .largest`, by
/// absolute + relative · maxⱼ |expectedⱼ|. A test asserts ``isWithin`` and passes the value itself as
/// the comment, so that a failure prints the largest error and the share of the allowed error used.
public struct Closeness: Sendable, CustomStringConvertible {
    /// What the relative tolerance refers to.
    public enum Scale: Sendable {
        /// Each expected element's own magnitude.
        case element
        /// The largest magnitude among the expected elements: for gradients, whose small elements are sums of large terms.
        case largest
    }

    /// Elements compared.
    public let count: Int
    /// Elements found, when their number differs from the expected one.
    public let actualCount: Int
    /// The largest absolute error; infinite when an element is not finite and differs.
    public let largestError: Double
    /// The largest magnitude among the expected elements.
    public let largestExpected: Double
    /// The element that uses most of its allowed error.
    public let worstIndex: Int
    /// The value found there.
    public let worstActual: Double
    /// The value expected there.
    public let worstExpected: Double
    /// The largest error as a share of what is allowed there: 1 is just allowed.
    public let shareOfAllowed: Double

    /// Whether the counts agree and every element is within its allowed error.
    public var isWithin: Bool { actualCount == count && shareOfAllowed <= 1 }

    /// One line: errors, share of the allowed error, and where.
    public var description: String {
        guard actualCount == count else { return "\(actualCount) elements instead of \(count)" }
        let share = String(format: "%.1f %%", shareOfAllowed * 100)
        return "largest error \(largestError) (largest expected value \(largestExpected)); "
            + "\(share) of the allowed error used at element \(worstIndex) of \(count): "
            + "\(worstActual) where \(worstExpected) is expected"
    }
}

/// Compares `actual` with `expected`.
///
/// - Parameters:
///   - relative: allowed error relative to `scale`.
///   - absolute: allowed error whatever the magnitude.
///   - scale: what `relative` refers to.
public func closeness(
    _ actual: [Double], _ expected: [Double], relative: Double, absolute: Double = 0,
    scale: Closeness.Scale = .element
) -> Closeness {
    let largest = expected.reduce(0) { max($0, abs($1)) }
    var largestError = 0.0
    var worst = (index: 0, share: 0.0)
    for (index, (found, wanted)) in zip(actual, expected).enumerated() where found != wanted {
        let error = (found - wanted).isFinite ? abs(found - wanted) : .infinity
        let allowed = absolute + relative * (scale == .largest ? largest : abs(wanted))
        // Not a number where an infinite expected value makes the allowance infinite too.
        let quotient = error / allowed
        let share = quotient.isNaN ? .infinity : quotient
        largestError = max(largestError, error)
        if share > worst.share { worst = (index, share) }
    }
    let hasElements = worst.index < min(actual.count, expected.count)
    return Closeness(
        count: expected.count, actualCount: actual.count, largestError: largestError,
        largestExpected: largest, worstIndex: worst.index,
        worstActual: hasElements ? actual[worst.index] : .nan,
        worstExpected: hasElements ? expected[worst.index] : .nan, shareOfAllowed: worst.share)
}

/// Compares fp32 numbers, in double precision; see ``closeness(_:_:relative:absolute:scale:)-([Double],_,_,_,_)``.
public func closeness(
    _ actual: [Float], _ expected: [Float], relative: Double, absolute: Double = 0,
    scale: Closeness.Scale = .element
) -> Closeness {
    closeness(
        actual.map(Double.init), expected.map(Double.init), relative: relative,
        absolute: absolute, scale: scale)
}
