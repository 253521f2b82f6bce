/// g = √(2/h) Σ_j v_j max(W_j · x, 0) with h = 100 hidden units, W_j ~ N(0, I_d), v_j ~ N(0, 1): the two-layer networks
/// of Garg et al. (2022), section 4.3. The task is W: [h, d], then v: [h]; there is no base function.
public struct TwoLayerReLUFunction: FunctionClass {
    /// h, the number of hidden units.
    public static let hiddenUnits = 100

    /// The name in configurations, files and plots.
    public let name = "two_layer_relu"
    /// Other names that are accepted for it.
    public let aliases: [String] = []
    /// False: no f = w · x stands behind it.
    public let hasBase = false

    /// The class has no settings.
    public init() {}

    /// h(d + 1): the weights of both layers.
    public func taskSize(dims: Int) -> Int { Self.hiddenUnits * (dims + 1) }

    /// g = √(2/h) Σ_j v_j max(W_j · x, 0).
    public func evaluate(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into labels: inout MutableSpan<Float>
    ) {
        let dims = inputs.count / labels.count
        for point in 0..<labels.count {
            var sum = 0.0
            for unit in 0..<Self.hiddenUnits {
                let activation = activation(unit, inputs, at: point, task, dims: dims)
                sum += max(activation, 0) * Double(task[Self.hiddenUnits * dims + unit])
            }
            labels[point] = Float(Self.scale * sum)
        }
    }

    /// ∇g = √(2/h) Σ_j v_j 1[W_j · x > 0] W_j.
    public func gradients(
        inputs: Span<Float>, base: Span<Float>, task: Span<Float>,
        into gradients: inout MutableSpan<Float>
    ) {
        let points = base.count
        let dims = inputs.count / points
        let scale = Float(Self.scale)
        for point in 0..<points {
            for coordinate in 0..<dims { gradients[point * dims + coordinate] = 0 }
            for unit in 0..<Self.hiddenUnits
            where activation(unit, inputs, at: point, task, dims: dims) > 0 {
                let weight = scale * task[Self.hiddenUnits * dims + unit]
                for coordinate in 0..<dims {
                    gradients[point * dims + coordinate] += weight * task[unit * dims + coordinate]
                }
            }
        }
    }

    private static let scale = (2 / Double(hiddenUnits)).squareRoot()

    /// W_j · x
    private func activation(
        _ unit: Int, _ inputs: Span<Float>, at point: Int, _ task: Span<Float>, dims: Int
    ) -> Double {
        var sum = 0.0
        for coordinate in 0..<dims {
            let weight = Double(task[unit * dims + coordinate])
            sum += Double(inputs[point * dims + coordinate]) * weight
        }
        return sum
    }

    /// d at k = 0, where Var(g | x) = ‖x‖²; nil from there on.
    public func bayesError(contextLength: Int, dims: Int, knowledge: BaseKnowledge) -> Double? {
        knowledge == .nothing && contextLength == 0 ? Double(dims) : nil
    }

    /// (2/h) Σ_j E[v_j²] E[max(W_j · x, 0)²] = d.
    public func zeroPredictorError(dims: Int) -> Double { Double(dims) }
}
