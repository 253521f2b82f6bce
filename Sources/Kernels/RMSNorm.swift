/// Root-mean-square normalisation over the last axis: `y = x · r · γ` with `r = 1 / √(mean(x²) + ε)`.
///
/// - Parameters:
///   - output: `y: [rows, width]`.
///   - scale: `r: [rows]`, kept for the backward pass.
///   - input: `x: [rows, width]`.
///   - weight: `γ: [width]`.
///   - rows: number of rows.
///   - epsilon: `ε`.
///
/// Source: Zhang, Sennrich 2019, equation 4.
public func rmsNormForward(
    output: FloatView, scale: FloatView, input: FloatView, weight: FloatView, rows: Int,
    epsilon: Float
) {
    let width = weight.count
    precondition(input.count >= rows * width && output.count >= rows * width)
    precondition(scale.count >= rows)
    let gamma = weight.pointer
    for row in 0..<rows {
        let x = input.pointer + row * width
        let y = output.pointer + row * width
        var squares = Lanes(repeating: 0)
        for column in stride(from: 0, to: width, by: laneCount) {
            let lanes = x.lanes(at: column, count: min(laneCount, width - column))
            squares.addProduct(lanes, lanes)
        }
        let r = 1 / (squares.total / Float(width) + epsilon).squareRoot()
        for column in stride(from: 0, to: width, by: laneCount) {
            let count = min(laneCount, width - column)
            y.store(
                x.lanes(at: column, count: count) * r * gamma.lanes(at: column, count: count),
                at: column, count: count)
        }
        scale.pointer[row] = r
    }
}

/// The gradient of RMSNorm's input: with `x̂ = x · r` and `u = dy · γ`, `dx += r · (u − x̂ · mean(u · x̂))`.
///
/// Added to, because the residual stream's gradient already holds what went round the block.
///
/// - Parameters:
///   - dInput: `dx: [rows, width]`, added to.
///   - dOutput: `dy: [rows, width]`.
///   - input: `x: [rows, width]`.
///   - scale: `r: [rows]` of the forward pass.
///   - weight: `γ: [width]`.
///   - rows: number of rows.
public func rmsNormInputGradient(
    dInput: FloatView, dOutput: FloatView, input: FloatView, scale: FloatView, weight: FloatView,
    rows: Int
) {
    let width = weight.count
    precondition(dInput.count >= rows * width && dOutput.count >= rows * width)
    precondition(input.count >= rows * width && scale.count >= rows)
    let gamma = weight.pointer
    for row in 0..<rows {
        let x = input.pointer + row * width
        let dy = dOutput.pointer + row * width
        let dx = dInput.pointer + row * width
        let r = scale.pointer[row]
        var sum = Lanes(repeating: 0)
        for column in stride(from: 0, to: width, by: laneCount) {
            let count = min(laneCount, width - column)
            sum.addProduct(
                dy.lanes(at: column, count: count) * gamma.lanes(at: column, count: count),
                x.lanes(at: column, count: count))
        }
        // mean(u · x̂) · r, the factor of x in the bracket.
        let factor = sum.total / Float(width) * r * r
        for column in stride(from: 0, to: width, by: laneCount) {
            let count = min(laneCount, width - column)
            let u = dy.lanes(at: column, count: count) * gamma.lanes(at: column, count: count)
            let change = (u - x.lanes(at: column, count: count) * factor) * r
            dx.store(dx.lanes(at: column, count: count) + change, at: column, count: count)
        }
    }
}

/// The gradient of RMSNorm's weight for some columns: `dγ += Σ_row dy · x · r`.
///
/// - Parameters:
///   - dWeight: `dγ: [width]`, added to at `columns`.
///   - dOutput: `dy: [rows, width]`.
///   - input: `x: [rows, width]`.
///   - scale: `r: [rows]` of the forward pass.
///   - rows: number of rows, summed in their order.
///   - columns: the columns to sum, so that workers can share them.
public func rmsNormWeightGradient(
    dWeight: FloatView, dOutput: FloatView, input: FloatView, scale: FloatView, rows: Int,
    columns: Range<Int>
) {
    let width = dWeight.count
    precondition(input.count >= rows * width && dOutput.count >= rows * width)
    precondition(columns.lowerBound >= 0 && columns.upperBound <= width && scale.count >= rows)
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
        let count = min(laneCount, columns.upperBound - column)
        var sum = dWeight.pointer.lanes(at: column, count: count)
        for row in 0..<rows {
            let at = row * width + column
            sum.addProduct(
                dOutput.pointer.lanes(at: at, count: count) * scale.pointer[row],
                input.pointer.lanes(at: at, count: count))
        }
        dWeight.pointer.store(sum, at: column, count: count)
    }
}
