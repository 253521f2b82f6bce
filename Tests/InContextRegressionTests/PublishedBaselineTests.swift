import InContextRegression
import TestSupport
import Testing

/// The untrained predictors out of distribution against the figures that Garg et al. published.
@Suite struct PublishedBaselineTests {
    private struct Published: Decodable {
        struct Curve: Decodable {
            let mean: [Double]
            let bootstrap_low: [Double]
            let bootstrap_high: [Double]
        }
        struct Evaluation: Decodable {
            let contextLengths: [Int]
            let baselines: [String: Curve]
        }
        let evaluations: [String: Evaluation]
    }

    /// 12,800 prompts of linear functions at 20 dimensions and 41 points against the published means of 1,280: inside
    /// the published 5–95 % band widened by its own width on either side, or, where the band is narrower than 0.02
    /// (rounding noise), below 0.02.
    @Test(arguments: ["orthogonal_train_test", "skewed", "scale-x=2", "scale-y=2"])
    func publishedFiguresOutOfDistribution(_ name: String) throws {
        let published = try Fixture.json("garg2022-linear.json", as: Published.self)
        let evaluation = try #require(published.evaluations[name])
        #expect(Set(evaluation.baselines.keys) == ["least_squares", "knn3", "averaging"])
        let distribution = try PromptDistribution.named(name)
        let prompts = 12_800
        let points = 41
        let batch = PromptBatch(
            examples: prompts, points: points, dims: 20, functionClass: LinearFunction(),
            draws: distribution.draws)
        batch.sample(
            LinearFunction(), seed: 0, phase: .evaluation, firstExample: 0,
            distribution: distribution)
        for (baseline, curve) in evaluation.baselines {
            let errors = try Baselines.named(baseline).squaredErrors(on: batch)
            #expect(curve.mean.count == evaluation.contextLengths.count)
            for (index, k) in evaluation.contextLengths.enumerated() {
                let total = (0..<prompts).reduce(0.0) { $0 + Double(errors[$1 * points + k]) }
                let mean = total / Double(prompts)
                let low = curve.bootstrap_low[index]
                let high = curve.bootstrap_high[index]
                if high - low < 0.02 {
                    #expect(abs(mean) < 0.02, "\(baseline) at k = \(k)")
                } else {
                    #expect(
                        mean > low - (high - low) && mean < high + (high - low),
                        "\(baseline) at k = \(k): \(mean), published \(low) to \(high)")
                }
            }
        }
    }
}
