import Statistics
import Testing

/// Plain summaries and Student's t against known answers.
@Suite struct SummaryTests {
    @Test func meanSpreadAndStandardError() {
        let summary = Summary([2.0, 4, 4, 4, 5, 5, 7, 9])
        #expect(summary.mean == 5 && summary.count == 8)
        #expect(abs(summary.standardDeviation - (32.0 / 7).squareRoot()) < 1e-15)
        #expect(abs(summary.standardError - (4.0 / 7).squareRoot()) < 1e-15)
        #expect(Summary([3 as Float]).standardDeviation == 0)
        // A mean that is large against the spread loses nothing.
        #expect(abs(Summary([1e9, 1e9 + 1, 1e9 + 2]).standardDeviation - 1) < 1e-12)
    }

    @Test func quantilesAreLinearBetweenOrderStatistics() {
        let values: [Float] = [40, 10, 20, 30]
        #expect(quantile(values, 0) == 10)
        #expect(quantile(values, 1) == 40)
        #expect(quantile(values, 0.5) == 25)
        // numpy.percentile([10, 20, 30, 40], 5) and R's quantile(type = 7).
        #expect(abs(quantile(values, 0.05) - 11.5) < 1e-12)
        #expect(quantile([7.0], 0.3) == 7)
    }

    /// Critical values of the usual printed tables, to their last digit.
    @Test(arguments: [
        (1.0, 0.975, 12.7062), (1, 0.95, 6.3138), (2, 0.975, 4.3027), (2, 0.995, 9.9248),
        (3, 0.975, 3.1824), (4, 0.95, 2.1318), (5, 0.975, 2.5706), (9, 0.975, 2.2622),
        (10, 0.9995, 4.5869), (30, 0.975, 2.0423), (120, 0.975, 1.9799), (1e6, 0.975, 1.96),
    ])
    func studentTQuantiles(degrees: Double, probability: Double, table: Double) {
        let t = StudentT(degreesOfFreedom: degrees)
        #expect(abs(t.quantile(probability) - table) < 6e-5)
        #expect(abs(t.quantile(1 - probability) + table) < 6e-5)
        #expect(abs(t.cumulative(t.quantile(probability)) - probability) < 1e-12)
    }

    /// One and two degrees of freedom have elementary distribution functions.
    @Test(arguments: [-30.0, -1.5, -0.01, 0, 0.3, 2, 50])
    func studentTDistributionInClosedForm(t: Double) {
        let cauchy = 0.5 + arcTangent(t) / Double.pi
        #expect(abs(StudentT(degreesOfFreedom: 1).cumulative(t) - cauchy) < 1e-12)
        let two = 0.5 + t / (2 * (2 + t * t).squareRoot())
        #expect(abs(StudentT(degreesOfFreedom: 2).cumulative(t) - two) < 1e-12)
    }

    @Test func studentTIntervalByHand() {
        let estimate = Estimate.studentT([1, 2, 3], level: 0.95)
        #expect(estimate.mean == 2 && estimate.method == .studentT)
        #expect(abs(estimate.interval.high - (2 + 4.302653 / 3.0.squareRoot())) < 1e-5)
        #expect(abs(estimate.interval.low - (2 - 4.302653 / 3.0.squareRoot())) < 1e-5)
        #expect(estimate.interval.contains(0) && !estimate.interval.contains(4.6))
    }

    @Test func rowsAndPairedDifferences() {
        #expect(rowMeans([1, 3, 2, 6], columns: 2) == [2, 4])
        #expect(pairedDifferences([[5, 7], [1, 1]], [[1, 2], [3, 0]]) == [[4, 5], [-2, 1]])
    }

    /// arctan by Simpson's rule on 1 / (1 + s²) after halving the angle: no library in common.
    private func arcTangent(_ t: Double) -> Double {
        if abs(t) > 0.2 { return 2 * arcTangent(t / (1 + (1 + t * t).squareRoot())) }
        let steps = 200
        let h = t / Double(steps)
        var sum = 0.0
        for step in 0...steps {
            let weight = step == 0 || step == steps ? 1.0 : (step % 2 == 1 ? 4 : 2)
            let s = Double(step) * h
            sum += weight / (1 + s * s)
        }
        return sum * h / 3
    }
}
