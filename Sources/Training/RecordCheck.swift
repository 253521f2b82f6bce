import Experiments
import Foundation
import Platform

/// The lines of a metrics.jsonl or evaluations.jsonl, each looked at by itself.
public struct RecordCheck {
    /// More problems of one file than this are counted and not shown.
    private static let maximumProblems = 5

    /// Whole lines that are sound.
    public private(set) var count = 0
    /// What is wrong, the first few lines of it.
    public private(set) var problems: [StoredProblem] = []
    private let path: String
    private var found = 0

    /// Reads the file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - isEvaluations: whether lines are evaluations; otherwise they are training records, whose steps ascend.
    ///   - mayBeUnfinished: whether a last line without its end is fine, as on a run that a signal stopped.
    ///   - bytes: how many of the bytes matter, such as those that a checkpoint counts; all of them unless given.
    public init(
        path: String, isEvaluations: Bool, mayBeUnfinished: Bool = false, first bytes: Int = .max
    ) {
        self.path = path
        let data: Data
        do {
            data = try WholeFile.read(path).prefix(bytes)
        } catch {
            problems = [StoredProblem(error, about: path, isDamage: true)]
            return
        }
        let decoder = JSONDecoder()
        var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let rest = lines.popLast() ?? Data()
        if !rest.isEmpty && !mayBeUnfinished {
            note(lines.count + 1, "the last line has no end: the file was cut")
        }
        var last = -1
        for (index, line) in lines.enumerated() {
            guard let record = try? decoder.decode(JSONValue.self, from: line),
                case .object = record
            else {
                note(index + 1, "not a JSON object")
                continue
            }
            guard let step = record["step"]?.integerValue, step >= 0 else {
                note(index + 1, "there is no step")
                continue
            }
            let problem =
                isEvaluations
                ? Self.evaluationProblem(record) : Self.metricsProblem(record, after: last)
            last = step
            if let problem { note(index + 1, problem) } else { count += 1 }
        }
        if found > Self.maximumProblems {
            problems.append(
                StoredProblem(
                    file: path,
                    message:
                        "\(path): \(found - Self.maximumProblems) more lines are damaged; restore the file",
                    isDamage: true))
        }
    }

    private mutating func note(_ line: Int, _ what: String) {
        found += 1
        if found > Self.maximumProblems { return }
        problems.append(
            StoredProblem(
                file: path,
                message:
                    "\(path):\(line): \(what); restore the file, or remove the run and make it again",
                isDamage: true))
    }

    private static func metricsProblem(_ record: JSONValue, after last: Int) -> String? {
        if let step = record["step"]?.integerValue, step <= last {
            return "step \(step) comes after step \(last)"
        }
        // Before the first update there may be an evaluation alone.
        if record["step"]?.integerValue == 0, record["eval/loss"]?.doubleValue != nil { return nil }
        return record["train/loss"]?.doubleValue == nil
            ? "train/loss is missing or no number" : nil
    }

    private static func evaluationProblem(_ record: JSONValue) -> String? {
        for key in ["layout", "prompt", "hash"] where record[key]?.stringValue == nil {
            return "\(key) is missing or no text"
        }
        guard case .object(let members) = record else { return nil }
        let curves = members.filter { $0.key.hasPrefix("eval/") }
        if curves.isEmpty { return "there is no eval/… list" }
        for (key, curve) in curves.sorted(by: { $0.key < $1.key }) {
            guard let values = curve.arrayValue, !values.isEmpty,
                values.allSatisfy({ $0.doubleValue != nil })
            else { return "\(key) is no list of numbers" }
        }
        return nil
    }
}
