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

    /// About how many numbers of four bytes weight gradients take whose right factor is laid out elsewhere.
    public static let stripeNumbers = rowBlock * inputBlock
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
    precondition(
        max(scratch.dOutput.count, scratch.dOutputPairs.count) >= room,
        "the scratch is narrower than \(to)")
    let blockRows = scratch.precision.blockRows
    for first in stride(from: 0, to: rows, by: blockRows) {
        let factors = GradientFactors(
            dWeight: dWeight.pointer, input: input.pointer + first * from,
            rows: min(blockRows, rows - first), from: from, to: to, inputs: inputs)
        let dy = UnsafePointer(dOutput.pointer + first * to)
        switch scratch.precision {
        case .fp32:
            let panels = scratch.dOutput.pointer
            factors.pack(dy, into: panels, columnSums: dBias)
            factors.add(stripes: scratch.input.pointer, panels: panels)
        case .bf16:
            let panels = scratch.dOutputPairs.pointer
            factors.pack(dy, into: panels, columnSums: dBias)
            factors.add(stripes: scratch.inputPairs.pointer, panels: panels)
        }
    }
}

/// As ``addWeightGradient(dWeight:dBias:input:dOutput:rows:from:to:inputs:scratch:)`` with a right factor that is laid out
/// already, to the same bits.
public func addWeightGradient(
    dWeight: FloatView, input: FloatView, dOutput: PackedColumns, rows: Int, from: Int, to: Int,
    inputs: Range<Int>, scratch: ProductScratch
) {
    precondition(inputs.lowerBound >= 0 && inputs.upperBound <= from, "\(inputs) of \(from) rows")
    precondition(dWeight.count >= from * to && input.count >= rows * from)
    precondition(scratch.precision == dOutput.precision, "scratch and factor differ in precision")
    let count = PackedColumns.operandCount(rows: rows, width: to, precision: scratch.precision)
    precondition(max(dOutput.numbers.count, dOutput.pairs.count) >= count, "too small a factor")
    precondition(
        max(scratch.input.count, scratch.inputPairs.count) > 0, "a scratch without gradients")
    let blockRows = scratch.precision.blockRows
    for first in stride(from: 0, to: rows, by: blockRows) {
        let factors = GradientFactors(
            dWeight: dWeight.pointer, input: input.pointer + first * from,
            rows: min(blockRows, rows - first), from: from, to: to, inputs: inputs)
        let place = PackedColumns.operandCount(
            rows: first, width: to, precision: scratch.precision)
        switch scratch.precision {
        case .fp32:
            factors.add(
                stripes: scratch.input.pointer, panels: dOutput.numbers.pointer + place)
        case .bf16:
            factors.add(
                stripes: scratch.inputPairs.pointer, panels: dOutput.pairs.pointer + place)
        }
    }
}

/// One block of rows of the factors of a weight gradient: its sums stay in registers.
private struct GradientFactors {
    let dWeight: UnsafeMutablePointer<Float>
    /// `x: [rows, from]`.
    let input: UnsafePointer<Float>
    let rows, from, to: Int
    /// The rows of `dW` that are computed.
    let inputs: Range<Int>

    /// Lays out `dy: [rows, to]`, and adds up its columns on the way.
    @inline(__always)
    func pack<Number: ProductOperand>(
        _ dOutput: UnsafePointer<Float>, into panels: UnsafeMutablePointer<Number>,
        columnSums: FloatView?
    ) {
        let steps = (rows + Number.numbers - 1) / Number.numbers
        for column in stride(from: 0, to: to, by: laneCount) {
            packPanel(
                dOutput, rows: rows, width: to, column: column, into: panels + column * steps,
                columnSums: columnSums)
        }
    }

    /// `dW += xᵀ · dy`, with x packed into `stripes` a few columns at a time.
    @inline(__always)
    func add<Number: ProductOperand>(
        stripes: UnsafeMutablePointer<Number>, panels: UnsafeMutablePointer<Number>
    ) {
        for first in stride(
            from: inputs.lowerBound, to: inputs.upperBound, by: ProductScratch.inputBlock)
        {
            let width = min(ProductScratch.inputBlock, inputs.upperBound - first)
            Number.packStripes(
                input + first, rows: rows, width: width, stride: from, into: stripes)
            addProducts(
                dWeight + first * to, stripes: stripes, width: width, panels: panels, to: to,
                steps: (rows + Number.numbers - 1) / Number.numbers)
        }
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
