import Experiments
import Foundation
import InContextRegression

/// What follows from the kept errors: the lines of evaluations.jsonl and the curves that TensorBoard shows. Both are
/// written anew where they are lost.
extension EvaluationStore {
    /// Whether evaluations.jsonl lists everything that is kept; an unreadable one does not.
    func isNoted() throws -> Bool {
        let noted = try? RecordReader.read(directory.evaluationsPath, as: EvaluationRecord.self)
        let known = Set((noted ?? []).map { "\($0.step) \($0.hash)" })
        return try kept().allSatisfy { known.contains("\($0.step) \($0.hash)") }
    }

    /// Notes what is kept and not noted yet.
    func noteKept(in records: RunRecords) throws {
        for record in try kept() { try records.append(record) }
    }

    /// Everything that is kept of this step, on whatever prompts.
    private func kept() throws -> [EvaluationRecord] {
        try RecordedEvaluation.paths(in: folder).compactMap { path in
            guard let kept = try? RecordedEvaluation(path: path, step: step), let hash = kept.hash
            else { return nil }
            return EvaluationRecord(
                step: step, layout: kept.layout, prompt: kept.prompt, metric: "squared_error",
                functionClass: evaluator.functionClass.name, examples: kept.examples, hash: hash,
                means: kept.means)
        }
    }

    /// Whether TensorBoard can read the curve of what was measured first under a setting.
    func isDrawn(_ setting: EvaluationSetting) throws -> Bool {
        guard let first = try? RecordedEvaluation(path: path(setting), step: step) else {
            return true
        }
        let files = try EventFile.paths(in: curveFolder(setting))
        return files.count == 1
            && (try? EventReader.read(files[0]))?.map(\.step) == Array(0..<first.points)
    }

    /// Draws the curve of what was measured first under a setting.
    func drawFirst(_ setting: EvaluationSetting) throws {
        try draw(RecordedEvaluation(path: path(setting), step: step).means, setting)
    }

    /// Writes a curve for TensorBoard, whose x-axis is k.
    func draw(_ means: [Double], _ setting: EvaluationSetting) throws {
        let now = Date()
        try EventFile.replace(
            in: curveFolder(setting),
            events: means.enumerated().map { k, mean in
                Event(step: k, time: now, scalars: [(tag: "squared_error", value: mean)])
            })
    }

    private func curveFolder(_ setting: EvaluationSetting) -> String {
        "\(directory.curvesPath)/\(setting.name)"
    }
}
