import Foundation
import Synchronization

/// Work cut into numbered parts, for a round that must not allocate: a closure would need memory of its own to reach the
/// workers.
public protocol PoolWork: Sendable {
    /// Does one part.
    ///
    /// - Parameters:
    ///   - part: its number.
    ///   - worker: who does it; two calls with the same worker never overlap.
    func perform(part: Int, worker: Int)
}

extension PoolWork {
    /// As ``perform(part:worker:)`` of the value at `address`: how workers call work whose type they do not know.
    fileprivate static func perform(at address: UnsafeRawPointer, part: Int, worker: Int) {
        address.assumingMemoryBound(to: Self.self).pointee.perform(part: part, worker: worker)
    }
}

/// A closure as work.
private struct ClosureWork: PoolWork {
    let body: @Sendable (_ part: Int, _ worker: Int) -> Void

    func perform(part: Int, worker: Int) { body(part, worker) }
}

/// A fixed set of threads that run numbered parts of some work.
///
/// Which worker takes which part is left to chance; results must not depend on it: a part writes only memory that no
/// other touches, or keeps an order of its own (house rule of determinism). The calling thread is worker 0.
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

    /// Does every part of `work` in `0..<parts` once and returns when all are done.
    ///
    /// - Parameters:
    ///   - parts: number of parts.
    ///   - work: the work.
    public func run(parts: Int, _ work: some PoolWork) {
        guard workerCount > 1, parts > 1 else {
            for part in 0..<parts { work.perform(part: part, worker: 0) }
            return
        }
        withUnsafePointer(to: work) { address in
            shared.run(Round(type: type(of: work), address: address, parts: parts), workerCount)
        }
    }

    /// Calls `body(part, worker)` once for each part in `0..<parts` and returns when all are done.
    ///
    /// - Parameters:
    ///   - parts: number of parts.
    ///   - body: the work; two calls with the same `worker` never overlap.
    public func run(parts: Int, _ body: @Sendable (_ part: Int, _ worker: Int) -> Void) {
        withoutActuallyEscaping(body) { run(parts: parts, ClosureWork(body: $0)) }
    }

    /// What the workers are to do: the work lies in the caller's frame, which waits for them.
    private struct Round {
        let type: any PoolWork.Type
        let address: UnsafeRawPointer
        let parts: Int
    }

    /// State under one mutex: a round number that wakes the threads, and how many are still busy with it.
    private final class Shared: @unchecked Sendable {
        private let condition = NSCondition()
        private var number = 0
        private var busy = 0
        private var stopped = false
        private var round: Round?
        private let next = Atomic<Int>(0)

        func run(_ round: Round, _ workers: Int) {
            condition.lock()
            precondition(self.round == nil, "a worker pool runs one round at a time")
            self.round = round
            next.store(0, ordering: .relaxed)
            busy = workers - 1
            number += 1
            condition.broadcast()
            condition.unlock()
            drain(round, worker: 0)
            condition.lock()
            while busy > 0 { condition.wait() }
            self.round = nil
            condition.unlock()
        }

        func serve(worker: Int) {
            var seen = 0
            while true {
                condition.lock()
                while number == seen && !stopped { condition.wait() }
                if stopped {
                    condition.unlock()
                    return
                }
                seen = number
                let round = round
                condition.unlock()
                if let round { drain(round, worker: worker) }
                condition.lock()
                busy -= 1
                if busy == 0 { condition.broadcast() }
                condition.unlock()
            }
        }

        private func drain(_ round: Round, worker: Int) {
            while true {
                let part = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard part < round.parts else { return }
                round.type.perform(at: round.address, part: part, worker: worker)
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
        run(parts: elements.count) { index, _ in
            let result = transform(elements[index])
            results.withLock { $0[index] = result }
        }
        return results.withLock { $0.compactMap(\.self) }
    }
}
