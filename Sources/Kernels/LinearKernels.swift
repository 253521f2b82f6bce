/// A linear map: `y = x · W + b`.
///
/// - Parameters:
///   - output: `y: [rows, to]`, overwritten.
///   - input: `x: [rows, from]`.
///   - weight: `W: [from, to]`.
///   - bias: `b: [to]`.
///   - rows: number of rows.
///   - scratch: working memory of the calling worker.
public func linearForward(
    output: FloatView, input: FloatView, weight: PackedMatrix, bias: FloatView, rows: Int,
    scratch: ProductScratch
) {
    let to = requireSizes(output: output, input: input, weight: weight, bias: bias, rows: rows)
    let y = output.pointer
    let b = bias.pointer
    product(input, rows: rows, weight, scratch: scratch) { row, column, count, sums in
        y.store(sums + b.lanes(at: column, count: count), at: row * to + column, count: count)
    }
}

/// A linear map onto the residual stream: `y = residual + x · W + b`.
///
/// - Parameters:
///   - output: `y: [rows, to]`, overwritten; not `residual` itself.
///   - residual: `[rows, to]`.
///   - input: `x: [rows, from]`.
///   - weight: `W: [from, to]`.
///   - bias: `b: [to]`.
///   - rows: number of rows.
///   - scratch: working memory of the calling worker.
public func linearResidualForward(
    output: FloatView, residual: FloatView, input: FloatView, weight: PackedMatrix,
    bias: FloatView, rows: Int, scratch: ProductScratch
) {
    let to = requireSizes(output: output, input: input, weight: weight, bias: bias, rows: rows)
    precondition(residual.count >= rows * to)
    let y = output.pointer
    let r = residual.pointer
    let b = bias.pointer
    product(input, rows: rows, weight, scratch: scratch) { row, column, count, sums in
        let at = row * to + column
        y.store(
            sums + b.lanes(at: column, count: count) + r.lanes(at: at, count: count), at: at,
            count: count)
    }
}

/// A linear map and the GELU of its result: `u = x · W + b`, `y = GELU(u)`.
///
/// - Parameters:
///   - output: `y: [rows, to]`, overwritten.
///   - slope: `GELU′(u): [rows, to]`, overwritten: what the backward pass multiplies with; nil when there is none.
///   - input: `x: [rows, from]`.
///   - weight: `W: [from, to]`.
///   - bias: `b: [to]`.
///   - rows: number of rows.
///   - scratch: working memory of the calling worker.
public func linearGELUForward(
    output: FloatView, slope: FloatView?, input: FloatView, weight: PackedMatrix, bias: FloatView,
    rows: Int, scratch: ProductScratch
) {
    let to = requireSizes(output: output, input: input, weight: weight, bias: bias, rows: rows)
    let y = output.pointer
    let b = bias.pointer
    guard let slope else {
        product(input, rows: rows, weight, scratch: scratch) { row, column, count, sums in
            let u = sums + b.lanes(at: column, count: count)
            y.store(gelu(u).value, at: row * to + column, count: count)
        }
        return
    }
    precondition(slope.count >= rows * to)
    let s = slope.pointer
    product(input, rows: rows, weight, scratch: scratch) { row, column, count, sums in
        let at = row * to + column
        let (value, slope) = gelu(sums + b.lanes(at: column, count: count))
        y.store(value, at: at, count: count)
        s.store(slope, at: at, count: count)
    }
}

private func requireSizes(
    output: FloatView, input: FloatView, weight: PackedMatrix, bias: FloatView, rows: Int
) -> Int {
    precondition(output.count >= rows * weight.columns && input.count >= rows * weight.inner)
    precondition(bias.count == weight.columns)
    return weight.columns
}

/// The gradient of a linear map's input: `dx = dy · Wᵀ`, times a factor where the input went through a function of
/// its own.
///
/// - Parameters:
///   - dInput: `dx: [rows, from]`, overwritten.
///   - slope: `[rows, from]`, multiplied into the result: the GELU's; nil for none.
///   - dOutput: `dy: [rows, to]`.
///   - transposedWeight: `Wᵀ: [to, from]`.
///   - rows: number of rows.
///   - scratch: working memory of the calling worker.
public func linearInputGradient(
    dInput: FloatView, slope: FloatView? = nil, dOutput: FloatView, transposedWeight: PackedMatrix,
    rows: Int, scratch: ProductScratch
) {
    let from = transposedWeight.columns
    precondition(dInput.count >= rows * from && dOutput.count >= rows * transposedWeight.inner)
    let dx = dInput.pointer
    guard let slope else {
        product(dOutput, rows: rows, transposedWeight, scratch: scratch) {
            row, column, count, sums in
            dx.store(sums, at: row * from + column, count: count)
        }
        return
    }
    precondition(slope.count >= rows * from)
    let s = slope.pointer
    product(dOutput, rows: rows, transposedWeight, scratch: scratch) {
        row, column, count, sums in
        let at = row * from + column
        dx.store(sums * s.lanes(at: at, count: count), at: at, count: count)
    }
}
