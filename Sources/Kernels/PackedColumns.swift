/// The right factor of weight gradients, laid out once for all that multiply with it: `[rows, width]` in blocks of rows, each in
/// panels of sixteen columns, `[block rows, 16]`; columns that do not exist are 0. In bf16 two rows of a panel become one of
/// pairs.
public struct PackedColumns: Sendable {
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
        (precision == .fp32 ? rows : (rows + 1) / 2) * paddedToLanes(width)
    }

    /// Panels of a block.
    public static func panelCount(width: Int) -> Int { paddedToLanes(width) / laneCount }

    /// Takes some panels of `source`, in all blocks.
    ///
    /// - Parameters:
    ///   - source: `[rows, width]`.
    ///   - rows: number of rows.
    ///   - width: numbers of a row.
    ///   - panels: which panels, so that workers can share them.
    public func pack(_ source: FloatView, rows: Int, width: Int, panels: Range<Int>) {
        precondition(source.count >= rows * width, "\(source.count) for \(rows) × \(width)")
        precondition(
            panels.lowerBound >= 0 && panels.upperBound <= Self.panelCount(width: width),
            "\(panels) of \(width) columns")
        let count = Self.operandCount(rows: rows, width: width, precision: precision)
        precondition(operands.count >= count, "too small a factor")
        switch precision {
        case .fp32: pack(source.pointer, rows, width, panels, operands.numbers.pointer)
        case .bf16: pack(source.pointer, rows, width, panels, operands.pairs.pointer)
        }
    }

    @inline(__always)
    private func pack<Number: ProductOperand>(
        _ source: UnsafePointer<Float>, _ rows: Int, _ width: Int, _ panels: Range<Int>,
        _ target: UnsafeMutablePointer<Number>
    ) {
        for first in stride(from: 0, to: rows, by: precision.blockRows) {
            let count = min(precision.blockRows, rows - first)
            let steps = (count + Number.numbers - 1) / Number.numbers
            let block =
                target + Self.operandCount(rows: first, width: width, precision: precision)
            for panel in panels {
                let column = panel * laneCount
                packPanel(
                    source + first * width, rows: count, width: width, column: column,
                    into: block + column * steps, columnSums: nil)
            }
        }
    }
}

extension ProductPrecision {
    /// Rows of a block of a weight gradient: so many operands are summed in registers.
    var blockRows: Int { ProductScratch.rowBlock * (self == .fp32 ? 1 : 2) }
}

/// Packs sixteen columns of `[rows, width]`, or as many as there are, into a panel `[rows, 16]` (pairs of rows in bf16), and adds
/// them up on the way.
@inline(__always)
func packPanel<Number: ProductOperand>(
    _ source: UnsafePointer<Float>, rows: Int, width: Int, column: Int,
    into panel: UnsafeMutablePointer<Number>, columnSums: FloatView?
) {
    let count = min(laneCount, width - column)
    // Two running sums hide the latency of the addition; they are joined in a fixed order.
    var even = Lanes(repeating: 0)
    var odd = Lanes(repeating: 0)
    for row in stride(from: 0, to: rows - 1, by: 2) {
        let first = source.lanes(at: row * width + column, count: count)
        let second = source.lanes(at: (row + 1) * width + column, count: count)
        Number.pack(first, second, into: panel + row / Number.numbers * laneCount)
        even += first
        odd += second
    }
    if !rows.isMultiple(of: 2) {
        let row = rows - 1
        let last = source.lanes(at: row * width + column, count: count)
        Number.pack(last, into: panel + row / Number.numbers * laneCount)
        even += last
    }
    if let total = columnSums?.pointer {
        total.store(total.lanes(at: column, count: count) + (even + odd), at: column, count: count)
    }
}
