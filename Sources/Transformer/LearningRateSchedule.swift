import Foundation

/// The learning rate as a function of the step: a linear warm-up from 0, then constant, linear or cosine decay to 0.
///
/// `η(s) = peak · s / warmup` for `s < warmup`; after that, with `u = (s − warmup) / (total − warmup)`, `peak`,
/// `peak · (1 − u)` or `peak · ½ (1 + cos πu)`. Steps count from 0, as in transformers' `get_*_schedule_with_warmup`;
/// past the last step linear and cosine stay at 0, where transformers' cosine rises again.
public struct LearningRateSchedule: Sendable, Hashable {
    /// The shape after the warm-up.
    public enum Decay: String, Sendable, CaseIterable, Codable {
        /// No decay.
        case constant
        /// To 0 in a straight line.
        case linear
        /// To 0 along half a cosine.
        case cosine
    }

    /// The shape after the warm-up.
    public let decay: Decay
    /// The highest learning rate.
    public let peak: Double
    /// Steps of warm-up; 0 for none.
    public let warmupSteps: Int
    /// Steps until the rate is 0 (linear, cosine).
    public let totalSteps: Int

    /// - Parameters:
    ///   - decay: the shape after the warm-up.
    ///   - peak: the highest learning rate.
    ///   - warmupSteps: steps of warm-up; 0 for none.
    ///   - totalSteps: steps until the rate is 0.
    public init(decay: Decay, peak: Double, warmupSteps: Int, totalSteps: Int) {
        self.decay = decay
        self.peak = peak
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
    }

    /// η of the update that follows `step` finished updates.
    public func rate(atStep step: Int) -> Double {
        if step < warmupSteps { return peak * Double(step) / Double(max(1, warmupSteps)) }
        let decaySteps = Double(max(1, totalSteps - warmupSteps))
        switch decay {
        case .constant: return peak
        case .linear: return peak * max(0, Double(totalSteps - step) / decaySteps)
        case .cosine:
            let progress = min(1, Double(step - warmupSteps) / decaySteps)
            return peak * max(0, 0.5 * (1 + cos(.pi * progress)))
        }
    }
}
