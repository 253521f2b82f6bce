import CVector

/// Working memory of one worker's products with stored matrices: panels of sixteen outputs, or inputs, in fp32 or in pairs of
/// bf16.
public struct PanelScratch: Sendable {
    /// Operands of a sum that are laid out at a time, at most: a stripe of the left factor and two panels of them are near.
    static let stretch = 512
    /// Operands of all panels that are laid out at a time: they stay in the second cache while the left factor's stripes pass.
    static let room = 1 << 16
    /// Columns of them, at most.
    static let columns = 256
    let precision: ProductPrecision
    let panels: FloatView
    let pairs: BufferView<UInt32>
    /// `[rows, columns]`, filled up to whole tiles: sums between two stretches.
    let sums: FloatView
    /// Sixteen vectors that are being transposed.
    let block: BufferView<UInt32>

    /// - Parameters:
    ///   - rows: largest number of rows that a worker multiplies at a time.
    ///   - precision: what operands are rounded to.
    public init(rows: Int, precision: ProductPrecision = .fp32) {
        self.precision = precision
        panels = FloatView(zeros: precision == .fp32 ? Self.room : 0)
        pairs = BufferView(zeros: precision == .bf16 ? Self.room : 0)
        sums = FloatView(zeros: paddedToTiles(rows) * Self.columns)
        block = BufferView(zeros: laneCount * laneCount)
    }

    /// About how many numbers of four bytes it takes.
    public static func numbers(rows: Int) -> Int { room + columns * rows }
}

/// Some steps of sixteen columns of a matrix, `[steps, 16]`; columns that do not exist become 0.
@inline(__always)
func packColumns(
    _ elements: some ElementReader, _ weight: StoredMatrix, _ first: Int, _ count: Int,
    _ steps: Range<Int>, _ offset: Int, _ scratch: PanelScratch
) {
    @inline(__always)
    func lanes(_ step: Int) -> Lanes {
        elements.lanes(at: step * weight.columns + first, count: count)
    }
    if scratch.precision == .fp32 {
        let panel = scratch.panels.pointer + offset
        for step in steps {
            panel.store(lanes(step), at: (step - steps.lowerBound) * laneCount)
        }
        return
    }
    let panel = scratch.pairs.pointer + offset
    for step in stride(from: steps.lowerBound, to: steps.upperBound, by: 2) {
        let second = step + 1 < steps.upperBound ? lanes(step + 1) : Lanes(repeating: 0)
        panel.store(
            lanes(step).bf16Pairs(with: second), at: (step - steps.lowerBound) / 2 * laneCount)
    }
}

/// Some steps of sixteen rows of a matrix as columns, `[steps, 16]`; rows that do not exist become 0.
@inline(__always)
func packTransposed(
    _ elements: some ElementReader, _ weight: StoredMatrix, _ first: Int, _ count: Int,
    _ steps: Range<Int>, _ offset: Int, _ scratch: PanelScratch
) {
    let isRounded = scratch.precision == .bf16
    let panel =
        isRounded
        ? UnsafeMutableRawPointer(scratch.pairs.pointer + offset)
        : UnsafeMutableRawPointer(scratch.panels.pointer + offset)
    let block = UnsafeMutableRawPointer(scratch.block.pointer)
    /// Bytes of a vector.
    let size = MemoryLayout<Lanes>.size
    // A block is sixteen operands wide: twice as many numbers where they are pairs.
    let wide = isRounded ? 2 * laneCount : laneCount
    if count < laneCount { scratch.block.fill(0) }
    for step in stride(from: steps.lowerBound, to: steps.upperBound, by: wide) {
        let rest = min(wide, steps.upperBound - step)
        for lane in 0..<count {
            let at = (first + lane) * weight.columns + step
            let bits =
                isRounded
                ? elements.pairs(at: at, count: rest)
                : unsafeBitCast(
                    elements.lanes(at: at, count: rest), to: PairLanes.self)
            block.storeBytes(of: bits, toByteOffset: lane * size, as: PairLanes.self)
        }
        let target = panel + (step - steps.lowerBound) / wide * laneCount * size
        if rest == wide {
            sandbox_transpose(block, target)
        } else {
            // What lies behind the last step may belong to the next panel.
            withUnsafeTemporaryAllocation(
                byteCount: laneCount * size, alignment: size
            ) { columns in
                guard let columns = columns.baseAddress else { return }
                sandbox_transpose(block, columns)
                let operands = isRounded ? (rest + 1) / 2 : rest
                target.copyMemory(from: columns, byteCount: operands * size)
            }
        }
    }
}
