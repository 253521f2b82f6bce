import Experiments
import Foundation
import Platform

/// What a run came to, in a few lines: the mean over k of its error under each evaluation layout.
struct RunReport {
    private let directory: RunDirectory
    private let evaluations: [EvaluationRecord]

    /// - Parameters:
    ///   - directory: a finished run's folder.
    ///   - evaluations: what was measured.
    init(_ directory: RunDirectory, _ evaluations: [EvaluationRecord]) {
        self.directory = directory
        self.evaluations = evaluations
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
            text += String(
                format: "  %@ under %@: %.4g, mean over k = 0 … %d of %d prompts\n",
                record.metric.replacing("_", with: " "), record.name, record.mean,
                record.means.count - 1, record.examples)
        }
        try Terminal.print(text)
    }
}
