import Experiments
import Foundation
import Platform

/// What a text sweep's runs measured, one row for each number.
public struct FineTuningSummary: Sendable {
    /// One number of one run.
    public struct Row: Sendable, Hashable {
        /// The run.
        public let run: String
        /// Its objective.
        public let objective: String
        /// Its seed.
        public let seed: Int
        /// Updates done.
        public let step: Int
        /// What was measured: `train/loss`, `eval/loss`, `eval/text_loss` or `eval/accuracy`.
        public let metric: String
        /// The number.
        public let value: Double
    }

    private static let metrics = ["train/loss", "eval/loss", "eval/text_loss", "eval/accuracy"]

    /// The rows, run by run and step by step.
    public let rows: [Row]

    /// Reads the records of every run of `plan` that has some.
    public init(_ plan: FineTuningPlan, root: String) throws {
        rows = try plan.runs.flatMap { run in
            let path = RunDirectory(path: "\(root)/\(plan.name)/\(run.name)").metricsPath
            guard Folder.holdsFile(path) else { return [Row]() }
            return try RecordReader.read(path, as: JSONValue.self).flatMap { record in
                Self.metrics.compactMap { metric in
                    guard let value = record[metric]?.doubleValue,
                        let step = record["step"]?.integerValue
                    else { return nil }
                    return Row(
                        run: run.name, objective: run.configuration.objective.name,
                        seed: Int(run.configuration.seed), step: step, metric: metric,
                        value: value)
                }
            }
        }
    }

    /// The last value of `metric` of a run; nil where it was not measured.
    public func last(_ metric: String, run: String) -> Double? {
        rows.last { $0.run == run && $0.metric == metric }?.value
    }

    /// The first value of `metric` of a run.
    public func first(_ metric: String, run: String) -> Double? {
        rows.first { $0.run == run && $0.metric == metric }?.value
    }

    /// The runs in the order of their first row.
    private var runs: [String] {
        var runs: [String] = []
        for row in rows where runs.last != row.run { runs.append(row.run) }
        return runs
    }

    /// The runs with their first and last held-out losses, as a table for a terminal.
    public func table(folder: String) -> String {
        var lines = ["\(folder): losses in nats, first → last"]
        for run in runs {
            let parts = Self.metrics.compactMap { metric -> String? in
                guard let last = last(metric, run: run), let first = first(metric, run: run) else {
                    return nil
                }
                let isOne = rows.count { $0.run == run && $0.metric == metric } == 1
                return metric + " "
                    + (isOne ? [last] : [first, last]).map { String(format: "%.4f", $0) }
                    .joined(separator: " → ")
            }
            lines.append("  \(run)  \(parts.joined(separator: "  "))")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The rows as one line of JSON.
    public var json: String {
        CanonicalJSON.text(
            of: .array(
                rows.map { row in
                    [
                        "run": .string(row.run), "objective": .string(row.objective),
                        "seed": .integer(row.seed), "step": .integer(row.step),
                        "metric": .string(row.metric), "value": .number(row.value),
                    ]
                }))
    }

    /// Writes `summary.csv` into the sweep's folder.
    func write(to directory: SweepDirectory) throws {
        var table = CSVTable(header: ["run", "objective", "seed", "step", "metric", "value"])
        for row in rows {
            table.append([
                row.run, row.objective, "\(row.seed)", "\(row.step)", row.metric,
                CSVTable.cell(row.value),
            ])
        }
        try table.write(to: directory.summaryPath)
    }
}
