import Foundation
import Kernels
import Randomness

/// How the next token is chosen from its logits.
public struct SamplingOptions: Sendable, Hashable {
    /// What the logits are divided by; 0 takes the most probable token, the lowest id of several.
    public var temperature: Double
    /// Only so many of the most probable tokens are drawn from; nil for all.
    public var topK: Int?
    /// Only the most probable tokens that together reach this probability are drawn from; nil for all.
    public var topP: Double?

    /// - Parameters:
    ///   - temperature: 0 or more.
    ///   - topK: 1 or more.
    ///   - topP: above 0, at most 1.
    public init(temperature: Double = 1, topK: Int? = nil, topP: Double? = nil) {
        precondition(temperature >= 0 && (topK ?? 1) >= 1 && (topP ?? 1) > 0)
        self.temperature = temperature
        self.topK = topK
        self.topP = topP
    }

    /// Always the most probable token.
    public static let greedy = SamplingOptions(temperature: 0)
}

/// Draws tokens: the temperature first, then the `topK` most probable, then the nucleus of `topP`, as Hugging Face's
/// generation does.
///
/// The number drawn for token n depends on the seed and n alone, so a text can be continued from any point.
///
/// Source: Holtzman et al. 2020, section 3.1 (nucleus); Fan et al. 2018, section 5.1 (top k).
public struct TokenSampler: Sendable {
    private let options: SamplingOptions
    private let seed: UInt64

    /// - Parameters:
    ///   - options: how tokens are chosen.
    ///   - seed: decides the draws.
    public init(_ options: SamplingOptions, seed: UInt64 = 0) {
        self.options = options
        self.seed = seed
    }

    /// Whether `logits: [V]` say which token follows: no NaN among them, and the largest is finite.
    public static func canChoose(from logits: FloatView) -> Bool {
        let values = logits.array
        return !values.contains(where: \.isNaN) && values.max()?.isFinite == true
    }

    /// The token that follows.
    ///
    /// - Parameters:
    ///   - logits: `[V]`, from which a token can be chosen.
    ///   - number: the token's place in the text, which decides the draw.
    public func token(from logits: FloatView, number: Int) -> Int {
        let values = logits.array
        let largest = values.indices.reduce(0) { values[$1] > values[$0] ? $1 : $0 }
        guard options.temperature > 0 else { return largest }
        let peak = Double(values[largest])
        let masses = values.map { exp((Double($0) - peak) / options.temperature) }
        let candidates = candidates(masses)
        let word = RandomKey(seed: seed, stream: .generation, step: number).block(0)[0]
        var left = Double(word) / 0x1p32 * candidates.reduce(0) { $0 + masses[$1] }
        for candidate in candidates {
            left -= masses[candidate]
            if left < 0 { return candidate }
        }
        return candidates.last ?? largest
    }

    /// The tokens to draw from, most probable first where some are left out.
    private func candidates(_ masses: [Double]) -> [Int] {
        let share = options.topP ?? 1
        guard options.topK != nil || share < 1 else { return Array(masses.indices) }
        var total = masses.reduce(0, +)
        var order = Array(masses.indices)
        if options.topK == nil {
            // What lies below has too little mass, all of it together, to be needed for the share.
            let floor = (1 - share) * total / Double(masses.count)
            order = order.filter { masses[$0] >= floor }
        }
        order.sort { masses[$0] != masses[$1] ? masses[$0] > masses[$1] : $0 < $1 }
        if let topK = options.topK, topK < order.count {
            order.removeLast(order.count - topK)
            total = order.reduce(0) { $0 + masses[$1] }
        }
        guard share < 1 else { return order }
        var reached = 0.0
        for (index, candidate) in order.enumerated() {
            reached += masses[candidate]
            if reached >= share * total { return Array(order[...index]) }
        }
        return order
    }
}
