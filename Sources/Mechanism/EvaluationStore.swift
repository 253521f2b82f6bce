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

    /// Whether every setting is measured, noted and drawn; anything unreadable counts as not.
    func isComplete(_ settings: [EvaluationSetting]) throws -> Bool {
        try settings.allSatisfy { try stored($0) != nil && isDrawn($0) } && isNoted()
    }

    /// The errors under each setting, which are all measured.
    func cells(_ settings: [EvaluationSetting]) throws -> [EvaluationCell] {
        try settings.map { setting in
            guard let found = try stored(setting) else {
                throw RunError(
                    description:
                        "'\(path(setting))' is missing or damaged; ask for the sweep again to measure it"
                )
            }
            return EvaluationCell(setting: setting, errors: found.errors, excess: found.excess)
        }
    }

    /// Measures what is not measured yet, and notes and draws what is and was lost.
    ///
    /// - Parameters:
    ///   - settings: under what.
    ///   - records: where each measurement is noted once.
    ///   - model: gives the model; called only when something has to be computed.
    func measure(
        _ settings: [EvaluationSetting], records: RunRecords,
        model: () throws -> (ParallelDecoder, DecoderWeights)
    ) throws -> TrainingOutcome {
        var loaded: (ParallelDecoder, DecoderWeights)?
        for setting in settings {
            var found = try stored(setting)
            if found == nil {
                let (decoder, weights) = try loaded ?? model()
                loaded = (decoder, weights)
                guard
                    let fresh = evaluator.errors(
                        of: decoder, weights: weights, setting,
                        posterior: try Posterior.known(
                            evaluator, setting, root: root, pool: decoder.pool))
                else { return .interrupted }
                try keep(fresh, setting)
                found = fresh
            }
            if let found { try records.append(record(found.errors, setting)) }
            if try !isDrawn(setting) { try drawFirst(setting) }
        }
        // Last, so that the settings stand in the order in which they were asked for.
        try noteKept(in: records)
        return .finished
    }

    /// The means under each setting, which are all measured.
    func records(_ settings: [EvaluationSetting]) throws -> [EvaluationRecord] {
        try cells(settings).map { try record($0.errors, $0.setting) }
    }

    /// The folder of the runs.
    private var root: String { Path.parent(of: Path.parent(of: directory.path)) }

    var folder: String { directory.evaluationFolder(step: step) }

    func path(_ setting: EvaluationSetting) -> String {
        "\(folder)/\(setting.name).safetensors"
    }

    private func otherPath(_ setting: EvaluationSetting) throws -> String {
        "\(folder)/\(RecordedEvaluation.otherFolder)/\(setting.name).\(try identityHash(setting).prefix(8)).safetensors"
    }

    /// The hash of everything that decides the numbers besides the weights.
    private func identityHash(_ setting: EvaluationSetting) throws -> String {
        let identity: JSONValue = [
            "version": .integer(numericsVersion), "layout": .string(setting.layout.name),
            "prompt": .string(setting.distribution.name),
            "function_class": .string(evaluator.functionClass.name),
            "dims": .integer(evaluator.dims), "points": .integer(evaluator.points),
            "examples": .integer(evaluator.examples(setting)),
            "seed": .integer(Int(evaluator.seed)),
        ]
        return try CanonicalJSON.hash(identity)
    }

    private func stored(_ setting: EvaluationSetting) throws -> MeasuredErrors? {
        let hash = try identityHash(setting)
        let shape = [evaluator.examples(setting), evaluator.contextCount(setting)]
        for path in [path(setting), try otherPath(setting)] {
            if let found = intact(path), found.hash == hash, found.shape == shape {
                return found.measured
            }
        }
        return nil
    }

    /// What a file holds when it is as it was written.
    private func intact(
        _ path: String
    ) -> (hash: String?, shape: [Int], measured: MeasuredErrors)? {
        guard let file = try? SafetensorsFile(path: path),
            let info = try? file.tensor(named: "squared_error"),
            let values = try? file.floats("squared_error")
        else { return nil }
        let errors = FloatView(values)
        guard file.metadata["sha256"] == errors.sha256 else { return nil }
        let excess = (try? file.floats("excess_risk")).map { FloatView($0) }
        guard file.metadata["excess_sha256"] == excess?.sha256 else { return nil }
        return (
            file.metadata["hash"], info.shape, MeasuredErrors(errors: errors, excess: excess)
        )
    }

    /// Writes the curve for TensorBoard and then the errors: a kept measurement is whole.
    private func keep(_ measured: MeasuredErrors, _ setting: EvaluationSetting) throws {
        let record = try record(measured.errors, setting)
        guard record.means.allSatisfy(\.isFinite) else {
            throw DivergenceError(
                step: step,
                description:
                    "'\(directory.path)': the errors under \(setting.name) after step \(step) are no numbers; "
                    + "lower the phase's optimizer.learning_rate or set optimizer.clip_norm")
        }
        let isFirst = intact(path(setting)) == nil
        let path = isFirst ? path(setting) : try otherPath(setting)
        if isFirst { try draw(record.means, setting) }
        try Folder.create(Path.parent(of: path))
        let contexts = evaluator.contextCount(setting)
        var metadata = ["hash": record.hash, "sha256": measured.errors.sha256, "format": "pt"]
        var tensors: [SafetensorsContent] = [
            .floats(
                "squared_error", shape: [evaluator.examples(setting), contexts], measured.errors)
        ]
        if let excess = measured.excess {
            metadata["excess_sha256"] = excess.sha256
            tensors.append(
                .floats("excess_risk", shape: [excess.count / contexts, contexts], excess))
        }
        try writeSafetensors(tensors, metadata: metadata, to: path)
    }

    private func record(_ errors: FloatView, _ setting: EvaluationSetting) throws
        -> EvaluationRecord
    {
        let contexts = evaluator.contextCount(setting)
        let examples = evaluator.examples(setting)
        let means = (0..<contexts).map { k in
            var sum = 0.0
            for example in 0..<examples {
                sum += Double(errors[example * contexts + k])
            }
            return sum / Double(examples)
        }
        return EvaluationRecord(
            step: step, layout: setting.layout.name, prompt: setting.distribution.name,
            metric: "squared_error",
            functionClass: evaluator.functionClass.name, examples: examples,
            hash: try identityHash(setting), means: means)
    }
}

extension FloatView {
    /// The SHA-256 of the values' bytes: what an evaluation file notes of itself.
    var sha256: String { withBytes { sha256Hex(Data($0)) } }
}
