import Foundation

/// The functions h of one number that classes g = h(f) are composed with and that lose part of f in a label.
enum ScalarFunction: Sendable {
    /// max(f, 0)
    case relu
    /// 1 / (1 + e⁻ᶠ)
    case sigmoid
    /// tanh f
    case tanh

    /// h(f)
    func value(_ f: Double) -> Double {
        switch self {
        case .relu: max(f, 0)
        case .sigmoid: 1 / (1 + exp(-f))
        case .tanh: Foundation.tanh(f)
        }
    }

    /// h′(f); 0 at the corner of relu.
    func slope(_ f: Double) -> Double {
        switch self {
        case .relu: return f > 0 ? 1 : 0
        case .sigmoid:
            let value = value(f)
            return value * (1 - value)
        case .tanh:
            let value = value(f)
            return 1 - value * value
        }
    }

    /// The values of f whose h(f) rounds to the Float `label`: one number or an interval, without end where the
    /// function is flat.
    func preimage(of label: Float) -> ClosedRange<Double> {
        if self == .relu {
            return label > 0 ? Double(label)...Double(label) : -Double.infinity...0
        }
        let below = inverse((Double(label) + Double(label.nextDown)) / 2)
        let above = inverse((Double(label) + Double(label.nextUp)) / 2)
        return below...above
    }

    /// f with h(f) = `value` for the functions that are one to one; ±∞ outside their range.
    private func inverse(_ value: Double) -> Double {
        let least: Double = self == .sigmoid ? 0 : -1
        if value <= least { return -.infinity }
        if value >= 1 { return .infinity }
        return self == .sigmoid ? log(value / (1 - value)) : atanh(value)
    }

    /// Writes h(f) at all points.
    ///
    /// - Parameters:
    ///   - base: f(x_i): [n]
    ///   - labels: [n]
    func evaluate(base: Span<Float>, into labels: inout MutableSpan<Float>) {
        for point in 0..<base.count { labels[point] = Float(value(Double(base[point]))) }
    }

    /// Writes h′(f) w at all points.
    ///
    /// - Parameters:
    ///   - base: f(x_i): [n]
    ///   - weights: w: [d]
    ///   - gradients: [n, d]
    func gradients(
        base: Span<Float>, weights: Span<Float>, into gradients: inout MutableSpan<Float>
    ) {
        let dims = weights.count
        for point in 0..<base.count {
            let slope = Float(slope(Double(base[point])))
            for coordinate in 0..<dims {
                gradients[point * dims + coordinate] = slope * weights[coordinate]
            }
        }
    }
}
