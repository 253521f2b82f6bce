/// The right-hand matrix of products, laid out for them: `B: [inner, columns]` in panels of 16 columns, each
/// `[inner, 16]`, the last one filled up with zeros. In bf16 two rows of a panel become one of pairs.
///
/// A weight matrix is packed once a step and then read by every shard; a product walks a panel from its first number
/// to its last, and needs no copies of its own.
public struct PackedMatrix: Sendable {
    /// Length of the sums of a product with this matrix.
    public let inner: Int
    /// Columns of such a product.
    public let columns: Int
    let panels: OperandBuffer
    /// What the product's operands are rounded to.
    public var precision: ProductPrecision { panels.precision }

    /// Memory for a matrix, zeros at first.
    ///
    /// - Parameters:
    ///   - inner: rows of `B`.
    ///   - columns: columns of `B`.
    ///   - precision: what the product's operands are rounded to.
    public init(inner: Int, columns: Int, precision: ProductPrecision = .fp32) {
        self.inner = inner
        self.columns = columns
        let width = paddedToLanes(columns)
        panels = OperandBuffer(
            count: (precision == .fp32 ? inner : (inner + 1) / 2) * width, precision: precision)
    }

    /// Takes the numbers of `source`.
    ///
    /// - Parameters:
    ///   - source: `[inner, columns]`, or `[columns, inner]` when `transposed`.
    ///   - transposed: whether `source` is read transposed.
    public func pack(_ source: FloatView, transposed: Bool = false) {
        precondition(
            source.count >= inner * columns, "\(source.count) numbers for \(inner) × \(columns)")
        for column in stride(from: 0, to: columns, by: laneCount) {
            let width = min(laneCount, columns - column)
            let from = transposed ? source.pointer + column * inner : source.pointer + column
            switch precision {
            case .fp32:
                let panel = panels.numbers.pointer + column * inner
                for row in 0..<inner {
                    panel.store(
                        panelRow(from, row: row, width: width, transposed: transposed),
                        at: row * laneCount)
                }
            case .bf16:
                let panel = panels.pairs.pointer + column * ((inner + 1) / 2)
                for row in stride(from: 0, to: inner, by: 2) {
                    let first = panelRow(from, row: row, width: width, transposed: transposed)
                    let second =
                        row + 1 < inner
                        ? panelRow(from, row: row + 1, width: width, transposed: transposed)
                        : Lanes(repeating: 0)
                    panel.store(first.bf16Pairs(with: second), at: row / 2 * laneCount)
                }
            }
        }
    }

    /// One row of a panel: `width` numbers side by side, or one below the other when `transposed`.
    @inline(__always)
    private func panelRow(
        _ source: UnsafePointer<Float>, row: Int, width: Int, transposed: Bool
    ) -> Lanes {
        if !transposed { return source.lanes(at: row * columns, count: width) }
        var lanes = Lanes(repeating: 0)
        if width == laneCount {
            for lane in 0..<laneCount { lanes[lane] = source[lane * inner + row] }
        } else {
            for lane in 0..<width { lanes[lane] = source[lane * inner + row] }
        }
        return lanes
    }
}
