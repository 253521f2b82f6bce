import Foundation
import Synchronization

/// A fixed set of threads that run numbered lanes of work.
///
/// Which worker takes which lane is left to chance; results do not depend on it, because a lane writes only memory
/// of its own (house rule of determinism). The calling thread is worker 0.
public final class WorkerPool: Sendable {
    /// Number of workers, the calling thread included.
    public let workerCount: Int
    private let shared: Shared

    /// Starts `workers` − 1 threads.
    ///
    /// - Parameter workers: number of workers, 1 or more.
    public init(workers: Int) {
        precondition(workers >= 1, "a pool has 1 or more workers, not \(workers)")
        workerCount = workers
        let shared = Shared()
        self.shared = shared
        for worker in 1..<max(1, workers) {
            let thread = Thread { shared.serve(worker: worker) }
            thread.name = "worker \(worker)"
            thread.stackSize = 4 << 20
            thread.start()
        }
    }

    deinit { shared.stop() }

    /// Calls `body(lane, worker)` once for each lane in `0..<lanes` and returns when all are done.
    ///
    /// - Parameters:
    ///   - lanes: number of lanes.
    ///   - body: the work; two calls with the same `worker` never overlap.
    public func run(lanes: Int, _ body: @Sendable (_ lane: Int, _ worker: Int) -> Void) {
        guard workerCount > 1, lanes > 1 else {
            for lane in 0..<lanes { body(lane, 0) }
            return
        }
        withoutActuallyEscaping(body) { shared.run(lanes: lanes, workers: workerCount, $0) }
    }

    /// State under one mutex: a round number that wakes the threads, and how many are still busy with it.
    private final class Shared: @unchecked Sendable {
        private let condition = NSCondition()
        private var round = 0
        private var busy = 0
        private var stopped = false
        private var body: (@Sendable (Int, Int) -> Void)?
        private var lanes = 0
        private let next = Atomic<Int>(0)

        func run(lanes: Int, workers: Int, _ body: @escaping @Sendable (Int, Int) -> Void) {
            condition.lock()
            precondition(self.body == nil, "a worker pool runs one round at a time")
            self.body = body
            self.lanes = lanes
            next.store(0, ordering: .relaxed)
            busy = workers - 1
            round += 1
            condition.broadcast()
            condition.unlock()
            drain(body, lanes: lanes, worker: 0)
            condition.lock()
            while busy > 0 { condition.wait() }
            self.body = nil
            condition.unlock()
        }

        func serve(worker: Int) {
            var seen = 0
            while true {
                condition.lock()
                while round == seen && !stopped { condition.wait() }
                if stopped {
                    condition.unlock()
                    return
                }
                seen = round
                condition.unlock()
                drainRound(worker: worker)
                condition.lock()
                busy -= 1
                if busy == 0 { condition.broadcast() }
                condition.unlock()
            }
        }

        /// A function of its own, so that the closure is let go before the worker reports that it is done: the
        /// caller's closure must not outlive ``run(lanes:workers:_:)``.
        @inline(never)
        private func drainRound(worker: Int) {
            if let body { drain(body, lanes: lanes, worker: worker) }
        }

        private func drain(_ body: (Int, Int) -> Void, lanes: Int, worker: Int) {
            while true {
                let lane = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard lane < lanes else { return }
                body(lane, worker)
            }
        }

        func stop() {
            condition.lock()
            stopped = true
            condition.broadcast()
            condition.unlock()
        }
    }
}

extension WorkerPool {
    /// `transform` of every element, computed on the workers, in the elements' order.
    ///
    /// - Parameters:
    ///   - elements: what to transform.
    ///   - transform: called once for each element, on any worker.
    public func map<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ transform: @Sendable (Element) -> Result
    ) -> [Result] {
        let results = Mutex([Result?](repeating: nil, count: elements.count))
        run(lanes: elements.count) { index, _ in
            let result = transform(elements[index])
            results.withLock { $0[index] = result }
        }
        return results.withLock { $0.compactMap(\.self) }
    }
}
