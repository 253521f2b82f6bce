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
    /// `[S]`: backward `do · o`, forward `1 / Σ exp`.
    let rowDots: FloatView

    /// - Parameters:
    ///   - longest: the shape with the largest T that will be used.
    ///   - forTraining: whether the backward pass will run.
    public init(longest: AttentionShape, forTraining: Bool) {
        capacity = longest
        // Whole tiles of rows, whole vectors of positions.
        let length = paddedToTiles(longest.paddedLength)
        let rows = length * longest.paddedHeadSize
        // The last tile of keys reads past the end of the last row: room for that.
        let scores = length * longest.paddedLength + productTileRows
        query = FloatView(zeros: rows)
        key = FloatView(zeros: forTraining ? rows : 0)
        keyTransposed = FloatView(zeros: rows)
        value = FloatView(zeros: rows)
        valueTransposed = FloatView(zeros: forTraining ? rows : 0)
        dOutput = FloatView(zeros: forTraining ? rows : 0)
        probabilities = FloatView(
            zeros: forTraining ? scores : productTileRows * longest.paddedLength)
        dScores = FloatView(zeros: forTraining ? scores : 0)
        rowDots = FloatView(zeros: length)
    }

    func requireRoom(for shape: AttentionShape) {
        precondition(
            shape.length <= capacity.length && shape.headSize == capacity.headSize,
            "the attention scratch holds \(capacity.length) positions of \(capacity.headSize) channels"
        )
    }
}

/// Packs `[rows, K]` that lie `stride` apart into rows of `paddedHeadSize`, scaled; columns beyond, and rows up to
/// a whole tile of them, are 0.
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
    (target + rows * width).update(repeating: 0, count: (paddedToTiles(rows) - rows) * width)
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
