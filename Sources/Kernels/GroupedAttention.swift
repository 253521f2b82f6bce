import Foundation

/// Sizes of attention in which several query heads share keys: one sequence, the last S of whose T positions ask.
public struct GroupedAttentionShape: Sendable, Hashable {
    /// S ≤ T: rows of queries; row s stands at position T − S + s.
    public let queryCount: Int
    /// T: rows of keys and values.
    public let length: Int
    /// H: query heads.
    public let headCount: Int
    /// G: key/value heads, a divisor of H; H / G query heads in a row share one.
    public let keyValueHeadCount: Int
    /// K: numbers of one head.
    public let headSize: Int

    /// - Parameters:
    ///   - queryCount: S; T when nil.
    ///   - length: T.
    ///   - headCount: H.
    ///   - keyValueHeadCount: G.
    ///   - headSize: K.
    public init(
        queryCount: Int? = nil, length: Int, headCount: Int, keyValueHeadCount: Int, headSize: Int
    ) {
        self.queryCount = queryCount ?? length
        self.length = length
        self.headCount = headCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headSize = headSize
        precondition(self.queryCount <= length, "\(self.queryCount) queries, \(length) keys")
        precondition(headCount % keyValueHeadCount == 0, "\(headCount) heads, \(keyValueHeadCount)")
    }

    /// H·K.
    var queryWidth: Int { headCount * headSize }
    /// G·K.
    var keyWidth: Int { keyValueHeadCount * headSize }
    /// The query heads that share the keys of `group`.
    func heads(of group: Int) -> Range<Int> {
        let count = headCount / keyValueHeadCount
        return group * count..<(group + 1) * count
    }

    /// What one head sees.
    var head: AttentionShape {
        AttentionShape(
            examples: 1, length: length, headCount: headCount, headSize: headSize,
            queryCount: queryCount)
    }
}

/// Causal attention of the query heads that share one head of keys and values:
/// `o_i = Σ_{j ≤ i} softmax_j(q_i · k_j / √K) v_j`.
///
/// Up to four queries at the end of a longer sequence read keys and values where they lie and sum in another order than
/// more would; more get the bits that they get among all.
///
/// - Parameters:
///   - output: `o: [S, H·K]`; the columns of these heads are overwritten.
///   - logNormalizer: `log Σ_{j ≤ i} exp(q_i · k_j / √K): [H, S]`.
///   - queries: `[S, H·K]`.
///   - keys: `[T, G·K]`.
///   - values: `[T, G·K]`.
///   - positions: `[S]`: T − S, …, T − 1.
///   - shape: S, T, H, G, K.
///   - group: the head of keys, below G; groups write to different memory.
///   - scratch: working memory of the calling worker.
///
/// Source: Ainslie et al. 2023, section 2.2.
public func groupedAttentionForward(
    output: FloatView, logNormalizer: FloatView, queries: FloatView, keys: FloatView,
    values: FloatView, positions: IndexView, shape: GroupedAttentionShape, group: Int,
    scratch: AttentionScratch
) {
    let head = shape.head
    requireSizes(shape, queries: queries, keys: keys, values: values, positions: positions)
    scratch.requireRoom(for: head)
    precondition(output.count >= shape.queryCount * shape.queryWidth)
    precondition(logNormalizer.count >= shape.headCount * shape.queryCount)
    let key = group * shape.headSize
    if shape.isOfFewQueries {
        return FewQueryAttention(
            shape: shape, group: group, keys: keys.pointer + key, values: values.pointer + key,
            scratch: scratch
        ).run(
            output: output.pointer, logNormalizer: logNormalizer.pointer,
            queries: queries.pointer, positions: positions.pointer)
    }
    packTransposed(
        keys.pointer + key, stride: shape.keyWidth, into: scratch.keyTransposed.pointer,
        shape: head)
    packRows(
        values.pointer + key, stride: shape.keyWidth, rows: shape.length,
        into: scratch.value.pointer, shape: head, scale: 1)
    for index in shape.heads(of: group) {
        let query = index * shape.headSize
        packRows(
            queries.pointer + query, stride: shape.queryWidth, rows: shape.queryCount,
            into: scratch.query.pointer, shape: head, scale: head.scale)
        attendForward(
            output: output.pointer + query,
            logNormalizer: logNormalizer.pointer + index * shape.queryCount,
            positions: positions.pointer, shape: head, scratch: scratch)
    }
}

/// Gradients of ``groupedAttentionForward(output:logNormalizer:queries:keys:values:positions:shape:group:scratch:)`` for
/// S = T; those of keys and values are sums over the heads that share them.
///
/// - Parameters:
///   - dQueries: `[T, H·K]`; the columns of these heads are overwritten.
///   - dKeys: `[T, G·K]`; the columns of `group` are overwritten.
///   - dValues: `[T, G·K]`; the columns of `group` are overwritten.
///   - dOutput: `do: [T, H·K]`.
///   - output: `o: [T, H·K]` of the forward pass.
///   - logNormalizer: `[H, T]` of the forward pass.
///   - queries: `[T, H·K]`.
///   - keys: `[T, G·K]`.
///   - values: `[T, G·K]`.
///   - positions: `[T]`: 0, …, T − 1.
///   - shape: S = T, H, G, K.
///   - group: the head of keys, below G.
///   - scratch: working memory of the calling worker, made for training.
public func groupedAttentionBackward(
    dQueries: FloatView, dKeys: FloatView, dValues: FloatView, dOutput: FloatView,
    output: FloatView, logNormalizer: FloatView, queries: FloatView, keys: FloatView,
    values: FloatView, positions: IndexView, shape: GroupedAttentionShape, group: Int,
    scratch: AttentionScratch
) {
    let head = shape.head
    precondition(shape.queryCount == shape.length, "gradients of whole sequences only")
    requireSizes(shape, queries: queries, keys: keys, values: values, positions: positions)
    requireSizes(shape, queries: dQueries, keys: dKeys, values: dValues, positions: positions)
    scratch.requireRoom(for: head)
    precondition(scratch.dScores.count > 0, "this attention scratch was made for the forward pass")
    precondition(
        output.count >= shape.length * shape.queryWidth
            && dOutput.count >= shape.length * shape.queryWidth)
    precondition(logNormalizer.count >= shape.headCount * shape.length)
    let key = group * shape.headSize
    packKeysForBackward(
        key: keys.pointer + key, value: values.pointer + key, stride: shape.keyWidth, shape: head,
        scratch: scratch)
    for index in shape.heads(of: group) {
        let query = index * shape.headSize
        packQueriesForBackward(
            query: queries.pointer + query, stride: shape.queryWidth,
            dOutput: dOutput.pointer + query, output: output.pointer + query,
            positions: positions.pointer, shape: head, scratch: scratch)
        attendBackwardRows(
            dQuery: dQueries.pointer + query, stride: shape.queryWidth,
            logNormalizer: logNormalizer.pointer + index * shape.queryCount,
            positions: positions.pointer, shape: head, scratch: scratch)
        attendBackwardColumns(
            dKey: dKeys.pointer + key, dValue: dValues.pointer + key, stride: shape.keyWidth,
            adding: index > shape.heads(of: group).lowerBound, positions: positions.pointer,
            shape: head, scratch: scratch)
    }
}

private func requireSizes(
    _ shape: GroupedAttentionShape, queries: FloatView, keys: FloatView, values: FloatView,
    positions: IndexView
) {
    precondition(queries.count >= shape.queryCount * shape.queryWidth)
    precondition(keys.count >= shape.length * shape.keyWidth)
    precondition(values.count >= shape.length * shape.keyWidth)
    precondition(positions.count == shape.queryCount)
    precondition(
        Int(positions[0]) == shape.length - shape.queryCount
            && Int(positions[shape.queryCount - 1]) == shape.length - 1,
        "the queries stand at the last positions")
}
