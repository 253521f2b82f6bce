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
/// A file carries the hash of what it measures, so that a changed `evaluate` section measures again; what is measured
/// on other prompts than the first time goes to `other/`, and nothing is overwritten.
struct EvaluationStore {
    let directory: RunDirectory
    let step: Int
    let evaluator: Evaluator

    /// Whether every layout is measured, noted and drawn; anything unreadable counts as not.
    func isComplete(_ layouts: [PromptLayout]) throws -> Bool {
        try layouts.allSatisfy { try stored($0) != nil && isDrawn($0) } && isNoted()
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

    /// Measures what is not measured yet, and notes and draws what is and was lost.
    ///
    /// - Parameters:
    ///   - layouts: evaluation layouts.
    ///   - records: where each measurement is noted once.
    ///   - model: gives the model; called only when something has to be computed.
    func measure(
        _ layouts: [PromptLayout], records: RunRecords,
        model: () throws -> (ParallelDecoder, DecoderWeights)
    ) throws -> TrainingOutcome {
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
            if let errors { try records.append(record(errors, layout)) }
            if try !isDrawn(layout) { try drawFirst(layout) }
        }
        // Last, so that the layouts stand in the order in which they were asked for.
        try noteKept(in: records)
        return .finished
    }

    /// The means under each layout, which are all measured.
    func records(_ layouts: [PromptLayout]) throws -> [EvaluationRecord] {
        try cells(layouts).map { try record($0.errors, $0.layout) }
    }

    var folder: String { directory.evaluationFolder(step: step) }

    func path(_ layout: PromptLayout) -> String {
        "\(folder)/\(layout.name).standard.safetensors"
    }

    private func otherPath(_ layout: PromptLayout) throws -> String {
        "\(folder)/\(RecordedEvaluation.otherFolder)/\(layout.name).standard.\(try identityHash(layout).prefix(8)).safetensors"
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
        let shape = [evaluator.examples, evaluator.points]
        for path in [path(layout), try otherPath(layout)] {
            if let found = intact(path), found.hash == hash, found.shape == shape {
                return found.errors
            }
        }
        return nil
    }

    /// What a file holds when it is as it was written.
    private func intact(_ path: String) -> (hash: String?, shape: [Int], errors: FloatView)? {
        guard let file = try? SafetensorsFile(path: path),
            let info = try? file.tensor(named: "squared_error"),
            let values = try? file.floats("squared_error")
        else { return nil }
        let errors = FloatView(values)
        guard file.metadata["sha256"] == errors.sha256 else { return nil }
        return (file.metadata["hash"], info.shape, errors)
    }

    /// Writes the curve for TensorBoard and then the errors: a kept measurement is whole.
    private func keep(_ errors: FloatView, _ layout: PromptLayout) throws {
        let record = try record(errors, layout)
        guard record.means.allSatisfy(\.isFinite) else {
            throw DivergenceError(
                step: step,
                description:
                    "'\(directory.path)': the errors under \(layout.name) after step \(step) are no numbers; "
                    + "lower the phase's optimizer.learning_rate or set optimizer.clip_norm")
        }
        let isFirst = intact(path(layout)) == nil
        let path = isFirst ? path(layout) : try otherPath(layout)
        if isFirst { try draw(record.means, layout) }
        try Folder.create(Path.parent(of: path))
        try writeSafetensors(
            [
                .floats(
                    "squared_error", shape: [evaluator.examples, evaluator.points], errors)
            ], metadata: ["hash": record.hash, "sha256": errors.sha256, "format": "pt"], to: path)
    }

    private func record(_ errors: FloatView, _ layout: PromptLayout) throws -> EvaluationRecord {
        let means = (0..<evaluator.points).map { k in
            var sum = 0.0
            for example in 0..<evaluator.examples {
                sum += Double(errors[example * evaluator.points + k])
            }
            return sum / Double(evaluator.examples)
        }
        return EvaluationRecord(
            step: step, layout: layout.name, prompt: "standard", metric: "squared_error",
            functionClass: evaluator.functionClass.name, examples: evaluator.examples,
            hash: try identityHash(layout), means: means)
    }
}

extension FloatView {
    /// The SHA-256 of the values' bytes: what an evaluation file notes of itself.
    var sha256: String { withBytes { sha256Hex(Data($0)) } }
}
