import Synchronization

/// Deals a plan's shards to workers: any free worker takes the next shard of any lane that nobody is working on.
///
/// A lane's shards are taken one after another in their order, so that its sums do not depend on who takes them. Workers of
/// about equal speed, fewer than the lanes, wait for each other at the end of a batch for as long as one shard takes.
final class ShardQueue: Sendable {
    private struct State {
        var plan = ShardPlan(examples: 1, length: 1)
        /// Shards of each lane that have been taken.
        var taken = [Int](repeating: 0, count: ShardPlan.laneCount)
        var busy = [Bool](repeating: false, count: ShardPlan.laneCount)
    }

    private let state = Mutex(State())

    /// Begins a batch.
    func begin(_ plan: ShardPlan) {
        state.withLock { state in
            state.plan = plan
            for lane in state.taken.indices {
                state.taken[lane] = 0
                state.busy[lane] = false
            }
        }
    }

    /// Gives back `lane`, the lane of the shard before, and takes the first shard that is next in a free lane.
    ///
    /// - Returns: a shard and its lane; nil when no free lane has any left.
    func next(after lane: Int?) -> (shard: Int, lane: Int)? {
        state.withLock { state in
            if let lane { state.busy[lane] = false }
            var shard = Int.max
            for lane in 0..<state.plan.lanes where !state.busy[lane] {
                shard = min(shard, lane + state.taken[lane] * ShardPlan.laneCount)
            }
            guard shard < state.plan.shardCount else { return nil }
            let lane = shard % ShardPlan.laneCount
            state.busy[lane] = true
            state.taken[lane] += 1
            return (shard, lane)
        }
    }
}
