import Foundation

/// Causal multi-head attention: per head, `o_i = Σ_{j ≤ i} softmax_j(q_i · k_j / √K) v_j`, for all positions i or
/// for some of them.
///
/// Tiles above the diagonal are never computed; a tile that the diagonal crosses is cut by the softmax. Only the
/// logarithm of each row's normaliser is kept for the backward pass.
///
/// - Parameters:
///   - output: `o: [B, S, C]`, heads side by side.
///   - logNormalizer: `log Σ_{j ≤ i} exp(q_i · k_j / √K): [B, H, S]`.
///   - queriesKeysValues: `[B, T, 3C]`: queries, then keys, then values.
///   - positions: `[S]`, ascending: the positions i that are asked for, in every sequence.
///   - shape: B, T, H, K, S.
///   - scratch: working memory of the calling worker.
///
/// Source: Vaswani et al. 2017, equation 1, with the causal mask of section 3.1; the kept normaliser is that of
/// Dao et al. 2022, section 3.1.
public func causalAttentionForward(
    output: FloatView, logNormalizer: FloatView, queriesKeysValues: FloatView,
    positions: IndexView, shape: AttentionShape, scratch: AttentionScratch
) {
    scratch.requireRoom(for: shape)
    requirePositions(positions, shape)
    let channels = shape.channels
    let rows = shape.examples * shape.queryCount
    precondition(output.count >= rows * channels && logNormalizer.count >= rows * shape.headCount)
    precondition(queriesKeysValues.count >= shape.examples * shape.length * 3 * channels)
    for example in 0..<shape.examples {
        for head in 0..<shape.headCount {
            let query =
                queriesKeysValues.pointer + example * shape.length * 3 * channels
                + head * shape.headSize
            packRows(
                query, stride: 3 * channels, rows: shape.queryCount,
                positions: positions.pointer, into: scratch.query.pointer, shape: shape,
                scale: shape.scale)
            packTransposed(
                query + channels, stride: 3 * channels, into: scratch.keyTransposed.pointer,
                shape: shape)
            packRows(
                query + 2 * channels, stride: 3 * channels, rows: shape.length,
                into: scratch.value.pointer, shape: shape, scale: 1)
            attendForward(
                output: output.pointer + example * shape.queryCount * channels
                    + head * shape.headSize,
                logNormalizer: logNormalizer.pointer
                    + (example * shape.headCount + head) * shape.queryCount,
                positions: positions.pointer, shape: shape, scratch: scratch)
        }
    }
}

private func requirePositions(_ positions: IndexView, _ shape: AttentionShape) {
    precondition(positions.count == shape.queryCount && shape.queryCount <= shape.length)
    var last: Int32 = -1
    for index in 0..<positions.count {
        precondition(positions.pointer[index] > last, "the positions do not ascend")
        last = positions.pointer[index]
    }
    precondition(last < shape.length, "position \(last) of \(shape.length)")
}

/// One packed head: scores, softmax and weighted values of one tile of query rows at a time.
func attendForward(
    output: UnsafeMutablePointer<Float>, logNormalizer: UnsafeMutablePointer<Float>,
    positions: UnsafePointer<Int32>, shape: AttentionShape, scratch: AttentionScratch
) {
    let padded = shape.paddedLength
    let width = shape.paddedHeadSize
    let scores = scratch.probabilities.pointer
    let scales = scratch.rowDots.pointer
    for first in stride(from: 0, to: shape.queryCount, by: productTileRows) {
        let rows = min(productTileRows, shape.queryCount - first)
        let visible = Int(positions[first + rows - 1]) + 1
        for column in stride(from: 0, to: visible, by: laneCount) {
            var tile = ProductTile()
            tile.accumulate(
                scratch.query.pointer + first * width, rowStride: width, stepStride: 1,
                panel: scratch.keyTransposed.pointer + column, panelStride: padded,
                steps: shape.headSize)
            tile.forEachRow { scores.store($1, at: $0 * padded + column) }
        }
        for row in 0..<rows {
            let (largest, sum) = exponentiate(
                scores + row * padded, valid: Int(positions[first + row]) + 1,
                padded: paddedToLanes(visible))
            logNormalizer[first + row] = largest + log(sum)
            scales[row] = 1 / sum
        }
        for channel in stride(from: 0, to: width, by: laneCount) {
            var tile = ProductTile()
            tile.accumulate(
                scores, rowStride: padded, stepStride: 1,
                panel: scratch.value.pointer + channel, panelStride: width, steps: visible)
            let columns = min(laneCount, shape.headSize - channel)
            tile.forEachRow(count: rows) { row, sums in
                output.store(
                    sums * scales[row], at: (first + row) * shape.channels + channel,
                    count: columns)
            }
        }
    }
}

/// `exp(s − max s)` of the first `valid` scores; the rest up to `padded` becomes 0.
///
/// - Returns: the largest score and the sum of the exponentials.
@inline(__always)
func exponentiate(
    _ row: UnsafeMutablePointer<Float>, valid: Int, padded: Int
) -> (largest: Float, sum: Float) {
    let whole = valid / laneCount * laneCount
    for index in stride(from: whole, to: padded, by: laneCount) {
        let cut = row.lanes(at: index)
            .replacing(with: -.infinity, where: laneNumbers .>= Float(valid - index))
        row.store(cut, at: index)
    }
    var peak = Lanes(repeating: -.infinity)
    for index in stride(from: 0, to: padded, by: laneCount) {
        let lanes = row.lanes(at: index)
        peak.replace(with: lanes, where: lanes .> peak)
    }
    let largest = peak.largest
    var sum = Lanes(repeating: 0)
    for index in stride(from: 0, to: whole, by: laneCount) {
        let weights = exponential(row.lanes(at: index) - largest)
        sum += weights
        row.store(weights, at: index)
    }
    for index in stride(from: whole, to: padded, by: laneCount) {
        let scores = row.lanes(at: index)
        // −∞ is clamped by the exponential, so the cut positions are set to an exact 0.
        let weights = exponential(scores - largest)
            .replacing(with: 0, where: scores .== -.infinity)
        sum += weights
        row.store(weights, at: index)
    }
    return (largest, sum.total)
}

/// Gradients of ``causalAttentionForward(output:logNormalizer:queriesKeysValues:positions:shape:scratch:)``.
///
/// With `p_ij` the softmax, `D_i = do_i · o_i` and `ds_ij = p_ij (do_i · v_j − D_i)`:
/// `dq_i = Σ_j ds_ij k_j / √K`, `dk_j = Σ_i ds_ij q_i / √K`, `dv_j = Σ_i p_ij do_i`.
///
/// - Parameters:
///   - dQueriesKeysValues: `[B, T, 3C]`, overwritten; 0 for the queries of positions that were not asked for.
///   - dOutput: `do: [B, S, C]`.
///   - output: `o: [B, S, C]` of the forward pass.
///   - logNormalizer: `[B, H, S]` of the forward pass.
///   - queriesKeysValues: `[B, T, 3C]` of the forward pass.
///   - positions: `[S]` of the forward pass.
///   - shape: B, T, H, K, S.
///   - keys: whose gradients are computed; with ``AttentionKeys/own``, `dk_i = ds_ii q_i / √K` and `dv_i = p_ii do_i`.
///   - scratch: working memory of the calling worker, made for training.
///
/// Source: Dao et al. 2022, appendix B.2.
public func causalAttentionBackward(
    dQueriesKeysValues: FloatView, dOutput: FloatView, output: FloatView, logNormalizer: FloatView,
    queriesKeysValues: FloatView, positions: IndexView, shape: AttentionShape,
    keys: AttentionKeys = .all, scratch: AttentionScratch
) {
    scratch.requireRoom(for: shape)
    requirePositions(positions, shape)
    precondition(scratch.dScores.count > 0, "this attention scratch was made for the forward pass")
    let channels = shape.channels
    let rows = shape.examples * shape.queryCount
    precondition(output.count >= rows * channels && dOutput.count >= rows * channels)
    precondition(logNormalizer.count >= rows * shape.headCount)
    let wideCount = shape.examples * shape.length * 3 * channels
    precondition(dQueriesKeysValues.count >= wideCount && queriesKeysValues.count >= wideCount)
    if shape.queryCount < shape.length { dQueriesKeysValues[0..<wideCount].fill(0) }
    for example in 0..<shape.examples {
        for head in 0..<shape.headCount {
            let wide = example * shape.length * 3 * channels + head * shape.headSize
            let narrow = example * shape.queryCount * channels + head * shape.headSize
            let query = queriesKeysValues.pointer + wide
            packKeysForBackward(
                key: query + channels, value: query + 2 * channels, stride: 3 * channels,
                shape: shape, scratch: scratch)
            packQueriesForBackward(
                query: query, stride: 3 * channels, dOutput: dOutput.pointer + narrow,
                output: output.pointer + narrow, positions: positions.pointer, shape: shape,
                scratch: scratch)
            let gradient = dQueriesKeysValues.pointer + wide
            attendBackwardRows(
                dQuery: gradient, stride: 3 * channels,
                logNormalizer: logNormalizer.pointer
                    + (example * shape.headCount + head) * shape.queryCount,
                positions: positions.pointer, shape: shape, scratch: scratch)
            switch keys {
            case .all:
                attendBackwardColumns(
                    dKey: gradient + channels, dValue: gradient + 2 * channels,
                    stride: 3 * channels, positions: positions.pointer, shape: shape,
                    scratch: scratch)
            case .own:
                attendBackwardOwnKeys(
                    dKey: gradient + channels, dValue: gradient + 2 * channels,
                    positions: positions.pointer, shape: shape, scratch: scratch)
            }
        }
    }
}

/// Through which keys and values a gradient flows back.
public enum AttentionKeys: Sendable, Hashable {
    /// All that a row attends to: the gradient of the sum of the outputs.
    case all
    /// The row's own: the gradient of each output by what stands at its own position, for all positions at once.
    case own
}

/// Packs the keys and values of one head, `stride` apart, for the backward pass.
func packKeysForBackward(
    key: UnsafePointer<Float>, value: UnsafePointer<Float>, stride: Int, shape: AttentionShape,
    scratch: AttentionScratch
) {
    packRows(
        key, stride: stride, rows: shape.length, into: scratch.key.pointer, shape: shape, scale: 1)
    packTransposed(key, stride: stride, into: scratch.keyTransposed.pointer, shape: shape)
    packTransposed(value, stride: stride, into: scratch.valueTransposed.pointer, shape: shape)
}

/// Packs the queries of one head, `stride` apart, and what belongs to its outputs.
func packQueriesForBackward(
    query: UnsafePointer<Float>, stride wide: Int, dOutput: UnsafePointer<Float>,
    output: UnsafePointer<Float>, positions: UnsafePointer<Int32>, shape: AttentionShape,
    scratch: AttentionScratch
) {
    let channels = shape.channels
    let queries = shape.queryCount
    packRows(
        query, stride: wide, rows: queries, positions: positions, into: scratch.query.pointer,
        shape: shape, scale: shape.scale)
    packRows(
        dOutput, stride: channels, rows: queries, into: scratch.dOutput.pointer, shape: shape,
        scale: 1)
    // D_i = do_i · o_i
    let width = shape.paddedHeadSize
    for row in 0..<queries {
        var sum = Lanes(repeating: 0)
        for channel in stride(from: 0, to: width, by: laneCount) {
            sum.addProduct(
                scratch.dOutput.pointer.lanes(at: row * width + channel),
                output.lanes(
                    at: row * channels + channel, count: min(laneCount, shape.headSize - channel)))
        }
        scratch.rowDots.pointer[row] = sum.total
    }
}

/// One tile of query rows at a time: probabilities and score gradients (kept in the scratch), then dq.
///
/// `dq` of the row at position p is stored at p · `stride`.
func attendBackwardRows(
    dQuery: UnsafeMutablePointer<Float>, stride wide: Int, logNormalizer: UnsafePointer<Float>,
    positions: UnsafePointer<Int32>, shape: AttentionShape, scratch: AttentionScratch
) {
    let padded = shape.paddedLength
    let width = shape.paddedHeadSize
    let probabilities = scratch.probabilities.pointer
    let dScores = scratch.dScores.pointer
    for first in stride(from: 0, to: shape.queryCount, by: productTileRows) {
        let rows = min(productTileRows, shape.queryCount - first)
        let visible = Int(positions[first + rows - 1]) + 1
        for column in stride(from: 0, to: visible, by: laneCount) {
            var scores = ProductTile()
            scores.accumulate(
                scratch.query.pointer + first * width, rowStride: width, stepStride: 1,
                panel: scratch.keyTransposed.pointer + column, panelStride: padded,
                steps: shape.headSize)
            scores.forEachRow { row, score in
                let index = first + row
                var p = Lanes(repeating: 0)
                if row < rows {
                    let seen = Int(positions[index]) + 1 - column
                    p = exponential(score - logNormalizer[index])
                    if seen < laneCount { p.replace(with: 0, where: laneNumbers .>= Float(seen)) }
                }
                probabilities.store(p, at: index * padded + column)
            }
            var dProbabilities = ProductTile()
            dProbabilities.accumulate(
                scratch.dOutput.pointer + first * width, rowStride: width, stepStride: 1,
                panel: scratch.valueTransposed.pointer + column, panelStride: padded,
                steps: shape.headSize)
            dProbabilities.forEachRow { row, dProbability in
                let at = (first + row) * padded + column
                dScores.store(
                    probabilities.lanes(at: at)
                        * (dProbability - scratch.rowDots.pointer[first + row]), at: at)
            }
        }
        // A tile of keys may reach past the last column above; what it reads there belongs to keys not seen.
        let end = paddedToLanes(visible)
        if end < min(visible + productTileRows - 1, padded) {
            for row in first..<first + productTileRows {
                probabilities.store(Lanes(repeating: 0), at: row * padded + end)
                dScores.store(Lanes(repeating: 0), at: row * padded + end)
            }
        }
        for channel in stride(from: 0, to: width, by: laneCount) {
            var tile = ProductTile()
            tile.accumulate(
                dScores + first * padded, rowStride: padded, stepStride: 1,
                panel: scratch.key.pointer + channel, panelStride: width, steps: visible)
            let columns = min(laneCount, shape.headSize - channel)
            tile.forEachRow(count: rows) { row, sums in
                let at = Int(positions[first + row]) * wide + channel
                dQuery.store(sums * shape.scale, at: at, count: columns)
            }
        }
    }
}

/// One tile of keys at a time: dk and dv, summed over the query rows at or below them, stored `stride` apart; added to
/// what is there when `adding`, for the heads that share keys.
func attendBackwardColumns(
    dKey: UnsafeMutablePointer<Float>, dValue: UnsafeMutablePointer<Float>, stride: Int,
    adding: Bool = false, positions: UnsafePointer<Int32>, shape: AttentionShape,
    scratch: AttentionScratch
) {
    let length = shape.length
    let padded = shape.paddedLength
    let width = shape.paddedHeadSize
    @inline(__always)
    func store(_ sums: Lanes, _ target: UnsafeMutablePointer<Float>, at place: Int, count: Int) {
        let total = adding ? target.lanes(at: place, count: count) + sums : sums
        target.store(total, at: place, count: count)
    }
    var firstQuery = 0
    for first in Swift.stride(from: 0, to: length, by: productTileRows) {
        let rows = min(productTileRows, length - first)
        // Queries before the first of these keys see none of them.
        while firstQuery < shape.queryCount && Int(positions[firstQuery]) < first {
            firstQuery += 1
        }
        let steps = shape.queryCount - firstQuery
        let scores = firstQuery * padded + first
        for channel in Swift.stride(from: 0, to: width, by: laneCount) {
            let columns = min(laneCount, shape.headSize - channel)
            let panel = firstQuery * width + channel
            var key = ProductTile()
            // The packed queries carry 1/√K already.
            key.accumulate(
                scratch.dScores.pointer + scores, rowStride: 1, stepStride: padded,
                panel: scratch.query.pointer + panel, panelStride: width, steps: steps)
            key.forEachRow(count: rows) { row, sums in
                store(sums, dKey, at: (first + row) * stride + channel, count: columns)
            }
            var value = ProductTile()
            value.accumulate(
                scratch.probabilities.pointer + scores, rowStride: 1, stepStride: padded,
                panel: scratch.dOutput.pointer + panel, panelStride: width, steps: steps)
            value.forEachRow(count: rows) { row, sums in
                store(sums, dValue, at: (first + row) * stride + channel, count: columns)
            }
        }
    }
}

/// dk and dv of the keys at the query rows' own positions, each from its own row alone.
private func attendBackwardOwnKeys(
    dKey: UnsafeMutablePointer<Float>, dValue: UnsafeMutablePointer<Float>,
    positions: UnsafePointer<Int32>, shape: AttentionShape, scratch: AttentionScratch
) {
    let width = shape.paddedHeadSize
    for row in 0..<shape.queryCount {
        let position = Int(positions[row])
        let score = row * shape.paddedLength + position
        let (dScore, probability) = (
            scratch.dScores.pointer[score], scratch.probabilities.pointer[score]
        )
        let target = position * 3 * shape.channels
        for channel in 0..<shape.headSize {
            // The packed queries carry 1/√K already.
            dKey[target + channel] = dScore * scratch.query.pointer[row * width + channel]
            dValue[target + channel] =
                probability * scratch.dOutput.pointer[row * width + channel]
        }
    }
}
