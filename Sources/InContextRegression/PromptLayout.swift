/// How the numbers of a prompt become a token sequence: an optional part A, then part
/// B = (x_1, g_1, …, x_n, g_n), on which the loss and the error are taken.
///
/// A layout is a value: a further one is a further constant (and, where it shows other labels, a
/// further ``Prefix``). Source: the slides of Choi et al. (ICLR 2025) for `cpt`, `cft` and `neg-cft`.
public struct PromptLayout: Sendable, Hashable {
    /// The labels of part A.
    public enum Prefix: Sendable, Hashable {
        /// There is no part A.
        case none
        /// A = (x_1, f_1, …, x_n, f_n).
        case baseLabels
        /// A = (x_1, r_1, …, x_n, r_n), r keyed by the prompt, so that all models see the same r.
        case noise

        /// What the labels tell about f.
        public var information: PrefixInformation {
            switch self {
            case .none, .noise: .nothing
            case .baseLabels: .allBaseLabels
            }
        }
    }

    /// The name in configurations, files and plots.
    public let name: String
    /// Other names that are accepted for it.
    public let aliases: [String]
    /// Part A.
    public let prefix: Prefix
    /// The first token's position, in tokens per point: positions start at this times n.
    public let positionOffsetPerPoint: Int

    /// (x_1, g_1, …, x_n, g_n), the public code's `uft`.
    public static let cpt = PromptLayout(
        name: "cpt", aliases: ["uft"], prefix: .none, positionOffsetPerPoint: 0)
    /// (x_1, f_1, …, x_n, f_n, x_1, g_1, …, x_n, g_n).
    public static let cft = PromptLayout(
        name: "cft", aliases: [], prefix: .baseLabels, positionOffsetPerPoint: 0)
    /// (x_1, r_1, …, x_n, r_n, x_1, g_1, …, x_n, g_n) with labels r that mean nothing.
    public static let negCFT = PromptLayout(
        name: "neg-cft", aliases: [], prefix: .noise, positionOffsetPerPoint: 0)
    /// `cpt` at positions 2n … 4n − 1, where part B of `cft` stands: what the public code's masked zero
    /// prefix amounts to.
    public static let shiftedCPT = PromptLayout(
        name: "cpt-shifted", aliases: [], prefix: .none, positionOffsetPerPoint: 2)

    /// Every layout, in the order in which they are listed to users.
    public static let all: [PromptLayout] = [.cpt, .cft, .negCFT, .shiftedCPT]

    /// The layout called `name`, by its own name or an alias.
    ///
    /// - Throws: ``UnknownNameError`` with the nearest name.
    public static func named(_ name: String) throws -> PromptLayout {
        if let found = all.first(where: { $0.name == name || $0.aliases.contains(name) }) {
            return found
        }
        throw UnknownNameError(
            kind: "prompt layout", name: name, accepted: all.flatMap { [$0.name] + $0.aliases })
    }

    /// Tokens of part A for n `points`.
    public func prefixTokenCount(points: Int) -> Int { prefix == .none ? 0 : 2 * points }

    /// T, the tokens of a prompt of n `points`: 2n, or 4n with a part A.
    public func tokenCount(points: Int) -> Int { prefixTokenCount(points: points) + 2 * points }

    /// Tokens that a prediction can depend on: all but the last label, which no query comes after.
    public func visibleTokenCount(points: Int) -> Int { tokenCount(points: points) - 1 }

    /// The positions of a prompt's tokens, contiguous; the upper bound is how many rows of position
    /// embeddings the model must have.
    public func positions(points: Int) -> Range<Int> {
        let offset = positionOffsetPerPoint * points
        return offset..<offset + tokenCount(points: points)
    }

    /// The token indices of part B's inputs x_1 … x_n, where the predictions of g_1 … g_n are read.
    public func queryTokens(points: Int) -> [Int] {
        let first = prefixTokenCount(points: points)
        return (0..<points).map { first + 2 * $0 }
    }

    /// The Bayes error of `functionClass` under this layout; nil where no closed form is known.
    public func bayesError(
        of functionClass: any FunctionClass, contextLength: Int, dims: Int
    ) -> Double? {
        functionClass.bayesError(
            contextLength: contextLength, dims: dims, prefix: prefix.information)
    }
}
