/// Layer normalisation over the last axis: `y = (x − μ) / √(σ² + ε) · γ + β`.
///
/// - Parameters:
///   - output: `y: [rows, width]`.
///   - mean: `μ: [rows]`, kept for the backward pass.
///   - reciprocalDeviation: `1 / √(σ² + ε): [rows]`, kept for the backward pass.
///   - input: `x: [rows, width]`.
///   - weight: `γ: [width]`.
///   - bias: `β: [width]`.
///   - rows: number of rows.
///   - width: length of the normalised axis.
///   - epsilon: `ε`, added to the biased variance.
///
/// Source: Ba, Kiros, Hinton 2016, equation 4.
public func layerNormForward(
    output: FloatView, mean: FloatView, reciprocalDeviation: FloatView, input: FloatView,
    weight: FloatView, bias: FloatView, rows: Int, width: Int, epsilon: Float
) {
    precondition(input.count >= rows * width && output.count >= rows * width)
    precondition(weight.count == width && bias.count == width)
    precondition(mean.count >= rows && reciprocalDeviation.count >= rows)
    let whole = width / laneCount * laneCount
    let rest = width - whole
    let gamma = weight.pointer
    let beta = bias.pointer
    for row in 0..<rows {
        let x = input.pointer + row * width
        let y = output.pointer + row * width
        var sum = Lanes(repeating: 0)
        for column in stride(from: 0, to: whole, by: laneCount) { sum += x.lanes(at: column) }
        if rest > 0 { sum += x.partialLanes(at: whole, count: rest) }
        let mu = sum.total / Float(width)

        // Two passes: the row is in cache, and E[x²] − μ² would cancel.
        var squares = Lanes(repeating: 0)
        for column in stride(from: 0, to: whole, by: laneCount) {
            let centred = x.lanes(at: column) - mu
            squares.addProduct(centred, centred)
        }
        var squared = squares.total
        for column in whole..<width { squared += (x[column] - mu) * (x[column] - mu) }
        let scale = 1 / (squared / Float(width) + epsilon).squareRoot()

        for column in stride(from: 0, to: whole, by: laneCount) {
            let normalized = (x.lanes(at: column) - mu) * scale
            y.store(
                beta.lanes(at: column).addingProduct(normalized, gamma.lanes(at: column)),
                at: column)
        }
        for column in whole..<width {
            y[column] = beta[column].addingProduct((x[column] - mu) * scale, gamma[column])
        }
        mean.pointer[row] = mu
        reciprocalDeviation.pointer[row] = scale
    }
}

/// Gradients of ``layerNormForward(output:mean:reciprocalDeviation:input:weight:bias:rows:width:epsilon:)``.
///
/// With `x̂ = (x − μ) · r` and `u = dy · γ`: `dx += r · (u − mean(u) − x̂ · mean(u · x̂))`,
/// `dγ += Σ dy · x̂`, `dβ += Σ dy`. All three are added to, because the residual stream's gradient, and a lane's
/// parameter gradients, already hold something.
///
/// - Parameters:
///   - dInput: `dx: [rows, width]`, added to.
///   - dWeight: `dγ: [width]`, added to.
///   - dBias: `dβ: [width]`, added to.
///   - dOutput: `dy: [rows, width]`.
///   - input: `x: [rows, width]`.
///   - mean: `μ: [rows]` of the forward pass.
///   - reciprocalDeviation: `r: [rows]` of the forward pass.
///   - weight: `γ: [width]`.
///   - rows: number of rows.
///   - width: length of the normalised axis.
public func layerNormBackward(
    dInput: FloatView, dWeight: FloatView, dBias: FloatView, dOutput: FloatView, input: FloatView,
    mean: FloatView, reciprocalDeviation: FloatView, weight: FloatView, rows: Int, width: Int
) {
    precondition(dInput.count >= rows * width && dOutput.count >= rows * width)
    precondition(input.count >= rows * width && weight.count == width)
    precondition(dWeight.count == width && dBias.count == width)
    precondition(mean.count >= rows && reciprocalDeviation.count >= rows)
    let whole = width / laneCount * laneCount
    let rest = width - whole
    let gamma = weight.pointer
    let dGamma = dWeight.pointer
    let dBeta = dBias.pointer
    for row in 0..<rows {
        let x = input.pointer + row * width
        let dy = dOutput.pointer + row * width
        let dx = dInput.pointer + row * width
        let mu = mean.pointer[row]
        let scale = reciprocalDeviation.pointer[row]

        var sum = Lanes(repeating: 0)
        var weightedSum = Lanes(repeating: 0)
        @inline(__always)
        func accumulate(_ dy: Lanes, _ x: Lanes, _ gamma: Lanes) -> Lanes {
            let normalized = (x - mu) * scale
            let u = dy * gamma
            sum += u
            weightedSum.addProduct(u, normalized)
            return dy * normalized
        }
        for column in stride(from: 0, to: whole, by: laneCount) {
            let gradient = dy.lanes(at: column)
            let product = accumulate(gradient, x.lanes(at: column), gamma.lanes(at: column))
            dGamma.store(dGamma.lanes(at: column) + product, at: column)
            dBeta.store(dBeta.lanes(at: column) + gradient, at: column)
        }
        if rest > 0 {
            let gradient = dy.partialLanes(at: whole, count: rest)
            let product = accumulate(
                gradient, x.partialLanes(at: whole, count: rest),
                gamma.partialLanes(at: whole, count: rest))
            for lane in 0..<rest {
                dGamma[whole + lane] += product[lane]
                dBeta[whole + lane] += gradient[lane]
            }
        }
        let meanU = sum.total / Float(width)
        let meanWeighted = weightedSum.total / Float(width)

        @inline(__always)
        func gradient(_ dy: Lanes, _ x: Lanes, _ gamma: Lanes) -> Lanes {
            let normalized = (x - mu) * scale
            return (dy * gamma - meanU - normalized * meanWeighted) * scale
        }
        for column in stride(from: 0, to: whole, by: laneCount) {
            let change = gradient(
                dy.lanes(at: column), x.lanes(at: column), gamma.lanes(at: column))
            dx.store(dx.lanes(at: column) + change, at: column)
        }
        if rest > 0 {
            let change = gradient(
                dy.partialLanes(at: whole, count: rest), x.partialLanes(at: whole, count: rest),
                gamma.partialLanes(at: whole, count: rest))
            for lane in 0..<rest { dx[whole + lane] += change[lane] }
        }
    }
}
