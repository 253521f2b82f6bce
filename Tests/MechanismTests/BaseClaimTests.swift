import Kernels
import TestSupport
import Testing

@testable import Mechanism

/// The claim `base` on made-up curves at d = 2, six points.
@Suite struct BaseClaimTests {
    private func claim(_ differences: [Float]) throws -> BaseClaim {
        let plan = try tinyPlan("evaluate.examples=4")
        let squares: [Float] = [2, 1, 0, 0, 0, 0]
        let errors = FloatView(
            (0..<4).flatMap { _ in zip(squares, differences).map { $0 + 2 * $1 } })
        let base = MeasuredBase(
            plan: plan.bases[0], path: "base", points: 6, errors: errors,
            leastSquares: FloatView((0..<4).flatMap { _ in squares }), losses: [])
        let results = SweepResults(plan: plan, bases: [base], runs: [], baselines: [], bayes: [])
        return BaseClaim(base, summary: SweepSummary(results, workers: 1))
    }

    @Test func measuresInUnitsOfTheDimension() throws {
        let claim = try claim([0.0625, -0.03125, 0.125, 0.046875, 0.015625, 0.0078125])
        #expect(claim.dims == 2)
        #expect(claim.deviations == [0.0625, 0.03125, 0.125, 0.046875, 0.015625, 0.0078125])
        #expect(claim.largest == 0.0625 && claim.atDims == 0.125 && claim.tail == 0.015625)
        #expect(claim.holds)
        #expect(
            claim.sentence
                == "follows least squares: |model − LS| / d at most 0.0625 for k ≠ d, 0.125 at k = d, "
                + "0.0156 for k ≥ 2d (allowed 0.1, 0.15, 0.02)")
    }

    /// Its parts are known by their range, not by their words.
    @Test func everyRangeHasItsPart() throws {
        let claim = try claim([0.0625, -0.03125, 0.125, 0.046875, 0.015625, 0.0078125])
        #expect(claim.parts.map(\.range) == BaseClaim.ContextRange.allCases)
        for (range, value) in zip(BaseClaim.ContextRange.allCases, [0.0625, 0.125, 0.015625]) {
            #expect(claim.part(range)?.value == value && claim.part(range)?.holds == true)
        }
        #expect(claim.overall.range == nil && claim.overall.value == 0.125 && claim.overall.holds)
    }

    @Test(
        arguments: [
            ([0.1015625, 0, 0, 0, 0, 0], false), ([-0.1015625, 0, 0, 0, 0, 0], false),
            ([0.09375, 0, 0, 0.09375, 0, 0], true), ([0, 0, 0.1484375, 0, 0, 0], true),
            ([0, 0, 0.1640625, 0, 0, 0], false), ([0, 0, 0, 0.1015625, 0, 0], false),
            ([0, 0, 0, 0, 0.021484375, 0], false), ([0, 0, 0, 0, 0, 0.021484375], false),
            ([0, 0, 0, 0, 0.01953125, 0.01953125], true), ([.nan, 0, 0, 0, 0, 0], false),
            ([0, 0, 0, .nan, 0, 0], false),
        ] as [([Float], Bool)])
    func everyPartOfTheRuleCounts(differences: [Float], holds: Bool) throws {
        let claim = try claim(differences)
        #expect(claim.holds == holds)
        #expect(claim.sentence.hasPrefix(holds ? "follows" : "does not follow"))
    }
}
