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
