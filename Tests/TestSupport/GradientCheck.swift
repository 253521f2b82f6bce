import Foundation
import Kernels

/// An analytic gradient held against finite differences in one random direction.
public struct GradientCheck: Sendable, CustomStringConvertible {
    /// ⟨∂, v⟩ from the analytic gradient.
    public let analytic: Double
    /// The slope along v from differences of the loss.
    public let numeric: Double
    /// The allowed relative error.
    public let tolerance: Double

    /// |analytic − numeric| ÷ the larger magnitude; 0 when both are 0.
    public var relativeError: Double {
        if analytic == numeric { return 0 }
        let error = abs(analytic - numeric) / max(abs(analytic), abs(numeric))
        return error.isFinite ? error : .infinity
    }

    /// Whether the relative error is within the tolerance.
    public var isWithin: Bool { relativeError <= tolerance }

    /// One line: both slopes, the relative error and the share of the tolerance used.
    public var description: String {
        let share = String(format: "%.1f %%", relativeError / tolerance * 100)
        return "slope \(analytic) by the gradient, \(numeric) by differences: relative error "
            + "\(relativeError), \(share) of the allowed \(tolerance)"
    }
}

/// Compares ⟨∂, v⟩ with the slope of `loss` along one random direction v.
///
/// The slope is the five-point central difference (8 (L₁ − L₋₁) − (L₂ − L₋₂)) ÷ 12h with
/// Lₘ = loss at point + m·h·v, summed in double precision. Its own error falls with h⁴, which allows
/// steps so large that the rounding of an fp32 loss does not matter. v is standard normal; a direction
/// nearly orthogonal to the gradient is drawn again, because there the relative error shows only rounding.
///
/// - Parameters:
///   - point: the arguments; moved while the check runs and put back bit for bit.
///   - gradient: the analytic ∂loss/∂point there; as many elements. Must not share `point`'s memory.
///   - step: h, about a hundredth of the arguments' magnitude.
///   - tolerance: allowed relative error.
///   - seed: decides v.
///   - loss: the scalar at the arguments now in `point`; sums in double precision.
public func checkGradient(
    at point: FloatView, gradient: [Float], step: Double = 1e-2, tolerance: Double = 2e-3,
    seed: UInt64 = 0, loss: () throws -> Double
) rethrows -> GradientCheck {
    precondition(
        gradient.count == point.count,
        "a gradient of \(gradient.count) elements for \(point.count) arguments")
    let origin = point.array
    let (direction, analytic) = randomDirection(gradient, seed: seed)
    func slopeTerm(_ multiple: Double) throws -> Double {
        point.copy(
            from: zip(origin, direction).map { Float(Double($0) + multiple * step * $1) })
        return try loss()
    }
    defer { point.copy(from: origin) }
    let near = try slopeTerm(1) - slopeTerm(-1)
    let far = try slopeTerm(2) - slopeTerm(-2)
    return GradientCheck(
        analytic: analytic, numeric: (8 * near - far) / (12 * step), tolerance: tolerance)
}

/// The same check for a loss that is a function of an array.
public func checkGradient(
    at point: [Float], gradient: [Float], step: Double = 1e-2, tolerance: Double = 2e-3,
    seed: UInt64 = 0, loss: ([Float]) throws -> Double
) rethrows -> GradientCheck {
    let view = FloatView(point)
    return try checkGradient(
        at: view, gradient: gradient, step: step, tolerance: tolerance, seed: seed
    ) { try loss(view.array) }
}

/// A standard normal direction that is not nearly orthogonal to `gradient`, and the slope along it.
private func randomDirection(
    _ gradient: [Float], seed: UInt64
) -> (direction: [Double], slope: Double) {
    var generator = TestGenerator(seed: seed)
    let norm = gradient.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    while true {
        let direction = gradient.map { _ in generator.normal() }
        let slope = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * $1.1 }
        // A third of all directions are drawn again; a gradient of zeros or NaN takes the first.
        if !(abs(slope) < 0.4 * norm) { return (direction, slope) }
    }
}
