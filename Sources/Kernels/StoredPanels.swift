import CVector

/// Working memory of one worker's products with stored matrices: panels of sixteen outputs, or inputs, in fp32 or in pairs of
/// bf16.
public struct PanelScratch: Sendable {
    /// Operands of a sum that are laid out at a time, at most: a stripe of the left factor and two panels of them are near.
    static let stretch = 512
    /// Operands of all panels that are laid out at a time: they stay in the second cache, which is larger where vectors are long,
    /// while the left factor's stripes pass.
    static let room = SANDBOX_VECTOR_BITS == 512 ? 1 << 17 : 1 << 16
    /// Columns of them, at most.
    static let columns = room / stretch
    let panels: OperandBuffer
    var precision: ProductPrecision { panels.precision }
    /// `[rows, columns]`, filled up to whole tiles: sums between two stretches.
    let sums: FloatView
    /// Sixteen vectors that are being transposed.
    let block: BufferView<UInt32>

    /// - Parameters:
    ///   - rows: largest number of rows that a worker multiplies at a time.
    ///   - precision: what operands are rounded to.
    public init(rows: Int, precision: ProductPrecision = .fp32) {
        panels = OperandBuffer(count: Self.room, precision: precision)
        sums = FloatView(zeros: paddedToTiles(rows) * Self.columns)
        block = BufferView(zeros: laneCount * laneCount)
    }

    /// About how many numbers of four bytes it takes.
    public static func numbers(rows: Int) -> Int { room + columns * rows }
}

/// Some steps of some columns of a matrix, in panels `[steps, 16]`; columns that do not exist become 0.
///
/// All panels take a step before the next one: rows are read in the order of memory.
@inline(__always)
func packColumns(
    _ elements: some ElementReader, _ weight: StoredMatrix, _ columns: Range<Int>,
    _ steps: Range<Int>, _ scratch: PanelScratch
) {
    @inline(__always)
    func lanes(_ step: Int, _ place: Int) -> Lanes {
        elements.lanes(
            at: step * weight.columns + columns.lowerBound + place,
            count: min(laneCount, columns.count - place))
    }
    if scratch.precision == .fp32 {
        let panels = scratch.panels.numbers.pointer
        for step in steps {
            let row = panels + (step - steps.lowerBound) * laneCount
            for place in stride(from: 0, to: columns.count, by: laneCount) {
                row.store(lanes(step, place), at: place * steps.count)
            }
        }
        return
    }
    let panels = scratch.panels.pairs.pointer
    let pairs = (steps.count + 1) / 2
    for step in stride(from: steps.lowerBound, to: steps.upperBound, by: 2) {
        let row = panels + (step - steps.lowerBound) / 2 * laneCount
        let isPair = step + 1 < steps.upperBound
        for place in stride(from: 0, to: columns.count, by: laneCount) {
            let second = isPair ? lanes(step + 1, place) : Lanes(repeating: 0)
            row.store(lanes(step, place).bf16Pairs(with: second), at: place * pairs)
        }
    }
}

/// Some steps of some rows of a matrix as columns, in panels `[steps, 16]`; rows that do not exist become 0.
@inline(__always)
func packTransposed(
    _ elements: some ElementReader, _ weight: StoredMatrix, _ rows: Range<Int>,
    _ steps: Range<Int>, _ scratch: PanelScratch
) {
    let operands = scratch.precision == .bf16 ? (steps.count + 1) / 2 : steps.count
    for place in stride(from: 0, to: rows.count, by: laneCount) {
        packTransposedPanel(
            elements, weight, rows.lowerBound + place, min(laneCount, rows.count - place), steps,
            place * operands, scratch)
    }
}

@inline(__always)
private func packTransposedPanel(
    _ elements: some ElementReader, _ weight: StoredMatrix, _ first: Int, _ count: Int,
    _ steps: Range<Int>, _ offset: Int, _ scratch: PanelScratch
) {
    let isRounded = scratch.precision == .bf16
    let panel =
        isRounded
        ? UnsafeMutableRawPointer(scratch.panels.pairs.pointer + offset)
        : UnsafeMutableRawPointer(scratch.panels.numbers.pointer + offset)
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
