import Foundation

/// Up to this many queries at the end of a longer sequence read keys and values where they lie: to pack those of the whole
/// sequence takes longer than what so few queries do with them.
private let fewQueries = 4

extension GroupedAttentionShape {
    /// Whether keys and values are read where they lie.
    var isOfFewQueries: Bool {
        queryCount <= fewQueries && queryCount < length && headSize % laneCount == 0
    }
}

/// ``groupedAttentionForward(output:logNormalizer:queries:keys:values:positions:shape:group:scratch:)`` for few queries.
///
/// Scores are summed in sixteen parts, so they differ from those of many queries by roundings.
struct FewQueryAttention {
    let shape: GroupedAttentionShape
    let group: Int
    /// Those of the group's head in the first row.
    let keys: UnsafePointer<Float>
    let values: UnsafePointer<Float>
    let scratch: AttentionScratch

    /// All heads of the group, a few rows of scores at a time; a row is a query of one head.
    func run(
        output: UnsafeMutablePointer<Float>, logNormalizer: UnsafeMutablePointer<Float>,
        queries: UnsafePointer<Float>, positions: UnsafePointer<Int32>
    ) {
        let head = shape.head
        let padded = head.paddedLength
        let heads = shape.heads(of: group)
        let count = heads.count * shape.queryCount
        let scores = scratch.probabilities.pointer
        for first in stride(from: 0, to: count, by: productTileRows) {
            let rows = first..<min(first + productTileRows, count)
            score(rows, queries: queries, scale: head.scale)
            for row in rows {
                let query = row % shape.queryCount
                let (largest, sum) = exponentiate(
                    scores + (row - first) * padded, valid: Int(positions[query]) + 1,
                    padded: padded)
                let index = heads.lowerBound + row / shape.queryCount
                logNormalizer[index * shape.queryCount + query] = largest + log(sum)
                scratch.rowDots.pointer[row - first] = 1 / sum
            }
            weigh(rows, output: output)
        }
    }

    /// Where the numbers of a row lie in `[S, H·K]`.
    private func place(_ row: Int) -> Int {
        let index = shape.heads(of: group).lowerBound + row / shape.queryCount
        return row % shape.queryCount * shape.queryWidth + index * shape.headSize
    }

    /// `q · k_j / √K` for all j; a few keys at a time serve all rows.
    private func score(_ rows: Range<Int>, queries: UnsafePointer<Float>, scale: Float) {
        let padded = paddedToLanes(shape.length)
        for first in stride(from: 0, to: shape.length, by: 4) {
            for row in rows {
                let sums = dotProducts(queries + place(row), first: first)
                let target =
                    scratch.probabilities.pointer + (row - rows.lowerBound) * padded + first
                UnsafeMutableRawPointer(target).storeBytes(
                    of: sums * scale, as: SIMD4<Float>.self)
            }
        }
    }

    /// The products of a query with four keys, whose sums hide each other's latency; the last key stands for those beyond it.
    @inline(__always)
    private func dotProducts(_ query: UnsafePointer<Float>, first: Int) -> SIMD4<Float> {
        @inline(__always)
        func key(_ offset: Int) -> UnsafePointer<Float> {
            keys + min(first + offset, shape.length - 1) * shape.keyWidth
        }
        let (key0, key1, key2, key3) = (key(0), key(1), key(2), key(3))
        var (sum0, sum1) = (Lanes(repeating: 0), Lanes(repeating: 0))
        var (sum2, sum3) = (Lanes(repeating: 0), Lanes(repeating: 0))
        for channel in stride(from: 0, to: shape.headSize, by: laneCount) {
            let numbers = query.lanes(at: channel)
            sum0.addProduct(numbers, key0.lanes(at: channel))
            sum1.addProduct(numbers, key1.lanes(at: channel))
            sum2.addProduct(numbers, key2.lanes(at: channel))
            sum3.addProduct(numbers, key3.lanes(at: channel))
        }
        return SIMD4(sum0.total, sum1.total, sum2.total, sum3.total)
    }

    /// `Σ_j p_j v_j`; a tile of values serves all rows.
    private func weigh(_ rows: Range<Int>, output: UnsafeMutablePointer<Float>) {
        let padded = paddedToLanes(shape.length)
        for first in stride(from: 0, to: shape.length, by: laneCount) {
            let end = min(first + laneCount, shape.length)
            for row in rows {
                let weights =
                    scratch.probabilities.pointer + (row - rows.lowerBound) * padded
                let target = output + place(row)
                // Only the last tile's sums are whole.
                let scale =
                    end == shape.length ? scratch.rowDots.pointer[row - rows.lowerBound] : 1
                for channel in stride(from: 0, to: shape.headSize, by: laneCount) {
                    var sum = first == 0 ? Lanes(repeating: 0) : target.lanes(at: channel)
                    for key in first..<end {
                        sum.addProduct(
                            Lanes(repeating: weights[key]),
                            values.lanes(at: key * shape.keyWidth + channel))
                    }
                    target.store(sum * scale, at: channel)
                }
            }
        }
    }
}
