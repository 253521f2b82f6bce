/// How a batch is cut: shards of a fixed number of examples, dealt in turn to a fixed number of lanes.
///
/// The cut depends on the batch alone, never on the number of workers, so that sums are grouped the same way
/// whoever computes them. A shard has up to 384 rows: enough for the matrix products, little enough for the cache.
public struct ShardPlan: Sendable, Equatable {
    /// Lanes of every plan: gradient buffers, and the largest useful number of workers.
    public static let laneCount = 8
    private static let targetRows = 384
    /// A small batch is cut into this many shards at least, so that four workers have work; thinner shards would
    /// cost the products more than further workers gain.
    private static let leastShards = 4

    /// B: examples in the batch.
    public let examples: Int
    /// Examples in each shard but perhaps the last.
    public let examplesPerShard: Int

    /// - Parameters:
    ///   - examples: B.
    ///   - length: T.
    public init(examples: Int, length: Int) {
        precondition(examples > 0 && length > 0, "a batch of \(examples) × \(length)")
        self.examples = examples
        var size = 1
        while 2 * size * length <= Self.targetRows { size *= 2 }
        let even = (examples + Self.leastShards - 1) / Self.leastShards
        examplesPerShard = max(1, min(size, even))
    }

    /// Number of shards.
    public var shardCount: Int { (examples + examplesPerShard - 1) / examplesPerShard }

    /// Lanes that have work.
    public var lanes: Int { min(Self.laneCount, shardCount) }

    /// The examples of `shard`.
    public func examples(ofShard shard: Int) -> Range<Int> {
        let first = shard * examplesPerShard
        return first..<min(examples, first + examplesPerShard)
    }
}
