import Foundation
import Objectives
import TensorStorage
import TestSupport
import Testing

@testable import FineTuning

/// DPO's loss against worked examples, and its gradients against TRL's.
@Suite struct PreferenceTests {
    private struct Worked: Decodable {
        let beta, labelSmoothing, policyChosen, policyRejected: Double
        let referenceChosen, referenceRejected, margin, loss: Double
        let gradient: [String: Double]
    }

    @Test func lossAndSlopesEqualTheWorkedExamples() throws {
        let cases = try Fixture.json("text-training/dpo/worked.json", as: [Worked].self)
        #expect(cases.count == 10)
        for worked in cases {
            let value = PreferenceLoss(
                beta: worked.beta, labelSmoothing: worked.labelSmoothing
            ).value(
                policy: .init(chosen: worked.policyChosen, rejected: worked.policyRejected),
                reference: .init(
                    chosen: worked.referenceChosen, rejected: worked.referenceRejected))
            let close = closeness(
                [value.margin, value.loss, value.slope, -value.slope],
                [
                    // The example's margin is that of the log-probabilities.
                    worked.beta * worked.margin, worked.loss,
                    worked.gradient["policyChosen"] ?? .nan,
                    worked.gradient["policyRejected"] ?? .nan,
                ], relative: 1e-12, absolute: 1e-15)
            #expect(close.isWithin, "\(worked): \(close)")
        }
    }

    private struct Pair: Decodable {
        let prompt, chosen, rejected: [Int32]

        func example(_ answer: [Int32]) -> TrainingExample {
            TrainingExample(
                tokens: prompt + answer,
                lossWeights: prompt.map { _ in 0 } + answer.map { _ in 1 }, place: "a fixture")
        }
    }

    private struct Expected: Decodable {
        struct Sides: Decodable { let chosen, rejected: [Double] }
        struct LogProbabilities: Decodable { let policy, reference: Sides }
        struct Smoothed: Decodable { let labelSmoothing, loss: Double }
        let beta, loss: Double
        let logProbabilities: LogProbabilities
        let smoothed: Smoothed
    }

    @Test(arguments: [1, 2])
    func gradientsEqualTRLs(microBatch: Int) throws {
        let pairs = try Fixture.json("text-training/dpo/pairs.json", as: [Pair].self)
        let bins = pairs.enumerated().map { index, pair in
            Bin(
                examples: [pair.example(pair.chosen), pair.example(pair.rejected)], pair: index)
        }
        let expected = try Fixture.json("text-training/dpo/expected.json", as: Expected.self)
        let changes = ["training.micro_batch_size=\(microBatch)"]
        let reference = try TuningCase(TuningFixture.model(), changes).tuner.reference(bins)
        let close = closeness(
            reference.map(\.chosen) + reference.map(\.rejected),
            expected.logProbabilities.reference.chosen
                + expected.logProbabilities.reference.rejected, relative: 2e-6)
        #expect(close.isWithin, "\(close)")

        let policy = try TuningCase(TuningFixture.model("dpo/policy"), changes)
        let loss = PreferenceLoss(beta: expected.beta)
        let found = policy.tuner.gradients(bins, step: 0, loss, reference: reference)
        let value = closeness([found.loss], [expected.loss], relative: 2e-6)
        #expect(value.isWithin, "\(value)")
        let gradients = try TuningFixture.closeness(
            policy.tuner.gradients, policy.state.layout, to: "dpo/gradients.safetensors")
        #expect(gradients.isWithin, "\(gradients)")
        // TRL ranks the first pair as noted and the second one the other way round.
        let (mean, accuracy) = policy.tuner.meanLoss(bins, loss, reference: reference)
        #expect(accuracy == 0.5)
        #expect(abs(mean - found.loss) < 1e-6)

        let smoothed = PreferenceLoss(
            beta: expected.beta, labelSmoothing: expected.smoothed.labelSmoothing)
        let other = policy.tuner.gradients(bins, step: 0, smoothed, reference: reference)
        let second = closeness([other.loss], [expected.smoothed.loss], relative: 2e-6)
        #expect(second.isWithin, "\(second)")
    }
}
