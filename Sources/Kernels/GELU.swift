/// √(2 / π), the scale inside the tanh form of GELU.
private let tanhScale: Float = 0.797_884_56
private let cubic: Float = 0.044_715

/// σ(2u) with u = √(2/π) · (x + 0.044715 x³), so that GELU(x) = ½ x (1 + tanh u) = x · σ(2u).
@inline(__always)
private func gate(_ x: Lanes) -> Lanes {
    let u = x * tanhScale * Lanes(repeating: 1).addingProduct(x * cubic, x)
    return 1 / (1 + exponential(-2 * u))
}

/// GELU in its tanh form, `y = ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`, elementwise.
///
/// - Parameters:
///   - output: `y: [count]`; may be `input` itself.
///   - input: `x: [count]`.
///   - count: number of elements.
///
/// Source: Hendrycks, Gimpel 2016, section 2; `gelu_new` of the GPT-2 code.
public func geluForward(output: FloatView, input: FloatView, count: Int) {
    precondition(output.count >= count && input.count >= count)
    let x = input.pointer
    let y = output.pointer
    let whole = count / laneCount * laneCount
    for index in stride(from: 0, to: whole, by: laneCount) {
        let value = x.lanes(at: index)
        y.store(value * gate(value), at: index)
    }
    if whole < count {
        let value = x.partialLanes(at: whole, count: count - whole)
        y.storePartial(value * gate(value), at: whole, count: count - whole)
    }
}

/// The gradient of ``geluForward(output:input:count:)``: `dx = dy · (s + x · s (1 − s) · 2u′)` with `s = σ(2u)`
/// and `u′ = √(2/π) (1 + 3 · 0.044715 x²)`.
///
/// - Parameters:
///   - dInput: `dx: [count]`, overwritten; may be `dOutput` itself.
///   - dOutput: `dy: [count]`.
///   - input: `x: [count]` of the forward pass.
///   - count: number of elements.
public func geluBackward(dInput: FloatView, dOutput: FloatView, input: FloatView, count: Int) {
    precondition(dInput.count >= count && dOutput.count >= count && input.count >= count)
    let x = input.pointer
    let dy = dOutput.pointer
    let dx = dInput.pointer
    @inline(__always)
    func derivative(_ x: Lanes) -> Lanes {
        let s = gate(x)
        let slope =
            2 * tanhScale * Lanes(repeating: 1).addingProduct(x * (3 * cubic), x)
        return s.addingProduct(x * s * (1 - s), slope)
    }
    let whole = count / laneCount * laneCount
    for index in stride(from: 0, to: whole, by: laneCount) {
        dx.store(dy.lanes(at: index) * derivative(x.lanes(at: index)), at: index)
    }
    if whole < count {
        let rest = count - whole
        let value = x.partialLanes(at: whole, count: rest)
        dx.storePartial(
            dy.partialLanes(at: whole, count: rest) * derivative(value), at: whole, count: rest)
    }
}
