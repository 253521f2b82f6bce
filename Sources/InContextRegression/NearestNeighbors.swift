/// Predicts the plain mean of the labels of the nearest inputs by Euclidean distance: all k of them
/// while there are fewer than asked for, 0 at k = 0.
public struct NearestNeighbors: Baseline {
    /// How many neighbours are averaged.
    public let count: Int
    /// `knn` followed by the number of neighbours.
    public var name: String { "knn\(count)" }

    /// The baseline with `count` ≥ 1 neighbours.
    public init(count: Int) {
        precondition(count >= 1, "\(count) neighbours cannot be averaged")
        self.count = count
    }

    /// Predictions from the examples before each query.
    public func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>
    ) {
        let dims = inputs.count / labels.count
        // The nearest so far, in order of distance; a tie keeps the earlier example first.
        var nearest: [(distance: Double, label: Double)] = []
        nearest.reserveCapacity(count + 1)
        for k in 0..<labels.count {
            nearest.removeAll(keepingCapacity: true)
            for example in 0..<k {
                var distance = 0.0
                for coordinate in 0..<dims {
                    let difference =
                        Double(inputs[example * dims + coordinate])
                        - Double(queries[k * dims + coordinate])
                    distance += difference * difference
                }
                if nearest.count == count {
                    if nearest[count - 1].distance <= distance { continue }
                    nearest.removeLast()
                }
                var place = nearest.count
                while place > 0 && nearest[place - 1].distance > distance { place -= 1 }
                nearest.insert((distance, Double(labels[example])), at: place)
            }
            let total = nearest.reduce(0) { $0 + $1.label }
            predictions[k] = nearest.isEmpty ? 0 : total / Double(nearest.count)
        }
    }
}
