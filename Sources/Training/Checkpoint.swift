import Experiments
import Foundation
import Kernels
import Platform
import TensorStorage
import Transformer

/// A checkpoint folder that cannot be used.
public struct CheckpointError: Error, CustomStringConvertible {
    /// One sentence with the folder and the cure.
    public let description: String

    /// - Parameter description: one sentence with the folder and the cure.
    public init(_ description: String) { self.description = description }
}

/// What `state.json` holds: where training stands, and how long the record files were at that moment.
public struct CheckpointState: Codable, Sendable, Equatable {
    /// Version of the format; a newer one is refused.
    public var formatVersion = Self.currentFormatVersion
    /// Updates done.
    public var step: Int
    /// Sum of the losses since the last metrics record.
    public var lossSum: Double
    /// Number of those losses.
    public var lossCount: Int
    /// Length of metrics.jsonl in bytes.
    public var metricsBytes: Int
    /// The BLAS kernel that trained so far: another one continues, but not bit for bit.
    public var blasKernel: String

    /// - Parameters:
    ///   - step: updates done.
    ///   - lossSum: sum of the losses since the last metrics record.
    ///   - lossCount: number of those losses.
    ///   - metricsBytes: length of metrics.jsonl.
    ///   - blasKernel: the BLAS kernel that trained so far.
    public init(
        step: Int, lossSum: Double, lossCount: Int, metricsBytes: Int, blasKernel: String
    ) {
        self.step = step
        self.lossSum = lossSum
        self.lossCount = lossCount
        self.metricsBytes = metricsBytes
        self.blasKernel = blasKernel
    }

    /// The newest version this program reads and the one it writes.
    public static let currentFormatVersion = 1

    enum CodingKeys: String, CodingKey {
        case formatVersion = "format_version"
        case step
        case lossSum = "loss_sum"
        case lossCount = "loss_count"
        case metricsBytes = "metrics_bytes"
        case blasKernel = "blas_kernel"
    }
}

/// Checkpoints: `step_<n>/{model.safetensors, optimizer.safetensors, state.json}`, written beside and renamed.
public enum Checkpoint {
    /// Writes the files of one checkpoint.
    ///
    /// - Parameters:
    ///   - state: parameters, moments and step.
    ///   - record: what goes into state.json.
    ///   - folder: an empty folder, which `RunDirectory.publishCheckpoint` then gives its name.
    /// - Throws: when the disk refuses.
    public static func write(
        _ state: TrainingState, record: CheckpointState, into folder: String
    ) throws {
        try writeSafetensors(
            state.layout.tensors(in: state.parameters).map(SafetensorsContent.floats),
            metadata: ["format": "pt"], to: folder + "/model.safetensors")
        try writeSafetensors(
            moments(of: state).map(SafetensorsContent.floats),
            to: folder + "/optimizer.safetensors")
        try AtomicFile.write(CanonicalJSON.text(record) + "\n", to: folder + "/state.json")
    }

    /// Reads `state.json`, the moments and the parameters of a checkpoint into `state`.
    ///
    /// - Parameters:
    ///   - state: a state of the right layout; its buffers are overwritten.
    ///   - folder: the checkpoint's folder.
    /// - Returns: the contents of state.json.
    /// - Throws: ``CheckpointError`` or `TensorStorageError`, one sentence that names the file.
    public static func read(into state: inout TrainingState, from folder: String) throws
        -> CheckpointState
    {
        let record = try readState(folder)
        try SafetensorsFile(path: folder + "/model.safetensors")
            .readFloats(into: state.layout.tensors(in: state.parameters))
        try SafetensorsFile(path: folder + "/optimizer.safetensors")
            .readFloats(into: moments(of: state))
        state.step = record.step
        state.lossSum = record.lossSum
        state.lossCount = record.lossCount
        return record
    }

    /// Reads a checkpoint's `state.json`.
    public static func readState(_ folder: String) throws -> CheckpointState {
        let path = folder + "/state.json"
        let data = try WholeFile.read(path, maximumBytes: 1 << 20)
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: data) else {
            throw CheckpointError(
                "\(path) is not JSON; delete the folder to go back to an earlier checkpoint")
        }
        if let version = value["format_version"]?.integerValue,
            version > CheckpointState.currentFormatVersion
        {
            throw CheckpointError(
                "\(path) has format version \(version), newer than \(CheckpointState.currentFormatVersion), "
                    + "the newest this program reads; use a newer sandbox")
        }
        do {
            return try JSONDecoder().decode(CheckpointState.self, from: data)
        } catch {
            throw CheckpointError(
                "\(path) lacks a value a checkpoint needs; delete the folder to go back to an earlier one"
            )
        }
    }

    private static func moments(of state: TrainingState) -> [NamedTensor] {
        func named(_ prefix: String, _ buffer: FloatView) -> [NamedTensor] {
            state.layout.tensors(in: buffer).map {
                NamedTensor(name: "\(prefix).\($0.name)", shape: $0.shape, view: $0.view)
            }
        }
        return named("exp_avg", state.moments.first) + named("exp_avg_sq", state.moments.second)
    }
}
