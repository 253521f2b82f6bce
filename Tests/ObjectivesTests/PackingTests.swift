import Objectives
import TestSupport
import Testing

/// Sequences in bins.
@Suite struct PackingTests {
    /// First fit by hand: 3 fits beside 6, 5 opens a bin, 2 goes beside 5, 1 beside 6 and 3.
    @Test func firstFitByHand() {
        #expect(
            Packing.bins(lengths: [6, 3, 5, 2, 1, 10, 3], maximumLength: 10)
                == [[0, 1, 4], [2, 3, 6], [5]])
        #expect(Packing.bins(lengths: [], maximumLength: 10) == [])
        #expect(Packing.unpacked(count: 3) == [[0], [1], [2]])
    }

    /// Only the 16 youngest bins are open: the first, with room for it, is not given the last sequence.
    @Test func oldBinsAreClosed() {
        let lengths = [5] + Array(repeating: 10, count: 15)
        let near = Packing.bins(lengths: lengths + [5], maximumLength: 10)
        #expect(near.count == 16 && near[0] == [0, 16])
        let far = Packing.bins(lengths: lengths + [10, 5], maximumLength: 10)
        #expect(far.count == 18 && far[0] == [0] && far[17] == [17])
    }

    @Test func everySequenceIsInOneBinThatHoldsIt() {
        var generator = TestGenerator(seed: 3)
        for _ in 0..<50 {
            let maximum = Int.random(in: 8...256, using: &generator)
            let lengths = (0..<300).map { _ in Int.random(in: 2...maximum, using: &generator) }
            let bins = Packing.bins(lengths: lengths, maximumLength: maximum)
            #expect(bins.flatMap { $0 }.sorted() == Array(lengths.indices))
            #expect(bins.allSatisfy { $0.reduce(0) { $0 + lengths[$1] } <= maximum })
            #expect(bins.allSatisfy { $0 == $0.sorted() })
            #expect(bins.compactMap(\.first) == bins.compactMap(\.first).sorted())
            // Two neighbours that would fit into one were not left apart.
            for (first, second) in zip(bins, bins.dropFirst()) {
                let total = (first + second).reduce(0) { $0 + lengths[$1] }
                #expect(total > maximum)
            }
        }
    }
}
