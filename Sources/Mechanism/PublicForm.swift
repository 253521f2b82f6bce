import Experiments
import Foundation
import Kernels
import Platform
import TensorStorage
import Training

/// Exchange with the public in-context-learning code: config.yaml and a safetensors state dict.
public enum PublicForm {
    /// GPT-2's vocabulary: rows of the token embedding that the public model carries and never uses.
    private static let vocabularySize = 50_257

    /// Makes a finished run under `runs/bases` of a folder in the public form.
    ///
    /// - Parameters:
    ///   - folder: holds config.yaml and model.safetensors.
    ///   - runs: the folder that holds the runs.
    ///   - programVersion: version of the program, for the metadata.
    /// - Returns: the path of the new run; an earlier import of the same weights is found again.
    /// - Throws: one sentence that names the file and what is wrong with it.
    public static func importModel(
        from folder: String, runs: String, programVersion: String
    ) throws -> String {
        let model = try StoredModel(folder: folder)
        let hash = try CanonicalJSON.hash(
            [
                "model": try JSONValue(encoding: model.configuration),
                "weights": .string(sha256Hex(try WholeFile.read(model.weightsPath))),
            ] as JSONValue)
        let directory = RunDirectory(
            path: runs + "/bases/" + RunDirectory.name(label: "imported", hash: hash))
        let keeper = RunKeeper(
            directory: directory, hash: hash, sweep: nil, base: nil,
            configuration: {
                ConfigurationNode(
                    [
                        "version": 1, "model": try JSONValue(encoding: model.configuration),
                        "pretraining": ["from": .string(folder)],
                    ], source: "resolved configuration")
            },
            hashOfFile: { _ in hash }, programVersion: programVersion, workers: 1,
            reporter: RunReporter())
        let isFree = try keeper.perform(RunPolicy(retriesFailed: true), isDone: { true }) { work in
            try directory.publish(model, files: work.records.lengths)
            return .finished
        }
        guard isFree else {
            throw RunError(
                description:
                    "'\(directory.path)' is held by another process; wait for it or stop it")
        }
        return directory.path
    }

    /// Writes a stored model in the public form.
    ///
    /// - Parameters:
    ///   - folder: a run, a checkpoint, or a folder in the public form.
    ///   - output: the folder to make; it must not exist.
    ///   - withTokenEmbedding: whether to add zeros for the embedding that a strict load asks for.
    /// - Throws: one sentence that names the file and what is wrong with it.
    public static func export(
        from folder: String, to output: String, withTokenEmbedding: Bool
    ) throws {
        if FileManager.default.fileExists(atPath: output) {
            throw ModelFolderError(
                description: "\(output) exists already; choose another folder or remove it")
        }
        let parent = Path.parent(of: output)
        if !parent.isEmpty && !Folder.isFolder(parent) {
            throw ModelFolderError(
                description: "\(output) cannot be made: \(parent) is not a folder; create it first")
        }
        let model = try StoredModel(folder: folder)
        let configuration = ConfigurationNode(
            ["model": try JSONValue(encoding: model.configuration)], source: "exported model")
        var contents = model.decoder.layout.tensors(in: model.parameters)
            .map(SafetensorsContent.floats)
        if withTokenEmbedding {
            let width = model.configuration.embeddingDimension
            contents.append(
                .floats(
                    "_backbone.wte.weight", shape: [vocabularySize, width],
                    FloatView(zeros: vocabularySize * width)))
        }
        try AtomicFile.publishFolder(at: output) { partial in
            try AtomicFile.write(configuration.yaml(), to: partial + "/config.yaml")
            try writeSafetensors(
                contents, metadata: ["format": "pt"], to: partial + "/model.safetensors")
        }
    }
}
