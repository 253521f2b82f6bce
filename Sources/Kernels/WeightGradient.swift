import CVector

/// Working memory of one worker's products: what is packed or rounded for one call.
public struct ProductScratch: Sendable {
    /// Operands that are summed in registers before the gradient in memory is touched: a panel of them stays in the first cache.
    static let rowBlock = 256
    /// Columns of the input packed at a time: they stay in the second cache.
    static let inputBlock = 96
    /// What operands are rounded to.
    var precision: ProductPrecision { factor.precision }
    /// The left factor of a product.
    let factor: PackedRows
    /// The two factors of a weight gradient.
    let input, dOutput: OperandBuffer

    /// - Parameters:
    ///   - precision: what the operands of products are rounded to.
    ///   - rows: largest number of rows that will be used.
    ///   - largestWidth: largest width of an input or output that will be used.
    ///   - forTraining: whether weight gradients will be asked for.
    public init(
        precision: ProductPrecision = .fp32, rows: Int, largestWidth: Int, forTraining: Bool = true
    ) {
        let inputCount = Self.stripeNumbers
        let outputCount = Self.rowBlock * paddedToLanes(largestWidth)
        factor = PackedRows(
            count: PackedRows.operandCount(
                rows: rows, width: largestWidth, precision: precision), precision: precision)
        input = OperandBuffer(count: forTraining ? inputCount : 0, precision: precision)
        dOutput = OperandBuffer(count: forTraining ? outputCount : 0, precision: precision)
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
        scratch.dOutput.count >= room,
        "the scratch is narrower than \(to)")
    let blockRows = scratch.precision.blockRows
    for first in stride(from: 0, to: rows, by: blockRows) {
        let factors = GradientFactors(
            dWeight: dWeight.pointer, input: input.pointer + first * from,
            rows: min(blockRows, rows - first), from: from, to: to, inputs: inputs)
        let dy = UnsafePointer(dOutput.pointer + first * to)
        switch scratch.precision {
        case .fp32:
            let panels = scratch.dOutput.numbers.pointer
            factors.pack(dy, into: panels, columnSums: dBias)
            factors.add(stripes: scratch.input.numbers.pointer, panels: panels)
        case .bf16:
            let panels = scratch.dOutput.pairs.pointer
            factors.pack(dy, into: panels, columnSums: dBias)
            factors.add(stripes: scratch.input.pairs.pointer, panels: panels)
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
    precondition(dOutput.operands.count >= count, "too small a factor")
    precondition(
        scratch.input.count > 0, "a scratch without gradients")
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
                stripes: scratch.input.numbers.pointer,
                panels: dOutput.operands.numbers.pointer + place)
        case .bf16:
            factors.add(
                stripes: scratch.input.pairs.pointer, panels: dOutput.operands.pairs.pointer + place
            )
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
            packStripes(
                input + first, rows: rows, width: width, available: from - first, stride: from,
                into: stripes)
            let block = PackedFactors(
                stripes: UnsafePointer(stripes), panels: UnsafePointer(panels), width: width,
                steps: (rows + Number.numbers - 1) / Number.numbers)
            block.add(to: dWeight + first * to, of: to)
        }
    }
}

/// The factors of one block of rows, packed.
private struct PackedFactors<Number: ProductOperand> {
    let stripes: UnsafePointer<Number>
    let panels: UnsafePointer<Number>
    /// Rows of the gradient.
    let width: Int
    /// Operands of a sum.
    let steps: Int

    /// Adds the products to rows of a gradient of `columns` columns.
    @inline(__always)
    func add(to gradient: UnsafeMutablePointer<Float>, of columns: Int) {
        let paired = usesTilePairs ? columns / (2 * laneCount) * (2 * laneCount) : 0
        for column in stride(from: 0, to: paired, by: 2 * laneCount) {
            for place in stride(from: 0, to: width, by: productTileRows) {
                addPair(to: gradient, place, column, of: columns)
            }
        }
        for column in stride(from: paired, to: columns, by: laneCount) {
            for place in stride(from: 0, to: width, by: productTileRows) {
                addTile(to: gradient, place, column, of: columns)
            }
        }
    }

    @inline(__always)
    private func addPair(
        to gradient: UnsafeMutablePointer<Float>, _ place: Int, _ column: Int, of columns: Int
    ) {
        let target = gradient + place * columns + column
        let count = min(productTileRows, width - place)
        for row in 0..<count {
            sandbox_prefetch_for_writing(target + row * columns)
            sandbox_prefetch_for_writing(target + row * columns + laneCount)
        }
        var pair = TilePair()
        pair.accumulate(
            stripes + place * steps, rowStride: 1, stepStride: productTileRows,
            panel: panels + column * steps, distance: laneCount * steps, steps: steps)
        pair.left.forEachRow(count: count) { row, sums in
            target.store(target.lanes(at: row * columns) + sums, at: row * columns)
        }
        pair.right.forEachRow(count: count) { row, sums in
            let at = row * columns + laneCount
            target.store(target.lanes(at: at) + sums, at: at)
        }
    }

    @inline(__always)
    private func addTile(
        to gradient: UnsafeMutablePointer<Float>, _ place: Int, _ column: Int, of columns: Int
    ) {
        var tile = ProductTile()
        tile.accumulate(
            stripes + place * steps, rowStride: 1, stepStride: productTileRows,
            panel: panels + column * steps, steps: steps)
        let target = gradient + place * columns + column
        let lanes = min(laneCount, columns - column)
        tile.forEachRow(count: min(productTileRows, width - place)) { row, sums in
            let before = target.lanes(at: row * columns, count: lanes)
            target.store(before + sums, at: row * columns, count: lanes)
        }
    }
}
