/// The symbols of one word and what merging them needs; reused from word to word.
struct MergeWorkspace: Sendable {
    /// The word before ``merge(_:)``, the result after it.
    var symbols: [Int32] = []

    /// Rule of each symbol with the one behind it.
    private var rules: [UInt64] = []
    /// Rank above position.
    private var heap = Heap<UInt64>()
    private var next: [Int32] = []
    private var previous: [Int32] = []

    /// Up to this length the smallest rule is found by looking at all of them.
    private static let scanLimit = 40

    /// Merges neighbours, the smallest rank first and among equal ranks from the left, until no rule applies.
    mutating func merge(_ table: MergeTable) {
        guard symbols.count > 1 else { return }
        rules.removeAll(keepingCapacity: true)
        for i in 0..<symbols.count - 1 { rules.append(table.rule(symbols[i], symbols[i + 1])) }
        if symbols.count <= Self.scanLimit { mergeByScan(table) } else { mergeByHeap(table) }
    }

    private mutating func mergeByScan(_ table: MergeTable) {
        while true {
            var best = MergeTable.none
            var position = -1
            // Ranks alone are compared: SentencePiece has different merges of equal rank.
            for i in rules.indices where rules[i] >> 32 < best >> 32 {
                best = rules[i]
                position = i
            }
            if position < 0 { return }
            symbols[position] = Int32(truncatingIfNeeded: best)
            symbols.remove(at: position + 1)
            rules.remove(at: position)
            if position < rules.count {
                rules[position] = table.rule(symbols[position], symbols[position + 1])
            }
            if position > 0 {
                rules[position - 1] = table.rule(symbols[position - 1], symbols[position])
            }
        }
    }

    /// The same with a heap of rank and position, O(n log n); symbols form a linked list.
    private mutating func mergeByHeap(_ table: MergeTable) {
        let count = symbols.count
        rules.append(MergeTable.none)
        next = (1...Int32(count)).map { $0 }
        previous = (0..<Int32(count)).map { $0 - 1 }
        heap.removeAll()
        for i in 0..<count - 1 where rules[i] != MergeTable.none { push(rules[i], i) }
        while let entry = heap.pop() {
            let position = Int(entry & 0xFFFF_FFFF)
            // Neighbours may have changed since the entry was made.
            guard rules[position] != MergeTable.none, rules[position] >> 32 == entry >> 32 else {
                continue
            }
            symbols[position] = Int32(truncatingIfNeeded: rules[position])
            let eaten = Int(next[position])
            let after = Int(next[eaten])
            next[position] = Int32(after)
            rules[eaten] = MergeTable.none
            symbols[eaten] = -1
            rules[position] = MergeTable.none
            if after < count {
                previous[after] = Int32(position)
                update(position, table.rule(symbols[position], symbols[after]))
            }
            let before = Int(previous[position])
            if before >= 0 { update(before, table.rule(symbols[before], symbols[position])) }
        }
        symbols.removeAll { $0 < 0 }
    }

    private mutating func update(_ position: Int, _ rule: UInt64) {
        rules[position] = rule
        if rule != MergeTable.none { push(rule, position) }
    }

    private mutating func push(_ rule: UInt64, _ position: Int) {
        heap.push(rule & ~0xFFFF_FFFF | UInt64(position))
    }
}
