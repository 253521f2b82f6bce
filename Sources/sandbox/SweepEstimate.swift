import Experiments
import Foundation
import InContextRegression
import Kernels
import Mechanism
import Platform
import Transformer

/// What a sweep will cost: shown by `--dry-run`.
struct SweepEstimate {
    /// One line of the list; a finished run costs nothing any more.
    struct Row {
        let name: String
        let status: RunStatus
        let seconds: Double
        let memory: Double
        let disk: Double
    }

    /// Share of the measured product rate that whole steps and evaluations reach; the smallest models reach less.
    private static let efficiency = 0.75

    let rows: [Row]

    /// Measures the machine's product rate and works out each run.
    ///
    /// - Parameters:
    ///   - plan: the sweep.
    ///   - root: the folder that holds the runs, looked at for what is done already.
    ///   - workers: workers of a training step.
    init(_ plan: SweepPlan, root: String, workers: Int) throws {
        let rate =
            matrixProductRate(workers: min(workers, CPU.current().coreCount)) * 1e9
            * Self.efficiency
        var rows: [Row] = []
        for base in plan.bases {
            guard let pretraining = base.configuration.pretraining else { continue }
            let name = "bases/\(base.name)"
            rows.append(
                Self.row(
                    name, try Self.status(root, name), base.configuration.model,
                    pretraining.phase, .cpt, measured: [EvaluationSetting(layout: .cpt)],
                    examples: plan.evaluation.examples, rate: rate, workers: workers))
        }
        for run in plan.runs {
            let name = "\(plan.name)/\(run.name)"
            rows.append(
                Self.row(
                    name, try Self.status(root, name), run.configuration.model,
                    run.configuration.training, run.configuration.layout,
                    measured: run.configuration.evaluationSettings,
                    examples: plan.evaluation.examples,
                    outsideExamples: plan.evaluation.outsideExamples,
                    analysis: run.analysisOperations,
                    rate: rate, workers: workers))
        }
        self.rows = rows
    }

    private static func status(_ root: String, _ name: String) throws -> RunStatus {
        try RunDirectory(path: root + "/" + name).metadata()?.status ?? .queued
    }

    private static func row(
        _ name: String, _ status: RunStatus, _ model: ModelConfiguration,
        _ phase: PhaseConfiguration,
        _ layout: PromptLayout, measured: [EvaluationSetting], examples: Int,
        outsideExamples: Int = 0, analysis: Double = 0, rate: Double, workers: Int
    ) -> Row {
        let decoder = model.decoder
        let length = layout.tokenCount(points: phase.points)
        let step = decoder.configuration.trainingOperations(
            examples: phase.batchSize, length: length)
        // A forward pass is a third of a training step.
        let evaluator = Evaluator(
            functionClass: LinearFunction(), dims: model.inputDimension, points: phase.points,
            examples: examples, outsideExamples: outsideExamples, seed: 0)
        let evaluation = measured.reduce(0.0) { sum, setting in
            evaluator.shapes(setting).reduce(sum) { sum, shape in
                sum + decoder.configuration.trainingOperations(
                    examples: evaluator.examples(setting), length: shape.length) / 3
            }
        }
        let errors = measured.reduce(0.0) { sum, setting in
            sum + Double(evaluator.examples(setting) * evaluator.contextCount(setting)) * 4
        }
        let parameters = Double(decoder.layout.count) * 4
        let rows = Double(
            ShardPlan(examples: phase.batchSize, length: length).examplesPerShard * length)
        let activations =
            rows * Double(model.embeddingDimension) * Double(16 * model.layerCount + 24) * 4
        let records = Double(phase.steps) / 10 * 200
        let isDone = status == .finished
        return Row(
            name: name, status: status,
            seconds: isDone ? 0 : (Double(phase.steps) * step + evaluation + analysis) / rate,
            // The bootstrap keeps a byte for each prompt and resample.
            memory: parameters * Double(4 + ShardPlan.laneCount) + activations * Double(workers)
                + errors + Double(examples) * 1000,
            disk: isDone
                ? 0
                : 3 * parameters + records + errors)
    }

    /// The list as text or as JSON.
    func report(json: Bool) throws -> String {
        if json {
            let list = rows.map { row -> JSONValue in
                [
                    "run": .string(row.name), "status": .string(row.status.rawValue),
                    "seconds": .number(row.seconds.rounded()),
                    "memory_bytes": .number(row.memory.rounded()),
                    "disk_bytes": .number(row.disk.rounded()),
                ]
            }
            return CanonicalJSON.text(of: .array(list)) + "\n"
        }
        let width = (rows.map(\.name.count).max() ?? 3) + 2
        func line(
            _ name: String, _ status: String, _ time: String, _ memory: String, _ disk: String
        ) -> String {
            func right(_ text: String, _ width: Int) -> String {
                String(repeating: " ", count: max(0, width - text.count)) + text
            }
            return name.padding(toLength: width, withPad: " ", startingAt: 0)
                + status.padding(toLength: 11, withPad: " ", startingAt: 0) + right(time, 11)
                + right(memory, 11) + right(disk, 11) + "\n"
        }
        func mebibytes(_ bytes: Double) -> String { String(format: "%.0f MiB", bytes / 1_048_576) }
        var text = line("run", "status", "time", "memory", "disk")
        for row in rows {
            text += line(
                row.name, row.status.rawValue, duration(row.seconds), mebibytes(row.memory),
                mebibytes(row.disk))
        }
        text += line(
            "total, \(rows.count) runs", "", duration(rows.reduce(0) { $0 + $1.seconds }),
            mebibytes(rows.map(\.memory).max() ?? 0),
            mebibytes(rows.reduce(0) { $0 + $1.disk }))
        return text
            + "Estimates for what is not finished, at three quarters of the product rate measured just now; nothing was run.\n"
    }
}
