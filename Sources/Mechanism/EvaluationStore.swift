import Experiments
import Foundation
import InContextRegression
import Kernels
import Platform
import TensorStorage
import Transformer

/// The evaluations of one run at one step: read where they lie, computed and kept where they do not.
///
/// A file carries the hash of what it measures, so that a changed `evaluate` section measures again.
struct EvaluationStore {
    let directory: RunDirectory
    let step: Int
    let evaluator: Evaluator

    /// The errors under each layout.
    ///
    /// - Parameters:
    ///   - layouts: evaluation layouts.
    ///   - model: gives the model; called only when something has to be computed.
    func cells(
        layouts: [PromptLayout], model: () throws -> (ParallelDecoder, DecoderWeights)
    ) throws -> [EvaluationCell] {
        var loaded: (ParallelDecoder, DecoderWeights)?
        return try layouts.map { layout in
            let hash = try identityHash(layout)
            if let errors = stored(layout, hash: hash) {
                return EvaluationCell(layout: layout, prompt: "standard", errors: errors)
            }
            let (decoder, weights) = try loaded ?? model()
            loaded = (decoder, weights)
            let errors = evaluator.squaredErrors(of: decoder, weights: weights, layout: layout)
            try keep(errors, layout: layout, hash: hash)
            return EvaluationCell(layout: layout, prompt: "standard", errors: errors)
        }
    }

    private func path(_ layout: PromptLayout) -> String {
        "\(directory.evaluationFolder(step: step))/\(layout.name).standard.safetensors"
    }

    /// The hash of everything that decides the numbers besides the weights.
    private func identityHash(_ layout: PromptLayout) throws -> String {
        let identity: JSONValue = [
            "version": .integer(numericsVersion), "layout": .string(layout.name),
            "prompt": "standard", "function_class": .string(evaluator.functionClass.name),
            "dims": .integer(evaluator.dims), "points": .integer(evaluator.points),
            "examples": .integer(evaluator.examples), "seed": .integer(Int(evaluator.seed)),
        ]
        return try CanonicalJSON.hash(identity)
    }

    /// A kept measurement with that hash; anything unreadable counts as none and is measured again.
    private func stored(_ layout: PromptLayout, hash: String) -> FloatView? {
        guard let file = try? SafetensorsFile(path: path(layout)), file.metadata["hash"] == hash
        else { return nil }
        let errors = FloatView(zeros: evaluator.examples * evaluator.points)
        let shape = [evaluator.examples, evaluator.points]
        guard (try? file.readFloats("squared_error", shape: shape, into: errors)) != nil else {
            return nil
        }
        return errors
    }

    private func keep(_ errors: FloatView, layout: PromptLayout, hash: String) throws {
        try Folder.create(directory.evaluationFolder(step: step))
        try writeSafetensors(
            [
                .floats(
                    "squared_error", shape: [evaluator.examples, evaluator.points], errors)
            ], metadata: ["hash": hash, "format": "pt"], to: path(layout))
        let means = (0..<evaluator.points).map { k in
            var sum = 0.0
            for example in 0..<evaluator.examples {
                sum += Double(errors[example * evaluator.points + k])
            }
            return sum / Double(evaluator.examples)
        }
        try RecordWriter(path: directory.evaluationsPath).append([
            "step": .integer(step), "layout": .string(layout.name), "prompt": "standard",
            "function_class": .string(evaluator.functionClass.name),
            "examples": .integer(evaluator.examples), "hash": .string(hash),
            "eval/\(layout.name)/squared_error": JSONValue(means),
            "time": .number(Date().timeIntervalSince1970),
        ])
    }
}
