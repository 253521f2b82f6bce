import CVector

/// Rows of a ``ProductTile``: 12 sums of 512 bits, or 6 pairs of 256, are what hides the latency of the products and
/// still fits the registers.
let productTileRows = SANDBOX_VECTOR_BITS == 512 ? 12 : 6

/// Whether there are registers for two tiles side by side.
let usesTilePairs = SANDBOX_VECTOR_BITS == 512

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
    /// Stores a last row of sixteen numbers that has none beside it.
    static func pack(_ last: Lanes, into pointer: UnsafeMutablePointer<Self>)
    /// `count` ≤ 16 numbers as operands, a pair with those of the row below where there are pairs; the other ones are 0.
    static func operands(
        _ row: UnsafePointer<Float>, below: UnsafePointer<Float>?, count: Int
    ) -> SIMD16<Self>
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

    @inline(__always)
    static func pack(_ last: Lanes, into pointer: UnsafeMutablePointer<Float>) {
        pointer.store(last, at: 0)
    }

    @inline(__always)
    static func operands(
        _ row: UnsafePointer<Float>, below: UnsafePointer<Float>?, count: Int
    ) -> Lanes {
        row.lanes(at: 0, count: count)
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

    /// Takes the sums of its rows, which lie `stride` apart.
    @inline(__always)
    mutating func load(_ sums: UnsafePointer<Float>, stride: Int) {
        upper.load(sums, stride: stride)
        if productTileRows == 12 { lower.load(sums + 6 * stride, stride: stride) }
    }

    /// Calls `body` with the number and the sums of each of the first `count` rows.
    @inline(__always)
    func forEachRow(count: Int = productTileRows, _ body: (_ row: Int, _ sums: Lanes) -> Void) {
        upper.forEachRow(count: count, from: 0, body)
        if productTileRows == 12 { lower.forEachRow(count: count - 6, from: 6, body) }
    }
}

/// Two tiles side by side, over two panels: where there are 32 registers, each factor that is read serves twice as many
/// sums, and the reading no longer takes as long as the multiplying.
struct TilePair {
    var left = ProductTile()
    var right = ProductTile()

    /// As ``ProductTile/accumulate(_:rowStride:stepStride:panel:panelStride:steps:)`` over two panels, one `distance` behind the
    /// other.
    @inline(__always)
    mutating func accumulate<Number: ProductOperand>(
        _ a: UnsafePointer<Number>, rowStride: Int, stepStride: Int, panel: UnsafePointer<Number>,
        distance: Int, steps: Int
    ) {
        var a = a
        var panel = panel
        for _ in 0..<steps {
            let first = Number.load(panel)
            let second = Number.load(panel + distance)
            left.upper.addProducts(a, rowStride: rowStride, first)
            right.upper.addProducts(a, rowStride: rowStride, second)
            if productTileRows == 12 {
                left.lower.addProducts(a + 6 * rowStride, rowStride: rowStride, first)
                right.lower.addProducts(a + 6 * rowStride, rowStride: rowStride, second)
            }
            a += stepStride
            panel += laneCount
        }
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

    /// Takes the sums of its rows, which lie `stride` apart.
    @inline(__always)
    mutating func load(_ sums: UnsafePointer<Float>, stride: Int) {
        row0 = sums.lanes(at: 0)
        row1 = sums.lanes(at: stride)
        row2 = sums.lanes(at: 2 * stride)
        row3 = sums.lanes(at: 3 * stride)
        row4 = sums.lanes(at: 4 * stride)
        row5 = sums.lanes(at: 5 * stride)
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
