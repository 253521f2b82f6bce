import Experiments
import InContextRegression
import Kernels
import TestSupport
import Testing

@testable import Mechanism

/// The eight rules on made-up measurements whose verdicts are known: d = 2, six points, three seeds, eight prompts.
///
/// Every prompt of a seed errs alike, so that a difference is what the numbers below say and its interval has no width.
struct ClaimRulesTests {
    private static let layouts: [PromptLayout] = [.cpt, .cft, .negCFT, .noQueryCFT]
    private static let command = "sandbox sweep -f tiny.yaml"

    /// What is made up of a run of one layout; a number for each seed.
    private struct Made {
        var own: [Float]
        var underCPT: [Float] = [10, 10, 10]
        var excess: Float?
        var loss: Double = 1
        var alignment: Float = 0.25
    }

    private static let usual: [PromptLayout: Made] = [
        .cpt: Made(own: [10, 10, 10], loss: 10, alignment: 0.25),
        .cft: Made(own: [4, 4, 4], underCPT: [12, 12, 12], loss: 4, alignment: 0.75),
        .negCFT: Made(own: [9, 9, 9], loss: 8, alignment: 0.125),
        .noQueryCFT: Made(own: [7, 7, 7]),
    ]

    private func claims(
        _ overrides: String..., change: (inout [PromptLayout: Made]) -> Void = { _ in }
    ) throws -> [Claim: ClaimResult] {
        var made = Self.usual
        change(&made)
        let names = Self.layouts.map(\.name).joined(separator: ",")
        let plan = try SweepPlan(
            tinyFile(["layout=[\(names)]", "seeds=3", "evaluate.examples=8"] + overrides),
            root: "nowhere")
        let runs = plan.runs.map { run in measured(run, made[run.configuration.layout]!) }
        let squares: [Float] = [2, 1, 0, 0, 0, 0]
        let base = MeasuredBase(
            plan: plan.bases[0], path: "base", points: 6,
            errors: FloatView((0..<8).flatMap { _ in squares.map { $0 + 0.015625 } }),
            leastSquares: FloatView((0..<8).flatMap { _ in squares }), losses: [])
        let pool = WorkerPool(workers: 1)
        let evaluator = Evaluator(
            functionClass: MultilinearFunction(), dims: 2, points: 6, examples: 8, seed: 0)
        let bayes = try [PromptLayout.cpt, .cft].map {
            try BayesCurve(evaluator, EvaluationSetting(layout: $0), root: "nowhere", pool: pool)
        }
        let summary = SweepSummary(
            SweepResults(plan: plan, bases: [base], runs: runs, baselines: [], bayes: bayes),
            workers: 1)
        let (last, _) = ClaimAssessment.claims(summary, command: Self.command)
        #expect(last.map(\.id) == Claim.allCases)
        return Dictionary(uniqueKeysWithValues: last.map { ($0.id, $0) })
    }

    private func measured(_ run: PlannedRun, _ made: Made) -> MeasuredRun {
        let seed = Int(run.configuration.seed)
        func cell(_ layout: PromptLayout, _ error: Float, excess: Float? = nil) -> EvaluationCell {
            EvaluationCell(
                setting: EvaluationSetting(layout: layout),
                errors: FloatView(Array(repeating: error, count: 48)),
                excess: excess.map { FloatView(Array(repeating: $0, count: 48)) })
        }
        let layout = run.configuration.layout
        var cells = [cell(layout, made.own[seed], excess: made.excess)]
        if layout != .cpt { cells.append(cell(.cpt, made.underCPT[seed])) }
        let both = FloatView(Array(repeating: made.alignment, count: 16))
        return MeasuredRun(
            plan: run, path: "",
            // Of twelve steps the last tenth is steps 11 and 12.
            losses: (1...12).map { LossRecord(step: $0, loss: $0 < 11 ? 1000 : made.loss) },
            cells: cells,
            dynamics: LearningDynamics(
                steps: [1, 12], points: 6, errors: [:], both: [both, both], token: [],
                contexts: [0, 5]), probes: nil)
    }

    private func expect(
        _ result: ClaimResult?, _ verdict: String, _ effect: Double,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        let result = try #require(result, sourceLocation: location)
        #expect(result.verdict == verdict, "\(result)", sourceLocation: location)
        #expect(
            abs(try #require(result.effect) - effect) < 1e-6, "\(result)", sourceLocation: location)
    }

    @Test func theUsualEffects() throws {
        let claims = try claims()
        // 0.015625 / d at every k.
        try expect(claims[.base], "supported", 0.0078125)
        #expect(claims[.base]?.low == 0.0078125 && claims[.base]?.high == 0.0078125)
        #expect(claims[.base]?.comparisons.count == 3)
        // ln 10 / 4 and ln 8 / 4; (10 − 4) / 2 and (9 − 4) / 2: the smaller decides.
        try expect(claims[.loss], "supported", 0.693147)
        try expect(claims[.curve], "supported", 2.5)
        #expect(claims[.curve]?.comparisons.map(\.effect) == [3, 2.5])
        // 0.75 less 0.25 and less 0.125.
        try expect(claims[.gradient], "supported", 0.5)
        // Half of 3 less (10 − 9) / 2.
        try expect(claims[.semantics], "supported", 1)
        #expect(claims[.semantics]?.comparisons.map(\.effect) == [1, 3, 0.5])
        // Multilinear functions of two dimensions: Bayes errors 4, 2, 0, … under cpt and 2, 1, 0, … under cft, means 1
        // and ½. ((10 − 4) − (1 − ½)) / 2.
        try expect(claims[.information], "supported", 2.75)
        // Under cpt the cft-trained model errs by 12, the other by 10.
        try expect(claims[.transfer], "not supported", -1)
        // (10 − 7) / (10 − 4).
        try expect(claims[.leak], "supported", 0.5)
        for result in claims.values where result.id != .base {
            #expect(result.seeds == 3 && result.bases == 1 && result.command == nil)
            #expect(result.steps == 12 && result.parameters == nil)
        }
        #expect(claims[.transfer]?.runs.count == 6 && claims[.curve]?.runs.count == 9)
        #expect(claims[.curve]?.prompts == 8 && claims[.loss]?.prompts == nil)
    }

    @Test func theOtherWayRoundNothingIsSupported() throws {
        let claims = try claims { made in
            made[.cpt] = Self.usual[.cft]
            made[.cft] = Self.usual[.cpt]
        }
        try expect(claims[.loss], "not supported", -0.916291)
        try expect(claims[.curve], "not supported", -3)
        try expect(claims[.gradient], "not supported", -0.5)
        // (−3) / 2 − (4 − 9) / 2 = 1 alone would pass; there is no gain to take half of.
        try expect(claims[.semantics], "not supported", -3)
        try expect(claims[.information], "not supported", -3.25)
        // (4 − 7) / (4 − 10): half of a gap that is not there.
        try expect(claims[.leak], "not supported", 0.5)
    }

    @Test func aControlThatGainsMoreThanHalfIsNoControl() throws {
        let claims = try claims { $0[.negCFT]?.own = [6, 6, 6] }
        // 3 / 2 − (10 − 6) / 2.
        try expect(claims[.semantics], "not supported", -0.5)
        try expect(claims[.curve], "supported", 1)
    }

    @Test func whatThePromptImpliesIsNoGain() throws {
        // Measured against the posterior means the cft-trained model is the worse one: (1 − 3) / 2.
        let confounded = try claims { made in
            made[.cpt]?.excess = 1
            made[.cft]?.excess = 3
        }
        try expect(confounded[.information], "confounded", -1)
        let supported = try claims { made in
            made[.cpt]?.excess = 1
            made[.cft]?.excess = 0.5
        }
        try expect(supported[.information], "supported", 0.25)
    }

    @Test func aGapThatMayBeNothingIsConfounded() throws {
        // Over three seeds the gap without the query's label is −1, 0 and 1.
        let lost = try claims { $0[.noQueryCFT]?.own = [9, 10, 11] }
        try expect(lost[.leak], "confounded", 0)
        // The gap with it may be nothing too, so that the share has no bounds.
        let unbounded = try claims { $0[.cft]?.own = [8, 9, 12.5] }
        let leak = try #require(unbounded[.leak])
        #expect(leak.verdict == "confounded" && leak.low == nil && leak.high == nil)
        #expect(leak.reason?.contains("no bounds") == true)
    }

    @Test func transferIsMeasuredWithoutThePrefix() throws {
        let claims = try claims { $0[.cft]?.underCPT = [7, 7, 7] }
        try expect(claims[.transfer], "supported", 1.5)
    }

    @Test func whatIsMissingIsNamedWithTheSweepsOwnCommand() throws {
        let claims = try claims("layout=[cpt,cft]")
        for id in [Claim.loss, .curve, .gradient, .semantics, .leak] {
            let result = try #require(claims[id])
            #expect(result.verdict == nil && result.word == "missing")
            #expect(
                result.command == Self.command + " 'layout=[cpt,cft,neg-cft,cft-no-query]'")
        }
        #expect(claims[.leak]?.reason?.contains("cft-no-query") == true)
        #expect(claims[.transfer]?.verdict != nil && claims[.information]?.verdict != nil)
        // A class that is composed over nothing has no prefix to show: no command can help.
        let tree = try self.claims(
            "layout=[cpt,neg-cft]", "evaluate.layouts=[cpt,neg-cft]",
            "task.function_class=decision_tree")
        for id in Claim.allCases where id != .base {
            let result = try #require(tree[id])
            #expect(result.word == "undecidable" && result.command == nil)
            let why = id == .gradient ? "no gradient" : "no base function"
            #expect(result.reason?.contains(why) == true, "\(result)")
        }
    }

    @Test func otherParametersMakeOtherRows() throws {
        let yaml = tinySweep.replacingOccurrences(
            of: "layout: {values: [cpt, cft]}",
            with:
                "layout: {values: [cpt, cft]}\n  pretraining: {parameters: {seed: {values: [0, 1]}, "
                + "position_offset: {values: [none, random]}}}")
        let plan = try tinyPlan("evaluate.examples=8", yaml: yaml)
        let runs = plan.runs.map { measured($0, Self.usual[$0.configuration.layout]!) }
        let summary = SweepSummary(
            SweepResults(plan: plan, bases: [], runs: runs, baselines: [], bayes: []), workers: 1)
        let (last, _) = ClaimAssessment.claims(summary, command: Self.command)
        let transfer = last.filter { $0.id == .transfer }
        // Two ways of pretraining are two rows; two seeds of it are two bases of one.
        #expect(transfer.map(\.parameters) == ["position_offset=none", "position_offset=random"])
        #expect(transfer.map(\.bases) == [2, 2])
    }

    /// Three digits of these rates are the same; the experiments are not.
    @Test func parametersThatLookAlikeMakeRowsOfTheirOwn() throws {
        let yaml = tinySweep.replacingOccurrences(
            of: "layout: {values: [cpt, cft]}",
            with:
                "layout: {values: [cpt, cft]}\n  training: {parameters: {optimizer: {parameters: "
                + "{learning_rate: {values: [1.0001e-3, 1.0002e-3]}}}}}")
        let plan = try tinyPlan("evaluate.examples=8", yaml: yaml)
        let runs = plan.runs.map { measured($0, Self.usual[$0.configuration.layout]!) }
        let summary = SweepSummary(
            SweepResults(plan: plan, bases: [], runs: runs, baselines: [], bayes: []), workers: 1)
        let (last, _) = ClaimAssessment.claims(summary, command: Self.command)
        #expect(
            last.filter { $0.id == .transfer }.map(\.parameters)
                == ["learning_rate=1.0001e-3", "learning_rate=1.0002e-3"])
    }
}
