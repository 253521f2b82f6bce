/// Sizes of one attention call. Shape letters: B examples, T positions, H heads, K head size, C = H·K channels.
public struct AttentionShape: Sendable, Equatable {
    /// B: sequences in the shard.
    public let examples: Int
    /// T: positions of each sequence.
    public let length: Int
    /// H: heads.
    public let headCount: Int
    /// K: channels of one head.
    public let headSize: Int
    /// S ≤ T: positions of each sequence whose outputs are asked for.
    public let queryCount: Int

    /// - Parameters:
    ///   - examples: B.
    ///   - length: T.
    ///   - headCount: H.
    ///   - headSize: K.
    ///   - queryCount: S; T when nil.
    public init(
        examples: Int, length: Int, headCount: Int, headSize: Int, queryCount: Int? = nil
    ) {
        self.examples = examples
        self.length = length
        self.headCount = headCount
        self.headSize = headSize
        self.queryCount = queryCount ?? length
    }

    /// C = H·K.
    public var channels: Int { headCount * headSize }

    /// T rounded up to whole vectors: the row length of the score matrices.
    var paddedLength: Int { paddedToLanes(length) }

    /// K rounded up to whole vectors: the row length of packed queries, keys and values.
    var paddedHeadSize: Int { paddedToLanes(headSize) }

    /// 1 / √K.
    var scale: Float { 1 / Float(headSize).squareRoot() }
}

/// Working memory of attention for one (example, head) at a time, sized once for the longest sequence.
///
/// Everything a head needs is packed into rows padded with zeros to whole vectors, so that the inner loops have no
/// edges; it stays in the core's own cache. No T × T tensor outlives the call.
public final class AttentionScratch: Sendable {
    let capacity: AttentionShape
    let query: FloatView
    let key: FloatView
    let keyTransposed: FloatView
    let value: FloatView
    let valueTransposed: FloatView
    let dOutput: FloatView
    let probabilities: FloatView
    let dScores: FloatView
    let rowDots: FloatView

    /// - Parameters:
    ///   - longest: the shape with the largest T that will be used.
    ///   - forTraining: whether the backward pass will run.
    public init(longest: AttentionShape, forTraining: Bool) {
        capacity = longest
        let rows = longest.paddedLength * longest.paddedHeadSize
        let scores = longest.paddedLength * longest.paddedLength
        query = FloatView(zeros: rows)
        key = FloatView(zeros: forTraining ? rows : 0)
        keyTransposed = FloatView(zeros: rows)
        value = FloatView(zeros: rows)
        valueTransposed = FloatView(zeros: forTraining ? rows : 0)
        dOutput = FloatView(zeros: forTraining ? rows : 0)
        probabilities = FloatView(
            zeros: forTraining ? scores : rowBlock * longest.paddedLength)
        dScores = FloatView(zeros: forTraining ? scores : 0)
        rowDots = FloatView(zeros: longest.paddedLength)
    }

    func requireRoom(for shape: AttentionShape) {
        precondition(
            shape.length <= capacity.length && shape.headSize == capacity.headSize,
            "the attention scratch holds \(capacity.length) positions of \(capacity.headSize) channels"
        )
    }
}

/// Rows of queries (or keys) that one tile works on.
let rowBlock = 4

/// Four rows of sixteen sums: the register tile of every product in attention.
struct Tile {
    var row0 = Lanes(repeating: 0)
    var row1 = Lanes(repeating: 0)
    var row2 = Lanes(repeating: 0)
    var row3 = Lanes(repeating: 0)

    /// `row_r += Σ_s a[r · rowStride + s · stepStride] · b[s · bStride ..< + 16]` over `steps`.
    @inline(__always)
    mutating func accumulate(
        _ a: UnsafePointer<Float>, rowStride: Int, stepStride: Int,
        _ b: UnsafePointer<Float>, bStride: Int, steps: Range<Int>
    ) {
        var s = steps.lowerBound
        while s < steps.upperBound {
            let right = b.lanes(at: s * bStride)
            let left = a + s * stepStride
            row0.addProduct(Lanes(repeating: left[0]), right)
            row1.addProduct(Lanes(repeating: left[rowStride]), right)
            row2.addProduct(Lanes(repeating: left[2 * rowStride]), right)
            row3.addProduct(Lanes(repeating: left[3 * rowStride]), right)
            s += 1
        }
    }

    @inline(__always)
    mutating func scale(by factor: Float) {
        row0 *= factor
        row1 *= factor
        row2 *= factor
        row3 *= factor
    }

    @inline(__always)
    func store(at pointer: UnsafeMutablePointer<Float>, rowStride: Int) {
        pointer.store(row0, at: 0)
        pointer.store(row1, at: rowStride)
        pointer.store(row2, at: 2 * rowStride)
        pointer.store(row3, at: 3 * rowStride)
    }

    /// Calls `body` with the number and the sums of each of the first `count` rows.
    @inline(__always)
    func forEachRow(count: Int, _ body: (_ row: Int, _ sums: Lanes) -> Void) {
        if count > 0 { body(0, row0) }
        if count > 1 { body(1, row1) }
        if count > 2 { body(2, row2) }
        if count > 3 { body(3, row3) }
    }

    /// Writes the first `columns` ≤ 16 sums of the first `rows` ≤ 4 rows.
    @inline(__always)
    func store(at pointer: UnsafeMutablePointer<Float>, rowStride: Int, rows: Int, columns: Int) {
        forEachRow(count: rows) { row, sums in
            pointer.store(sums, at: row * rowStride, count: columns)
        }
    }
}

/// Packs `[rows, K]` that lie `stride` apart into rows of `paddedHeadSize`, scaled; columns beyond, and rows up to
/// a whole block of them, are 0.
///
/// - Parameter positions: which rows of the source; the first ones when nil.
@inline(__always)
func packRows(
    _ source: UnsafePointer<Float>, stride: Int, rows: Int,
    positions: UnsafePointer<Int32>? = nil, into target: UnsafeMutablePointer<Float>,
    shape: AttentionShape, scale: Float
) {
    let width = shape.paddedHeadSize
    let whole = shape.headSize / laneCount * laneCount
    for row in 0..<rows {
        let from = source + (positions.map { Int($0[row]) } ?? row) * stride
        let to = target + row * width
        for column in Swift.stride(from: 0, to: whole, by: laneCount) {
            to.store(from.lanes(at: column) * scale, at: column)
        }
        if whole < shape.headSize {
            to.store(from.partialLanes(at: whole, count: shape.headSize - whole) * scale, at: whole)
        }
    }
    let padded = (rows + rowBlock - 1) / rowBlock * rowBlock
    (target + rows * width).update(repeating: 0, count: (padded - rows) * width)
}

/// Packs `[T, K]` rows that lie `stride` apart as `[K, paddedLength]`; columns beyond T are 0.
func packTransposed(
    _ source: UnsafePointer<Float>, stride: Int, into target: UnsafeMutablePointer<Float>,
    shape: AttentionShape
) {
    let width = shape.paddedLength
    let rows = shape.length / 4 * 4
    let channels = shape.headSize / 4 * 4
    for row in Swift.stride(from: 0, to: rows, by: 4) {
        for channel in Swift.stride(from: 0, to: channels, by: 4) {
            transposeFour(
                source + row * stride + channel, stride: stride,
                into: target + channel * width + row, width: width)
        }
    }
    for channel in 0..<shape.headSize {
        let to = target + channel * width
        let from = source + channel
        // The blocks above have done these channels' rows but for the last ones.
        for row in (channel < channels ? rows : 0)..<shape.length { to[row] = from[row * stride] }
        for row in shape.length..<width { to[row] = 0 }
    }
}

/// Four rows of four become four columns, in registers.
@inline(__always)
private func transposeFour(
    _ source: UnsafePointer<Float>, stride: Int, into target: UnsafeMutablePointer<Float>,
    width: Int
) {
    @inline(__always)
    func row(_ index: Int) -> SIMD4<Float> {
        UnsafeRawPointer(source + index * stride).loadUnaligned(as: SIMD4<Float>.self)
    }
    let (a, b, c, d) = (row(0), row(1), row(2), row(3))
    @inline(__always)
    func store(_ column: SIMD4<Float>, _ index: Int) {
        UnsafeMutableRawPointer(target + index * width).storeBytes(
            of: column, as: SIMD4<Float>.self)
    }
    store(SIMD4(a[0], b[0], c[0], d[0]), 0)
    store(SIMD4(a[1], b[1], c[1], d[1]), 1)
    store(SIMD4(a[2], b[2], c[2], d[2]), 2)
    store(SIMD4(a[3], b[3], c[3], d[3]), 3)
}
