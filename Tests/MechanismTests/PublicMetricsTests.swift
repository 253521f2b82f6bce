import Experiments
import Foundation
import Randomness
import Statistics
import TestSupport
import Testing

@testable import Mechanism

@Suite struct PublicMetricsTests {
    /// The public `aggregate_metrics`, written out: 1000 means over drawn prompts, sorted, at 50 and 950.
    @Test func aggregatesAsThePublicCode() throws {
        let prompts = 40
        let points = 3
        var generator = TestGenerator(seed: 3)
        let errors = generator.normals(prompts * points).map { $0 * $0 }
        let found = PublicMetrics.aggregate(
            errors, points: points, bootstrap: CrossedBootstrap(prompts: prompts))
        for k in 0..<points {
            let column = (0..<prompts).map { Double(errors[$0 * points + k]) }
            let mean = column.reduce(0, +) / Double(prompts)
            let variance =
                column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(prompts - 1)
            let means = (0..<1000).map { resample in
                var draws = CounterGenerator(
                    RandomKey(seed: 0, stream: .bootstrap, step: 0, example: resample))
                return (0..<prompts).reduce(0.0) { sum, _ in
                    sum + column[draws.integer(below: prompts)]
                } / Double(prompts)
            }.sorted()
            for (name, expected) in [
                ("mean", mean), ("std", variance.squareRoot()), ("bootstrap_low", means[50]),
                ("bootstrap_high", means[950]),
            ] {
                let value = try #require(found[name]?.arrayValue?[k].doubleValue)
                #expect(abs(value - expected) < 1e-12 * max(1, abs(expected)), "\(name) \(k)")
            }
        }
    }
}
