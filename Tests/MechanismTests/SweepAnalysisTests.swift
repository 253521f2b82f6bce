import Experiments
import Foundation
import InContextRegression
import Kernels
import Statistics
import TestSupport
import Testing

@testable import Mechanism

/// Excess risk, learning dynamics, probes and the layout matrix, on made-up measurements of the tiny sweep: d = 2, six
/// points, `cpt` then `cft`.
@Suite struct SweepAnalysisTests {
    private static let points = 6

    /// A summary of the plan's runs with what `measure` gives each of them.
    private func summary(
        _ plan: SweepPlan, bayes: [BayesCurve] = [],
        _ measure: (_ index: Int) -> (
            cells: [EvaluationCell], dynamics: LearningDynamics?, probes: LayerProbes.Scores?
        )
    ) -> SweepSummary {
        let runs = plan.runs.enumerated().map { index, run in
            let (cells, dynamics, probes) = measure(index)
            return MeasuredRun(
                plan: run, path: "", losses: [], cells: cells, dynamics: dynamics, probes: probes)
        }
        return SweepSummary(
            SweepResults(plan: plan, bases: [], runs: runs, baselines: [], bayes: bayes),
            workers: 1)
    }

    private func cell(
        _ setting: EvaluationSetting, excess: [Float]? = nil, _ errors: [Float]
    ) -> EvaluationCell {
        EvaluationCell(
            setting: setting, errors: FloatView(errors), excess: excess.map { FloatView($0) })
    }

    // MARK: Excess risk

    @Test func excessRiskIsMeasuredWhereThePosteriorIsKnown() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("evaluate.examples=8", "layout=[cpt]")
        // Real Bayes errors of multilinear functions at d = 2: 4, 2, 0, 0, …
        let bayes = try run(plan, in: folder).bayes
        // Errors 5 + k at every prompt; a posterior at k = 1 and 2 alone, the model 0.25 and 0.5 from its mean.
        let errors = (0..<8 * Self.points).map { Float(5 + $0 % Self.points) }
        let excess = (0..<8 * Self.points).map { place -> Float in
            switch place % Self.points {
            case 1: 0.25
            case 2: 0.5
            default: .nan
            }
        }
        let cpt = EvaluationSetting(layout: .cpt)
        let measured = summary(plan, bayes: bayes) { _ in
            ([cell(cpt, excess: excess, errors)], nil, nil)
        }
        let found = try #require(measured.excessCurve(measured.groups[0], layout: .cpt))
        #expect(found.curve.x == [0, 1, 2, 3, 4, 5])
        #expect(found.curve.mean == [1, 0.25, 0.5, 8, 9, 10])
        #expect(found.isMeasured == [false, true, true, false, false, false])
        #expect(found.curve.low == found.curve.mean && found.curve.high == found.curve.mean)
        // Without a Bayes error only what was measured is left, and without either nothing.
        let unknown = summary(plan) { _ in ([cell(cpt, excess: excess, errors)], nil, nil) }
        let rest = try #require(unknown.excessCurve(unknown.groups[0], layout: .cpt))
        #expect(rest.curve.mean[1...2] == [0.25, 0.5])
        #expect([0, 3, 4, 5].allSatisfy { rest.curve.mean[$0].isNaN })
        let nothing = summary(plan) { _ in ([cell(cpt, errors)], nil, nil) }
        #expect(nothing.excessCurve(nothing.groups[0], layout: .cpt) == nil)
        // The table has rows for what was measured.
        let rows = rows(measured).filter { $0["metric"] == "excess_risk" }
        #expect(rows.map { $0["k"] } == ["1", "2"] && rows.map { $0["mean"] } == ["0.25", "0.5"])
        #expect(rows.map { $0["excess_risk"] } == ["0.25", "0.5"])
        #expect(rows.map { $0["bayes"] } == ["2", "0"])
        #expect(rows.allSatisfy { $0["eval_layout"] == "cpt" && $0["examples"] == "8" })
    }

    private func rows(_ summary: SweepSummary) -> [[String: String]] {
        let table = summary.table()
        return table.rows.map { Dictionary(uniqueKeysWithValues: zip(table.header, $0)) }
    }

    // MARK: Along the steps

    /// Two prompts after steps 1 and 2. Errors are step + prompt at every k; alignments differ by prompt, and prompt 1 has
    /// no gradient at the second context length.
    private func dynamics(_ index: Int) -> LearningDynamics {
        func matrix(_ columns: Int, _ value: (_ prompt: Int, _ column: Int) -> Float) -> FloatView {
            FloatView((0..<2 * columns).map { value($0 / columns, $0 % columns) })
        }
        let errors = [1, 2].map { step in
            matrix(Self.points) { prompt, _ in Float(step + prompt + index) }
        }
        let both = [Float(0.25), 0.5].map { first -> FloatView in
            FloatView([first, first + 0.25, 1, Float.nan])
        }
        let token = [0, 1].map { step in
            matrix(Self.points) { prompt, k in
                prompt == 1 && k == 3 ? .nan : 0.125 * Float(k % 2 + prompt + step)
            }
        }
        return LearningDynamics(
            steps: [1, 2], points: Self.points, errors: [.cpt: errors], both: both, token: token,
            contexts: [0, 5])
    }

    @Test func dynamicsAreMeansOverPromptsThatHaveAValue() throws {
        let plan = try tinyPlan("seeds=2", "evaluate.examples=8")
        let summary = summary(plan) { index in ([], dynamics(index % 2), nil) }
        let group = summary.groups[0]
        let errors = try #require(summary.errorAlongSteps(group, layout: .cpt))
        // Prompts 0 and 1 of the seeds 0 and 1: step + 0.5 + 0.5.
        #expect(errors.x == [1, 2] && errors.mean == [2, 3])
        #expect(zip(errors.low, errors.mean).allSatisfy { $0 < $1 })
        #expect(summary.errorAlongSteps(group, layout: .cft) == nil)
        let steps = try #require(summary.alignmentAlongSteps(group))
        // Prompt 0: the mean of v and v + ¼; prompt 1: 1, its only value.
        #expect(steps.x == [1, 2] && steps.mean == [0.6875, 0.8125])
        let contexts = try #require(summary.alignmentAgainstContext(group))
        // After the last step ⅛ (k mod 2 + prompt + 1); at k = 3 prompt 0 alone.
        #expect(contexts.x == [0, 1, 2, 3, 4, 5])
        #expect(contexts.mean == [0.1875, 0.3125, 0.1875, 0.25, 0.1875, 0.3125])
        #expect(contexts.low[3] == 0.25 && contexts.high[3] == 0.25)
        #expect(contexts.low[0] < contexts.mean[0])
    }

    @Test func alignmentHasRowsForEachStepAndContextLength() throws {
        let plan = try tinyPlan("evaluate.examples=8")
        let summary = summary(plan) { index in ([], dynamics(index), nil) }
        let all = rows(summary)
        let both = all.filter {
            $0["metric"] == "gradient_alignment" && $0["train_layout"] == "cft"
        }
        #expect(both.map { $0["step"] } == ["1", "1", "2", "2"])
        #expect(both.map { $0["k"] } == ["0", "5", "0", "5"])
        #expect(both.map { $0["mean"] } == ["0.625", "0.5", "0.75", "0.75"])
        #expect(both.map { $0["examples"] } == ["2", "1", "2", "1"])
        #expect(both.allSatisfy { $0["eval_layout"] == "cft" && $0["bayes"] == "" })
        let token = all.filter { $0["metric"] == "gradient_alignment_token" }
        #expect(token.count == 2 * 2 * Self.points)
        // Prompt 0 alone has a gradient at the last query.
        let last = try #require(summary.lastAlignmentAlongSteps(summary.groups[0]))
        #expect(last.x == [1, 2] && last.mean == [0.5, 0.75])
    }

    /// Records of the loss against half of E[g²] = 2d = 4: with trailing means over ten records, the first run falls from
    /// 4 to 1 after twelve of twenty-four records, the second never does.
    @Test func thePlateauIsLeftOnceTheMeanStaysBelowHalfOfIt() throws {
        let plan = try tinyPlan("seeds=2", "evaluate.examples=8")
        let runs = plan.runs.enumerated().map { index, run in
            MeasuredRun(
                plan: run, path: "",
                losses: (1...24).map {
                    LossRecord(step: 10 * $0, loss: $0 <= 12 || index == 1 ? 4 : 1)
                }, cells: [], dynamics: nil, probes: nil)
        }
        let summary = SweepSummary(
            SweepResults(plan: plan, bases: [], runs: runs, baselines: [], bayes: []), workers: 1)
        // 4 − 0.3 j < 2 at the seventh record after the twelfth.
        #expect(summary.escapeSteps(summary.groups[0]) == [190, nil])
        let escapes = rows(summary).filter { $0["metric"] == "escape_step" }
        #expect(escapes.map { $0["mean"] } == ["190", "", "190", "190"])
        // The public code divides by the mean of max(d − i, 0): (2 + 1) / 6.
        let losses = rows(summary).filter { $0["metric"] == "excess_loss" }
        #expect(losses.count == 4 * 24 && losses[0]["mean"] == "8" && losses[23]["mean"] == "2")
    }

    @Test func runsWithoutTheSameStepsHaveNoDynamics() throws {
        let plan = try tinyPlan("seeds=2", "evaluate.examples=8")
        let partial = summary(plan) { index in ([], index == 0 ? dynamics(0) : nil, nil) }
        #expect(partial.errorAlongSteps(partial.groups[0], layout: .cpt) == nil)
        #expect(partial.alignmentAlongSteps(partial.groups[0]) == nil)
        #expect(partial.alignmentAgainstContext(partial.groups[0]) == nil)
        #expect(partial.alignmentOfBayesPredictor(partial.groups[0]) == nil)
        #expect(rows(partial).filter { $0["metric"] == "gradient_alignment" }.count == 4)
    }

    // MARK: Probes

    @Test func probesAreAveragedOverContextLengths() throws {
        let plan = try tinyPlan("seeds=2", "evaluate.examples=8")
        let summary = summary(plan) { index in
            // Layers 0 and 1; R² of f is k/8 more in the second, that of w one half of it.
            let base = (0..<2 * Self.points).map { place -> Float in
                Float(place % Self.points * (place / Self.points)) / 8 + Float(index % 2)
            }
            return ([], nil, .init(base: FloatView(base), weights: FloatView(base.map { $0 / 2 })))
        }
        let curves = try #require(summary.probeCurves(summary.groups[1]))
        #expect(curves.base.x == [0, 1] && curves.base.mean == [0.5, 0.8125])
        #expect(curves.weights.mean == [0.25, 0.40625])
        // Student's t with one degree of freedom: 12.706 standard errors of ½.
        #expect(abs(curves.base.high[0] - (0.5 + 12.7062 * 0.5)) < 1e-3)
        let none = self.summary(plan) { _ in ([], nil, nil) }
        #expect(none.probeCurves(none.groups[0]) == nil)
    }

    // MARK: Layouts and distributions

    @Test func theMatrixHasARowForEachGroupAndAColumnForEachLayout() throws {
        let plan = try tinyPlan("evaluate.examples=8")
        let summary = summary(plan) { index in
            let layouts: [PromptLayout] = index == 0 ? [.cpt, .cft] : [.cft]
            return (
                layouts.enumerated().map { place, layout in
                    cell(
                        EvaluationSetting(layout: layout),
                        (0..<8 * Self.points).map { Float($0 % Self.points + 10 * index + place) })
                }, nil, nil
            )
        }
        let matrix = summary.layoutMatrix(summary.groups)
        #expect(matrix.layouts == [.cpt, .cft] && matrix.groups.map(\.label) == ["cpt", "cft"])
        #expect(matrix.cells.map { $0.map { $0?.mean } } == [[2.5, 3.5], [nil, 12.5]])
        #expect(matrix.isOwn(0, 0) && matrix.isOwn(1, 1) && !matrix.isOwn(0, 1))
        // Without Bayes errors there is no excess; with them 4, 2, 0, … under cpt, whose mean is 1.
        #expect(summary.excessMatrix(summary.groups).cells.joined().allSatisfy { $0 == nil })
    }

    @Test func theExcessIsTheErrorLessWhatCannotBeAvoided() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan("evaluate.examples=8", "layout=[cpt]")
        let bayes = try run(plan, in: folder).bayes
        let cpt = EvaluationSetting(layout: .cpt)
        let errors = (0..<8 * Self.points).map { Float($0 % Self.points + 10) }
        // Multilinear at d = 2: 4, 2, 0, … of mean 1; the errors' mean is 12.5.
        let derived = summary(plan, bayes: bayes) { _ in ([cell(cpt, errors)], nil, nil) }
        let plain = try #require(derived.excessMatrix(derived.groups).cells[0][0])
        #expect(plain.mean == 11.5 && plain.interval == Interval(low: 11.5, high: 11.5))
        let excess = (0..<8 * Self.points).map { Float($0 % Self.points) }
        let measured = summary(plan, bayes: bayes) { _ in
            ([cell(cpt, excess: excess, errors)], nil, nil)
        }
        #expect(try #require(measured.excessMatrix(measured.groups).cells[0][0]).mean == 2.5)
    }

    /// Prompts out of distribution have a number of their own, in curves and in the table.
    @Test func otherDistributionsAreSummarisedOverTheirOwnPrompts() throws {
        let folder = try TemporaryDirectory()
        let plan = try tinyPlan(
            "evaluate.prompts=[standard,scale-x=2,orthogonal_train_test]",
            "evaluate.ood_examples=24", "training.steps=3")
        let results = try run(plan, in: folder)
        let summary = SweepSummary(results, workers: 1)
        let scaled = PromptDistribution.scaledInputs(2)
        #expect(
            summary.distributions(summary.groups) == [.standard, scaled, .orthogonalQueries])
        let all = rows(summary)
        for (index, group) in summary.groups.enumerated() {
            for (distribution, contexts) in [(scaled, 6), (.orthogonalQueries, 2)] {
                let setting = EvaluationSetting(layout: group.layout, distribution: distribution)
                let errors = try #require(results.runs[index].cell(setting)).errors
                #expect(errors.count == 24 * contexts)
                let curve = try #require(summary.errorCurve(group, setting))
                #expect(curve.x.count == contexts)
                let found = all.filter {
                    $0["prompt"] == distribution.name && $0["run"] == results.runs[index].plan.name
                }
                #expect(found.map { $0["examples"] } == Array(repeating: "24", count: contexts))
                for k in 0..<contexts {
                    let mean = (0..<24).reduce(0.0) { $0 + Double(errors[$1 * contexts + k]) } / 24
                    #expect(abs(curve.mean[k] - mean) <= 1e-12 * mean)
                    let written = try #require(Double(found[k]["mean"] ?? ""))
                    #expect(abs(written - mean) <= 1e-12 * mean)
                }
            }
        }
        // Multilinear functions are linear, so least squares is a reference there too.
        let reference = all.filter {
            $0["train_layout"] == "least_squares" && $0["prompt"] == scaled.name
        }
        #expect(reference.count == 6 && reference.allSatisfy { $0["examples"] == "24" })
        let zero = all.filter { $0["train_layout"] == "zero" && $0["prompt"] == scaled.name }
        #expect(zero.count == 6 && zero.allSatisfy { $0["examples"] == "24" })
    }
}
