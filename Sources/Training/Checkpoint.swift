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
    /// Length in bytes of each record file, by its name in the run's folder: a resumed run cuts them back to it.
    public var files: [String: Int]
    /// The BLAS kernel of the process that trained so far; products of training are the program's own, so that another
    /// one continues bit for bit.
    public var blasKernel: String
    /// Workers of the last step; another number continues bit for bit.
    public var workers: Int
    /// SHA-256 of each file of the checkpoint, by name.
    public var sha256: [String: String] = [:]

    /// - Parameters:
    ///   - step: updates done.
    ///   - lossSum: sum of the losses since the last metrics record.
    ///   - lossCount: number of those losses.
    ///   - files: length of each record file, by name.
    ///   - blasKernel: the BLAS kernel that trained so far.
    ///   - workers: workers of the last step.
    public init(
        step: Int, lossSum: Double, lossCount: Int, files: [String: Int], blasKernel: String,
        workers: Int
    ) {
        self.step = step
        self.lossSum = lossSum
        self.lossCount = lossCount
        self.files = files
        self.blasKernel = blasKernel
        self.workers = workers
    }

    /// The version this program reads and writes.
    public static let currentFormatVersion = 2

    enum CodingKeys: String, CodingKey {
        case formatVersion = "format_version"
        case step
        case lossSum = "loss_sum"
        case lossCount = "loss_count"
        case files
        case blasKernel = "blas_kernel"
        case workers, sha256
    }
}

/// Checkpoints: `step_<n>/{model.safetensors, optimizer.safetensors, state.json}`, written beside and renamed.
public enum Checkpoint {
    private static let model = "model.safetensors"
    private static let optimizer = "optimizer.safetensors"
    /// Its own hash is that of its canonical form without that hash.
    private static let stateName = "state.json"

    /// Writes the files of one checkpoint.
    ///
    /// - Parameters:
    ///   - state: parameters, moments and step.
    ///   - record: what goes into state.json; the files' hashes are added here.
    ///   - folder: an empty folder, which `RunDirectory.publishCheckpoint` then gives its name.
    /// - Throws: when the disk refuses.
    public static func write(
        _ state: TrainingState, record: CheckpointState, into folder: String
    ) throws {
        try writeSafetensors(
            state.layout.tensors(in: state.parameters).map(SafetensorsContent.floats),
            metadata: ["format": "pt"], to: "\(folder)/\(model)")
        try writeSafetensors(
            moments(of: state).map(SafetensorsContent.floats), to: "\(folder)/\(optimizer)")
        var record = record
        for name in [model, optimizer] {
            record.sha256[name] = try sha256Hex(ofFile: "\(folder)/\(name)")
        }
        record.sha256[stateName] = sha256Hex(Data(try CanonicalJSON.text(record).utf8))
        try AtomicFile.write(CanonicalJSON.text(record) + "\n", to: "\(folder)/\(stateName)")
    }

    /// Writes the parameters alone, with their SHA-256: what the model can be measured with later.
    ///
    /// - Parameters:
    ///   - state: parameters and step.
    ///   - path: the file; folders above it are made.
    /// - Throws: when the disk refuses.
    public static func writeWeights(of state: TrainingState, to path: String) throws {
        try Folder.create(Path.parent(of: path))
        try writeSafetensors(
            state.layout.tensors(in: state.parameters).map(SafetensorsContent.floats),
            metadata: [
                "format": "pt", "step": String(state.step),
                "sha256": state.parameters.withBytes { sha256Hex(Data($0)) },
            ], to: path)
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
        let record = try checkedState(folder)
        try SafetensorsFile(path: "\(folder)/\(model)")
            .readFloats(into: state.layout.tensors(in: state.parameters))
        try SafetensorsFile(path: "\(folder)/\(optimizer)")
            .readFloats(into: moments(of: state))
        state.step = record.step
        state.lossSum = record.lossSum
        state.lossCount = record.lossCount
        return record
    }

    /// Makes sure that a checkpoint's parameters are as they were written.
    ///
    /// - Throws: ``CheckpointError`` when state.json or the file is damaged.
    public static func checkModel(_ folder: String) throws {
        try check([model], of: try readState(folder), in: folder)
    }

    /// Reads `state.json` and makes sure that the other files are as they were written.
    ///
    /// - Throws: ``CheckpointError`` when one of them is damaged or missing.
    public static func checkedState(_ folder: String) throws -> CheckpointState {
        let record = try readState(folder)
        try check([model, optimizer], of: record, in: folder)
        return record
    }

    /// Reads a checkpoint's `state.json`.
    ///
    /// - Throws: ``CheckpointError`` when it is damaged or of another format version.
    public static func readState(_ folder: String) throws -> CheckpointState {
        let path = folder + "/state.json"
        let data = try WholeFile.read(path, maximumBytes: 1 << 20)
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: data) else {
            throw CheckpointError("\(path) is not JSON; \(cure(folder))")
        }
        let known = CheckpointState.currentFormatVersion
        if let version = value["format_version"]?.integerValue, version != known {
            throw CheckpointError(
                "\(path) has format version \(version) and this program reads \(known); "
                    + (version > known ? "use a newer sandbox" : cure(folder)))
        }
        guard let state = try? JSONDecoder().decode(CheckpointState.self, from: data) else {
            throw CheckpointError("\(path) lacks a value a checkpoint needs; \(cure(folder))")
        }
        var bare = state
        let hash = bare.sha256.removeValue(forKey: stateName)
        guard hash == sha256Hex(Data(try CanonicalJSON.text(bare).utf8)) else {
            throw CheckpointError(
                "\(path) is not what was written there (its SHA-256 differs from its own note); "
                    + cure(folder))
        }
        return state
    }

    private static func check(
        _ names: [String], of record: CheckpointState, in folder: String
    ) throws {
        for name in names {
            let path = "\(folder)/\(name)"
            let hash = try? sha256Hex(ofFile: path)
            if hash == nil || hash != record.sha256[name] {
                let what =
                    hash == nil
                    ? "is missing"
                    : "is not what was written there (its SHA-256 differs from state.json's)"
                throw CheckpointError("\(path) \(what); \(cure(folder))")
            }
        }
    }

    private static func cure(_ folder: String) -> String {
        "restore it, or delete the folder '\(Path.parent(of: Path.parent(of: folder)))' to train the run anew"
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
