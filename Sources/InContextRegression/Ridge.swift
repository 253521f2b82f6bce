/// Predicts with ŵ = (XᵀX + λI)⁻¹ Xᵀy, the w of least ‖y − Xw‖² + λ‖w‖², and 0 at k = 0.
///
/// It is the Bayes predictor where y = w · x + N(0, λ) and w ~ N(0, I). Source: Hoerl and Kennard, "Ridge Regression:
/// Biased Estimation for Nonorthogonal Problems" (1970), equation 2.1.
public struct Ridge: Baseline {
    /// λ
    public let penalty: Double
    /// `ridge` at λ = 1, otherwise `ridge=` and λ.
    public var name: String { penalty == 1 ? "ridge" : Baselines.name("ridge", penalty) }

    /// The baseline with λ = `penalty` > 0.
    public init(penalty: Double = 1) {
        precondition(penalty > 0, "a ridge penalty of \(penalty) is not positive")
        self.penalty = penalty
    }

    /// Predictions ŵ · x_{k+1}.
    public func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>
    ) {
        let dims = inputs.count / labels.count
        var solver = IncrementalLeastSquares(dims: dims, penalty: penalty)
        for k in 0..<labels.count {
            let row = k * dims..<(k + 1) * dims
            predictions[k] = solver.predict(at: queries.extracting(row))
            solver.add(inputs.extracting(row), label: Double(labels[k]))
        }
    }
}
