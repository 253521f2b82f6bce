import CVector

/// The left factor of products, laid out for them once for all that multiply with it: `A: [rows, inner]`
/// in stripes as high as a tile, each `[inner, tile rows]`, the last one filled up with zeros. In bf16 two numbers of a row
/// become one pair.
public struct PackedRows: Sendable {
    let operands: OperandBuffer
    /// What the product's operands are rounded to.
    public var precision: ProductPrecision { operands.precision }

    /// Memory for a factor.
    ///
    /// - Parameters:
    ///   - count: operands, the largest ``operandCount(rows:width:precision:)`` of those it will hold.
    ///   - precision: what the product's operands are rounded to.
    public init(count: Int, precision: ProductPrecision = .fp32) {
        operands = OperandBuffer(count: count, precision: precision)
    }

    /// Operands, of four bytes, that a factor takes.
    public static func operandCount(
        rows: Int, width: Int, precision: ProductPrecision = .fp32
    ) -> Int {
        paddedToTiles(rows) * (precision == .fp32 ? width : (width + 1) / 2)
    }

    /// Rows of a stripe.
    public static let stripeRows = productTileRows

    /// Stripes of a factor.
    public static func stripeCount(rows: Int) -> Int { paddedToTiles(rows) / productTileRows }

    /// Takes some stripes of `source`.
    ///
    /// - Parameters:
    ///   - source: `[rows, width]`.
    ///   - rows: number of rows.
    ///   - width: numbers of a row.
    ///   - stripes: which stripes, so that workers can share them.
    public func pack(_ source: FloatView, rows: Int, width: Int, stripes: Range<Int>) {
        precondition(source.count >= rows * width, "\(source.count) for \(rows) × \(width)")
        precondition(
            stripes.lowerBound >= 0 && stripes.upperBound <= Self.stripeCount(rows: rows),
            "\(stripes) of \(rows) rows")
        let count = Self.operandCount(rows: rows, width: width, precision: precision)
        precondition(operands.count >= count, "too small a factor")
        switch precision {
        case .fp32:
            pack(
                source.pointer, rows, width, stripes,
                UnsafeMutableRawPointer(operands.numbers.pointer)
            ) {
                unsafeBitCast($0.lanes(at: 0, count: min(laneCount, $1)), to: PairLanes.self)
            }
        case .bf16:
            pack(
                source.pointer, rows, width, stripes,
                UnsafeMutableRawPointer(operands.pairs.pointer)
            ) {
                PairLanes(
                    neighbours: $0.lanes(at: 0, count: min(laneCount, $1)),
                    $0.lanes(at: laneCount, count: max(0, min(laneCount, $1 - laneCount))))
            }
        }
    }

    /// - Parameter read: sixteen operands from a place of a row, of which at most so many numbers exist.
    @inline(__always)
    private func pack(
        _ source: UnsafePointer<Float>, _ rows: Int, _ width: Int, _ stripes: Range<Int>,
        _ target: UnsafeMutableRawPointer, read: (UnsafePointer<Float>, Int) -> PairLanes
    ) {
        let numbers = precision == .fp32 ? 1 : 2
        let steps = (width + numbers - 1) / numbers
        let size = MemoryLayout<UInt32>.size
        // Twice 1,024 bytes, which are on the stack: more at a time would come from the heap.
        withUnsafeTemporaryAllocation(of: PairLanes.self, capacity: laneCount) { block in
            withUnsafeTemporaryAllocation(of: PairLanes.self, capacity: laneCount) { columns in
                guard let base = block.baseAddress, let transposed = columns.baseAddress else {
                    return
                }
                block.update(repeating: PairLanes(repeating: 0))
                for stripe in stripes {
                    let first = stripe * productTileRows
                    let count = min(productTileRows, rows - first)
                    let begun = packInEights(source + first * width, count, width, target, first)
                    for step in stride(from: begun, to: steps, by: laneCount) {
                        let place = step * numbers
                        for row in 0..<count {
                            let from = source + (first + row) * width + place
                            // So many rows at a time are more than the CPU foresees by itself.
                            for part in 0..<numbers {
                                sandbox_prefetch(from, (256 + part * laneCount) * size)
                            }
                            block[row] = read(from, width - place)
                        }
                        for row in count..<productTileRows { block[row] = PairLanes(repeating: 0) }
                        sandbox_transpose(base, transposed)
                        let at = target + (first * steps + step * productTileRows) * size
                        for column in 0..<min(laneCount, steps - step) {
                            storeStripeRow(
                                columns[column], at: at + column * productTileRows * size,
                                isLast: step + column == steps - 1)
                        }
                    }
                }
            }
        }
    }

    /// A stripe of six rows in fp32, straight from the rows to the stripe: sixteen rows at a time, most of them of zeros, would
    /// take three times as long.
    ///
    /// - Returns: the steps that are packed; the last ones need more care.
    @inline(__always)
    private func packInEights(
        _ source: UnsafePointer<Float>, _ count: Int, _ width: Int,
        _ target: UnsafeMutableRawPointer, _ first: Int
    ) -> Int {
        guard precision == .fp32, productTileRows == 6, count == 6 else { return 0 }
        let stripe = target.assumingMemoryBound(to: Float.self) + first * width
        var step = 0
        while step + 8 < width {
            sandbox_transpose_eight(
                source + step, width, Int32(count), stripe + step * productTileRows,
                productTileRows)
            step += 8
        }
        return step
    }
}
