/// Predicts with the w of least ‖y − Xw‖² / 2k + α‖w‖₁, without an intercept, and 0 at k = 0.
///
/// Source: Tibshirani, "Regression Shrinkage and Selection via the Lasso" (1996), with the scaling of scikit-learn's
/// `Lasso(alpha=α, fit_intercept=False)`, which Garg et al. (2022), appendix A.3, show for sparse linear functions.
public struct Lasso: Baseline {
    /// α
    public let penalty: Double
    /// `lasso` at α = 0.01, otherwise `lasso=` and α.
    public var name: String { penalty == 0.01 ? "lasso" : Baselines.name("lasso", penalty) }
    /// The classes whose labels are w · x, with noise or without.
    public let functionClasses: [String]? = ["linear", "sparse_linear", "noisy_linear"]

    /// The baseline with α = `penalty` > 0.
    public init(penalty: Double = 0.01) {
        precondition(penalty > 0, "a lasso penalty of \(penalty) is not positive")
        self.penalty = penalty
    }

    /// Predictions w · x_{k+1}; each k starts from the solution of k − 1.
    public func predict(
        inputs: Span<Float>, labels: Span<Float>, queries: Span<Float>,
        into predictions: inout MutableSpan<Double>
    ) {
        let dims = inputs.count / labels.count
        var solver = IncrementalLasso(dims: dims)
        for k in 0..<labels.count {
            let row = k * dims..<(k + 1) * dims
            predictions[k] = solver.predict(at: queries.extracting(row))
            // The last pair has no query after it.
            guard k + 1 < labels.count else { return }
            solver.add(inputs.extracting(row), label: Double(labels[k]))
            solver.solve(penalty: penalty)
        }
    }
}
