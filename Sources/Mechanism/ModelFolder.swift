import Experiments
import Foundation
import Kernels
import Platform
import TensorStorage
import Training
import Transformer

/// A folder that does not hold a usable model.
public struct ModelFolderError: Error, CustomStringConvertible {
    /// One sentence with the folder and the cure.
    public let description: String
}

/// A model read from disk: sizes and parameters.
public struct StoredModel: Sendable {
    /// The sizes.
    public let configuration: ModelConfiguration
    /// The decoder of these sizes.
    public let decoder: Decoder
    /// Flat parameters in the decoder's layout.
    public let parameters: FloatView
    /// Where the weights were read from.
    public let weightsPath: String

    /// Reads a run, a checkpoint, or a folder in the public form; see ``ModelFolder``.
    ///
    /// - Parameter folder: the folder.
    /// - Throws: one sentence that names the file, what is wrong with it and the cure.
    public init(folder: String) throws {
        let folder = try ModelFolder(path: folder)
        try folder.checkFiles()
        configuration = try folder.modelConfiguration()
        decoder = configuration.decoder
        weightsPath = folder.weightsPath
        do {
            parameters = try readPublicParameters(weightsPath, layout: decoder.layout)
        } catch let error as TensorStorageError {
            throw ModelFolderError(description: folder.sentence(error.description))
        } catch let error as ModelFolderError {
            throw ModelFolderError(description: folder.sentence(error.description))
        }
    }
}

/// Where a folder that holds a model keeps its configuration and its weights.
///
/// A folder with metadata.json is a run (its `latest` checkpoint is taken); one with state.json is a checkpoint
/// inside a run; one with config.yaml and model.safetensors is the public code's form.
struct ModelFolder {
    /// The folder.
    let path: String
    /// The run, when it is one.
    let run: RunDirectory?
    /// The checkpoint, when it is one or a run has one.
    let checkpointPath: String?
    /// The file with the section `model:`.
    let configurationPath: String
    /// The file with the weights.
    let weightsPath: String

    /// Looks at a folder; nothing is read yet.
    ///
    /// - Throws: ``ModelFolderError`` when it is no folder or none of the three.
    init(path: String) throws {
        let exists: (String) -> Bool = { FileManager.default.fileExists(atPath: path + "/" + $0) }
        guard Folder.isFolder(path) else {
            throw ModelFolderError(
                description:
                    "\(path) is not a folder; give a run, a checkpoint or a folder with config.yaml and model.safetensors"
            )
        }
        self.path = path
        if exists("metadata.json") {
            let run = RunDirectory(path: path)
            guard let checkpoint = try run.latestCheckpointStep().map(run.checkpointPath) else {
                throw ModelFolderError(
                    description:
                        "\(path) is a run without a checkpoint; delete it (sandbox runs rm \(path)) and run the "
                        + "sweep again, which makes it anew")
            }
            self.run = run
            checkpointPath = checkpoint
            configurationPath = run.configurationPath
        } else if exists("state.json") {
            run = nil
            checkpointPath = path
            configurationPath =
                URL(fileURLWithPath: path).resolvingSymlinksInPath()
                .deletingLastPathComponent().deletingLastPathComponent().path + "/config.yaml"
        } else if exists("config.yaml") && exists("model.safetensors") {
            run = nil
            checkpointPath = nil
            configurationPath = path + "/config.yaml"
        } else {
            throw ModelFolderError(
                description:
                    "\(path) holds neither a run (metadata.json), nor a checkpoint (state.json), "
                    + "nor the public form (config.yaml and model.safetensors)")
        }
        weightsPath = (checkpointPath ?? path) + "/model.safetensors"
    }

    /// Refuses a run or a checkpoint that a newer program wrote, and weights that are not what was written.
    func checkFiles() throws {
        _ = try run?.metadata()
        if let checkpointPath { try Checkpoint.checkModel(checkpointPath) }
    }

    /// The section `model:` of a configuration whose other sections are somebody else's business.
    ///
    /// - Throws: `ConfigurationError` about a file in the public form, which people write; ``ModelFolderError``
    ///   about a run's own, which is damaged.
    func modelConfiguration() throws -> ModelConfiguration {
        do {
            return try Self.readModel(configurationPath)
        } catch let error as ConfigurationError where checkpointPath != nil {
            throw ModelFolderError(description: sentence(error.description))
        } catch let error as ModelFolderError {
            throw ModelFolderError(description: sentence(error.description))
        }
    }

    /// The section `model:` of the configuration at `path`.
    static func readModel(_ path: String) throws -> ModelConfiguration {
        let (node, _) = try ConfigurationNode.read(path: path)
        let reader = try ConfigurationReader(node)
        guard reader.contains("model") else {
            throw ModelFolderError(
                description:
                    "\(path) has no section 'model' with n_dims, n_positions, n_embd, n_layer and n_head"
            )
        }
        return try reader.section("model", ModelConfiguration.init)
    }

    /// `problem` and what to do about it, as one sentence.
    func sentence(_ problem: String) -> String {
        let cure =
            run == nil
            ? checkpointPath == nil
                ? "make config.yaml and model.safetensors agree, or convert the checkpoint again"
                : "restore the file, or take another checkpoint"
            : "restore the file, or delete the run (sandbox runs rm \(path)) and run the sweep again"
        return (problem.hasSuffix(".") ? String(problem.dropLast()) : problem) + "; " + cure
    }
}

/// Reads a state dict with the public code's names.
///
/// `_backbone.wte.weight` (never used) and the attention masks that older versions store are skipped whatever their
/// dtype and shape; any other tensor the model does not have means that configuration and weights disagree.
func readPublicParameters(_ path: String, layout: TensorLayout) throws -> FloatView {
    let file = try SafetensorsFile(path: path)
    let parameters = FloatView(zeros: layout.count)
    for tensor in file.tensors where layout[tensor.name] == nil && !isSkipped(tensor.name) {
        throw ModelFolderError(
            description:
                "\(path): the tensor \(tensor.name) has no place in the model that config.yaml describes "
                + "(check n_layer)")
    }
    try file.readFloats(into: layout.tensors(in: parameters))
    for tensor in layout.tensors(in: parameters) where !isFinite(tensor.view) {
        throw ModelFolderError(
            description: "\(path): the tensor \(tensor.name) holds NaN or an infinity")
    }
    return parameters
}

private func isFinite(_ view: FloatView) -> Bool {
    view.withSpan { values in
        for index in values.indices where !values[index].isFinite { return false }
        return true
    }
}

private func isSkipped(_ name: String) -> Bool {
    name == "_backbone.wte.weight" || name.hasSuffix(".attn.bias")
        || name.hasSuffix(".attn.masked_bias")
}
