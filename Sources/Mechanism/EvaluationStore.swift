import Experiments
import Foundation
import InContextRegression
import Kernels
import Platform
import TensorStorage
import Training
import Transformer

/// The evaluations of one run at one step: read where they lie, computed and kept where they do not.
///
/// A file carries the hash of what it measures, so that a changed `evaluate` section measures again.
struct EvaluationStore {
    let directory: RunDirectory
    let step: Int
    let evaluator: Evaluator

    /// Whether every layout is measured; anything unreadable counts as not measured.
    func isComplete(_ layouts: [PromptLayout]) throws -> Bool {
        try layouts.allSatisfy { try stored($0) != nil }
    }

    /// The errors under each layout, which are all measured.
    func cells(_ layouts: [PromptLayout]) throws -> [EvaluationCell] {
        try layouts.map { layout in
            guard let errors = try stored(layout) else {
                throw RunError(
                    description:
                        "'\(path(layout))' is missing or damaged; ask for the sweep again to measure it"
                )
            }
            return EvaluationCell(layout: layout, prompt: "standard", errors: errors)
        }
    }

    /// Measures what is not measured yet.
    ///
    /// - Parameters:
    ///   - layouts: evaluation layouts.
    ///   - records: where each measurement is noted once.
    ///   - model: gives the model; called only when something has to be computed.
    func measure(
        _ layouts: [PromptLayout], records: RunRecords,
        model: () throws -> (ParallelDecoder, DecoderWeights)
    ) throws -> TrainingOutcome {
        let noted = Set(
            try RecordReader.read(directory.evaluationsPath, as: EvaluationRecord.self).map {
                "\($0.step) \($0.hash)"
            })
        var loaded: (ParallelDecoder, DecoderWeights)?
        for layout in layouts {
            var errors = try stored(layout)
            if errors == nil {
                let (decoder, weights) = try loaded ?? model()
                loaded = (decoder, weights)
                guard
                    let fresh = evaluator.squaredErrors(
                        of: decoder, weights: weights, layout: layout)
                else { return .interrupted }
                try keep(fresh, layout)
                errors = fresh
            }
            let hash = try identityHash(layout)
            if let errors, !noted.contains("\(step) \(hash)") {
                try records.append(record(means: means(errors), layout, hash: hash))
            }
        }
        return .finished
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

    private func stored(_ layout: PromptLayout) throws -> FloatView? {
        let hash = try identityHash(layout)
        guard let file = try? SafetensorsFile(path: path(layout)), file.metadata["hash"] == hash
        else { return nil }
        let errors = FloatView(zeros: evaluator.examples * evaluator.points)
        let shape = [evaluator.examples, evaluator.points]
        guard (try? file.readFloats("squared_error", shape: shape, into: errors)) != nil else {
            return nil
        }
        return errors
    }

    /// Writes the curve for TensorBoard and then the errors: a kept measurement is whole.
    private func keep(_ errors: FloatView, _ layout: PromptLayout) throws {
        let record = record(means: means(errors), layout, hash: "")
        guard record.means.allSatisfy(\.isFinite) else {
            throw DivergenceError(
                step: step,
                description:
                    "'\(directory.path)': the errors under \(layout.name) after step \(step) are no numbers; "
                    + "lower the phase's optimizer.learning_rate or set optimizer.clip_norm")
        }
        let now = Date()
        try EventFile.replace(
            in: "\(directory.curvesPath)/\(layout.name).standard",
            events: record.means.enumerated().map { k, mean in
                Event(step: k, time: now, scalars: [(tag: record.metric, value: mean)])
            })
        try Folder.create(directory.evaluationFolder(step: step))
        try writeSafetensors(
            [
                .floats(
                    "squared_error", shape: [evaluator.examples, evaluator.points], errors)
            ], metadata: ["hash": try identityHash(layout), "format": "pt"], to: path(layout))
    }

    private func record(
        means: [Double], _ layout: PromptLayout, hash: String
    ) -> EvaluationRecord {
        EvaluationRecord(
            step: step, layout: layout.name, prompt: "standard", metric: "squared_error",
            functionClass: evaluator.functionClass.name, examples: evaluator.examples, hash: hash,
            means: means)
    }

    private func means(_ errors: FloatView) -> [Double] {
        (0..<evaluator.points).map { k in
            var sum = 0.0
            for example in 0..<evaluator.examples {
                sum += Double(errors[example * evaluator.points + k])
            }
            return sum / Double(evaluator.examples)
        }
    }
}
