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
    private var heap: [Candidate] = []

    private struct PairState {
        var count = 0
        /// Words that held the pair at some time; a word may be there more than once.
        var words: [Int32] = []
    }

    private struct Candidate {
        var count: Int
        var pair: UInt64

        /// Whether it is merged before `other`: more often, then the smaller ids.
        func precedes(_ other: Candidate) -> Bool {
            count != other.count ? count > other.count : pair < other.pair
        }
    }

    /// - Parameter pieces: the piece of each id; words are spelled with those of one character.
    init(counter: WordCounter, pieces: [[UInt8]]) {
        var ids: [[UInt8]: Int32] = [:]
        for (id, piece) in pieces.enumerated() where id >= BytePairTrainer.reservedCount {
            ids[piece] = Int32(id)
        }
        counts = counter.counts
        for entry in 0..<counter.words.count {
            starts.append(symbols.count)
            for scalar in String(decoding: counter.words[entry], as: UTF8.self).unicodeScalars {
                // A character without a piece becomes bytes and merges with nothing.
                symbols.append(ids[Array(String(scalar).utf8)] ?? -1)
            }
            lengths.append(Int32(symbols.count - starts[entry]))
        }
        for word in counts.indices { countPairs(word) }
        heap.reserveCapacity(pairs.count)
        for (pair, state) in pairs { push(Candidate(count: state.count, pair: pair)) }
    }

    /// Merges the most frequent pair into the symbol `id`; nil when none occurs twice.
    mutating func mergeNext(into id: Int) -> (left: Int, right: Int)? {
        while let best = pop() {
            guard let state = pairs[best.pair] else { continue }
            if state.count != best.count {
                if state.count > 1 { push(Candidate(count: state.count, pair: best.pair)) }
                continue
            }
            guard state.count > 1 else { return nil }
            pairs[best.pair] = nil
            var changed: Set<UInt64> = []
            for word in state.words { merge(best.pair, into: Int32(id), Int(word), &changed) }
            for pair in changed {
                if let state = pairs[pair] { push(Candidate(count: state.count, pair: pair)) }
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
            add(counts[word], to: pair, word)
        }
    }

    private mutating func add(_ count: Int, to pair: UInt64, _ word: Int) {
        pairs[pair, default: PairState()].count += count
        if pairs[pair]?.words.last != Int32(word) {
            pairs[pair]?.words.append(Int32(word))
        }
    }

    /// Merges every occurrence in a word, from the left, and moves the counts of the pairs around it.
    private mutating func merge(
        _ pair: UInt64, into id: Int32, _ word: Int, _ changed: inout Set<UInt64>
    ) {
        let (left, right) = (Int32(pair >> 32), Int32(pair & 0xFFFF_FFFF))
        let start = starts[word]
        let count = counts[word]
        var end = start + Int(lengths[word])
        var i = start
        while i + 1 < end {
            guard symbols[i] == left, symbols[i + 1] == right else {
                i += 1
                continue
            }
            if i > start {
                subtract(count, symbols[i - 1], left)
                gain(count, symbols[i - 1], id, word, &changed)
            }
            if i + 2 < end {
                subtract(count, right, symbols[i + 2])
                gain(count, id, symbols[i + 2], word, &changed)
            }
            symbols[i] = id
            for j in i + 1..<end - 1 { symbols[j] = symbols[j + 1] }
            end -= 1
            i += 1
        }
        lengths[word] = Int32(end - start)
    }

    private mutating func gain(
        _ count: Int, _ left: Int32, _ right: Int32, _ word: Int, _ changed: inout Set<UInt64>
    ) {
        guard let pair = Self.pair(left, right) else { return }
        add(count, to: pair, word)
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

    // MARK: Heap

    private mutating func push(_ candidate: Candidate) {
        heap.append(candidate)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func pop() -> Candidate? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if heap.isEmpty { return first }
        heap[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= heap.count { return first }
            if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(heap[parent]) else { return first }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}
