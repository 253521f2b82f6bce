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

    /// Reads a run, a checkpoint, or a folder in the public form.
    ///
    /// A folder with metadata.json is a run (its `latest` checkpoint is taken); one with state.json is a checkpoint
    /// inside a run; one with config.yaml and model.safetensors is the public code's form.
    ///
    /// - Parameter folder: the folder.
    /// - Throws: one sentence that names the file and what is wrong with it.
    public init(folder: String) throws {
        let exists: (String) -> Bool = { FileManager.default.fileExists(atPath: folder + "/" + $0) }
        guard Folder.isFolder(folder) else {
            throw ModelFolderError(
                description:
                    "\(folder) is not a folder; give a run, a checkpoint or a folder with config.yaml and model.safetensors"
            )
        }
        let configurationPath: String
        if exists("metadata.json") {
            configurationPath = folder + "/config.yaml"
            let run = RunDirectory(path: folder)
            guard let checkpoint = try run.latestCheckpointStep().map(run.checkpointPath) else {
                throw ModelFolderError(
                    description:
                        "\(folder) is a run without a checkpoint; delete the folder, and the sweep makes it anew"
                )
            }
            weightsPath = try Checkpoint.checkedModelPath(checkpoint)
        } else if exists("state.json") {
            configurationPath =
                URL(fileURLWithPath: folder).resolvingSymlinksInPath()
                .deletingLastPathComponent().deletingLastPathComponent().path + "/config.yaml"
            weightsPath = try Checkpoint.checkedModelPath(folder)
        } else if exists("config.yaml") && exists("model.safetensors") {
            configurationPath = folder + "/config.yaml"
            weightsPath = folder + "/model.safetensors"
        } else {
            throw ModelFolderError(
                description:
                    "\(folder) holds neither a run (metadata.json), nor a checkpoint (state.json), "
                    + "nor the public form (config.yaml and model.safetensors)")
        }
        configuration = try readModelSection(configurationPath)
        decoder = configuration.decoder
        parameters = try readPublicParameters(weightsPath, layout: decoder.layout)
    }
}

/// The section `model:` of a configuration whose other sections are somebody else's business.
func readModelSection(_ path: String) throws -> ModelConfiguration {
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
                "\(path): the tensor \(tensor.name) has no place in the model that config.yaml describes; "
                + "check n_layer and family")
    }
    try file.readFloats(into: layout.tensors(in: parameters))
    return parameters
}

private func isSkipped(_ name: String) -> Bool {
    name == "_backbone.wte.weight" || name.hasSuffix(".attn.bias")
        || name.hasSuffix(".attn.masked_bias")
}
