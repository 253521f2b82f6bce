import Kernels

/// Adam or AdamW over one flat buffer.
public struct AdamOptions: Sendable, Hashable {
    /// β₁.
    public var beta1 = 0.9
    /// β₂.
    public var beta2 = 0.999
    /// ε.
    public var epsilon = 1e-8
    /// λ.
    public var weightDecay = 0.0
    /// AdamW's decoupled decay when true, Adam's L2 form when false.
    public var decoupledDecay = false
    /// Largest global norm of the gradient; nil for no clipping.
    public var clipNorm: Double?

    /// - Parameters:
    ///   - beta1: β₁.
    ///   - beta2: β₂.
    ///   - epsilon: ε.
    ///   - weightDecay: λ.
    ///   - decoupledDecay: AdamW when true.
    ///   - clipNorm: largest global norm of the gradient; nil for no clipping.
    public init(
        beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8,
        weightDecay: Double = 0, decoupledDecay: Bool = false, clipNorm: Double? = nil
    ) {
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.decoupledDecay = decoupledDecay
        self.clipNorm = clipNorm
    }

    /// The factor that clipping puts on a gradient of length `norm`: `min(1, clip / (norm + 1e-6))`, as torch's.
    public func clipScale(gradientNorm norm: Double) -> Double {
        guard let clipNorm else { return 1 }
        return min(1, clipNorm / (norm + 1e-6))
    }
}

/// The two moments of Adam, in the layout of the parameters.
public struct AdamMoments: Sendable {
    /// m.
    public let first: FloatView
    /// v.
    public let second: FloatView

    /// Fresh zeros for `count` parameters.
    public init(count: Int) {
        first = FloatView(zeros: count)
        second = FloatView(zeros: count)
    }
}
