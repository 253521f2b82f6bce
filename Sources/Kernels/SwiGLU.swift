/// The gated unit `h = silu(g) · u` with `silu(g) = g · σ(g)`.
///
/// - Parameters:
///   - output: `h: [count]`, overwritten.
///   - gate: `g: [count]`.
///   - up: `u: [count]`.
///
/// Source: Shazeer 2020, equation 5.
public func swiGLUForward(output: FloatView, gate: FloatView, up: FloatView) {
    precondition(gate.count == output.count && up.count == output.count)
    for index in stride(from: 0, to: output.count, by: laneCount) {
        let count = min(laneCount, output.count - index)
        let g = gate.pointer.lanes(at: index, count: count)
        let u = up.pointer.lanes(at: index, count: count)
        output.pointer.store(g / (1 + exponential(-g)) * u, at: index, count: count)
    }
}

/// Gradients of ``swiGLUForward(output:gate:up:)``: with s = σ(g), `dg = dh · u · s (1 + g (1 − s))` and
/// `du = dh · g · s`.
///
/// - Parameters:
///   - dGate: `dg: [count]`, overwritten.
///   - dUp: `du: [count]`, overwritten; may be `dOutput`.
///   - dOutput: `dh: [count]`.
///   - gate: `g: [count]`.
///   - up: `u: [count]`.
public func swiGLUBackward(
    dGate: FloatView, dUp: FloatView, dOutput: FloatView, gate: FloatView, up: FloatView
) {
    let total = dOutput.count
    precondition(dGate.count == total && dUp.count == total)
    precondition(gate.count == total && up.count == total)
    for index in stride(from: 0, to: total, by: laneCount) {
        let count = min(laneCount, total - index)
        let g = gate.pointer.lanes(at: index, count: count)
        let u = up.pointer.lanes(at: index, count: count)
        let dh = dOutput.pointer.lanes(at: index, count: count)
        let s = 1 / (1 + exponential(-g))
        dGate.pointer.store(dh * u * s * (1 + g * (1 - s)), at: index, count: count)
        dUp.pointer.store(dh * g * s, at: index, count: count)
    }
}
