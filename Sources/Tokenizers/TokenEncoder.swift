/// Encodes many texts with one tokenizer: it remembers the ids of words it has met.
///
/// Faster than ``Tokenizer/encode(_:adding:literally:)`` when texts are many; the ids are the same.
public struct TokenEncoder: Sendable {
    /// Merging counts positions in 32 bits, so longer words are cut.
    private static let maximumWordLength = 1 << 30

    let tokenizer: Tokenizer
    private let maximumWordLength: Int
    private var cache = WordCache()
    private var workspace = MergeWorkspace()
    private var ends: [Int] = []

    init(_ tokenizer: Tokenizer, maximumWordLength: Int = Self.maximumWordLength) {
        self.tokenizer = tokenizer
        self.maximumWordLength = maximumWordLength
    }

    /// The ids of `text`, see ``Tokenizer/encode(_:adding:literally:)``.
    public mutating func encode(
        _ text: String, adding tokens: SurroundingTokens = .all, literally: Bool = false
    ) -> [Int] {
        var ids = tokens == .none ? [] : tokenizer.template.before
        for id in encode(Array(text.utf8), isFirst: true, literally: literally) {
            ids.append(Int(id))
        }
        if tokens == .all { ids += tokenizer.template.after }
        return ids
    }

    /// - Parameter isFirst: whether the whole input starts with `bytes`.
    mutating func encode(_ bytes: [UInt8], isFirst: Bool, literally: Bool) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(bytes.count / 4 + 8)
        for segment in tokenizer.rawMatcher.segments(bytes, literally: literally) {
            if let id = segment.id {
                ids.append(Int32(id))
                continue
            }
            let isWhole = segment.range.count == bytes.count
            let isFirst = isFirst && segment.range.lowerBound == 0
            let text = tokenizer.normalizer.apply(
                isWhole ? bytes : Array(bytes[segment.range]), isFirst: isFirst)
            for part in tokenizer.normalizedMatcher.segments(text, literally: literally) {
                if let id = part.id {
                    ids.append(Int32(id))
                    continue
                }
                let isWhole = part.range.count == text.count
                encodeWords(
                    of: isWhole ? text : Array(text[part.range]),
                    isFirst: isFirst && part.range.lowerBound == 0, into: &ids)
            }
        }
        return ids
    }

    private mutating func encodeWords(of text: [UInt8], isFirst: Bool, into ids: inout [Int32]) {
        var text = text
        tokenizer.preTokenizer.apply(&text, isFirst: isFirst, ends: &ends)
        let cuts = tokenizer.model.cutsAtSpaceMarks
        var start = 0
        for end in ends {
            if cuts {
                encodePieces(of: text, start, end, into: &ids)
            } else {
                encodeWord(text, start, end, into: &ids)
            }
            start = end
        }
    }

    /// Encodes a word in parts that start with `▁`, where merges cannot cross.
    private mutating func encodePieces(
        of text: [UInt8], _ start: Int, _ end: Int, into ids: inout [Int32]
    ) {
        var begin = start
        var isAfterMark = true
        var position = start
        while position < end {
            let isMark = BytePairModel.isSpaceMark(text, position)
            if isMark && !isAfterMark {
                encodeWord(text, begin, position, into: &ids)
                begin = position
            }
            isAfterMark = isMark
            position += isMark ? BytePairModel.spaceMark.count : 1
        }
        if begin < end { encodeWord(text, begin, end, into: &ids) }
    }

    private mutating func encodeWord(
        _ text: [UInt8], _ start: Int, _ end: Int, into ids: inout [Int32]
    ) {
        guard end - start <= WordCache.maximumLength else {
            return encodeLongWord(text, start, end, into: &ids)
        }
        if cache.append(text, start, end, to: &ids) { return }
        let first = ids.count
        tokenizer.model.encode(text, start, end, &workspace, into: &ids)
        cache.insert(text, start, end, ids: ids[first...])
    }

    private mutating func encodeLongWord(
        _ text: [UInt8], _ start: Int, _ end: Int, into ids: inout [Int32]
    ) {
        var begin = start
        while begin < end {
            var stop = min(end, begin + maximumWordLength)
            while stop < end, text[stop] & 0xC0 == 0x80 { stop += 1 }
            tokenizer.model.encode(text, begin, stop, &workspace, into: &ids)
            begin = stop
        }
    }
}

/// The ids of words that were encoded before.
struct WordCache: Sendable {
    /// Longer words are encoded anew; few of them come back.
    static let maximumLength = 64
    /// The cache starts again when it holds this many words.
    private static let maximumCount = 1 << 18

    private var words = ByteStringTable()
    private var starts: [Int32] = [0]
    private var ids: [Int32] = []

    /// Appends the ids of a word; false when it is not known.
    func append(_ text: [UInt8], _ start: Int, _ end: Int, to result: inout [Int32]) -> Bool {
        let entry = words.find(text, start, end)
        guard entry >= 0 else { return false }
        for i in Int(starts[entry])..<Int(starts[entry + 1]) { result.append(ids[i]) }
        return true
    }

    /// Remembers a word that is not there.
    mutating func insert(_ text: [UInt8], _ start: Int, _ end: Int, ids new: ArraySlice<Int32>) {
        if words.count >= Self.maximumCount { self = WordCache() }
        guard words.insert(text, start, end).isNew else { return }
        ids.append(contentsOf: new)
        starts.append(Int32(ids.count))
    }
}
