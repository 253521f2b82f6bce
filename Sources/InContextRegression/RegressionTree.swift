/// Predicts with a regression tree grown greedily on the k pairs (CART): the mean label of the query's leaf, and 0 at
/// k = 0.
///
/// A node is split where the squared error falls most, over all coordinates and all midpoints between neighbouring
/// values; an input goes left when its value is at most the threshold. A node is a leaf when it holds one pair, when its
/// labels or its inputs are all equal, or at the last level. Of splits that are equally good, up to rounding, the one of
/// the lowest coordinate and then of the lowest threshold is taken; scikit-learn draws one. Source: Breiman, Friedman,
/// Olshen and Stone, "Classification and Regression Trees" (1984), section 8.4, and scikit-learn's
/// `DecisionTreeRegressor(max_depth=D)`, which the public code of Garg et al. (2022) runs with D = 4 and without a limit.
public struct RegressionTree: Baseline {
    /// The most splits between root and leaf; nil for no limit.
    public let depth: Int?
    /// `decision_tree`, and `=` and the depth where it is limited.
    public var name: String { "decision_tree" + (depth.map { "=\($0)" } ?? "") }

    /// The baseline of trees without a limit.
    public init() { depth = nil }

    /// The baseline of trees with at most `depth` ≥ 1 levels of splits.
    public init(depth: Int) {
        precondition(depth >= 1, "a tree of \(depth) levels has no split")
        self.depth = depth
    }

    /// Predictions of a tree for every k.
    public func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>
    ) {
        let dims = inputs.count / labels.count
        var path = TreePath(points: labels.count, dims: dims, depth: depth ?? .max)
        for k in 0..<labels.count {
            let row = k * dims..<(k + 1) * dims
            predictions[k] = path.leafMean(
                at: queries.extracting(row), inputs: inputs, labels: labels)
            path.insert(k, inputs: inputs)
        }
    }
}

/// The one path of a tree that a query takes: no other node is ever grown.
private struct TreePath {
    /// Gains that differ by less than this share of the node's squared error are equal but for rounding.
    static let tieTolerance = 1e-12

    private struct Split {
        let coordinate: Int
        let threshold: Double
    }

    private let dims: Int
    private let capacity: Int
    private let depth: Int
    private var count = 0
    /// For every coordinate the examples so far in the order of their values, the earlier first: [d, capacity]
    private var order: [Int]
    /// The same for the examples of the present node.
    private var node: [Int]
    /// Whether an example stays on the query's side of a split: [capacity]
    private var stays: [Bool]

    init(points: Int, dims: Int, depth: Int) {
        self.dims = dims
        capacity = points
        self.depth = depth
        order = [Int](repeating: 0, count: dims * points)
        node = order
        stays = [Bool](repeating: false, count: points)
    }

    /// Adds example `example` to the orders.
    mutating func insert(_ example: Int, inputs: Span<Float>) {
        for coordinate in 0..<dims {
            let value = inputs[example * dims + coordinate]
            let start = coordinate * capacity
            var place = start + count
            while place > start, inputs[order[place - 1] * dims + coordinate] > value {
                order[place] = order[place - 1]
                place -= 1
            }
            order[place] = example
        }
        count += 1
    }

    /// The mean label of the leaf of `query`.
    mutating func leafMean(
        at query: Span<Float>, inputs: Span<Float>, labels: Span<Float>
    ) -> Double {
        if count == 0 { return 0 }
        var size = count
        for coordinate in 0..<dims {
            for place in coordinate * capacity..<coordinate * capacity + size {
                node[place] = order[place]
            }
        }
        var level = 0
        while true {
            var mean = 0.0
            var differ = false
            for place in 0..<size {
                mean += Double(labels[node[place]])
                if labels[node[place]] != labels[node[0]] { differ = true }
            }
            mean /= Double(size)
            guard differ, level < depth,
                let split = bestSplit(size, mean: mean, inputs: inputs, labels: labels)
            else { return mean }
            size = descend(split, size, query: query, inputs: inputs)
            level += 1
        }
    }

    /// The split of the node's `size` examples that lowers the squared error most; nil when all inputs are equal.
    ///
    /// With labels less their mean, of sum s on the left, it falls by s² (1/left + 1/right).
    private func bestSplit(
        _ size: Int, mean: Double, inputs: Span<Float>, labels: Span<Float>
    ) -> Split? {
        var total = 0.0
        for place in 0..<size {
            let label = Double(labels[node[place]]) - mean
            total += label * label
        }
        var best: Split?
        var bestGain = 0.0
        for coordinate in 0..<dims {
            let start = coordinate * capacity
            var sum = 0.0
            var value = inputs[node[start] * dims + coordinate]
            for left in 1..<size {
                sum += Double(labels[node[start + left - 1]]) - mean
                let next = inputs[node[start + left] * dims + coordinate]
                defer { value = next }
                if next == value { continue }
                let gain = sum * sum * Double(size) / Double(left * (size - left))
                if best == nil || gain > bestGain + Self.tieTolerance * total {
                    best = Split(
                        coordinate: coordinate, threshold: (Double(value) + Double(next)) / 2)
                    bestGain = gain
                }
            }
        }
        return best
    }

    /// Keeps the examples on the query's side of `split`; returns their number.
    private mutating func descend(
        _ split: Split, _ size: Int, query: Span<Float>, inputs: Span<Float>
    ) -> Int {
        let isLeft = Double(query[split.coordinate]) <= split.threshold
        for place in 0..<size {
            let example = node[place]
            let value = Double(inputs[example * dims + split.coordinate])
            stays[example] = (value <= split.threshold) == isLeft
        }
        var kept = 0
        for coordinate in 0..<dims {
            let start = coordinate * capacity
            kept = 0
            for place in start..<start + size where stays[node[place]] {
                node[start + kept] = node[place]
                kept += 1
            }
        }
        return kept
    }
}
