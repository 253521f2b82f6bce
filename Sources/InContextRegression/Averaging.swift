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
