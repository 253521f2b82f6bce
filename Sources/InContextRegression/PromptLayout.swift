/// How the numbers of a prompt become a token sequence: an optional part A, then part
/// B = (x_1, g_1, …, x_n, g_n), on which the loss and the error are taken.
///
/// A layout is a value: what stands in the prefix, where positions start, and, through ``PromptForm``, which positions
/// carry loss. A further one is a further constant. Source: the slides of Choi et al. (ICLR 2025) for `cpt`, `cft` and
/// `neg-cft`; the others are this project's controls.
public struct PromptLayout: Sendable, Hashable {
    /// The name in configurations, files and plots.
    public let name: String
    /// Other names that are accepted for it.
    public let aliases: [String]
    /// Part A; nil when there is none.
    public let prefix: PromptPrefix?
    /// The first token's position, in tokens per point: positions start at this times n.
    public let positionOffsetPerPoint: Int

    private init(
        _ name: String, aliases: [String] = [], prefix: PromptPrefix? = nil,
        positionOffsetPerPoint: Int = 0
    ) {
        self.name = name
        self.aliases = aliases
        self.prefix = prefix
        self.positionOffsetPerPoint = positionOffsetPerPoint
    }

    /// (x_1, g_1, …, x_n, g_n), the public code's `uft`.
    public static let cpt = PromptLayout("cpt", aliases: ["uft"])
    /// (x_1, f_1, …, x_n, f_n, x_1, g_1, …, x_n, g_n).
    public static let cft = PromptLayout("cft", prefix: PromptPrefix())
    /// (x_1, r_1, …, x_n, r_n, x_1, g_1, …, x_n, g_n) with labels r that mean nothing.
    public static let negCFT = PromptLayout("neg-cft", prefix: PromptPrefix(labels: .noise))
    /// `cft` with labels in the wrong places: A = (x_i, f_π(i)).
    public static let shuffledCFT = PromptLayout(
        "cft-shuffled", prefix: PromptPrefix(labels: .shuffledBase))
    /// `cft` with other inputs: A = (x'_i, w · x'_i), n fresh inputs.
    public static let disjointCFT = PromptLayout(
        "cft-disjoint", prefix: PromptPrefix(inputs: .fresh))
    /// `cpt` at positions 2n … 4n − 1, where part B of `cft` stands: what the public code's masked zero
    /// prefix amounts to.
    public static let shiftedCPT = PromptLayout("cpt-shifted", positionOffsetPerPoint: 2)
    /// `cft` without the query's own label: (x_1, f_1, …, x_k, f_k, x_1, g_1, …, x_k, g_k, x_{k+1}), one sequence for
    /// each k.
    public static let noQueryCFT = PromptLayout(
        "cft-no-query", prefix: PromptPrefix(extent: .context))

    /// `cft` with a shorter prefix: A = (x_i, f_i) for i ≤ m.
    ///
    /// - Parameter count: m ≥ 1; beyond n it is n.
    public static func cft(prefix count: Int) -> PromptLayout {
        PromptLayout("cft-prefix-\(count)", prefix: PromptPrefix(extent: .first(count)))
    }

    /// Every layout with a fixed name, in the order in which they are listed to users.
    public static let all: [PromptLayout] = [
        .cpt, .cft, .negCFT, .shuffledCFT, .disjointCFT, .shiftedCPT, .noQueryCFT,
    ]

    /// Every accepted spelling, `cft-prefix-M` for the family of shorter prefixes.
    public static let acceptedNames = all.flatMap { [$0.name] + $0.aliases } + ["cft-prefix-M"]

    /// The layout called `name`, by its own name or an alias; `cft-prefix-M` takes 1 ≤ M ≤ 100000.
    ///
    /// - Throws: ``UnknownNameError`` with the nearest name.
    public static func named(_ name: String) throws -> PromptLayout {
        if let found = all.first(where: { $0.name == name || $0.aliases.contains(name) }) {
            return found
        }
        let family = "cft-prefix-"
        if name.hasPrefix(family) {
            let digits = name.dropFirst(family.count)
            // Written one way alone, so that a name stands for one layout.
            if let count = Int(digits), (1...100_000).contains(count), String(count) == digits {
                return cft(prefix: count)
            }
        }
        throw UnknownNameError(kind: "prompt layout", name: name, accepted: acceptedNames)
    }

    /// Whether its prefix shows labels of the base function, so that the class must have one.
    public var showsBase: Bool { prefix.map { $0.labels != .noise } ?? false }

    /// Whether a sequence predicts one label alone.
    public var predictsOneLabel: Bool { prefix?.extent == .context }

    /// What it draws beside points and tasks.
    public var draws: PromptDraws {
        switch (prefix?.inputs, prefix?.labels) {
        case (.fresh, _): .freshInputs
        case (_, .shuffledBase): .permutation
        default: []
        }
    }

    /// The sequence of a training prompt of n `points`: all labels are predicted, or one after a drawn number of
    /// examples.
    public func trainingForm(points: Int) -> PromptForm {
        PromptForm(
            layout: self, points: points,
            prediction: predictsOneLabel ? .drawnQuery : .everyQuery)
    }

    /// The sequence that ends with the query after k examples.
    public func form(query k: Int, points: Int) -> PromptForm {
        PromptForm(layout: self, points: points, prediction: .query(k))
    }

    /// The sequences that predict the labels at k = 0 … n − 1: one, or one for each k.
    ///
    /// - Parameters:
    ///   - points: n
    ///   - distribution: one whose queries are not the points needs a sequence for each k.
    ///   - dims: d
    public func evaluationForms(
        points: Int, distribution: PromptDistribution = .standard, dims: Int
    ) -> [PromptForm] {
        if !predictsOneLabel && !distribution.hasSeparateQueries {
            return [PromptForm(layout: self, points: points, prediction: .everyQuery)]
        }
        return (0..<distribution.contextCount(points: points, dims: dims)).map {
            form(query: $0, points: points)
        }
    }

    /// T, the tokens of a prompt of n `points` with its last label: 2n, or 4n with a whole part A.
    public func tokenCount(points: Int) -> Int { trainingForm(points: points).tokenCount + 1 }

    /// The positions of a prompt's tokens, contiguous, the last label included; the upper bound is how many rows of
    /// position embeddings the model must have.
    public func positions(points: Int) -> Range<Int> {
        let offset = positionOffsetPerPoint * points
        return offset..<offset + tokenCount(points: points)
    }

    /// The Bayes error of `functionClass` on prompts of n `points` under this layout; nil where no closed form is
    /// known.
    public func bayesError(
        of functionClass: any FunctionClass, contextLength: Int, points: Int, dims: Int
    ) -> Double? {
        functionClass.bayesError(
            contextLength: contextLength, dims: dims,
            knowledge: information(points: points)
                .knowledge(contextLength: contextLength, dims: dims))
    }

    /// What part A tells about f in a prompt of n `points`.
    public func information(points: Int) -> PrefixInformation {
        prefix?.information(points: points) ?? .nothing
    }
}
