import CVector

/// One stripe of the left factor, which stays in the first cache while the panels pass.
struct StripeTile<Number: ProductOperand> {
    /// `[steps, tile rows]`.
    let stripe: UnsafePointer<Number>
    let steps: Int
    /// Panels of sixteen columns, each `[steps, 16]`.
    let panels: UnsafePointer<Number>
    /// Columns that exist.
    let count: Int
    /// `[tile rows, count]`: what the sums begin with; nil for zeros.
    var before: UnsafePointer<Float>?
    /// Numbers from one row of `before` to the next.
    var beforeStride = 0
    /// `[steps, tile rows]`: the stripe that follows, which is asked for while the panels pass; nil for none.
    var next: UnsafePointer<Number>?

    /// - Parameter finish: takes a row of the stripe, the first of its columns, how many of the 16 sums exist, and the sums;
    ///   once for each.
    @inline(__always)
    func multiply(
        rows: Int, finish: (_ row: Int, _ column: Int, _ count: Int, _ sums: Lanes) -> Void
    ) {
        let paired = usesTilePairs ? count / (2 * laneCount) * (2 * laneCount) : 0
        for column in stride(from: 0, to: paired, by: 2 * laneCount) {
            prefetchNext(column, 2 * laneCount)
            var pair = TilePair()
            begin(&pair.left, column)
            begin(&pair.right, column + laneCount)
            pair.accumulate(
                stripe, rowStride: 1, stepStride: productTileRows, panel: panels + column * steps,
                distance: steps * laneCount, steps: steps)
            pair.left.forEachRow(count: rows) { finish($0, column, laneCount, $1) }
            pair.right.forEachRow(count: rows) { finish($0, column + laneCount, laneCount, $1) }
        }
        for column in stride(from: paired, to: count, by: laneCount) {
            prefetchNext(column, laneCount)
            var tile = ProductTile()
            begin(&tile, column)
            tile.accumulate(
                stripe, rowStride: 1, stepStride: productTileRows, panel: panels + column * steps,
                steps: steps)
            tile.forEachRow(count: rows) {
                finish($0, column, min(laneCount, count - column), $1)
            }
        }
    }

    /// Asks for the part of the next stripe that falls to so many columns.
    @inline(__always)
    private func prefetchNext(_ column: Int, _ columns: Int) {
        guard let next else { return }
        let operands = steps * productTileRows
        for place in stride(
            from: column * operands / count, to: (column + columns) * operands / count,
            by: laneCount)
        {
            sandbox_prefetch(next, place * MemoryLayout<Number>.stride)
        }
    }

    @inline(__always)
    private func begin(_ tile: inout ProductTile, _ column: Int) {
        if let before { tile.load(before + column, stride: beforeStride) }
    }
}

/// Computes `A · B` tile by tile and hands each stretch of a row to `finish` once, which adds what belongs to it while it is
/// in registers, and stores it.
///
/// - Parameters:
///   - a: `A: [rows, b.inner]`, row by row.
///   - rows: rows of `A`.
///   - b: `B`; its precision is that of the product.
///   - scratch: room for `A` in stripes, of the same precision.
///   - finish: takes a row's number, the first of its columns, how many of the 16 sums exist, and the sums.
@inline(__always)
func product(
    _ a: FloatView, rows: Int, _ b: PackedMatrix, scratch: ProductScratch,
    finish: (_ row: Int, _ column: Int, _ count: Int, _ sums: Lanes) -> Void
) {
    precondition(scratch.precision == b.precision, "scratch and matrix differ in precision")
    scratch.factor.pack(
        a, rows: rows, width: b.inner, stripes: 0..<PackedRows.stripeCount(rows: rows))
    switch b.precision {
    case .fp32:
        product(
            UnsafePointer(scratch.factor.operands.numbers.pointer), rows: rows, inner: b.inner,
            panels: UnsafePointer(b.panels.numbers.pointer), columns: b.columns, finish: finish)
    case .bf16:
        product(
            UnsafePointer(scratch.factor.operands.pairs.pointer), rows: rows,
            inner: (b.inner + 1) / 2,
            panels: UnsafePointer(b.panels.pairs.pointer), columns: b.columns, finish: finish)
    }
}

/// Two panels at a time stay in the first cache while the stripes pass.
@inline(__always)
private func product<Number: ProductOperand>(
    _ stripes: UnsafePointer<Number>, rows: Int, inner: Int, panels: UnsafePointer<Number>,
    columns: Int, finish: (_ row: Int, _ column: Int, _ count: Int, _ sums: Lanes) -> Void
) {
    for column in stride(from: 0, to: columns, by: 2 * laneCount) {
        for row in stride(from: 0, to: rows, by: productTileRows) {
            StripeTile(
                stripe: stripes + row * inner, steps: inner, panels: panels + column * inner,
                count: min(2 * laneCount, columns - column)
            ).multiply(rows: min(productTileRows, rows - row)) {
                finish(row + $0, column + $1, $2, $3)
            }
        }
    }
}
