import Foundation
import Kernels
import Synchronization
import Testing

/// The worker pool: every lane once, workers apart, thousands of rounds, no threads left over.
@Suite struct WorkerPoolTests {
    /// What the lanes of one round reported.
    private struct Log {
        var runs: [Int]
        var busy: Set<Int> = []
        var overlaps = 0
        var workers: Set<Int> = []
    }

    @Test(arguments: [1, 2, 3, 4])
    func everyLaneRunsExactlyOnceAndWorkersNeverOverlap(workers: Int) {
        let pool = WorkerPool(workers: workers)
        #expect(pool.workerCount == workers)
        for lanes in [0, 1, 2, 3, 7, 8, 100] {
            for _ in 0..<20 {
                let log = Mutex(Log(runs: [Int](repeating: 0, count: lanes)))
                pool.run(parts: lanes) { lane, worker in
                    log.withLock {
                        $0.runs[lane] += 1
                        if !$0.busy.insert(worker).inserted { $0.overlaps += 1 }
                        $0.workers.insert(worker)
                    }
                    log.withLock { _ = $0.busy.remove(worker) }
                }
                let seen = log.withLock { $0 }
                #expect(seen.runs.allSatisfy { $0 == 1 }, "\(lanes) lanes: \(seen.runs)")
                #expect(seen.overlaps == 0)
                #expect(seen.workers.allSatisfy { (0..<workers).contains($0) })
            }
        }
    }

    /// Rounds so short that threads are still leaving the last one when the next begins.
    @Test(arguments: [1, 2, 4])
    func thousandsOfRoundsFinishAndTheirWritesAreSeen(workers: Int) {
        let pool = WorkerPool(workers: workers)
        let cells = BufferView<Int>(zeros: 8)
        var wrong = 0
        for round in 1...5000 {
            pool.run(parts: 8) { lane, _ in cells[lane] = round &* 8 &+ lane }
            for lane in 0..<8 where cells[lane] != round * 8 + lane { wrong += 1 }
        }
        #expect(wrong == 0)
    }

    @Test func manyWorkersReallyShareTheWork() {
        let pool = WorkerPool(workers: 2)
        let arrived = Atomic<Int>(0)
        // Each of two lanes waits for the other: one worker alone could never finish.
        pool.run(parts: 2) { _, _ in
            arrived.add(1, ordering: .sequentiallyConsistent)
            while arrived.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
        }
        #expect(arrived.load(ordering: .relaxed) == 2)
    }

    @Test func poolsComeAndGoWithoutLeavingThreads() throws {
        func threadCount() throws -> Int {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count
        }
        let before = try threadCount()
        let sum = Atomic<Int>(0)
        for _ in 0..<50 {
            let pool = WorkerPool(workers: 4)
            pool.run(parts: 4) { lane, _ in sum.add(lane, ordering: .relaxed) }
        }
        #expect(sum.load(ordering: .relaxed) == 50 * 6)
        // A thread ends shortly after its pool; the test's own runtime may keep a few more.
        let deadline = Date(timeIntervalSinceNow: 10)
        while try threadCount() > before + 8, Date() < deadline { usleep(2000) }
        #expect(try threadCount() <= before + 8)
    }
}
