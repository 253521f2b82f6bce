/// A linear map: `y = x · W + b`.
///
/// - Parameters:
///   - output: `y: [rows, to]`, overwritten.
///   - input: `x: [rows, from]`.
///   - weight: `W: [from, to]`.
///   - bias: `b: [to]`.
///   - rows: number of rows.
public func linearForward(
    output: FloatView, input: FloatView, weight: PackedMatrix, bias: FloatView, rows: Int
) {
    let to = requireSizes(output: output, input: input, weight: weight, bias: bias, rows: rows)
    let y = output.pointer
    let b = bias.pointer
    product(input.pointer, rows: rows, weight) { row, column, count, sums in
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
public func linearResidualForward(
    output: FloatView, residual: FloatView, input: FloatView, weight: PackedMatrix,
    bias: FloatView, rows: Int
) {
    let to = requireSizes(output: output, input: input, weight: weight, bias: bias, rows: rows)
    precondition(residual.count >= rows * to)
    let y = output.pointer
    let r = residual.pointer
    let b = bias.pointer
    product(input.pointer, rows: rows, weight) { row, column, count, sums in
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
public func linearGELUForward(
    output: FloatView, slope: FloatView?, input: FloatView, weight: PackedMatrix, bias: FloatView,
    rows: Int
) {
    let to = requireSizes(output: output, input: input, weight: weight, bias: bias, rows: rows)
    let y = output.pointer
    let b = bias.pointer
    guard let slope else {
        product(input.pointer, rows: rows, weight) { row, column, count, sums in
            let u = sums + b.lanes(at: column, count: count)
            y.store(gelu(u).value, at: row * to + column, count: count)
        }
        return
    }
    precondition(slope.count >= rows * to)
    let s = slope.pointer
    product(input.pointer, rows: rows, weight) { row, column, count, sums in
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
public func linearInputGradient(
    dInput: FloatView, slope: FloatView? = nil, dOutput: FloatView, transposedWeight: PackedMatrix,
    rows: Int
) {
    let from = transposedWeight.columns
    precondition(dInput.count >= rows * from && dOutput.count >= rows * transposedWeight.inner)
    let dx = dInput.pointer
    guard let slope else {
        product(dOutput.pointer, rows: rows, transposedWeight) { row, column, count, sums in
            dx.store(sums, at: row * from + column, count: count)
        }
        return
    }
    precondition(slope.count >= rows * from)
    let s = slope.pointer
    product(dOutput.pointer, rows: rows, transposedWeight) { row, column, count, sums in
        let at = row * from + column
        dx.store(sums * s.lanes(at: at, count: count), at: at, count: count)
    }
}

/// Working memory of ``addWeightGradient(dWeight:dBias:input:dOutput:rows:from:to:scratch:)``: the two factors of a
/// block of rows, packed.
public struct WeightGradientScratch: Sendable {
    /// Rows that are summed in registers before the gradient in memory is touched: a panel of them stays in the
    /// first cache.
    static let rowBlock = 192
    /// Columns of the input packed at a time: they stay in the second cache.
    static let inputBlock = 96
    let input: FloatView
    let dOutput: FloatView

    /// - Parameter largestWidth: largest `to` that will be used.
    public init(largestWidth: Int) {
        // A packed row is written as a whole vector, which is longer: room for the last one.
        input = FloatView(zeros: Self.rowBlock * Self.inputBlock + laneCount)
        dOutput = FloatView(zeros: Self.rowBlock * paddedToLanes(largestWidth))
    }
}

/// The gradients of a linear map's parameters: `dW += xᵀ · dy`, `db += Σ_row dy`.
///
/// - Parameters:
///   - dWeight: `dW: [from, to]`, added to.
///   - dBias: `db: [to]`, added to; nil for none.
///   - input: `x: [rows, from]`.
///   - dOutput: `dy: [rows, to]`.
///   - rows: number of rows.
///   - from: width of the input.
///   - to: width of the output.
///   - scratch: working memory of the calling worker.
public func addWeightGradient(
    dWeight: FloatView, dBias: FloatView?, input: FloatView, dOutput: FloatView, rows: Int,
    from: Int, to: Int, scratch: WeightGradientScratch
) {
    precondition(dWeight.count >= from * to && (dBias?.count ?? to) == to)
    precondition(input.count >= rows * from && dOutput.count >= rows * to)
    let rowBlock = WeightGradientScratch.rowBlock
    precondition(scratch.dOutput.count >= rowBlock * paddedToLanes(to))
    let inputBlock = WeightGradientScratch.inputBlock
    for firstRow in stride(from: 0, to: rows, by: rowBlock) {
        let count = min(rowBlock, rows - firstRow)
        packPanels(
            dOutput.pointer + firstRow * to, rows: count, width: to,
            into: scratch.dOutput.pointer, columnSums: dBias)
        for first in stride(from: 0, to: from, by: inputBlock) {
            let width = min(inputBlock, from - first)
            packStripes(
                input.pointer + firstRow * from + first, rows: count, width: width, stride: from,
                into: scratch.input.pointer)
            for column in stride(from: 0, to: to, by: laneCount) {
                let lanes = min(laneCount, to - column)
                for place in stride(from: 0, to: width, by: productTileRows) {
                    var tile = ProductTile()
                    tile.accumulate(
                        scratch.input.pointer + place * count, rowStride: 1,
                        stepStride: productTileRows,
                        panel: scratch.dOutput.pointer + column * count, steps: count)
                    let target = dWeight.pointer + (first + place) * to + column
                    tile.forEachRow(count: min(productTileRows, width - place)) { row, sums in
                        let before = target.lanes(at: row * to, count: lanes)
                        target.store(before + sums, at: row * to, count: lanes)
                    }
                }
            }
        }
    }
}

/// Packs `[rows, width]` into panels of sixteen columns, `[rows, 16]` each, and adds up the columns on the way.
private func packPanels(
    _ source: UnsafePointer<Float>, rows: Int, width: Int,
    into panels: UnsafeMutablePointer<Float>, columnSums: FloatView?
) {
    for column in stride(from: 0, to: width, by: laneCount) {
        let count = min(laneCount, width - column)
        let panel = panels + column * rows
        // Two running sums hide the latency of the addition; they are joined in a fixed order.
        var even = Lanes(repeating: 0)
        var odd = Lanes(repeating: 0)
        var row = 0
        while row + 2 <= rows {
            let first = source.lanes(at: row * width + column, count: count)
            let second = source.lanes(at: (row + 1) * width + column, count: count)
            panel.store(first, at: row * laneCount)
            panel.store(second, at: (row + 1) * laneCount)
            even += first
            odd += second
            row += 2
        }
        if row < rows {
            let last = source.lanes(at: row * width + column, count: count)
            panel.store(last, at: row * laneCount)
            even += last
        }
        if let total = columnSums?.pointer {
            total.store(
                total.lanes(at: column, count: count) + (even + odd), at: column, count: count)
        }
    }
}

/// Packs `[rows, width]`, rows `stride` apart, into stripes as wide as a tile is high; the last stripe is filled up
/// with zeros.
private func packStripes(
    _ source: UnsafePointer<Float>, rows: Int, width: Int, stride: Int,
    into stripes: UnsafeMutablePointer<Float>
) {
    for column in Swift.stride(from: 0, to: width, by: productTileRows) {
        let stripe = stripes + column * rows
        // Whole vectors are written, and what they hold too much is overwritten by the next row.
        if productTileRows == 6 && column + 8 <= width {
            for row in 0..<rows {
                let eight = UnsafeRawPointer(source + row * stride + column)
                    .loadUnaligned(as: SIMD8<Float>.self)
                UnsafeMutableRawPointer(stripe + row * productTileRows)
                    .storeBytes(of: eight, as: SIMD8<Float>.self)
            }
            continue
        }
        if column + laneCount <= width {
            for row in 0..<rows {
                stripe.store(source.lanes(at: row * stride + column), at: row * productTileRows)
            }
            continue
        }
        let count = min(productTileRows, width - column)
        for row in 0..<rows {
            let target = stripe + row * productTileRows
            for lane in 0..<count { target[lane] = source[row * stride + column + lane] }
            for lane in count..<productTileRows { target[lane] = 0 }
        }
    }
}
