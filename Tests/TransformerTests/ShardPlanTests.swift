import Testing

@testable import Transformer

extension ShardPlan {
    /// The shards of `lane`, in the order they are summed.
    func shards(ofLane lane: Int) -> StrideTo<Int> {
        stride(from: lane, to: shardCount, by: Self.laneCount)
    }
}

/// The cut of a batch into shards and lanes.
@Suite struct ShardPlanTests {
    static let plans = [1, 2, 5, 31, 50, 82, 164, 384, 385, 1000].flatMap { length in
        (1...130).map { ShardPlan(examples: $0, length: length) }
    }

    @Test func shardsCoverEveryExampleOnceInOrder() {
        for plan in Self.plans {
            let covered = (0..<plan.shardCount).flatMap { Array(plan.examples(ofShard: $0)) }
            #expect(covered == Array(0..<plan.examples), "\(plan)")
            #expect((0..<plan.shardCount).allSatisfy { !plan.examples(ofShard: $0).isEmpty })
        }
    }

    @Test func lanesCoverEveryShardOnceInOrder() {
        for plan in Self.plans {
            #expect((1...ShardPlan.laneCount).contains(plan.lanes))
            let lanes = (0..<plan.lanes).map { Array(plan.shards(ofLane: $0)) }
            #expect(lanes.flatMap { $0 }.sorted() == Array(0..<plan.shardCount), "\(plan)")
            #expect(lanes.allSatisfy { !$0.isEmpty && $0 == $0.sorted() })
            let sizes = lanes.map(\.count)
            #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1, "\(plan)")
        }
    }

    @Test func shardsStayInTheCache() {
        for length in [1, 2, 5, 31, 50, 82, 164, 384, 385, 1000] {
            let plan = ShardPlan(examples: 100_000, length: length)
            let rows = plan.examplesPerShard * length
            #expect(rows <= max(384, length) && (rows > 192 || length > 384), "\(length): \(rows)")
        }
    }

    @Test func theStandardBatchIsCutAsMeasured() {
        let plan = ShardPlan(examples: 64, length: 82)
        #expect(plan.examplesPerShard == 4 && plan.shardCount == 16 && plan.lanes == 8)
        #expect(Array(plan.shards(ofLane: 3)) == [3, 11])
        #expect(plan.examples(ofShard: 11) == 44..<48)
        // A small batch: four shards, so that four workers have work and products stay thick.
        #expect(ShardPlan(examples: 8, length: 10).lanes == 4)
        #expect(ShardPlan(examples: 3, length: 10).lanes == 3)
    }
}
