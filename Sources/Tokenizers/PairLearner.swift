/// Counts pairs of neighbouring symbols in all words and merges the most frequent one at a time.
///
/// A merge touches only the words that hold the pair, and a heap keeps the pairs by frequency. Frequencies
/// fall after a pair entered the heap; an entry that no longer says the truth is put back with the true one.
struct PairLearner {
    /// Symbols of all words one after the other; a word shrinks in place.
    private var symbols: [Int32] = []
    private var starts: [Int] = []
    private var lengths: [Int32] = []
    private let counts: [Int]

    private var pairs: [UInt64: PairState] = [:]
    private var heap = Heap<Candidate>()

    private struct PairState {
        var count = 0
        /// Words that held the pair at some time; a word may be there more than once.
        var words: [Int32] = []

        mutating func add(_ count: Int, _ word: Int) {
            self.count += count
            if words.last != Int32(word) { words.append(Int32(word)) }
        }
    }

    private struct Candidate: Comparable {
        var count: Int
        var pair: UInt64

        /// Whether `a` is merged before `b`: more often, then the smaller ids.
        static func < (a: Candidate, b: Candidate) -> Bool {
            a.count != b.count ? a.count > b.count : a.pair < b.pair
        }
    }

    /// - Parameter pieces: the piece of each id; words are spelled with those of one character.
    init(counter: WordCounter, pieces: [[UInt8]]) {
        var ids: [Unicode.Scalar: Int32] = [:]
        for (id, piece) in pieces.enumerated() where id >= BytePairTrainer.reservedCount {
            ids[Unicode.Scalar(UInt32(ScalarAt(piece, 0).value)) ?? " "] = Int32(id)
        }
        counts = counter.counts
        for entry in 0..<counter.words.count {
            starts.append(symbols.count)
            for scalar in String(decoding: counter.words[entry], as: UTF8.self).unicodeScalars {
                // A character without a piece becomes bytes and merges with nothing.
                symbols.append(ids[scalar] ?? -1)
            }
            lengths.append(Int32(symbols.count - starts[entry]))
        }
        for word in counts.indices { countPairs(word) }
        for (pair, state) in pairs { heap.push(Candidate(count: state.count, pair: pair)) }
    }

    /// Merges the most frequent pair into the symbol `id`; nil when none occurs twice.
    mutating func mergeNext(into id: Int) -> (left: Int, right: Int)? {
        while let best = heap.pop() {
            guard let state = pairs[best.pair] else { continue }
            if state.count != best.count {
                if state.count > 1 { heap.push(Candidate(count: state.count, pair: best.pair)) }
                continue
            }
            guard state.count > 1 else { return nil }
            pairs[best.pair] = nil
            var changed: Set<UInt64> = []
            for word in state.words { merge(best.pair, into: Int32(id), Int(word), &changed) }
            for pair in changed {
                if let state = pairs[pair] { heap.push(Candidate(count: state.count, pair: pair)) }
            }
            return (Int(best.pair >> 32), Int(best.pair & 0xFFFF_FFFF))
        }
        return nil
    }

    private mutating func countPairs(_ word: Int) {
        let start = starts[word]
        let end = start + Int(lengths[word])
        for i in start..<max(start, end - 1) {
            guard let pair = Self.pair(symbols[i], symbols[i + 1]) else { continue }
            pairs[pair, default: PairState()].add(counts[word], word)
        }
    }

    /// Merges every occurrence in a word, from the left, and moves the counts of the pairs around it.
    ///
    /// One pass: symbols move to the front as they are read, so that what stands before `kept` is merged already.
    private mutating func merge(
        _ pair: UInt64, into id: Int32, _ word: Int, _ changed: inout Set<UInt64>
    ) {
        let (left, right) = (Int32(pair >> 32), Int32(pair & 0xFFFF_FFFF))
        let start = starts[word]
        let end = start + Int(lengths[word])
        let count = counts[word]
        var kept = start
        var i = start
        while i < end {
            guard symbols[i] == left, i + 1 < end, symbols[i + 1] == right else {
                symbols[kept] = symbols[i]
                kept += 1
                i += 1
                continue
            }
            if kept > start {
                subtract(count, symbols[kept - 1], left)
                gain(count, symbols[kept - 1], id, word, &changed)
            }
            if i + 2 < end {
                subtract(count, right, symbols[i + 2])
                gain(count, id, symbols[i + 2], word, &changed)
            }
            symbols[kept] = id
            kept += 1
            i += 2
        }
        lengths[word] = Int32(kept - start)
    }

    private mutating func gain(
        _ count: Int, _ left: Int32, _ right: Int32, _ word: Int, _ changed: inout Set<UInt64>
    ) {
        guard let pair = Self.pair(left, right) else { return }
        pairs[pair, default: PairState()].add(count, word)
        changed.insert(pair)
    }

    private mutating func subtract(_ count: Int, _ left: Int32, _ right: Int32) {
        guard let pair = Self.pair(left, right) else { return }
        pairs[pair]?.count -= count
    }

    /// Nil when one of the two is no piece.
    private static func pair(_ left: Int32, _ right: Int32) -> UInt64? {
        left < 0 || right < 0 ? nil : UInt64(left) << 32 | UInt64(right)
    }
}
