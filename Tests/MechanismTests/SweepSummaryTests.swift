import Experiments
import Foundation
import InContextRegression
import Kernels
import TestSupport
import Testing

@testable import Mechanism

@Suite struct SweepSummaryTests {
    private static let columns =
        "sweep,run,base,seed,step,function_class,train_layout,eval_layout,prompt,metric,k,mean,"
        + "standard_error,bootstrap_low,bootstrap_high,bayes,excess_risk,examples"

    @Test func tableHasOneRowForEachRunCellAndContextLength() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("seeds=2", "training.log_every=5")
        let results = try run(plan, in: folder)
        let table = SweepSummary(results, workers: 2).table()
        #expect(table.text.hasPrefix(Self.columns + "\n"))
        let (points, runs, layouts) = (6, 4, 2)
        // The base and least squares beside it; runs × layouts; three records a run, each with the public code's
        // normaliser too, and the step that leaves the plateau; two baselines.
        let all = table.rows.map { Dictionary(uniqueKeysWithValues: zip(table.header, $0)) }
        // What is computed from the posterior stands behind everything else.
        let rows = all.filter { $0["metric"] != "excess_risk" }
        let perRun = layouts * points + 3 + 3 + 1
        #expect(rows.count == 2 * points + runs * perRun + 2 * points)
        #expect(all.prefix(rows.count).allSatisfy { $0["metric"] != "excess_risk" })
        func value(_ row: [String: String], _ column: String) throws -> Double {
            try #require(Double(row[column] ?? ""), "\(column) of \(row)")
        }
        let losses = rows.filter { $0["metric"] == "train_loss" }
        #expect(losses.map { $0["step"] } == (0..<runs).flatMap { _ in ["5", "10", "12"] })
        #expect(losses.allSatisfy { $0["k"] == "" && $0["eval_layout"] == "" && $0["bayes"] == "" })
        for (index, run) in results.runs.enumerated() {
            for cell in run.cells {
                for k in 0..<points {
                    let row = try #require(
                        rows.first {
                            $0["run"] == run.plan.name && $0["eval_layout"] == cell.layout.name
                                && $0["k"] == "\(k)"
                        })
                    let errors = stride(from: k, to: 64 * points, by: points).map {
                        Double(cell.errors[$0])
                    }
                    let mean = errors.reduce(0, +) / 64
                    #expect(abs(try value(row, "mean") - mean) <= 1e-12 * mean)
                    let bayes = Double(max(2 - k, 0)) * (cell.layout == .cpt ? 2 : 1)
                    #expect(try value(row, "bayes") == bayes)
                    #expect(abs(try value(row, "excess_risk") - (mean - bayes)) <= 1e-12 * mean)
                    #expect(try value(row, "bootstrap_low") < mean)
                    #expect(try value(row, "bootstrap_high") > mean)
                    #expect(try value(row, "standard_error") > 0)
                    #expect(row["train_layout"] == run.plan.configuration.layout.name)
                    #expect(row["seed"] == "\(index % 2)" && row["step"] == "12")
                    #expect(row["base"] == plan.bases[0].name && row["examples"] == "64")
                    #expect(row["metric"] == "squared_error" && row["prompt"] == "standard")
                    #expect(row["sweep"] == "tiny" && row["function_class"] == "multilinear")
                }
            }
        }
        let zero = rows.filter { $0["train_layout"] == "zero" }
        #expect(zero.map { $0["k"] } == (0..<points).map(String.init))
        #expect(zero.allSatisfy { $0["run"] == "" && $0["function_class"] == "multilinear" })
        let base = rows.filter { $0["train_layout"] == "base" }
        #expect(base.compactMap { $0["bayes"] } == ["2", "1", "0", "0", "0", "0"])
        #expect(base.allSatisfy { $0["function_class"] == "linear" && $0["step"] == "20" })
        #expect(rows.filter { $0["train_layout"] == "least_squares" }.count == 2 * points)
    }

    @Test func namesAndNumbersAreShortUnlessAmbiguous() {
        func value(_ name: String, _ text: String) -> Trial.Value {
            Trial.Value(name: name, text: text)
        }
        let rate = value("training.optimizer.learning_rate", "0.00017147298974774265")
        let near = [value("a.x", "0.123456"), value("a.x", "0.123457")]
        let twins = [value("training.steps", "100000"), value("pretraining.steps", "5")]
        let base = value("pretraining.seed", "2")
        let words = ParameterWords([rate, base] + near + twins)
        #expect(words.text(rate) == "learning_rate=1.71e-4")
        // A seed alone would be read as fine-tuning's.
        #expect(words.text(base) == "pretraining.seed=2")
        #expect(near.map(words.text) == ["x=0.123456", "x=0.123457"])
        #expect(twins.map(words.text) == ["training.steps=100000", "pretraining.steps=5"])
    }

    @Test func groupsAreRunsThatDifferInTheirSeed() throws {
        let yaml = tinySweep.replacingOccurrences(
            of: "layout: {values: [cpt, cft]}",
            with:
                "layout: {values: [cpt, cft]}\n  training: {parameters: {steps: {values: [2, 3]}}}")
        let plan = try tinyPlan("seeds=2", yaml: yaml)
        let runs = plan.runs.enumerated().map { index, run in
            MeasuredRun(
                plan: run, path: "", losses: [LossRecord(step: 2, loss: Double(index))],
                cells: [
                    EvaluationCell(
                        setting: EvaluationSetting(layout: .cpt),
                        errors: FloatView((0..<64 * 6).map { Float($0 % 6 + index) }),
                        excess: nil)
                ], dynamics: nil, probes: nil)
        }
        let results = SweepResults(plan: plan, bases: [], runs: runs, baselines: [], bayes: [])
        let summary = SweepSummary(results, workers: 1)
        #expect(
            summary.groups.map(\.label) == [
                "cpt, steps=2", "cpt, steps=3", "cft, steps=2", "cft, steps=3",
            ])
        let table = try #require(summary.parameterTable())
        #expect(table.header == ["run", "seed", "layout", "training.steps"])
        #expect(table.rows.count == 8)
        #expect(table.rows[3] == [plan.runs[3].name, "1", "cpt", "3"])
        let plain = try tinyPlan()
        #expect(
            SweepSummary(
                SweepResults(plan: plain, bases: [], runs: [], baselines: [], bayes: []), workers: 1
            ).parameterTable() == nil)
        #expect(summary.groups.allSatisfy { $0.runs.map(\.plan.configuration.seed) == [0, 1] })
        // Runs 2 and 3: errors k + 2 and k + 3 at every prompt.
        let curve = try #require(summary.errorCurve(summary.groups[1], layout: .cpt))
        #expect(curve.x == [0, 1, 2, 3, 4, 5] && curve.mean == [2.5, 3.5, 4.5, 5.5, 6.5, 7.5])
        #expect(zip(curve.low, curve.mean).allSatisfy { $0 < $1 })
        #expect(summary.meanError(summary.groups[1], layout: .cpt)?.mean == 5)
        #expect(summary.errorCurve(summary.groups[1], layout: .cft) == nil)
        #expect(summary.meanError(summary.groups[1], layout: .cft) == nil)
        let loss = summary.lossCurve(summary.groups[3])
        #expect(loss.x == [2] && loss.mean == [6.5] && loss.low == [6] && loss.high == [7])
    }
}
