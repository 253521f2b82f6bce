import Randomness
import Testing

/// The generator against its authors' known answers, and the addressing that fixtures freeze.
@Suite struct PhiloxTests {
    /// Known answers of Random123 1.14, file kat_vectors, lines "philox4x32 10".
    @Test func knownAnswers() {
        let all = UInt32.max
        #expect(
            Philox.block(key: 0, counter: SIMD4(0, 0, 0, 0))
                == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            Philox.block(key: .max, counter: SIMD4(all, all, all, all))
                == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            Philox.block(
                key: 0x299f_31d0_a409_3822,
                counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
                == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func keyBecomesCounterWordsInTheDocumentedOrder() {
        let key = RandomKey(
            seed: 0x1234_5678_9abc_def0, stream: .evaluationTask, step: 7, example: 11)
        #expect(
            key.block(5)
                == Philox.block(key: 0x1234_5678_9abc_def0, counter: SIMD4(5, 11, 7, 49)))
    }

    /// The raw values are part of the file format of every fixture: a change must be deliberate.
    @Test func streamsAreFrozen() {
        let values = RandomStream.allCases.map { "\($0)=\($0.rawValue)" }
        #expect(
            values == [
                "initialization=0", "bootstrap=1", "sweep=2", "measurement=3",
                "generation=4",
                "pretrainingInputs=16", "pretrainingTask=17", "pretrainingNoise=18",
                "pretrainingDraw=19", "pretrainingLabelNoise=20", "pretrainingFreshInputs=21",
                "trainingInputs=32", "trainingTask=33", "trainingNoise=34", "trainingDraw=35",
                "trainingLabelNoise=36", "trainingFreshInputs=37", "evaluationInputs=48",
                "evaluationTask=49", "evaluationNoise=50", "evaluationDraw=51",
                "evaluationLabelNoise=52", "evaluationFreshInputs=53", "corpusOrder=64",
                "contextualPrompt=65", "adapterDropout=66", "exerciseChoice=67",
            ])
    }

    @Test func generatorReadsTheWordsInOrder() {
        let key = RandomKey(seed: 3, stream: .bootstrap, step: 1, example: 2)
        var generator = CounterGenerator(key)
        let words = (0..<9).map { _ in generator.nextWord() }
        let expected = (0..<3).flatMap { block in (0..<4).map { key.block(UInt32(block))[$0] } }
        #expect(words == Array(expected.prefix(9)))
        var pairs = CounterGenerator(key)
        #expect(pairs.next() == UInt64(expected[0]) | UInt64(expected[1]) << 32)
    }

    @Test func integersAreUniformAndInRange() {
        var generator = CounterGenerator(RandomKey(seed: 1, stream: .sweep))
        var counts = [Int](repeating: 0, count: 7)
        let draws = 70_000
        for _ in 0..<draws { counts[generator.integer(below: 7)] += 1 }
        let expected = Double(draws) / 7
        let chiSquared = counts.reduce(0.0) {
            $0 + (Double($1) - expected) * (Double($1) - expected) / expected
        }
        #expect(chiSquared < 22.5, "chi² of 6 degrees of freedom, 0.1 % critical value")
        #expect((0..<100).allSatisfy { _ in generator.integer(below: 1) == 0 })
    }

    /// With a bound of ¾ · 2³² a plain multiply-shift would give every third value twice the weight.
    @Test func integersBelowALargeBoundAreUnbiased() {
        var generator = CounterGenerator(RandomKey(seed: 2, stream: .sweep))
        let bound = 3 << 30
        var residues = [0, 0, 0]
        for _ in 0..<30_000 { residues[generator.integer(below: bound) % 3] += 1 }
        for count in residues { #expect(abs(count - 10_000) < 330, "four standard deviations") }
    }

    @Test func permutationsAreCompleteAndUniform() {
        var generator = CounterGenerator(RandomKey(seed: 5, stream: .trainingDraw))
        var seen: [[Int]: Int] = [:]
        for _ in 0..<6000 {
            let order = generator.permutation(3)
            #expect(order.sorted() == [0, 1, 2])
            seen[order, default: 0] += 1
        }
        #expect(seen.count == 6)
        for count in seen.values { #expect(abs(count - 1000) < 120) }
        #expect(generator.permutation(0).isEmpty)
    }
}
