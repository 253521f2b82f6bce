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

/// Working memory of one worker's products: what is packed or rounded for one call.
public struct ProductScratch: Sendable {
    /// Operands that are summed in registers before the gradient in memory is touched: a panel of them stays in the first cache.
    static let rowBlock = 256
    /// Columns of the input packed at a time: they stay in the second cache.
    static let inputBlock = 96
    /// What operands are rounded to.
    let precision: ProductPrecision
    /// The left factor of a product.
    let factor: PackedRows
    /// The two factors of a weight gradient, in fp32 or in pairs.
    let input, dOutput: FloatView
    let inputPairs, dOutputPairs: BufferView<UInt32>

    /// - Parameters:
    ///   - precision: what the operands of products are rounded to.
    ///   - rows: largest number of rows that will be used.
    ///   - largestWidth: largest width of an input or output that will be used.
    ///   - forTraining: whether weight gradients will be asked for.
    public init(
        precision: ProductPrecision = .fp32, rows: Int, largestWidth: Int, forTraining: Bool = true
    ) {
        self.precision = precision
        // A packed row is written as a whole vector, which is longer, and rows two at a time: room for the last ones.
        let inputCount = Self.rowBlock * Self.inputBlock + laneCount
        let outputCount = Self.rowBlock * paddedToLanes(largestWidth) + laneCount
        let floats = forTraining && precision == .fp32
        let pairs = forTraining && precision == .bf16
        factor = PackedRows(
            count: PackedRows.operandCount(
                rows: rows, width: largestWidth, precision: precision), precision: precision)
        input = FloatView(zeros: floats ? inputCount : 0)
        dOutput = FloatView(zeros: floats ? outputCount : 0)
        inputPairs = BufferView(zeros: pairs ? inputCount : 0)
        dOutputPairs = BufferView(zeros: pairs ? outputCount : 0)
    }

    /// About how many numbers of four bytes weight gradients take.
    public static func numbers(largestWidth: Int) -> Int { rowBlock * (largestWidth + inputBlock) }
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
///   - inputs: the rows of `dW` that are computed, so that workers can share them; all when nil.
///   - scratch: working memory of the calling worker.
public func addWeightGradient(
    dWeight: FloatView, dBias: FloatView?, input: FloatView, dOutput: FloatView, rows: Int,
    from: Int, to: Int, inputs: Range<Int>? = nil, scratch: ProductScratch
) {
    let inputs = inputs ?? 0..<from
    precondition(inputs.lowerBound >= 0 && inputs.upperBound <= from, "\(inputs) of \(from) rows")
    precondition(dWeight.count >= from * to && (dBias?.count ?? to) == to)
    precondition(input.count >= rows * from && dOutput.count >= rows * to)
    let room = ProductScratch.rowBlock * paddedToLanes(to)
    let blockRows = ProductScratch.rowBlock * (scratch.precision == .fp32 ? 1 : 2)
    for first in stride(from: 0, to: rows, by: blockRows) {
        let block = (
            x: UnsafePointer(input.pointer + first * from),
            dy: UnsafePointer(dOutput.pointer + first * to),
            rows: min(blockRows, rows - first)
        )
        switch scratch.precision {
        case .fp32:
            precondition(scratch.dOutput.count >= room, "the scratch is narrower than \(to)")
            addBlock(
                dWeight.pointer, dBias, x: block.x, dy: block.dy, rows: block.rows, from: from,
                to: to, inputs: inputs, stripes: scratch.input.pointer,
                panels: scratch.dOutput.pointer)
        case .bf16:
            precondition(
                scratch.dOutputPairs.count >= room, "the scratch is narrower than \(to)")
            addBlock(
                dWeight.pointer, dBias, x: block.x, dy: block.dy, rows: block.rows, from: from,
                to: to, inputs: inputs, stripes: scratch.inputPairs.pointer,
                panels: scratch.dOutputPairs.pointer)
        }
    }
}

/// ``addWeightGradient(dWeight:dBias:input:dOutput:rows:from:to:inputs:scratch:)`` for one block of rows, packed into `stripes`
/// and `panels`.
@inline(__always)
private func addBlock<Number: ProductOperand>(
    _ dWeight: UnsafeMutablePointer<Float>, _ dBias: FloatView?, x: UnsafePointer<Float>,
    dy: UnsafePointer<Float>, rows: Int, from: Int, to: Int, inputs: Range<Int>,
    stripes: UnsafeMutablePointer<Number>, panels: UnsafeMutablePointer<Number>
) {
    packPanels(dy, rows: rows, width: to, into: panels, columnSums: dBias)
    for first in stride(
        from: inputs.lowerBound, to: inputs.upperBound, by: ProductScratch.inputBlock)
    {
        let width = min(ProductScratch.inputBlock, inputs.upperBound - first)
        Number.packStripes(x + first, rows: rows, width: width, stride: from, into: stripes)
        addProducts(
            dWeight + first * to, stripes: stripes, width: width, panels: panels, to: to,
            steps: (rows + Number.numbers - 1) / Number.numbers)
    }
}

/// `dW += xᵀ · dy` for `width` rows of `dW` from factors that are packed.
@inline(__always)
private func addProducts<Number: ProductOperand>(
    _ dWeight: UnsafeMutablePointer<Float>, stripes: UnsafeMutablePointer<Number>, width: Int,
    panels: UnsafeMutablePointer<Number>, to: Int, steps: Int
) {
    let paired = usesTilePairs ? to / (2 * laneCount) * (2 * laneCount) : 0
    for column in stride(from: 0, to: paired, by: 2 * laneCount) {
        for place in stride(from: 0, to: width, by: productTileRows) {
            var pair = TilePair()
            pair.accumulate(
                UnsafePointer(stripes + place * steps), rowStride: 1, stepStride: productTileRows,
                panel: UnsafePointer(panels + column * steps), distance: laneCount * steps,
                steps: steps)
            let target = dWeight + place * to + column
            let rows = min(productTileRows, width - place)
            pair.left.forEachRow(count: rows) { row, sums in
                target.store(target.lanes(at: row * to) + sums, at: row * to)
            }
            pair.right.forEachRow(count: rows) { row, sums in
                let at = row * to + laneCount
                target.store(target.lanes(at: at) + sums, at: at)
            }
        }
    }
    for column in stride(from: paired, to: to, by: laneCount) {
        for place in stride(from: 0, to: width, by: productTileRows) {
            var tile = ProductTile()
            tile.accumulate(
                UnsafePointer(stripes + place * steps), rowStride: 1,
                stepStride: productTileRows, panel: UnsafePointer(panels + column * steps),
                steps: steps)
            let target = dWeight + place * to + column
            let lanes = min(laneCount, to - column)
            tile.forEachRow(count: min(productTileRows, width - place)) { row, sums in
                let before = target.lanes(at: row * to, count: lanes)
                target.store(before + sums, at: row * to, count: lanes)
            }
        }
    }
}

/// Packs `[rows, width]` into panels of sixteen columns, `[rows, 16]` each (pairs of rows in bf16), and adds up the
/// columns on the way.
@inline(__always)
private func packPanels<Number: ProductOperand>(
    _ source: UnsafePointer<Float>, rows: Int, width: Int,
    into panels: UnsafeMutablePointer<Number>, columnSums: FloatView?
) {
    let steps = (rows + Number.numbers - 1) / Number.numbers
    for column in stride(from: 0, to: width, by: laneCount) {
        let count = min(laneCount, width - column)
        let panel = panels + column * steps
        // Two running sums hide the latency of the addition; they are joined in a fixed order.
        var even = Lanes(repeating: 0)
        var odd = Lanes(repeating: 0)
        for row in stride(from: 0, to: rows, by: 2) {
            let first = source.lanes(at: row * width + column, count: count)
            let second =
                row + 1 < rows
                ? source.lanes(at: (row + 1) * width + column, count: count)
                : Lanes(repeating: 0)
            Number.pack(first, second, into: panel + row / Number.numbers * laneCount)
            even += first
            odd += second
        }
        if let total = columnSums?.pointer {
            total.store(
                total.lanes(at: column, count: count) + (even + odd), at: column, count: count)
        }
    }
}

extension Float {
    /// Packs `[rows, width]`, rows `stride` apart, into stripes as wide as a tile is high; the last stripe is filled up
    /// with zeros.
    static func packStripes(
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
}

extension UInt32 {
    /// In pairs of rows.
    static func packStripes(
        _ source: UnsafePointer<Float>, rows: Int, width: Int, stride: Int,
        into stripes: UnsafeMutablePointer<UInt32>
    ) {
        let steps = (rows + 1) / 2
        for column in Swift.stride(from: 0, to: width, by: productTileRows) {
            let count = Swift.min(laneCount, width - column)
            let stripe = stripes + column * steps
            for row in Swift.stride(from: 0, to: rows, by: 2) {
                let from = source + row * stride + column
                let first = from.lanes(at: 0, count: count)
                let second =
                    row + 1 < rows ? from.lanes(at: stride, count: count) : Lanes(repeating: 0)
                // Whole vectors are written, and what they hold too much is overwritten by the next pair.
                stripe.store(first.bf16Pairs(with: second), at: row / 2 * productTileRows)
            }
        }
    }
}
