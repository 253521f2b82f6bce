/// Up to this many rows a product in fp32 reads the matrix row by row, as sums of products: what is read once needs no
/// panel.
public let fewRows = 4

/// `y = x · Wᵀ + b` for some of the outputs, onto what is given to add.
///
/// A sum runs over the inputs in one order whatever the outputs and the number of rows.
///
/// - Parameters:
///   - output: `y: [rows, W.rows]`, overwritten at the columns `outputs`.
///   - input: `x: [rows, W.columns]`; its precision is that of the product.
///   - weight: `W`: one row for each output.
///   - bias: `b: [W.rows]`; nil for none.
///   - adding: `[rows, W.rows]`, added to the result; may be `output` itself; nil for none.
///   - rows: which rows, so that workers can share them; they begin with a stripe.
///   - outputs: which outputs, so that workers can share them.
///   - scratch: working memory of the calling worker, of the product's precision.
public func storedLinearForward(
    output: FloatView, input: PackedRows, weight: StoredMatrix, bias: FloatView?,
    adding: FloatView? = nil, rows: Range<Int>, outputs: Range<Int>, scratch: PanelScratch
) {
    precondition(outputs.lowerBound >= 0 && outputs.upperBound <= weight.rows)
    let ending = ProductEnding(
        output: output, bias: bias, adding: adding, rows: rows, width: weight.rows)
    product(input, inner: weight.columns, ending, outputs, scratch) { outputs, steps in
        switch weight.element {
        case .float32:
            packTransposed(Float32Reader(base: weight.base), weight, outputs, steps, scratch)
        case .float16:
            packTransposed(Float16Reader(base: weight.base), weight, outputs, steps, scratch)
        case .bfloat16:
            packTransposed(BFloat16Reader(base: weight.base), weight, outputs, steps, scratch)
        }
    }
}

/// As ``storedLinearForward(output:input:weight:bias:adding:rows:outputs:scratch:)`` in fp32 for a few rows: a sum is made of
/// sixteen parts, and nothing is laid out.
public func storedLinearForwardOfFew(
    output: FloatView, input: FloatView, weight: StoredMatrix, bias: FloatView?,
    adding: FloatView? = nil, rows: Int, outputs: Range<Int>
) {
    precondition(outputs.lowerBound >= 0 && outputs.upperBound <= weight.rows)
    precondition(input.count >= rows * weight.columns)
    let ending = ProductEnding(
        output: output, bias: bias, adding: adding, rows: 0..<rows, width: weight.rows)
    switch weight.element {
    case .float32:
        dotProducts(Float32Reader(base: weight.base), weight, input, ending, outputs)
    case .float16:
        dotProducts(Float16Reader(base: weight.base), weight, input, ending, outputs)
    case .bfloat16:
        dotProducts(BFloat16Reader(base: weight.base), weight, input, ending, outputs)
    }
}

/// `dx = dy · W` for some of the inputs, onto what is given to add: the gradient of a linear map's input.
///
/// - Parameters:
///   - dInput: `dx: [rows, W.columns]`, overwritten at the columns `inputs`.
///   - dOutput: `dy: [rows, W.rows]`; its precision is that of the product.
///   - weight: `W`: one row for each output.
///   - adding: `[rows, W.columns]`, added to the result; may be `dInput` itself; nil for none.
///   - rows: which rows, so that workers can share them; they begin with a stripe.
///   - inputs: which inputs, so that workers can share them.
///   - scratch: working memory of the calling worker, of the product's precision.
public func storedLinearInputGradient(
    dInput: FloatView, dOutput: PackedRows, weight: StoredMatrix, adding: FloatView? = nil,
    rows: Range<Int>, inputs: Range<Int>, scratch: PanelScratch
) {
    precondition(inputs.lowerBound >= 0 && inputs.upperBound <= weight.columns)
    let ending = ProductEnding(
        output: dInput, bias: nil, adding: adding, rows: rows, width: weight.columns)
    product(dOutput, inner: weight.rows, ending, inputs, scratch) { inputs, steps in
        switch weight.element {
        case .float32:
            packColumns(Float32Reader(base: weight.base), weight, inputs, steps, scratch)
        case .float16:
            packColumns(Float16Reader(base: weight.base), weight, inputs, steps, scratch)
        case .bfloat16:
            packColumns(BFloat16Reader(base: weight.base), weight, inputs, steps, scratch)
        }
    }
}

/// What becomes of a product's sums.
private struct ProductEnding {
    let output: UnsafeMutablePointer<Float>
    let bias, before: UnsafePointer<Float>?
    let rows: Range<Int>
    let width: Int

    init(output: FloatView, bias: FloatView?, adding: FloatView?, rows: Range<Int>, width: Int) {
        let count = rows.upperBound * width
        precondition(output.count >= count && (adding?.count ?? .max) >= count)
        precondition((bias?.count ?? width) == width)
        self.output = output.pointer
        self.bias = bias.map { UnsafePointer($0.pointer) }
        before = adding.map { UnsafePointer($0.pointer) }
        self.rows = rows
        self.width = width
    }

    @inline(__always)
    func take(_ row: Int, _ column: Int, _ count: Int, _ sums: Lanes) {
        let at = row * width + column
        var sums = sums
        if let bias { sums += bias.lanes(at: column, count: count) }
        if let before { sums += before.lanes(at: at, count: count) }
        output.store(sums, at: at, count: count)
    }
}

/// The columns `columns` of a product whose right-hand panels `pack` lays out in the scratch: some columns, of some steps of the
/// sums.
private func product(
    _ factor: PackedRows, inner: Int, _ ending: ProductEnding, _ columns: Range<Int>,
    _ scratch: PanelScratch,
    pack: (_ columns: Range<Int>, _ steps: Range<Int>) -> Void
) {
    precondition(factor.precision == scratch.precision, "factor and scratch differ in precision")
    precondition(
        scratch.sums.count >= paddedToTiles(ending.rows.count) * PanelScratch.columns,
        "the scratch holds fewer rows")
    switch factor.precision {
    case .fp32:
        product(
            factor.operands.numbers, inner, ending, columns, scratch,
            UnsafePointer(scratch.panels.numbers.pointer),
            pack)
    case .bf16:
        product(
            factor.operands.pairs, inner, ending, columns, scratch,
            UnsafePointer(scratch.panels.pairs.pointer),
            pack)
    }
}

@inline(__always)
private func product<Number: ProductOperand>(
    _ factor: BufferView<Number>, _ inner: Int, _ ending: ProductEnding, _ columns: Range<Int>,
    _ scratch: PanelScratch, _ panels: UnsafePointer<Number>,
    _ pack: (Range<Int>, Range<Int>) -> Void
) {
    let rows = ending.rows
    let total = (inner + Number.numbers - 1) / Number.numbers
    precondition(
        factor.count >= paddedToTiles(rows.upperBound) * total, "too few rows are laid out")
    precondition(rows.lowerBound.isMultiple(of: productTileRows), "\(rows) begins within a stripe")
    guard !columns.isEmpty else { return }
    // Groups of columns are of one width, nearly, and so are stretches of steps.
    let groups = (columns.count + PanelScratch.columns - 1) / PanelScratch.columns
    let width =
        (columns.count + 2 * laneCount * groups - 1) / (2 * laneCount * groups) * 2 * laneCount
    let most = min(PanelScratch.stretch, PanelScratch.room / width)
    let stretches = (total + most - 1) / most
    let longest = (total + stretches - 1) / stretches
    precondition(width <= PanelScratch.columns && width * longest <= PanelScratch.room)
    let sums = scratch.sums.pointer
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: width) {
        let count = min(width, columns.upperBound - column)
        for first in stride(from: 0, to: total, by: longest) {
            let steps = min(longest, total - first)
            let isLast = first + steps == total
            let numbers = first * Number.numbers..<min(inner, (first + steps) * Number.numbers)
            pack(column..<column + count, numbers)
            let before = first > 0 ? UnsafePointer(sums) : nil
            for row in stride(from: rows.lowerBound, to: rows.upperBound, by: productTileRows) {
                let stripe = UnsafePointer(factor.pointer) + row * total + first * productTileRows
                let tile = StripeTile(
                    stripe: stripe, steps: steps, panels: panels, count: count,
                    before: before.map { $0 + (row - rows.lowerBound) * PanelScratch.columns },
                    beforeStride: PanelScratch.columns,
                    next: row + productTileRows < rows.upperBound
                        ? stripe + productTileRows * total : nil)
                let tileRows = min(productTileRows, rows.upperBound - row)
                if isLast {
                    tile.multiply(rows: tileRows) {
                        ending.take(row + $0, column + $1, $2, $3)
                    }
                } else {
                    let target = sums + (row - rows.lowerBound) * PanelScratch.columns
                    tile.multiply(rows: tileRows) {
                        target.store($3, at: $0 * PanelScratch.columns + $1)
                    }
                }
            }
        }
    }
}

// MARK: Few rows

@inline(__always)
private func dotProducts(
    _ elements: some ElementReader, _ weight: StoredMatrix, _ input: FloatView,
    _ ending: ProductEnding, _ columns: Range<Int>
) {
    let inner = weight.columns
    for column in stride(from: columns.lowerBound, to: columns.upperBound, by: laneCount) {
        let count = min(laneCount, columns.upperBound - column)
        for row in ending.rows {
            ending.take(
                row, column, count,
                dotProducts(
                    elements, input.pointer + row * inner, inner, first: column, count: count))
        }
    }
}

/// `Σ_j x_j W[first + lane, j]` for up to sixteen rows of W; the other lanes are 0.
@inline(__always)
private func dotProducts(
    _ elements: some ElementReader, _ x: UnsafePointer<Float>, _ inner: Int, first: Int, count: Int
) -> Lanes {
    var result = Lanes(repeating: 0)
    for lane in stride(from: 0, to: count, by: 4) {
        // Four rows at a time hide the latency of the sums and share what is read of x; a row that does not exist
        // repeats the last one.
        @inline(__always)
        func start(_ offset: Int) -> Int { (first + min(lane + offset, count - 1)) * inner }
        let (row0, row1, row2, row3) = (start(0), start(1), start(2), start(3))
        var (sum0, sum1) = (Lanes(repeating: 0), Lanes(repeating: 0))
        var (sum2, sum3) = (Lanes(repeating: 0), Lanes(repeating: 0))
        for column in stride(from: 0, to: inner / laneCount * laneCount, by: laneCount) {
            let numbers = x.lanes(at: column)
            sum0.addProduct(numbers, elements.lanes(at: row0 + column))
            sum1.addProduct(numbers, elements.lanes(at: row1 + column))
            sum2.addProduct(numbers, elements.lanes(at: row2 + column))
            sum3.addProduct(numbers, elements.lanes(at: row3 + column))
        }
        let rest = inner % laneCount
        if rest > 0 {
            let column = inner - rest
            let numbers = x.partialLanes(at: column, count: rest)
            sum0.addProduct(numbers, elements.lanes(at: row0 + column, count: rest))
            sum1.addProduct(numbers, elements.lanes(at: row1 + column, count: rest))
            sum2.addProduct(numbers, elements.lanes(at: row2 + column, count: rest))
            sum3.addProduct(numbers, elements.lanes(at: row3 + column, count: rest))
        }
        result[lane] = sum0.total
        if lane + 1 < count { result[lane + 1] = sum1.total }
        if lane + 2 < count { result[lane + 2] = sum2.total }
        if lane + 3 < count { result[lane + 3] = sum3.total }
    }
    return result
}
