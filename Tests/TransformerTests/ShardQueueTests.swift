import Testing

@testable import Transformer

/// The dealing of shards: each once, a lane's in order, never two of a lane at a time.
@Suite struct ShardQueueTests {
    @Test(arguments: [1, 3, 7, 8, 9, 16, 41], [1, 2, 3, 8])
    func everyShardIsDealtOnceAndALanesShardsInOrder(shards: Int, workers: Int) {
        let plan = ShardPlan(examples: shards, length: 384)
        #expect(plan.shardCount == shards)
        let queue = ShardQueue()
        for _ in 0..<2 {
            queue.begin(plan)
            // Worker w gives back what it has at every (w + 1)th turn: all speeds from equal to eightfold.
            var held = [Int?](repeating: nil, count: workers)
            var isDone = [Bool](repeating: false, count: workers)
            var dealt: [[Int]] = .init(repeating: [], count: ShardPlan.laneCount)
            var turn = 0
            while isDone.contains(false) {
                for worker in 0..<workers where !isDone[worker] && turn % (worker + 1) == 0 {
                    let before = held[worker]
                    held[worker] = nil
                    guard let (shard, lane) = queue.next(after: before) else {
                        isDone[worker] = true
                        continue
                    }
                    #expect(!held.contains(lane), "lane \(lane) is dealt twice")
                    held[worker] = lane
                    dealt[lane].append(shard)
                }
                turn += 1
            }
            #expect(
                dealt.prefix(plan.lanes).enumerated().allSatisfy { lane, shards in
                    shards == Array(plan.shards(ofLane: lane))
                }, "\(dealt)")
        }
    }

    @Test func twoWorkersOfEqualSpeedEndTogether() {
        let plan = ShardPlan(examples: 64, length: 82)
        let queue = ShardQueue()
        queue.begin(plan)
        var lanes: [Int?] = [nil, nil]
        for _ in 0..<plan.shardCount / 2 {
            for worker in 0..<2 {
                lanes[worker] = queue.next(after: lanes[worker])?.lane
                #expect(lanes[worker] != nil)
            }
        }
        #expect(queue.next(after: lanes[0]) == nil && queue.next(after: lanes[1]) == nil)
    }
}
