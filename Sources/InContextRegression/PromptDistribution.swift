import Foundation

/// Where the points and queries of evaluation prompts come from, and what is done to their labels.
///
/// Everything but ``standard`` is out of distribution for models that were trained on x ~ N(0, I_d). The names and
/// definitions are those of the public code of Garg et al. (2022), section 4.2 and appendix B.
public enum PromptDistribution: Sendable, Hashable {
    /// x ~ N(0, I_d) for examples and query.
    case standard
    /// Examples in one random orthant per prompt, the query anywhere.
    case randomQuadrants
    /// Examples in one random orthant per prompt, the query in the opposite one.
    case oppositeQuadrants
    /// The query orthogonal to all examples and of length √d; for k < d.
    case orthogonalQueries
    /// The query is one of the examples, drawn uniformly; at k = 0 it is a point of its own.
    case overlappingQueries
    /// x in a random subspace of ⌊d/2⌋ dimensions, the same for all prompts, scaled to E‖x‖² = d.
    case halfSubspace
    /// x = S z with eigenvalues of S ∝ 1, 1/2, …, 1/d in a random basis, the same for all prompts, scaled to E‖x‖² = d.
    case skewed
    /// x times a number.
    case scaledInputs(Double)
    /// f and g times a number.
    case scaledLabels(Double)
    /// N(0, 1) is added to every label g, and all labels of 64 prompts are divided by their standard deviation and
    /// multiplied by that of the class, √E[g²] (√d for linear functions).
    case noisyLabels

    /// The distributions of the out-of-distribution grid, in the order of the plots.
    public static let grid: [PromptDistribution] =
        [
            .randomQuadrants, .oppositeQuadrants, .orthogonalQueries, .overlappingQueries,
            .halfSubspace, .skewed,
        ] + scales.map(scaledInputs) + scales.map(scaledLabels) + [.noisyLabels]

    /// ``standard`` and the ``grid``.
    public static let all = [standard] + grid

    private static let scales = [0.333, 0.5, 2, 3]

    /// The name in configurations, files and plots.
    public var name: String {
        switch self {
        case .standard: "standard"
        case .randomQuadrants: "random_quadrants"
        case .oppositeQuadrants: "opposite_quadrants"
        case .orthogonalQueries: "orthogonal_train_test"
        case .overlappingQueries: "overlapping_train_test"
        case .halfSubspace: "half_subspace"
        case .skewed: "skewed"
        case .scaledInputs(let scale): "scale-x=\(Self.text(scale))"
        case .scaledLabels(let scale): "scale-y=\(Self.text(scale))"
        case .noisyLabels: "noisyLR"
        }
    }

    /// The distribution called `name`; `scale-x=S` and `scale-y=S` take any S with 0 < S ≤ 1000.
    ///
    /// - Throws: ``UnknownNameError`` with the nearest name.
    public static func named(_ name: String) throws -> PromptDistribution {
        if let found = all.first(where: { $0.name == name }) { return found }
        for (prefix, make) in [("scale-x=", scaledInputs), ("scale-y=", scaledLabels)]
        where name.hasPrefix(prefix) {
            if let scale = Double(name.dropFirst(prefix.count)), scale > 0, scale <= 1000 {
                return make(scale)
            }
        }
        throw UnknownNameError(
            kind: "distribution of prompts", name: name, accepted: all.map(\.name))
    }

    /// Whether the query differs from the example that takes its place at larger k, so that each k is a sequence of
    /// its own.
    public var hasSeparateQueries: Bool {
        switch self {
        case .randomQuadrants, .oppositeQuadrants, .orthogonalQueries, .overlappingQueries: true
        default: false
        }
    }

    /// What it draws beside points and tasks.
    public var draws: PromptDraws {
        hasSeparateQueries ? .queries : self == .noisyLabels ? .labelNoise : []
    }

    /// How many prompts must be drawn together, from a multiple of that number on.
    public var groupSize: Int { self == .noisyLabels ? 64 : 1 }

    /// The context lengths at which it is defined, of prompts of n `points` in d `dims`: k = 0 … count − 1.
    public func contextCount(points: Int, dims: Int) -> Int {
        self == .orthogonalQueries ? min(points, dims) : points
    }

    private static func text(_ scale: Double) -> String {
        scale == scale.rounded() ? String(Int(scale)) : String(scale)
    }
}
