import Experiments
import Foundation
import Platform

/// What a run came to, in a few lines: the mean over k of its error under each evaluation layout.
struct RunReport {
    private let directory: RunDirectory
    private let evaluations: [EvaluationRecord]

    /// - Parameter directory: a finished run's folder.
    init(_ directory: RunDirectory) throws {
        self.directory = directory
        let all = try RecordReader.read(directory.evaluationsPath, as: EvaluationRecord.self)
        // The last record of a name is the one that was asked for last.
        evaluations = all.enumerated().filter { index, record in
            !all[(index + 1)...].contains { $0.name == record.name }
        }.map(\.element)
    }

    /// Prints the report to standard output.
    func print(json: Bool) throws {
        if json {
            let report: JSONValue = [
                "run": .string(directory.path),
                "evaluations": .array(try evaluations.map { try JSONValue(encoding: $0) }),
            ]
            try Terminal.print(CanonicalJSON.text(of: report) + "\n")
            return
        }
        var text = "\(directory.path)\n"
        for record in evaluations {
            let mean = record.means.reduce(0, +) / Double(max(1, record.means.count))
            text += String(
                format: "  %@ under %@: %.4g, mean over k = 0 … %d of %d prompts\n",
                record.metric.replacing("_", with: " "), record.name, mean,
                record.means.count - 1, record.examples)
        }
        try Terminal.print(text)
    }
}
