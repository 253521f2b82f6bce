import Experiments
import Foundation
import TestSupport

/// The built program, run as a child process without what this machine's environment may say to OpenBLAS.
enum Program {
    /// The folder that holds Package.swift, with sweeps/ in it.
    static let package = URL(fileURLWithPath: Fixture.directory)
        .deletingLastPathComponent().deletingLastPathComponent().path

    private static let quiet: [String: String?] = [
        "OPENBLAS_CORETYPE": nil, "OPENBLAS_L2_SIZE": nil, "SANDBOX_BLAS_KERNEL": nil,
        "NO_COLOR": nil, "COLUMNS": "80",
    ]

    /// Runs `sandbox` with `arguments` to its end.
    static func run(
        _ arguments: [String], in folder: String, environment: [String: String?] = [:]
    ) throws -> ChildProcess.Outcome {
        try TestSupport.run(
            try builtProgram(), arguments,
            environment: quiet.merging(environment) { $1 }, workingDirectory: folder, timeout: 600)
    }

    /// Runs `sandbox` with `arguments` under the limits that `limits`, a shell's `ulimit` commands, set.
    static func run(
        _ arguments: [String], in folder: String, limits: String
    ) throws -> ChildProcess.Outcome {
        try TestSupport.run(
            "sh", ["-c", limits + "; exec \"$0\" \"$@\"", try builtProgram()] + arguments,
            environment: quiet, workingDirectory: folder, timeout: 60)
    }

    /// Starts `sandbox` with `arguments`.
    static func start(
        _ arguments: [String], in folder: String, environment: [String: String?] = [:]
    ) throws -> ChildProcess {
        try ChildProcess(
            try builtProgram(), arguments, environment: quiet.merging(environment) { $1 },
            workingDirectory: folder)
    }

    /// Runs a shell command line on a terminal of its own (`script` of util-linux) and returns what it showed.
    static func onATerminal(
        _ arguments: [String], in folder: String, environment: [String: String?] = [:]
    ) throws -> ChildProcess.Outcome {
        let line = ([try builtProgram()] + arguments).map { "'\($0)'" }.joined(separator: " ")
        return try TestSupport.run(
            "script", ["-qec", line, "/dev/null"],
            environment: quiet.merging(["TERM": "xterm"]) { $1 }.merging(environment) { $1 },
            workingDirectory: folder, timeout: 600)
    }
}

/// The JSON of an output.
func json(_ text: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
}

/// The bytes of a file.
func bytes(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

/// A sweep of some milliseconds.
let tinySweep = """
    version: 1
    name: tiny
    model: {n_dims: 2, n_positions: 10, n_embd: 16, n_layer: 1, n_head: 2}
    pretraining:
      n_points: 5
      steps: 40
      batch_size: 16
      optimizer: {learning_rate: 1.0e-3}
    training:
      n_points: 5
      steps: 30
      batch_size: 16
      optimizer: {learning_rate: 1.0e-3}
    parameters:
      task: {parameters: {function_class: {value: polynomial}}}
      layout: {values: [cpt, cft]}
    evaluate: {examples: 32}

    """

/// A folder with `tiny.yaml`, whose text may be changed.
func tinyFolder(_ old: String = "", _ new: String = "") throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    let text = old.isEmpty ? tinySweep : tinySweep.replacingOccurrences(of: old, with: new)
    try folder.write(text, to: "tiny.yaml")
    return folder
}

/// A folder with `tiny.yaml` and the finished sweep: a copy of what the suite's trait `.finishedSweep` has trained.
func finishedTinyFolder() throws -> TemporaryDirectory {
    guard let finished = FinishedSweep.current else { return try FinishedSweep().folder }
    let folder = try tinyFolder()
    try FileManager.default.copyItem(
        atPath: finished.folder.file("runs"), toPath: folder.file("runs"))
    return folder
}
