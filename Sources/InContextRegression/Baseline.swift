/// A predictor that is not trained: it sees the pairs (x_1, y_1) … (x_k, y_k) and predicts y_{k+1}.
///
/// All arithmetic is in double. Source: Garg et al. (2022), appendix A.3, and its public code.
public protocol Baseline: Sendable {
    /// The name in configurations, files and plots.
    var name: String { get }

    /// Predicts every label of one prompt from the pairs before it.
    ///
    /// - Parameters:
    ///   - inputs: x: [n, d], row-major.
    ///   - labels: y: [n]
    ///   - queries: [n, d]; at k the label of the k-th row is predicted. They are x itself, but for prompts whose
    ///     queries come from another distribution.
    ///   - predictions: [n]; element k uses the first k pairs.
    func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>)
}

extension Baseline {
    /// The squared errors on the class labels g of a batch: [b, n].
    public func squaredErrors(on batch: PromptBatch) -> [Float] {
        var errors = [Float](repeating: 0, count: batch.exampleCount * batch.points)
        var predictions = [Double](repeating: 0, count: batch.points)
        for row in 0..<batch.exampleCount {
            let prompt = batch.rows(row..<row + 1)
            prompt.inputs.withSpan { x in
                prompt.labels.withSpan { y in
                    prompt.queries.withSpan { queries in
                        var span = predictions.mutableSpan
                        predict(inputs: x, labels: y, queries: queries, into: &span)
                    }
                }
            }
            for point in 0..<batch.points {
                let difference = predictions[point] - Double(prompt.queryLabels[point])
                errors[row * batch.points + point] = Float(difference * difference)
            }
        }
        return errors
    }
}

/// The baselines by name.
public enum Baselines {
    /// Every baseline that Garg et al. publish for linear functions, and the zero predictor.
    public static let all: [any Baseline] = [
        ZeroPredictor(), LeastSquares(), Averaging(), NearestNeighbors(count: 3),
    ]

    /// The baseline called `name`: `zero`, `least_squares`, `averaging`, `knn3`, or `knn=K` with
    /// 1 ≤ K ≤ 1000 neighbours.
    ///
    /// - Throws: ``UnknownNameError`` with the nearest name.
    public static func named(_ name: String) throws -> any Baseline {
        if let found = all.first(where: { $0.name == name }) { return found }
        if name.hasPrefix("knn") {
            let digits = name.dropFirst(3).drop { $0 == "=" }
            if let count = Int(digits), count >= 1, count <= 1000 {
                return NearestNeighbors(count: count)
            }
        }
        throw UnknownNameError(
            kind: "baseline", name: name, accepted: all.map(\.name) + ["knn=3"])
    }
}

/// Predicts 0.
public struct ZeroPredictor: Baseline {
    /// The name in configurations, files and plots.
    public let name = "zero"

    /// The baseline has no settings.
    public init() {}

    /// Writes zeros.
    public func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>
    ) {
        for point in 0..<predictions.count { predictions[point] = 0 }
    }
}

/// Predicts with ŵ = (1/k) Σ y_i x_i, and 0 at k = 0.
public struct Averaging: Baseline {
    /// The name in configurations, files and plots.
    public let name = "averaging"

    /// The baseline has no settings.
    public init() {}

    /// Predictions ŵ · x_{k+1}.
    public func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>
    ) {
        let dims = inputs.count / labels.count
        var sum = [Double](repeating: 0, count: dims)
        for k in 0..<labels.count {
            var product = 0.0
            let label = Double(labels[k])
            for coordinate in 0..<dims {
                let place = k * dims + coordinate
                product += sum[coordinate] * Double(queries[place])
                sum[coordinate] += label * Double(inputs[place])
            }
            predictions[k] = product / Double(max(k, 1))
        }
    }
}

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
