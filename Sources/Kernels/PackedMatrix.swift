/// The right-hand matrix of products, laid out for them: `B: [inner, columns]` in panels of 16 columns, each
/// `[inner, 16]`, the last one filled up with zeros.
///
/// A weight matrix is packed once a step and then read by every shard; a product walks a panel from its first number
/// to its last, and needs no copies of its own.
public struct PackedMatrix: Sendable {
    /// Length of the sums of a product with this matrix.
    public let inner: Int
    /// Columns of such a product.
    public let columns: Int
    let panels: FloatView

    /// Memory for a matrix, zeros at first.
    ///
    /// - Parameters:
    ///   - inner: rows of `B`.
    ///   - columns: columns of `B`.
    public init(inner: Int, columns: Int) {
        self.inner = inner
        self.columns = columns
        panels = FloatView(zeros: inner * paddedToLanes(columns))
    }

    /// The first number of the panel that begins at `column`.
    @inline(__always)
    func panel(at column: Int) -> UnsafePointer<Float> {
        UnsafePointer(panels.pointer + column * inner)
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
            let panel = panels.pointer + column * inner
            let width = min(laneCount, columns - column)
            if transposed {
                packTransposedPanel(source.pointer + column * inner, width: width, into: panel)
            } else {
                for row in 0..<inner {
                    let lanes = source.pointer.lanes(at: row * columns + column, count: width)
                    panel.store(lanes, at: row * laneCount)
                }
            }
        }
    }

    /// Sixteen rows of `source: [16, inner]` become the columns of a panel.
    private func packTransposedPanel(
        _ source: UnsafePointer<Float>, width: Int, into panel: UnsafeMutablePointer<Float>
    ) {
        guard width == laneCount else {
            for lane in 0..<width {
                let row = source + lane * inner
                for index in 0..<inner { panel[index * laneCount + lane] = row[index] }
            }
            return
        }
        for index in 0..<inner {
            var column = Lanes()
            for lane in 0..<laneCount { column[lane] = source[lane * inner + index] }
            panel.store(column, at: index * laneCount)
        }
    }
}
