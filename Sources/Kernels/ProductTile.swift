import CVector

/// Rows of a ``ProductTile``: 12 sums of 512 bits, or 6 pairs of 256, are what hides the latency of the products and
/// still fits the registers.
let productTileRows = SANDBOX_VECTOR_BITS == 512 ? 12 : 6

/// `count` rounded up to a whole number of tiles' rows.
@inline(__always)
func paddedToTiles(_ count: Int) -> Int {
    (count + productTileRows - 1) / productTileRows * productTileRows
}

/// What a product multiplies: fp32 numbers, or pairs of bf16 numbers.
protocol ProductOperand: SIMDScalar, Hashable, Codable {
    /// Numbers of a row or column that lie in one operand: 1, or 2 of a pair.
    static var numbers: Int { get }
    /// Sixteen operands that lie side by side.
    static func load(_ pointer: UnsafePointer<Self>) -> SIMD16<Self>
    /// `sums += a · b`, lane by lane.
    static func addProduct(_ sums: inout Lanes, _ a: SIMD16<Self>, _ b: SIMD16<Self>)
    /// Stores two rows of sixteen numbers: as two vectors, or as one of pairs.
    static func pack(_ first: Lanes, _ second: Lanes, into pointer: UnsafeMutablePointer<Self>)
    /// Packs `[rows, width]`, rows `stride` apart, into stripes as wide as a tile is high.
    static func packStripes(
        _ source: UnsafePointer<Float>, rows: Int, width: Int, stride: Int,
        into stripes: UnsafeMutablePointer<Self>)
}

extension Float: ProductOperand {
    static var numbers: Int { 1 }

    @inline(__always)
    static func load(_ pointer: UnsafePointer<Float>) -> Lanes { pointer.lanes(at: 0) }

    @inline(__always)
    static func addProduct(_ sums: inout Lanes, _ a: Lanes, _ b: Lanes) { sums.addProduct(a, b) }

    @inline(__always)
    static func pack(_ first: Lanes, _ second: Lanes, into pointer: UnsafeMutablePointer<Float>) {
        pointer.store(first, at: 0)
        pointer.store(second, at: laneCount)
    }
}

/// Six or twelve rows of sixteen sums: the register tile of every product.
///
/// Twelve registers of sums leave room for the panel's numbers and one repeated factor. A sum runs over the steps in
/// order, one fused multiplication and addition each, so that a row's result depends neither on the tile nor on the
/// shard it is computed in.
struct ProductTile {
    var upper = SixRows()
    /// Not used by a tile of six.
    var lower = SixRows()

    /// `row_r += Σ_s a[r · rowStride + s · stepStride] · panel[s · panelStride ..< + 16]` over `steps`.
    @inline(__always)
    mutating func accumulate<Number: ProductOperand>(
        _ a: UnsafePointer<Number>, rowStride: Int, stepStride: Int, panel: UnsafePointer<Number>,
        panelStride: Int = laneCount, steps: Int
    ) {
        var a = a
        var panel = panel
        for _ in 0..<steps {
            let right = Number.load(panel)
            upper.addProducts(a, rowStride: rowStride, right)
            if productTileRows == 12 {
                lower.addProducts(a + 6 * rowStride, rowStride: rowStride, right)
            }
            a += stepStride
            panel += panelStride
        }
    }

    /// Calls `body` with the number and the sums of each of the first `count` rows.
    @inline(__always)
    func forEachRow(count: Int = productTileRows, _ body: (_ row: Int, _ sums: Lanes) -> Void) {
        upper.forEachRow(count: count, from: 0, body)
        if productTileRows == 12 { lower.forEachRow(count: count - 6, from: 6, body) }
    }
}

/// Six rows of sixteen sums.
struct SixRows {
    var row0 = Lanes(repeating: 0)
    var row1 = Lanes(repeating: 0)
    var row2 = Lanes(repeating: 0)
    var row3 = Lanes(repeating: 0)
    var row4 = Lanes(repeating: 0)
    var row5 = Lanes(repeating: 0)

    /// `row_r += a[r · rowStride] · right`.
    @inline(__always)
    mutating func addProducts<Number: ProductOperand>(
        _ a: UnsafePointer<Number>, rowStride: Int, _ right: SIMD16<Number>
    ) {
        Number.addProduct(&row0, SIMD16(repeating: a[0]), right)
        Number.addProduct(&row1, SIMD16(repeating: a[rowStride]), right)
        Number.addProduct(&row2, SIMD16(repeating: a[2 * rowStride]), right)
        Number.addProduct(&row3, SIMD16(repeating: a[3 * rowStride]), right)
        Number.addProduct(&row4, SIMD16(repeating: a[4 * rowStride]), right)
        Number.addProduct(&row5, SIMD16(repeating: a[5 * rowStride]), right)
    }

    /// Calls `body` with `first` + r and the sums of each row r below `count`.
    @inline(__always)
    func forEachRow(count: Int, from first: Int, _ body: (_ row: Int, _ sums: Lanes) -> Void) {
        if count > 0 { body(first, row0) }
        if count > 1 { body(first + 1, row1) }
        if count > 2 { body(first + 2, row2) }
        if count > 3 { body(first + 3, row3) }
        if count > 4 { body(first + 4, row4) }
        if count > 5 { body(first + 5, row5) }
    }
}

/// Computes `A · B` tile by tile and hands each stretch of a row to `finish`, which adds what belongs to it while it is
/// in registers, and stores it.
///
/// The last tile overlaps the one before it where the rows are no multiple of its own: `finish` may be called twice for a
/// row, with the same sums, and must overwrite what it stores.
///
/// - Parameters:
///   - a: `A: [rows, b.inner]`, row by row.
///   - rows: rows of `A`.
///   - b: `B`; its precision is that of the product.
///   - scratch: room for `A`, rounded.
///   - finish: takes a row's number, the first of its columns, how many of the 16 sums exist, and the sums.
@inline(__always)
func product(
    _ a: UnsafePointer<Float>, rows: Int, _ b: PackedMatrix, scratch: ProductScratch,
    finish: (_ row: Int, _ column: Int, _ count: Int, _ sums: Lanes) -> Void
) {
    switch b.precision {
    case .fp32:
        product(
            a, rows: rows, inner: b.inner, panels: UnsafePointer(b.panels.pointer),
            columns: b.columns, finish: finish)
    case .bf16:
        let inner = (b.inner + 1) / 2
        precondition(scratch.rows.count >= rows * inner, "the scratch holds fewer rows")
        roundRows(a, rows: rows, width: b.inner, into: scratch.rows.pointer)
        product(
            UnsafePointer(scratch.rows.pointer), rows: rows, inner: inner,
            panels: UnsafePointer(b.pairs.pointer), columns: b.columns, finish: finish)
    }
}

@inline(__always)
private func product<Number: ProductOperand>(
    _ a: UnsafePointer<Number>, rows: Int, inner: Int, panels: UnsafePointer<Number>, columns: Int,
    finish: (_ row: Int, _ column: Int, _ count: Int, _ sums: Lanes) -> Void
) {
    // Whole panels apart from the last one, so that their number of sums is a constant to the compiler.
    let whole = columns / laneCount * laneCount
    for column in stride(from: 0, to: whole, by: laneCount) {
        productPanel(a, rows: rows, inner: inner, panel: panels + column * inner) {
            finish($0, column, laneCount, $1)
        }
    }
    if whole < columns {
        let count = columns - whole
        productPanel(a, rows: rows, inner: inner, panel: panels + whole * inner) {
            finish($0, whole, count, $1)
        }
    }
}

@inline(__always)
private func productPanel<Number: ProductOperand>(
    _ a: UnsafePointer<Number>, rows: Int, inner: Int, panel: UnsafePointer<Number>,
    finish: (_ row: Int, _ sums: Lanes) -> Void
) {
    if rows < productTileRows {
        for row in 0..<rows {
            var sums = Lanes(repeating: 0)
            for step in 0..<inner {
                Number.addProduct(
                    &sums, SIMD16(repeating: a[row * inner + step]),
                    Number.load(panel + step * laneCount))
            }
            finish(row, sums)
        }
        return
    }
    var next = 0
    while next < rows {
        let first = min(next, rows - productTileRows)
        var tile = ProductTile()
        tile.accumulate(
            a + first * inner, rowStride: inner, stepStride: 1, panel: panel, steps: inner)
        tile.forEachRow { finish(first + $0, $1) }
        next = first + productTileRows
    }
}
