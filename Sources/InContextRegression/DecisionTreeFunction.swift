import Randomness

/// A complete binary tree of depth 4: node i asks whether its coordinate is positive and goes to node
/// 2i + 1 + [x > 0]; the leaf's value is g. Garg et al. (2022), section 4.3 and public code.
///
/// The task is one number for each of the 2⁵ − 1 nodes: at the 15 inner ones u, uniform on [0, 1), for the coordinate
/// ⌊u d⌋; at the 16 leaves a value ~ N(0, 1). There is no base function.
public struct DecisionTreeFunction: FunctionClass {
    /// Questions between the root and a leaf.
    public static let depth = 4

    /// The name in configurations, files and plots.
    public let name = "decision_tree"
    /// Other names that are accepted for it.
    public let aliases: [String] = []
    /// False: no f = w · x stands behind it.
    public let hasBase = false
    /// False: g is constant in pieces.
    public let hasGradient = false

    /// The class has no settings.
    public init() {}

    private static let innerNodes = (1 << depth) - 1

    /// 2⁵ − 1 = 31, in any number of dimensions.
    public func taskSize(dims: Int) -> Int { (2 << Self.depth) - 1 }

    /// Normals for all nodes, of which the inner ones are replaced by uniform numbers.
    public func drawTask(_ key: RandomKey, into task: inout MutableSpan<Float>) {
        key.fillNormals(&task)
        for node in 0..<Self.innerNodes {
            // Blocks that the normals never reach.
            let words = key.block(0x8000_0000 + UInt32(truncatingIfNeeded: node / 4))
            task[node] = Float(words[node % 4] >> 8) * 0x1p-24
        }
    }

    /// The value of the leaf that each x leads to.
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        let dims = inputs.count / labels.count
        for point in 0..<labels.count {
            var node = 0
            while node < Self.innerNodes {
                // In double the product stays below d.
                let coordinate = Int(Double(task[node]) * Double(dims))
                node = 2 * node + (inputs[point * dims + coordinate] > 0 ? 2 : 1)
            }
            labels[point] = task[node]
        }
    }

    /// 0 almost everywhere.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        for place in 0..<inputs.count { gradients[place] = 0 }
    }

    /// 1 at k = 0, the variance of a leaf; nil from there on.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        knowledge == .nothing && contextLength == 0 ? 1 : nil
    }

    /// 1, the variance of a leaf.
    public func zeroPredictorError(dims: Int) -> Double { 1 }
}
