import Experiments
import Foundation
import Mechanism
import Platform
import Synchronization
import Training

/// Trains runs side by side: each is a `sandbox train` (or `sandbox text train`) in a process of its own.
struct JobPool {
    /// The verb that trains one run.
    var verb = ["train"]
    /// Processes at a time.
    let jobs: Int
    /// Workers, divided among the processes.
    let workers: Int
    /// The folder that holds the runs.
    let root: String
    /// Whether the processes' progress is left out.
    let isQuiet: Bool

    /// Trains what the configurations describe and returns when every process has ended.
    ///
    /// - Parameters:
    ///   - configurations: the runs' `config.yaml`s.
    ///   - policy: what to do about runs that are there.
    /// - Returns: the configurations whose process ended before its work was done; of the others the runs' metadata
    ///   say what became of them.
    /// - Throws: ``InterruptedError`` after a signal, once the processes have written their checkpoints.
    func train(_ configurations: [String], policy: RunPolicy) throws -> Set<String> {
        var waiting = configurations[...]
        var running: [(process: Process, configuration: String)] = []
        var undone: Set<String> = []
        var isStopped = false
        while !waiting.isEmpty || !running.isEmpty {
            // Asked once: a process may end between two questions.
            let ended = running.filter { !$0.process.isRunning }
            running.removeAll { job in ended.contains { $0.process === job.process } }
            undone.formUnion(ended.filter { isUndone($0, $1) }.map(\.configuration))
            if InterruptFlag.isRaised, !isStopped {
                isStopped = true
                waiting = []
                // They are in process groups of their own: a terminal's Ctrl-C has reached this process alone.
                for job in running { job.process.terminate() }
            }
            while running.count < jobs, let next = waiting.popFirst() {
                running.append((try start(next, policy), next))
            }
            usleep(20_000)
        }
        if InterruptFlag.isRaised { throw InterruptedError() }
        return undone
    }

    /// Whether a process neither did its work nor left a run that failed by its own numbers.
    private func isUndone(_ process: Process, _ configuration: String) -> Bool {
        if process.terminationReason == .exit && process.terminationStatus == 0 { return false }
        let run = RunDirectory(path: Path.parent(of: configuration))
        return process.terminationReason == .uncaughtSignal
            || (try? run.metadata()?.status) != .failed
    }

    private func start(_ configuration: String, _ policy: RunPolicy) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Executable.path ?? CommandLine.arguments[0])
        process.arguments =
            verb + [configuration, "--child", String(getpid()), "--runs", root]
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
        }.map { String(decoding: $0, as: UTF8.self) }.filter { line in
            !line.isEmpty && !line.hasPrefix("error: ")
                && (!isQuiet || line.hasPrefix("warning: "))
        }
        Terminal.write(lines.map { "\($0)\n" }.joined(), to: .error)
    }
}
