import CVector

/// Packs `[rows, width]`, rows `stride` apart, as the left factor of a product that sums over the rows: into stripes as wide as a
/// tile is high, each `[steps, tile rows]`; the last one is filled up with zeros.
///
/// All stripes take a step before the next one: rows are read in the order of memory.
///
/// - Parameter available: numbers of a row that may be read, `width` or more.
@inline(__always)
func packStripes<Number: ProductOperand>(
    _ source: UnsafePointer<Float>, rows: Int, width: Int, available: Int, stride: Int,
    into stripes: UnsafeMutablePointer<Number>
) {
    let steps = (rows + Number.numbers - 1) / Number.numbers
    for step in 0..<steps {
        let row = step * Number.numbers
        // Rows lie further apart than the CPU foresees by itself.
        for later in row + 8..<row + 8 + Number.numbers {
            for column in Swift.stride(from: 0, to: width, by: laneCount) {
                sandbox_prefetch(source, (later * stride + column) * MemoryLayout<Float>.stride)
            }
        }
        for column in Swift.stride(from: 0, to: width, by: productTileRows) {
            let from = source + row * stride + column
            let rest = width - column
            let count = rest < productTileRows ? rest : min(laneCount, available - column)
            let operands = Number.operands(
                from, below: row + 1 < rows ? from + stride : nil, count: count)
            storeStripeRow(
                operands, at: stripes + column * steps + step * productTileRows,
                isLast: step == steps - 1)
        }
    }
}

/// Stores one step of a stripe: a longer vector where the next step overwrites what is too much.
@inline(__always)
func storeStripeRow<Number: ProductOperand>(
    _ operands: SIMD16<Number>, at place: UnsafeMutableRawPointer, isLast: Bool
) {
    if isLast {
        for row in 0..<productTileRows {
            place.storeBytes(
                of: operands[row], toByteOffset: MemoryLayout<Number>.stride * row, as: Number.self)
        }
    } else if productTileRows == 6 {
        place.storeBytes(of: operands.lowHalf, as: SIMD8<Number>.self)
    } else {
        place.storeBytes(of: operands, as: SIMD16<Number>.self)
    }
}
