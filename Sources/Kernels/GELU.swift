/// √(2 / π), the scale inside the tanh form of GELU.
private let tanhScale: Float = 0.797_884_56
private let cubic: Float = 0.044_715

/// GELU in its tanh form, `½ x (1 + tanh u)` with `u = √(2/π) (x + 0.044715 x³)`, and its derivative.
///
/// With `s = σ(2u)` the value is `x · s` and the derivative `s + x · s (1 − s) · 2u′`, where
/// `u′ = √(2/π) (1 + 3 · 0.044715 x²)`: one exponential serves both.
///
/// - Parameter x: the arguments.
///
/// Source: Hendrycks, Gimpel 2016, section 2; `gelu_new` of the GPT-2 code.
@inline(__always)
func gelu(_ x: Lanes) -> (value: Lanes, slope: Lanes) {
    let square = x * x
    let twiceU = x * Lanes(repeating: 2 * tanhScale).addingProduct(square, 2 * tanhScale * cubic)
    let twiceSlope = Lanes(repeating: 2 * tanhScale).addingProduct(square, 6 * tanhScale * cubic)
    let s = 1 / (1 + exponential(-twiceU))
    let value = x * s
    return (value, s.addingProduct(value * (1 - s), twiceSlope))
}
