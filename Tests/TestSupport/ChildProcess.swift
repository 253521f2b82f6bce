import Foundation

/// A program run as a child process, with its output kept in files so that it never blocks on a full pipe.
///
/// A child still running when its owner goes is killed.
public final class ChildProcess {
    /// What a finished child left.
    public struct Outcome: Sendable, CustomStringConvertible {
        /// The exit status; nil when a signal ended the child.
        public let exitCode: Int32?
        /// The signal that ended the child, if one did.
        public let signal: Int32?
        /// What it wrote to standard output.
        public let output: String
        /// What it wrote to standard error.
        public let errors: String

        /// Status and both outputs, for a failed test's message.
        public var description: String {
            let end = exitCode.map { "exit code \($0)" } ?? "signal \(signal ?? 0)"
            return "\(end)\n--- standard output ---\n\(output)\n--- standard error ---\n\(errors)"
        }
    }

    /// A child that could not be started, found or waited for.
    public struct Failure: Error, CustomStringConvertible, Sendable {
        /// One sentence.
        public let description: String
    }

    private let process = Process()
    private let directory: TemporaryDirectory
    private let command: String

    /// Starts `executable`.
    ///
    /// - Parameters:
    ///   - executable: a path, or the name of a program on PATH.
    ///   - arguments: its arguments, without its name.
    ///   - environment: variables set over this process's environment; nil removes one.
    ///   - workingDirectory: where it runs; nil is this process's directory.
    ///   - input: what it reads from standard input.
    public init(
        _ executable: String, _ arguments: [String] = [],
        environment: [String: String?] = [:], workingDirectory: String? = nil, input: String = ""
    ) throws {
        directory = try TemporaryDirectory()
        command = ([executable] + arguments).joined(separator: " ")
        let isPath = executable.contains("/")
        process.executableURL = URL(fileURLWithPath: isPath ? executable : "/usr/bin/env")
        process.arguments = isPath ? arguments : [executable] + arguments
        var variables = ProcessInfo.processInfo.environment
        for (name, value) in environment { variables[name] = value }
        process.environment = variables
        if let workingDirectory {
            process.currentDirectoryURL = URL(fileURLWithPath: workingDirectory)
        }
        try directory.write(input, to: "input")
        try directory.write("", to: "output")
        try directory.write("", to: "errors")
        let source = FileHandle(forReadingAtPath: directory.file("input"))
        let streams = ["output", "errors"].map {
            FileHandle(forWritingAtPath: directory.file($0))
        }
        process.standardInput = source
        process.standardOutput = streams[0]
        process.standardError = streams[1]
        // The child has its own by then. Foundation keeps these for good, and with some 1,360 of them open it reads past the
        // end of its list of descriptors when it starts the next process.
        defer { for handle in [source] + streams { try? handle?.close() } }
        do {
            try process.run()
        } catch {
            throw Failure(description: "\(command) cannot be started: \(error).")
        }
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// The child's process id.
    public var identifier: Int32 { process.processIdentifier }

    /// Whether the child still runs.
    public var isRunning: Bool { process.isRunning }

    /// What the child has written to standard output so far.
    public var output: String { text("output") }

    /// What the child has written to standard error so far.
    public var errors: String { text("errors") }

    /// Sends `signal` (such as SIGINT) to the child.
    public func send(signal: Int32) { kill(process.processIdentifier, signal) }

    /// Waits until `condition` holds of the child, looking every few milliseconds.
    ///
    /// - Throws: ``Failure`` when the child ends first or `timeout` seconds pass.
    public func wait(
        timeout: Double = 60, until condition: (ChildProcess) throws -> Bool
    ) throws {
        let deadline = Date(timeIntervalSinceNow: timeout)
        while try !condition(self) {
            guard process.isRunning else {
                if try condition(self) { return }
                throw Failure(
                    description: "\(command) ended before what was waited for: \(outcome()).")
            }
            guard Date() < deadline else {
                throw Failure(
                    description: "\(command) did not do what was waited for in \(timeout) s: "
                        + "\(output)\n\(errors)")
            }
            Thread.sleep(forTimeInterval: 0.005)
        }
    }

    /// Waits for the child's end.
    ///
    /// - Throws: ``Failure`` when `timeout` seconds pass; the child is killed then.
    public func wait(timeout: Double = 60) throws -> Outcome {
        let deadline = Date(timeIntervalSinceNow: timeout)
        while process.isRunning {
            guard Date() < deadline else {
                kill(process.processIdentifier, SIGKILL)
                throw Failure(
                    description: "\(command) did not end in \(timeout) s: \(output)\n\(errors)")
            }
            Thread.sleep(forTimeInterval: 0.005)
        }
        return outcome()
    }

    private func outcome() -> Outcome {
        let exited = process.terminationReason == .exit
        return Outcome(
            exitCode: exited ? process.terminationStatus : nil,
            signal: exited ? nil : process.terminationStatus, output: output, errors: errors)
    }

    private func text(_ name: String) -> String {
        let bytes = FileManager.default.contents(atPath: directory.file(name)) ?? Data()
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Runs `executable` to its end; see ``ChildProcess/init(_:_:environment:workingDirectory:input:)``.
public func run(
    _ executable: String, _ arguments: [String] = [], environment: [String: String?] = [:],
    workingDirectory: String? = nil, input: String = "", timeout: Double = 60
) throws -> ChildProcess.Outcome {
    let child = try ChildProcess(
        executable, arguments, environment: environment, workingDirectory: workingDirectory,
        input: input)
    return try child.wait(timeout: timeout)
}

/// The path of a program built by this package, such as "sandbox": it stands beside the running test program.
///
/// - Throws: ``ChildProcess/Failure`` when it is not there.
public func builtProgram(_ name: String = "sandbox") throws -> String {
    let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let directory = URL(fileURLWithPath: runner).deletingLastPathComponent()
    let path = directory.appendingPathComponent(name).path
    guard FileManager.default.isExecutableFile(atPath: path) else {
        throw ChildProcess.Failure(
            description: "\(path) is missing; the test target that runs it must depend on \(name).")
    }
    return path
}
