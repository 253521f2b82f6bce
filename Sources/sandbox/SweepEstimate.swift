import Experiments
import Foundation
import InContextRegression
import Kernels
import Mechanism
import Transformer

/// What a sweep will cost: shown by `--dry-run`.
struct SweepEstimate {
    /// One line of the list.
    struct Row {
        let name: String
        let seconds: Double
        let memory: Double
        let disk: Double
    }

    /// Share of the measured product rate that whole training steps reach; small models reach less.
    private static let efficiency = 0.5

    let rows: [Row]

    /// Measures the machine's product rate and works out each run.
    ///
    /// - Parameters:
    ///   - plan: the sweep.
    ///   - workers: workers of a training step.
    init(_ plan: SweepPlan, workers: Int) {
        let rate = matrixProductRate(workers: workers) * 1e9 * Self.efficiency
        var rows: [Row] = []
        for base in plan.bases {
            guard let pretraining = base.configuration.pretraining else { continue }
            rows.append(
                Self.row(
                    "bases/\(base.name)", base.configuration.model, pretraining.phase, .cpt,
                    evaluations: 1, examples: plan.evaluation.examples, rate: rate,
                    workers: workers))
        }
        for run in plan.runs {
            rows.append(
                Self.row(
                    "\(plan.file.name)/\(run.name)", run.configuration.model,
                    run.configuration.training, run.configuration.layout,
                    evaluations: plan.evaluation.layouts.count,
                    examples: plan.evaluation.examples, rate: rate, workers: workers))
        }
        self.rows = rows
    }

    private static func row(
        _ name: String, _ model: ModelConfiguration, _ phase: PhaseConfiguration,
        _ layout: PromptLayout, evaluations: Int, examples: Int, rate: Double, workers: Int
    ) -> Row {
        let decoder = model.decoder
        let length = layout.tokenCount(points: phase.points)
        let step = decoder.configuration.trainingOperations(
            examples: phase.batchSize, length: length)
        let evaluation =
            Double(evaluations) / 3
            * decoder.configuration.trainingOperations(examples: examples, length: length)
        let parameters = Double(decoder.layout.count) * 4
        let rows = Double(
            ShardPlan(examples: phase.batchSize, length: length).examplesPerShard * length)
        let activations =
            rows * Double(model.embeddingDimension) * Double(16 * model.layerCount + 24) * 4
        let records = Double(phase.steps) / 10 * 200
        return Row(
            name: name, seconds: (Double(phase.steps) * step + evaluation) / rate,
            memory: parameters * Double(4 + ShardPlan.laneCount) + activations * Double(workers),
            disk: 3 * parameters + records
                + Double(evaluations * examples * phase.points) * 4)
    }

    /// The list as text or as JSON.
    func report(json: Bool) throws -> String {
        if json {
            let list = rows.map { row -> JSONValue in
                [
                    "run": .string(row.name), "seconds": .number(row.seconds.rounded()),
                    "memory_bytes": .number(row.memory.rounded()),
                    "disk_bytes": .number(row.disk.rounded()),
                ]
            }
            return CanonicalJSON.text(of: .array(list)) + "\n"
        }
        let width = (rows.map(\.name.count).max() ?? 3) + 2
        func line(_ name: String, _ time: String, _ memory: String, _ disk: String) -> String {
            func right(_ text: String, _ width: Int) -> String {
                String(repeating: " ", count: max(0, width - text.count)) + text
            }
            return name.padding(toLength: width, withPad: " ", startingAt: 0) + right(time, 10)
                + right(memory, 11) + right(disk, 11) + "\n"
        }
        func mebibytes(_ bytes: Double) -> String { String(format: "%.0f MiB", bytes / 1_048_576) }
        var text = line("run", "time", "memory", "disk")
        for row in rows {
            text += line(
                row.name, duration(row.seconds), mebibytes(row.memory), mebibytes(row.disk))
        }
        text += line(
            "total, \(rows.count) runs", duration(rows.reduce(0) { $0 + $1.seconds }),
            mebibytes(rows.map(\.memory).max() ?? 0),
            mebibytes(rows.reduce(0) { $0 + $1.disk }))
        return text + "Estimates for work not done yet; nothing was run.\n"
    }
}
