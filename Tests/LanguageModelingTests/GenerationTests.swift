import Foundation
import Kernels
import LanguageModeling
import TestSupport
import Testing
import Transformer

/// Continuing texts, on a small model that was really trained.
@Suite struct GenerationTests {
    private struct Reference: Decodable {
        let greedy_ids_from_bos: [Int]
    }

    private func stories(capacity: Int, workers: Int = 1) throws -> (ModelDirectory, TextGenerator)
    {
        let model = try ModelDirectory(path: Fixture.path("stories260K"))
        return (
            model,
            TextGenerator(
                model.configuration.llama, weights: model.weights, capacity: capacity,
                workers: workers)
        )
    }

    private func reference() throws -> [Int] {
        try Fixture.json("stories260K/greedy_reference.json", as: Reference.self)
            .greedy_ids_from_bos
    }

    @Test(arguments: [1, 2]) func greedyIdsAreThoseOfOtherImplementations(workers: Int) throws {
        let expected = try reference()
        let (model, generator) = try stories(capacity: 200, workers: workers)
        let added = try generator.generate(
            prompt: [1], maximum: expected.count - 1, sampler: TokenSampler(.greedy),
            stops: Set(model.endIDs())
        ) { _ in true }
        #expect([1] + added == expected)
    }

    /// Token by token, in pieces and at once: sums of a few rows run in another order, about 1e-6 of the largest logit.
    @Test func cachedLogitsAreTheUncachedOnes() throws {
        let ids = Array(try reference().prefix(60))
        let (model, generator) = try stories(capacity: 60)
        let configuration = model.configuration.llama
        let V = configuration.vocabularySize
        let decoder = LlamaDecoder(configuration)
        let workspace = LlamaWorkspace(
            configuration, rows: ids.count, longest: ids.count, forTraining: false, workers: 1)
        decoder.forward(
            weights: model.weights, workspace: workspace, tokens: IndexView(ids.map(Int32.init)),
            sequences: [0..<ids.count])
        let whole = FloatView(zeros: ids.count * V)
        decoder.logits(
            whole, weights: model.weights, workspace: workspace, rows: 0..<ids.count)
        for start in [1, 2, 7, 40, 60] {
            var logits = generator.begin(Array(ids[..<start]))
            for place in start...ids.count {
                let row = (place - 1) * V..<place * V
                let close = closeness(
                    logits.array.map(Double.init), whole[row].array.map(Double.init),
                    relative: 2e-5, scale: .largest)
                #expect(close.isWithin, "position \(place) after \(start): \(close)")
                if place < ids.count { logits = generator.append(ids[place]) }
            }
        }
    }

    @Test func aTextEndsAtAStopAtTheMaximumAndWhereThePositionsEnd() throws {
        let expected = try reference()
        let (_, generator) = try stories(capacity: 20)
        let greedy = TokenSampler(.greedy)
        func added(maximum: Int, stops: Set<Int> = []) throws -> [Int] {
            try generator.generate(prompt: [1], maximum: maximum, sampler: greedy, stops: stops) {
                _ in
                true
            }
        }
        // 403 is the first token; the one that stops is the text's last.
        #expect(try added(maximum: 10, stops: [expected[3]]) == Array(expected[1...3]))
        #expect(try added(maximum: 4) == Array(expected[1...4]))
        #expect(try added(maximum: 100) == Array(expected[1...20]))
        var seen: [Int] = []
        let broken = try generator.generate(prompt: [1], maximum: 10, sampler: greedy, stops: []) {
            seen.append($0)
            return seen.count < 3
        }
        #expect(broken == seen && seen.count == 3)
    }

    /// A weight that is no number, and one so large that sums overflow; both give logits without a most probable token.
    @Test(arguments: [Float.nan, 3e38]) func logitsThatAreNoNumbersEndAText(weight: Float) throws {
        let configuration = try TinyModel.configuration()
        let parameters = TinyModel.parameters(configuration)
        let norm = configuration.llama.layout.view("model.norm.weight", in: parameters)
        norm.fill(weight)
        let weights = configuration.llama.weights(in: parameters)
        let generator = TextGenerator(
            configuration.llama, weights: weights, capacity: 8, workers: 1, source: "MODEL")
        var seen: [Int] = []
        let error = #expect(throws: LanguageModelError.self) {
            try generator.generate(
                prompt: [1, 5, 3], maximum: 4, sampler: TokenSampler(.greedy), stops: []
            ) {
                seen.append($0)
                return true
            }
        }
        #expect(
            error?.description.hasPrefix(
                "MODEL: the logits are not numbers after token 3; the weights are damaged") == true)
        #expect(seen == [])
    }

    @Test func aTokenIsChosenFromNumbersAlone() {
        func canChoose(_ values: [Float]) -> Bool {
            TokenSampler.canChoose(from: FloatView(values))
        }
        // A mask of −∞ leaves the others to choose from.
        #expect(canChoose([1, -.infinity, -3]))
        #expect(!canChoose([1, .nan, 2]) && !canChoose([.nan, 1]) && !canChoose([1, .infinity]))
        #expect(!canChoose([-.infinity, -.infinity]))
    }

    // MARK: Sampling

    @Test func greedyTakesTheLowestOfSeveral() {
        let sampler = TokenSampler(.greedy)
        #expect(sampler.token(from: FloatView([1, 3, 3, -2]), number: 0) == 1)
        #expect(sampler.token(from: FloatView([-1, -3, -2]), number: 9) == 0)
    }

    /// Frequencies of 20,000 draws against the softmax; allowed: five standard deviations.
    private func expectFrequencies(
        _ options: SamplingOptions, _ logits: [Float], _ expected: [Double]
    ) {
        let sampler = TokenSampler(options, seed: 7)
        let draws = 20_000
        var counts = [Int](repeating: 0, count: logits.count)
        let view = FloatView(logits)
        for number in 0..<draws { counts[sampler.token(from: view, number: number)] += 1 }
        for (token, share) in expected.enumerated() {
            let deviation = 5 * (Double(draws) * share * (1 - share)).squareRoot()
            let error = abs(Double(counts[token]) - Double(draws) * share)
            #expect(error <= deviation, "\(options), token \(token): \(counts[token]), \(share)")
        }
    }

    @Test func drawsFollowTheSoftmaxAndItsCuts() {
        let logits: [Float] = [0, Float(log(2.0)), Float(log(4.0)), Float(log(1.0)), -40]
        expectFrequencies(SamplingOptions(), logits, [1.0 / 8, 2.0 / 8, 4.0 / 8, 1.0 / 8, 0])
        // Temperature ½ squares the masses: 1, 4, 16, 1.
        expectFrequencies(
            SamplingOptions(temperature: 0.5), logits, [1.0 / 22, 4.0 / 22, 16.0 / 22, 1.0 / 22, 0])
        expectFrequencies(SamplingOptions(topK: 2), logits, [0, 2.0 / 6, 4.0 / 6, 0, 0])
        // Of two equal tokens the lower id is kept.
        expectFrequencies(SamplingOptions(topK: 3), logits, [1.0 / 7, 2.0 / 7, 4.0 / 7, 0, 0])
        // 4/8 is not enough, 6/8 is.
        expectFrequencies(SamplingOptions(topP: 0.6), logits, [0, 2.0 / 6, 4.0 / 6, 0, 0])
        expectFrequencies(SamplingOptions(topP: 0.5), logits, [0, 0, 1, 0, 0])
        // Among the three most probable the first two hold 6/7.
        expectFrequencies(
            SamplingOptions(topK: 3, topP: 0.8), logits, [0, 2.0 / 6, 4.0 / 6, 0, 0])
    }

    @Test func theSeedAndThePlaceDecideADraw() {
        let logits = FloatView((0..<50).map { Float($0 % 7) / 3 })
        func drawn(_ seed: UInt64) -> [Int] {
            let sampler = TokenSampler(SamplingOptions(), seed: seed)
            return (0..<40).map { sampler.token(from: logits, number: $0) }
        }
        #expect(drawn(1) == drawn(1))
        #expect(drawn(1) != drawn(2))
        #expect(Set(drawn(1)).count > 10)
    }
}
