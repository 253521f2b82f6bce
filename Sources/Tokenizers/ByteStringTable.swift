/// Byte strings numbered in the order of their insertion, found by hash.
///
/// Swift's own dictionaries compare strings by canonical equivalence, allocate for every key and cannot
/// look up a stretch of a larger text without copying it.
struct ByteStringTable: Sendable {
    /// Entry in every slot, −1 where the slot is free; the count is a power of two.
    private var slots: [Int32]
    private var hashes: [UInt64] = []
    /// Where each entry starts in `arena`, and the end of the last.
    private var starts: [Int] = [0]
    private var arena: [UInt8] = []

    /// An empty table with room for `capacity` entries before it grows.
    init(capacity: Int = 0) {
        var size = 64
        while size < capacity * 2 { size *= 2 }
        slots = [Int32](repeating: -1, count: size)
    }

    /// Number of entries.
    var count: Int { hashes.count }

    /// The bytes of an entry.
    subscript(entry: Int) -> ArraySlice<UInt8> { arena[starts[entry]..<starts[entry + 1]] }

    /// The entry that equals `bytes[start..<end]`; −1 when there is none.
    func find(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int {
        let hash = Self.hash(bytes, start, end)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = Int(slots[slot])
            if hashes[entry] == hash, equals(entry, bytes, start, end) { return entry }
            slot = (slot + 1) & (slots.count - 1)
        }
        return -1
    }

    /// The entry that equals `bytes`; −1 when there is none.
    func find(_ bytes: [UInt8]) -> Int { find(bytes, 0, bytes.count) }

    /// The entry for `bytes[start..<end]`, new or found.
    mutating func insert(_ bytes: [UInt8], _ start: Int, _ end: Int) -> (entry: Int, isNew: Bool) {
        if (count + 1) * 2 > slots.count { grow() }
        let hash = Self.hash(bytes, start, end)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] >= 0 {
            let entry = Int(slots[slot])
            if hashes[entry] == hash, equals(entry, bytes, start, end) { return (entry, false) }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = Int32(count)
        hashes.append(hash)
        arena.append(contentsOf: bytes[start..<end])
        starts.append(arena.count)
        return (count - 1, true)
    }

    private func equals(_ entry: Int, _ bytes: [UInt8], _ start: Int, _ end: Int) -> Bool {
        let first = starts[entry]
        let length = end - start
        guard starts[entry + 1] - first == length else { return false }
        for i in 0..<length where arena[first + i] != bytes[start + i] { return false }
        return true
    }

    private mutating func grow() {
        slots = [Int32](repeating: -1, count: slots.count * 2)
        for entry in hashes.indices {
            var slot = Int(truncatingIfNeeded: hashes[entry]) & (slots.count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (slots.count - 1) }
            slots[slot] = Int32(entry)
        }
    }

    /// Multiplication and rotation by byte, mixed at the end so that the low bits choose a slot.
    private static func hash(_ bytes: [UInt8], _ start: Int, _ end: Int) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        for i in start..<end { hash = (hash ^ UInt64(bytes[i])) &* 0x0000_0100_0000_01B3 }
        hash ^= hash >> 32
        hash = hash &* 0xD6E8_FEB8_6659_FD93
        return hash ^ hash >> 29
    }
}
