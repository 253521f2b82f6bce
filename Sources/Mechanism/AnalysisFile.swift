import Experiments
import Foundation
import Kernels
import Platform
import TensorStorage

/// A file of the folder `analysis/`: named tensors that were computed together, whole or not there.
///
/// Its name carries the hash of everything that decides the numbers besides the weights, so that a changed request is
/// measured again and nothing is overwritten.
struct AnalysisFile {
    let path: String
    private let hash: String

    /// - Parameters:
    ///   - folder: where the file is.
    ///   - kind: what it holds, the beginning of its name.
    ///   - identity: everything that decides the numbers besides the weights.
    init(folder: String, kind: String, identity: JSONValue) throws {
        hash = try CanonicalJSON.hash(
            identity.merging(["kind": .string(kind), "version": .integer(numericsVersion)]))
        path = "\(folder)/\(kind).\(hash.prefix(8)).safetensors"
    }

    /// The tensors by name; nil when the file is missing, damaged or of something else.
    func read() -> [String: FloatView]? {
        guard let file = try? SafetensorsFile(path: path), file.metadata["hash"] == hash
        else { return nil }
        var tensors: [String: FloatView] = [:]
        for tensor in file.tensors {
            guard let values = try? file.floats(tensor.name) else { return nil }
            let view = FloatView(values)
            guard file.metadata["sha256.\(tensor.name)"] == view.sha256 else { return nil }
            tensors[tensor.name] = view
        }
        return tensors
    }

    /// Writes the tensors.
    func write(_ tensors: [(name: String, shape: [Int], values: FloatView)]) throws {
        try Folder.create(Path.parent(of: path))
        var metadata = ["hash": hash, "format": "pt"]
        for tensor in tensors { metadata["sha256.\(tensor.name)"] = tensor.values.sha256 }
        try writeSafetensors(
            tensors.map { .floats($0.name, shape: $0.shape, $0.values) }, metadata: metadata,
            to: path)
    }
}
