import Experiments
import Foundation
import Mechanism
import Platform
import Synchronization

/// Trains runs side by side: each is a `sandbox train` in a process of its own.
struct JobPool {
    /// Processes at a time.
    let jobs: Int
    /// Workers, divided among the processes.
    let workers: Int
    /// The folder that holds the runs.
    let root: String
    /// Whether the processes' progress is left out.
    let isQuiet: Bool

    /// Trains what the configurations describe and returns when every process has ended, however it ended: the runs'
    /// metadata say how.
    ///
    /// - Parameters:
    ///   - configurations: the runs' `config.yaml`s.
    ///   - policy: what to do about runs that are there.
    /// - Throws: ``InterruptedError`` after a signal, once the processes have written their checkpoints.
    func train(_ configurations: [String], policy: RunPolicy) throws {
        var waiting = configurations[...]
        var running: [Process] = []
        var isStopped = false
        while !waiting.isEmpty || !running.isEmpty {
            running.removeAll { !$0.isRunning }
            if InterruptFlag.isRaised, !isStopped {
                isStopped = true
                waiting = []
                // They are in process groups of their own: a terminal's Ctrl-C has reached this process alone.
                for process in running { process.terminate() }
            }
            while running.count < jobs, let next = waiting.popFirst() {
                running.append(try start(next, policy))
            }
            usleep(20_000)
        }
        if InterruptFlag.isRaised { throw InterruptedError() }
    }

    private func start(_ configuration: String, _ policy: RunPolicy) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Executable.path ?? CommandLine.arguments[0])
        process.arguments =
            ["train", configuration, "--child", String(getpid()), "--runs", root]
            + ["--workers", String(max(1, workers / jobs))]
            + (policy.retriesFailed ? ["--retry-failed"] : [])
            + (policy.restarts ? ["--restart"] : [])
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let lines = Pipe()
        process.standardError = lines
        let speech = ChildSpeech()
        lines.fileHandleForReading.readabilityHandler = { [isQuiet] handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            speech.forward(data, isQuiet: isQuiet)
        }
        try process.run()
        return process
    }
}

/// What a child says, passed on line by line; its errors stand in its run's metadata and are told at the end.
private final class ChildSpeech: Sendable {
    private let splitter = Mutex(LineSplitter())

    /// Passes on the lines that `data` ends; no data, that the child has ended.
    func forward(_ data: Data, isQuiet: Bool) {
        let lines = splitter.withLock { splitter in
            data.isEmpty
                ? splitter.remainder().map { [$0] } ?? [] : splitter.lines(endingWith: data)
        }.filter { line in
            !line.isEmpty && !line.hasPrefix("error: ")
                && (!isQuiet || line.hasPrefix("warning: "))
        }
        Terminal.write(lines.map { "\($0)\n" }.joined(), to: .error)
    }
}
