/// One step of Adam or AdamW on a stretch of parameters, moments and gradients.
///
/// `g ← clip · g` (`+ λ p` for Adam's coupled decay); `m ← β₁ m + (1 − β₁) g`; `v ← β₂ v + (1 − β₂) g²`;
/// `p ← p (1 − η λ)` for AdamW; `p ← p − η m̂ / (√v̂ + ε)` with `m̂ = m / (1 − β₁ᵗ)`, `v̂ = v / (1 − β₂ᵗ)`.
///
/// - Parameters:
///   - parameters: `p: [count]`, updated.
///   - firstMoment: `m: [count]`, updated.
///   - secondMoment: `v: [count]`, updated.
///   - gradients: `g: [count]`.
///   - step: the numbers of this step.
///
/// Source: Kingma, Ba 2015, algorithm 1; Loshchilov, Hutter 2019, algorithm 2; the order of operations is PyTorch's.
public func adamUpdate(
    parameters: FloatView, firstMoment: FloatView, secondMoment: FloatView, gradients: FloatView,
    step: AdamStep
) {
    let count = parameters.count
    precondition(firstMoment.count == count && secondMoment.count == count)
    precondition(gradients.count == count)
    let p = parameters.pointer
    let m = firstMoment.pointer
    let v = secondMoment.pointer
    let g = gradients.pointer
    let whole = count / laneCount * laneCount
    for index in stride(from: 0, to: whole, by: laneCount) {
        var weights = p.lanes(at: index)
        var first = m.lanes(at: index)
        var second = v.lanes(at: index)
        step.apply(&weights, &first, &second, g.lanes(at: index))
        p.store(weights, at: index)
        m.store(first, at: index)
        v.store(second, at: index)
    }
    if whole < count {
        let rest = count - whole
        var weights = p.partialLanes(at: whole, count: rest)
        var first = m.partialLanes(at: whole, count: rest)
        var second = v.partialLanes(at: whole, count: rest)
        step.apply(&weights, &first, &second, g.partialLanes(at: whole, count: rest))
        p.storePartial(weights, at: whole, count: rest)
        m.storePartial(first, at: whole, count: rest)
        v.storePartial(second, at: whole, count: rest)
    }
}

/// The numbers of one Adam or AdamW step, with the bias corrections worked out in double.
public struct AdamStep: Sendable {
    let gradientScale: Float
    let coupledDecay: Float
    let keep: Float
    let beta1: Float
    let beta2: Float
    let oneMinusBeta1: Float
    let oneMinusBeta2: Float
    let stepSize: Float
    let reciprocalCorrection: Float
    let epsilon: Float

    /// - Parameters:
    ///   - number: t, 1 for the first update.
    ///   - learningRate: η.
    ///   - beta1: β₁.
    ///   - beta2: β₂.
    ///   - epsilon: ε.
    ///   - weightDecay: λ.
    ///   - decoupled: AdamW when true, Adam's L2 form when false.
    ///   - gradientScale: the factor from clipping by global norm, 1 for none.
    public init(
        number: Int, learningRate: Double, beta1: Double, beta2: Double, epsilon: Double,
        weightDecay: Double, decoupled: Bool, gradientScale: Double
    ) {
        let correction1 = 1 - power(beta1, number)
        let correction2 = 1 - power(beta2, number)
        self.gradientScale = Float(gradientScale)
        coupledDecay = decoupled ? 0 : Float(weightDecay)
        keep = decoupled ? Float(1 - learningRate * weightDecay) : 1
        self.beta1 = Float(beta1)
        self.beta2 = Float(beta2)
        oneMinusBeta1 = Float(1 - beta1)
        oneMinusBeta2 = Float(1 - beta2)
        stepSize = Float(learningRate / correction1)
        reciprocalCorrection = Float(1 / correction2.squareRoot())
        self.epsilon = Float(epsilon)
    }

    private init(withoutDecay step: AdamStep) {
        gradientScale = step.gradientScale
        coupledDecay = 0
        keep = 1
        beta1 = step.beta1
        beta2 = step.beta2
        oneMinusBeta1 = step.oneMinusBeta1
        oneMinusBeta2 = step.oneMinusBeta2
        stepSize = step.stepSize
        reciprocalCorrection = step.reciprocalCorrection
        epsilon = step.epsilon
    }

    /// The same step with λ = 0, for parameters that do not decay.
    public var withoutDecay: AdamStep { AdamStep(withoutDecay: self) }

    @inline(__always)
    fileprivate func apply(
        _ p: inout Lanes, _ m: inout Lanes, _ v: inout Lanes, _ gradient: Lanes
    ) {
        let g = (gradient * gradientScale).addingProduct(p, Lanes(repeating: coupledDecay))
        m = (g * oneMinusBeta1).addingProduct(m, Lanes(repeating: beta1))
        v = (g * g * oneMinusBeta2).addingProduct(v, Lanes(repeating: beta2))
        let denominator = v.squareRoot() * reciprocalCorrection + epsilon
        p = p * keep - m / denominator * stepSize
    }
}

/// `base` to the power `exponent` ≥ 0 by squaring: the same bits on every C library.
private func power(_ base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    var factor = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result *= factor }
        factor *= factor
        rest >>= 1
    }
    return result
}
