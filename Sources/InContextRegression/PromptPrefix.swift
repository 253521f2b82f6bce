/// Part A of a layout: pairs of inputs and labels that stand before part B and carry no loss.
public struct PromptPrefix: Sendable, Hashable {
    /// Where the inputs come from.
    public enum Inputs: Sendable, Hashable {
        /// The points of part B.
        case points
        /// n fresh inputs x'.
        case fresh
    }

    /// What stands for a label.
    public enum Labels: Sendable, Hashable {
        /// f(x_i).
        case base
        /// f(x_π(i)), π a uniform permutation of the prompt's points.
        case shuffledBase
        /// r_i ~ N(0, 1), keyed by the prompt, so that all models see the same r.
        case noise
    }

    /// Which points appear.
    public enum Extent: Sendable, Hashable {
        /// All n.
        case all
        /// The first m, or all where there are fewer.
        case first(Int)
        /// The k examples before the query: one sequence for each k.
        case context
    }

    /// Where the inputs come from.
    public let inputs: Inputs
    /// What stands for a label.
    public let labels: Labels
    /// Which points appear.
    public let extent: Extent

    /// A prefix; by default (x_1, f_1, …, x_n, f_n).
    public init(inputs: Inputs = .points, labels: Labels = .base, extent: Extent = .all) {
        self.inputs = inputs
        self.labels = labels
        self.extent = extent
    }

    /// Pairs before part B, for k examples before the query.
    func pairCount(points: Int, contextLength: Int) -> Int {
        switch extent {
        case .all: points
        case .first(let count): min(count, points)
        case .context: contextLength
        }
    }

    /// What the prefix tells about f.
    func information(points: Int) -> PrefixInformation {
        switch (labels, inputs, extent) {
        case (.noise, _, _): .nothing
        case (.shuffledBase, _, _): .shuffledBaseLabels
        case (.base, .points, .context): .contextBaseLabels
        case (.base, .points, .all): .firstBaseLabels(points)
        case (.base, .points, .first(let count)): .firstBaseLabels(min(count, points))
        case (.base, .fresh, _): .freshBaseLabels(points)
        }
    }
}
