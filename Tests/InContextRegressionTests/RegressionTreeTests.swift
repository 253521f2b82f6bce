import InContextRegression
import Testing

/// The tree on the query's path against whole trees, and the cases that need a rule.
@Suite struct RegressionTreeTests {
    private struct Example {
        let x: [Double]
        let y: Double
    }

    @Test func treesByHand() {
        let x: [Float] = [0, 1, 10, 2, 1.4]
        let y: [Float] = [1, 2, 30, 4, 0]
        #expect(predictions(RegressionTree(), x: x, y: y) == [0, 1, 2, 2, 2])
        let shallow = predictions(RegressionTree(depth: 1), x: x, y: y)
        for (value, reference) in zip(shallow, [0, 1, 2, 1.5, 7.0 / 3]) {
            #expect(abs(value - reference) < 1e-12)
        }
    }

    /// Every k against a tree that is grown whole, with sums of squares written out.
    @Test(arguments: [nil, 1, 3])
    func treesGrownWhole(_ depth: Int?) {
        let dims = 3
        for seed in UInt64(0)..<8 {
            let prompt = samplePrompt(PolynomialFunction(), points: 20, dims: dims, seed: seed)
            let (x, y) = (prompt.inputs.array, prompt.labels.array)
            let queries = samplePrompt(LinearFunction(), points: 20, dims: dims, seed: seed + 100)
                .inputs.array
            let tree = depth.map(RegressionTree.init(depth:)) ?? RegressionTree()
            let found = predictions(tree, x: x, y: y, queries: queries)
            let examples = (0..<20).map { point in
                Example(
                    x: x[point * dims..<(point + 1) * dims].map(Double.init), y: Double(y[point]))
            }
            for k in 1..<20 {
                let query = queries[k * dims..<(k + 1) * dims].map(Double.init)
                let expected = grown(Array(examples.prefix(k)), query, depth ?? .max)
                #expect(abs(found[k] - expected) < 1e-9 * max(1, abs(expected)), "k = \(k)")
            }
        }
    }

    /// Equally good splits: the lowest coordinate, then the lowest threshold.
    @Test func tiesAreBrokenByOrder() {
        // Both coordinates separate the pairs; the query is left by the first, right by the second.
        let first = predictions(RegressionTree(), x: [0, 0, 1, 1, 0.2, 0.8], y: [3, 5, 0])
        #expect(first == [0, 3, 3])
        // In the second coordinate the order is reversed, and the gain there is larger by rounding: still a tie.
        let reversed: [Float] = [0, 9, 1, 4, 2, 1, 0.1, 1]
        let left = predictions(RegressionTree(), x: reversed, y: [0.2, 0.7, 0.9, 0])[3]
        #expect(left == Double(Float(0.2)))
        // {1}, {0, 1} and {1, 0}, {1} are equally good: 0.2 is alone only under the lower threshold.
        let shallow = predictions(RegressionTree(depth: 1), x: [0, 1, 2, 0.2], y: [1, 0, 1, 0])
        #expect(shallow[3] == 1)
    }

    /// Equal inputs cannot be parted, equal labels need not be, and a value on the threshold goes left.
    @Test func leavesAndThresholds() {
        let equal = predictions(RegressionTree(), x: [2, 2, 2, 5], y: [1, 4, 1, 0])
        #expect(equal == [0, 1, 2.5, 2])
        #expect(predictions(RegressionTree(), x: [0, 4, 2], y: [1, 5, 0]) == [0, 1, 1])
    }

    /// The mean of the query's leaf.
    private func grown(_ examples: [Example], _ query: [Double], _ depth: Int) -> Double {
        let mean = examples.reduce(0) { $0 + $1.y } / Double(examples.count)
        let total = squares(examples)
        if depth == 0 || examples.allSatisfy({ $0.y == examples[0].y }) { return mean }
        var best: (left: [Example], right: [Example], goesLeft: Bool, error: Double)?
        for coordinate in query.indices {
            let values = Set(examples.map { $0.x[coordinate] }).sorted()
            for (low, high) in zip(values, values.dropFirst()) {
                let threshold = (low + high) / 2
                let left = examples.filter { $0.x[coordinate] <= threshold }
                let right = examples.filter { $0.x[coordinate] > threshold }
                let error = squares(left) + squares(right)
                if error < (best?.error ?? .infinity) - 1e-12 * total {
                    best = (left, right, query[coordinate] <= threshold, error)
                }
            }
        }
        guard let best else { return mean }
        return grown(best.goesLeft ? best.left : best.right, query, depth - 1)
    }

    /// Σ (y − mean)²
    private func squares(_ examples: [Example]) -> Double {
        let mean = examples.reduce(0) { $0 + $1.y } / Double(examples.count)
        return examples.reduce(0) { $0 + ($1.y - mean) * ($1.y - mean) }
    }
}
