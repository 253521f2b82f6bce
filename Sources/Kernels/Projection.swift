/// A linear map to one number a row: `y[row] = x[row] · w + b`.
///
/// - Parameters:
///   - output: `y: [rows]`, overwritten.
///   - input: `x: [rows, width]`.
///   - weight: `w: [width]`.
///   - bias: `b: [1]`.
///   - rows: number of rows.
public func projectionForward(
    output: FloatView, input: FloatView, weight: FloatView, bias: FloatView, rows: Int
) {
    let width = weight.count
    precondition(output.count >= rows && input.count >= rows * width && bias.count == 1)
    let w = weight.pointer
    for row in 0..<rows {
        let x = input.pointer + row * width
        var sums = Lanes(repeating: 0)
        for column in stride(from: 0, to: width, by: laneCount) {
            let count = min(laneCount, width - column)
            sums.addProduct(x.lanes(at: column, count: count), w.lanes(at: column, count: count))
        }
        output.pointer[row] = sums.total + bias.pointer[0]
    }
}

/// Gradients of ``projectionForward(output:input:weight:bias:rows:)``: `dx[row] = dy[row] · w`,
/// `dw += Σ_row dy[row] · x[row]`, `db += Σ_row dy[row]`.
///
/// - Parameters:
///   - dInput: `dx: [rows, width]`, overwritten.
///   - dWeight: `dw: [width]`, added to.
///   - dBias: `db: [1]`, added to.
///   - dOutput: `dy: [rows]`.
///   - input: `x: [rows, width]`.
///   - weight: `w: [width]`.
///   - rows: number of rows.
public func projectionBackward(
    dInput: FloatView, dWeight: FloatView, dBias: FloatView, dOutput: FloatView, input: FloatView,
    weight: FloatView, rows: Int
) {
    let width = weight.count
    precondition(dInput.count >= rows * width && input.count >= rows * width)
    precondition(dOutput.count >= rows && dWeight.count == width && dBias.count == 1)
    let dy = dOutput.pointer
    for column in stride(from: 0, to: width, by: laneCount) {
        let count = min(laneCount, width - column)
        let w = weight.pointer.lanes(at: column, count: count)
        var sums = Lanes(repeating: 0)
        for row in 0..<rows {
            let at = row * width + column
            let factor = Lanes(repeating: dy[row])
            sums.addProduct(factor, input.pointer.lanes(at: at, count: count))
            dInput.pointer.store(factor * w, at: at, count: count)
        }
        let before = dWeight.pointer.lanes(at: column, count: count)
        dWeight.pointer.store(before + sums, at: column, count: count)
    }
    var sum: Float = 0
    for row in 0..<rows { sum += dy[row] }
    dBias.pointer[0] += sum
}
