/// The merges of a byte-pair encoding: which two neighbours become one, and in which order.
///
/// A rule is packed into 64 bits, rank above id, so that the smallest rule is the one to apply first.
struct MergeTable: Sendable {
    /// What is returned for two symbols that do not merge; larger than every rule.
    static let none = UInt64.max

    private struct Slot {
        var pair: UInt64
        var rule: UInt64
    }

    private var slots: [Slot]
    private var count = 0

    init(capacity: Int) {
        var size = 64
        while size < capacity * 2 { size *= 2 }
        slots = [Slot](repeating: Slot(pair: 0, rule: Self.none), count: size)
    }

    /// The rule of two neighbours, or ``none``.
    @inline(__always)
    func rule(_ left: Int32, _ right: Int32) -> UInt64 {
        let pair = Self.pair(left, right)
        var slot = Self.slot(pair, slots.count)
        while slots[slot].rule != Self.none {
            if slots[slot].pair == pair { return slots[slot].rule }
            slot = (slot + 1) & (slots.count - 1)
        }
        return Self.none
    }

    /// Adds a rule, in place of an earlier one for the same neighbours.
    mutating func insert(_ left: Int32, _ right: Int32, rank: Int, id: Int32) {
        if (count + 1) * 2 > slots.count { grow() }
        let rule = UInt64(UInt32(truncatingIfNeeded: rank)) << 32 | UInt64(UInt32(bitPattern: id))
        if place(Slot(pair: Self.pair(left, right), rule: rule)) { count += 1 }
    }

    /// Whether the slot was free.
    private mutating func place(_ entry: Slot) -> Bool {
        var slot = Self.slot(entry.pair, slots.count)
        while slots[slot].rule != Self.none {
            if slots[slot].pair == entry.pair {
                slots[slot] = entry
                return false
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = entry
        return true
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(pair: 0, rule: Self.none), count: old.count * 2)
        for entry in old where entry.rule != Self.none { _ = place(entry) }
    }

    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    private static func slot(_ pair: UInt64, _ size: Int) -> Int {
        var hash = pair &* 0x9E37_79B9_7F4A_7C15
        hash ^= hash >> 29
        return Int(truncatingIfNeeded: hash) & (size - 1)
    }
}
