import InContextRegression
import Kernels
import Testing

/// Layouts as token sequences, prompts as pure functions of their key, curricula.
@Suite struct PromptTests {
    private let linear = LinearFunction()

    @Test func layoutNamesAliasesAndTheNearestName() throws {
        #expect(try PromptLayout.named("uft") == .cpt)
        let error = #expect(throws: UnknownNameError.self) { try PromptLayout.named("negcft") }
        #expect(
            error?.description == "unknown prompt layout 'negcft': the nearest is 'neg-cft' "
                + "(accepted: cpt, uft, cft, neg-cft, cft-shuffled, cft-disjoint, cpt-shifted, "
                + "cft-no-query, cft-prefix-M)")
    }

    /// What the loss of a batch is: with weights 1/(B n), the mean squared error on the g half.
    @Test func weightsMakeTheMeanSquaredError() {
        let batch = PromptBatch(examples: 3, points: 4, dims: 2, functionClass: linear)
        batch.sample(linear, seed: 1, phase: .evaluation, firstExample: 0)
        let form = PromptLayout.cft.trainingForm(points: 4)
        let tokens = 3 * form.tokenCount
        let targets = FloatView(zeros: tokens)
        let weights = FloatView(zeros: tokens)
        form.write(
            batch, inputs: FloatView(zeros: tokens * 2), targets: targets, weights: weights,
            lossScale: 1 / 12)
        let loss = zip(targets.array, weights.array).reduce(0.0) {
            $0 + Double($1.1) * Double($1.0) * Double($1.0)
        }
        let (mean, _) = meanAndStandardError(ZeroPredictor().squaredErrors(on: batch))
        #expect(abs(loss - mean) < 1e-6 * mean)
    }

    /// One prompt is the same in every shard, batch and length, and moves with every part of its key.
    @Test func promptsDependOnTheirKeyOnly() {
        func sampled(
            seed: UInt64 = 9, phase: PromptPhase = .training(step: 2), first: Int = 0,
            count: Int = 6, points: Int = 5
        ) -> PromptBatch {
            let batch = PromptBatch(
                examples: count, points: points, dims: 3, functionClass: linear)
            batch.sample(linear, seed: seed, phase: phase, firstExample: first)
            return batch
        }
        let whole = sampled()
        let shard = sampled(first: 4, count: 2)
        #expect(shard.inputs.array == whole.rows(4..<6).inputs.array)
        #expect(shard.labels.array == whole.rows(4..<6).labels.array)
        #expect(shard.noise.array == whole.rows(4..<6).noise.array)
        let short = sampled(count: 1, points: 2)
        #expect(short.inputs.array == Array(whole.inputs.array.prefix(6)))
        #expect(short.labels.array == Array(whole.labels.array.prefix(2)))
        for other in [
            sampled(seed: 10), sampled(phase: .training(step: 3)), sampled(first: 1),
            sampled(phase: .pretraining(step: 2)), sampled(phase: .evaluation),
        ] {
            #expect(other.inputs[0] != whole.inputs[0])
            #expect(other.tasks[0] != whole.tasks[0])
            #expect(other.noise[0] != whole.noise[0])
        }
        #expect(Set([whole.inputs[0], whole.tasks[0], whole.noise[0]]).count == 3)
    }

    @Test func inactiveDimensionsAreZeroAndTheOthersUnchanged() {
        let batch = PromptBatch(examples: 2, points: 3, dims: 4, functionClass: linear)
        batch.sample(linear, seed: 5, phase: .pretraining(step: 0), firstExample: 0)
        let full = batch.inputs.array
        batch.sample(linear, seed: 5, phase: .pretraining(step: 0), firstExample: 0, activeDims: 2)
        for (index, value) in batch.inputs.array.enumerated() {
            #expect(value == (index % 4 < 2 ? full[index] : 0))
        }
        let w = batch.tasks.array
        let f = Double(full[0]) * Double(w[0]) + Double(full[1]) * Double(w[1])
        #expect(abs(Double(batch.labels[0]) - f) < 1e-6)
    }

    /// Smaller shapes and rows live in the batch's own memory.
    @Test func smallerShapesShareTheMemory() {
        let batch = PromptBatch(examples: 4, points: 6, dims: 2, functionClass: linear)
        let smaller = batch.shaped(examples: 3, points: 5)
        smaller.sample(linear, seed: 6, phase: .evaluation, firstExample: 0)
        #expect(Array(batch.inputs.array.prefix(30)) == smaller.inputs.array)
        smaller.rows(1..<2).labels[0] = 123
        #expect(batch.labels[5] == 123)
        #expect(smaller.inputs.count == 30 && smaller.labels.count == 15)
    }

    /// Garg's settings at 20 dimensions: the values at the steps where they change and after the end.
    @Test func curriculumFollowsGarg() {
        let dims = [0, 1999, 2000, 3999, 4000, 29_999, 30_000, 500_000].map {
            Curriculum.garg.dims.value(atStep: $0)
        }
        #expect(dims == [5, 5, 6, 6, 7, 19, 20, 20])
        let points = [0, 1999, 2000, 4000, 29_999, 30_000, 500_000].map {
            Curriculum.garg.points.value(atStep: $0)
        }
        #expect(points == [11, 11, 13, 15, 39, 41, 41])
        #expect(CurriculumSchedule(constant: 7).value(atStep: 1_000_000) == 7)
        // The last increment is cut at the end.
        let uneven = CurriculumSchedule(start: 2, end: 5, inc: 2, interval: 10)
        #expect([0, 10, 20, 30].map(uneven.value) == [2, 4, 5, 5])
    }
}
