import Foundation
import TensorStorage
import TestSupport

/// Copies of the small model stories260K that may be changed.
enum StoriesModel {
    private static let source = Fixture.path("stories260K")

    /// Writes the folder `model` with config.json, tensors and tokenizer.
    ///
    /// - Parameters:
    ///   - folder: where.
    ///   - positions: `max_position_embeddings` instead of 512.
    ///   - change: changes the tensors, by their names.
    static func write(
        to folder: TemporaryDirectory, positions: Int = 512,
        change: (inout [String: [Float]]) -> Void = { _ in }
    ) throws {
        let file = try SafetensorsFile(path: "\(source)/model.safetensors")
        var values: [String: [Float]] = [:]
        for tensor in file.tensors { values[tensor.name] = try file.floats(tensor.name) }
        change(&values)
        let tensors = file.tensors.map {
            RawTensor($0.name, shape: $0.shape, values[$0.name] ?? [])
        }
        try folder.write(rawSafetensors(tensors), to: "model/model.safetensors")
        let config = try String(contentsOfFile: "\(source)/config.json", encoding: .utf8)
        try folder.write(
            config.replacing(
                /"max_position_embeddings": 512/, with: "\"max_position_embeddings\": \(positions)"),
            to: "model/config.json")
        for name in ["tokenizer.json", "tokenizer_config.json"] {
            try folder.write(try bytes("\(source)/\(name)"), to: "model/\(name)")
        }
    }
}
