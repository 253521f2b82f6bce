/// The pieces of a tokenizer and their ids.
struct Vocabulary: Sendable {
    /// Ids above this are taken for a damaged file: tables as large as the largest id are made.
    static let maximumID = (1 << 24) - 1

    private var table: ByteStringTable
    private var ids: [Int32] = []
    /// Entry of each id, −1 for an id without a piece.
    private var entries: [Int32] = []

    init(capacity: Int) { table = ByteStringTable(capacity: capacity) }

    /// Number of pieces.
    var count: Int { ids.count }

    /// The largest id + 1.
    var size: Int { entries.count }

    /// The id of `bytes[start..<end]`; −1 when it is no piece.
    func id(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Int32 {
        let entry = table.find(bytes, start, end)
        return entry < 0 ? -1 : ids[entry]
    }

    /// The id of a piece; −1 when it is none.
    func id(_ bytes: [UInt8]) -> Int32 { id(bytes, 0, bytes.count) }

    /// The piece with `id`; nil when the id is a hole or out of range.
    func piece(_ id: Int) -> ArraySlice<UInt8>? {
        guard entries.indices.contains(id), entries[id] >= 0 else { return nil }
        return table[Int(entries[id])]
    }

    /// Adds a piece; throws when the piece or the id is there already.
    mutating func insert(_ bytes: [UInt8], _ range: Range<Int>, id: Int) throws(FileProblem) {
        guard (0...Self.maximumID).contains(id) else {
            throw FileProblem(
                "the piece \(quoted(bytes[range])) has the id \(id); ids from 0 to \(Self.maximumID) are supported."
            )
        }
        if let other = piece(id) {
            throw FileProblem(
                "the pieces \(quoted(other)) and \(quoted(bytes[range])) have the same id \(id).")
        }
        let (entry, isNew) = table.insert(bytes, range.lowerBound, range.upperBound)
        guard isNew else {
            throw FileProblem(
                "the piece \(quoted(bytes[range])) is in the vocabulary twice, with the ids \(ids[entry]) and \(id)."
            )
        }
        ids.append(Int32(id))
        if id >= entries.count {
            entries.append(contentsOf: repeatElement(-1, count: id + 1 - entries.count))
        }
        entries[id] = Int32(entry)
    }
}
