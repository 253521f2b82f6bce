/// Working memory of one worker's products with stored matrices: a panel of sixteen outputs, or inputs, in fp32.
public struct PanelScratch: Sendable {
    let panel: FloatView

    /// - Parameter longest: largest number of rows or columns of the matrices that will be used.
    public init(longest: Int) { panel = FloatView(zeros: longest * laneCount) }
}

/// Up to this many rows a product reads the matrix row by row, as sums of products: what is read once needs no panel.
private let dottedRows = 4

/// `y = x · Wᵀ + b` for some of the outputs, onto what is given to add.
///
/// A sum runs over the inputs in one order whatever the outputs and the number of rows, but for products of up to four
/// rows, which are summed in sixteen parts.
///
/// - Parameters:
///   - output: `y: [rows, W.rows]`, overwritten at the columns `outputs`.
///   - input: `x: [rows, W.columns]`.
///   - weight: `W`: one row for each output.
///   - bias: `b: [W.rows]`; nil for none.
///   - adding: `[rows, W.rows]`, added to the result; may be `output` itself; nil for none.
///   - rows: number of rows.
///   - outputs: which outputs, so that workers can share them.
///   - scratch: working memory of the calling worker.
public func storedLinearForward(
    output: FloatView, input: FloatView, weight: StoredMatrix, bias: FloatView?,
    adding: FloatView? = nil, rows: Int, outputs: Range<Int>, scratch: PanelScratch
) {
    let to = weight.rows
    precondition(output.count >= rows * to && (adding?.count ?? .max) >= rows * to)
    precondition(input.count >= rows * weight.columns && (bias?.count ?? to) == to)
    precondition(outputs.lowerBound >= 0 && outputs.upperBound <= to)
    precondition(scratch.panel.count >= weight.columns * laneCount, "the panel is too short")
    let y = output.pointer
    let b = bias?.pointer
    let before = adding?.pointer
    @inline(__always)
    func finish(_ row: Int, _ column: Int, _ count: Int, _ sums: Lanes) {
        let at = row * to + column
        var sums = sums
        if let b { sums += b.lanes(at: column, count: count) }
        if let before { sums += before.lanes(at: at, count: count) }
        y.store(sums, at: at, count: count)
    }
    switch weight.element {
    case .float32:
        forward(
            Float32Reader(base: weight.base), input.pointer, weight, rows, outputs,
            scratch.panel.pointer, finish)
    case .float16:
        forward(
            Float16Reader(base: weight.base), input.pointer, weight, rows, outputs,
            scratch.panel.pointer, finish)
    case .bfloat16:
        forward(
            BFloat16Reader(base: weight.base), input.pointer, weight, rows, outputs,
            scratch.panel.pointer, finish)
    }
}

@inline(__always)
private func forward(
    _ elements: some ElementReader, _ x: UnsafePointer<Float>, _ weight: StoredMatrix, _ rows: Int,
    _ outputs: Range<Int>, _ panel: UnsafeMutablePointer<Float>,
    _ finish: (_ row: Int, _ column: Int, _ count: Int, _ sums: Lanes) -> Void
) {
    let inner = weight.columns
    for column in stride(from: outputs.lowerBound, to: outputs.upperBound, by: laneCount) {
        let count = min(laneCount, outputs.upperBound - column)
        if rows <= dottedRows {
            for row in 0..<rows {
                finish(
                    row, column, count,
                    dotProducts(elements, x + row * inner, inner, first: column, count: count))
            }
        } else {
            packTransposed(elements, first: column, count: count, inner: inner, into: panel)
            panelProducts(x, rows: rows, inner: inner, panel: panel) {
                finish($0, column, count, $1)
            }
        }
    }
}

/// `dx = dy · W` for some of the inputs, onto what is given to add: the gradient of a linear map's input.
///
/// - Parameters:
///   - dInput: `dx: [rows, W.columns]`, overwritten at the columns `inputs`.
///   - dOutput: `dy: [rows, W.rows]`.
///   - weight: `W`: one row for each output.
///   - adding: `[rows, W.columns]`, added to the result; may be `dInput` itself; nil for none.
///   - rows: number of rows.
///   - inputs: which inputs, so that workers can share them.
///   - scratch: working memory of the calling worker.
public func storedLinearInputGradient(
    dInput: FloatView, dOutput: FloatView, weight: StoredMatrix, adding: FloatView? = nil,
    rows: Int, inputs: Range<Int>, scratch: PanelScratch
) {
    let from = weight.columns
    precondition(dInput.count >= rows * from && (adding?.count ?? .max) >= rows * from)
    precondition(dOutput.count >= rows * weight.rows)
    precondition(inputs.lowerBound >= 0 && inputs.upperBound <= from)
    precondition(scratch.panel.count >= weight.rows * laneCount, "the panel is too short")
    let panel = scratch.panel.pointer
    let dx = dInput.pointer
    let before = adding?.pointer
    for column in stride(from: inputs.lowerBound, to: inputs.upperBound, by: laneCount) {
        let count = min(laneCount, inputs.upperBound - column)
        switch weight.element {
        case .float32: packColumns(Float32Reader(base: weight.base), weight, column, count, panel)
        case .float16: packColumns(Float16Reader(base: weight.base), weight, column, count, panel)
        case .bfloat16:
            packColumns(BFloat16Reader(base: weight.base), weight, column, count, panel)
        }
        panelProducts(dOutput.pointer, rows: rows, inner: weight.rows, panel: panel) { row, sums in
            let at = row * from + column
            let total = before.map { sums + $0.lanes(at: at, count: count) } ?? sums
            dx.store(total, at: at, count: count)
        }
    }
}

/// Sixteen columns of a matrix, `[rows, 16]`; those that do not exist become 0.
@inline(__always)
private func packColumns(
    _ elements: some ElementReader, _ weight: StoredMatrix, _ first: Int, _ count: Int,
    _ panel: UnsafeMutablePointer<Float>
) {
    for row in 0..<weight.rows {
        panel.store(
            elements.lanes(at: row * weight.columns + first, count: count), at: row * laneCount)
    }
}

/// Sixteen rows of a matrix as columns, `[inner, 16]`; those that do not exist become 0.
@inline(__always)
private func packTransposed(
    _ elements: some ElementReader, first: Int, count: Int, inner: Int,
    into panel: UnsafeMutablePointer<Float>
) {
    if count < laneCount { panel.update(repeating: 0, count: inner * laneCount) }
    let whole = inner / laneCount * laneCount
    for lane in 0..<count {
        let row = (first + lane) * inner
        for step in stride(from: 0, to: whole, by: laneCount) {
            let numbers = elements.lanes(at: row + step)
            let target = panel + step * laneCount + lane
            for place in 0..<laneCount { target[place * laneCount] = numbers[place] }
        }
        for step in whole..<inner {
            panel[step * laneCount + lane] = elements.value(at: row + step)
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

/// `A · panel` for a panel of sixteen columns, in tiles of rows; every row is handed to `finish` once.
@inline(__always)
private func panelProducts(
    _ a: UnsafePointer<Float>, rows: Int, inner: Int, panel: UnsafePointer<Float>,
    finish: (_ row: Int, _ sums: Lanes) -> Void
) {
    var next = 0
    while rows >= productTileRows && next < rows {
        let first = min(next, rows - productTileRows)
        var tile = ProductTile()
        tile.accumulate(
            a + first * inner, rowStride: inner, stepStride: 1, panel: panel, steps: inner)
        // The last tile overlaps the one before it.
        tile.forEachRow { if first + $0 >= next { finish(first + $0, $1) } }
        next = first + productTileRows
    }
    while rows >= 6 && next < rows {
        let first = min(next, rows - 6)
        var six = SixRows()
        for step in 0..<inner {
            six.addProducts(
                a + first * inner + step, rowStride: inner, panel.lanes(at: step * laneCount))
        }
        six.forEachRow(count: 6, from: first) { if $0 >= next { finish($0, $1) } }
        next = first + 6
    }
    for row in next..<rows {
        var sums = Lanes(repeating: 0)
        for step in 0..<inner {
            sums.addProduct(
                Lanes(repeating: a[row * inner + step]), panel.lanes(at: step * laneCount))
        }
        finish(row, sums)
    }
}
