import Foundation

/// The loss of direct preference optimization for one pair.
///
/// With h = β ((π_c − π_r) − (ρ_c − ρ_r)), the policy's and the reference's log-probabilities of the chosen and the rejected
/// answer: `−(1 − ε) log σ(h) − ε log σ(−h)`.
///
/// Source: Rafailov et al. 2023, equation 7; ε: Mitchell 2023, "A note on DPO with noisy preferences".
public struct PreferenceLoss: Sendable, Hashable {
    /// β.
    public let beta: Double
    /// ε: the share of preferences that are taken to be noted the wrong way round.
    public let labelSmoothing: Double

    /// - Parameters:
    ///   - beta: β, above 0.
    ///   - labelSmoothing: ε, from 0, below ½.
    public init(beta: Double, labelSmoothing: Double = 0) {
        precondition(beta > 0 && labelSmoothing >= 0 && labelSmoothing < 0.5)
        self.beta = beta
        self.labelSmoothing = labelSmoothing
    }

    /// A pair's log-probabilities of the two answers.
    public struct LogProbabilities: Sendable, Hashable, Codable {
        /// Of the chosen answer.
        public var chosen: Double
        /// Of the rejected answer.
        public var rejected: Double

        /// - Parameters:
        ///   - chosen: of the chosen answer.
        ///   - rejected: of the rejected answer.
        public init(chosen: Double, rejected: Double) {
            self.chosen = chosen
            self.rejected = rejected
        }
    }

    /// The loss of a pair, its derivative with respect to the policy's log-probability of the chosen answer (that of the
    /// rejected one is its negative), and the margin h.
    public func value(
        policy: LogProbabilities, reference: LogProbabilities
    ) -> (loss: Double, slope: Double, margin: Double) {
        let margin =
            beta
            * ((policy.chosen - policy.rejected) - (reference.chosen - reference.rejected))
        let loss =
            (1 - labelSmoothing) * Self.softplus(-margin) + labelSmoothing * Self.softplus(margin)
        // d/dh of −log σ(h) is σ(h) − 1, of −log σ(−h) it is σ(h).
        let share = Self.sigmoid(margin)
        let slope = (1 - labelSmoothing) * (share - 1) + labelSmoothing * share
        return (loss, beta * slope, margin)
    }

    /// log(1 + eˣ) without overflow.
    private static func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

    private static func sigmoid(_ x: Double) -> Double {
        x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x))
    }
}
