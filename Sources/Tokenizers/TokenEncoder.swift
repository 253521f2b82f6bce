/// Encodes many texts with one tokenizer: it remembers the ids of words it has met.
///
/// Faster than ``Tokenizer/encode(_:addingSpecialTokens:)`` when texts are many; the ids are the same.
public struct TokenEncoder: Sendable {
    private let tokenizer: Tokenizer
    private var cache = WordCache()
    private var workspace = MergeWorkspace()
    private var ends: [Int] = []

    init(_ tokenizer: Tokenizer) { self.tokenizer = tokenizer }

    /// The ids of `text`, see ``Tokenizer/encode(_:addingSpecialTokens:)``.
    public mutating func encode(_ text: String, addingSpecialTokens: Bool = true) -> [Int] {
        guard addingSpecialTokens else { return encode(Array(text.utf8)).map { Int($0) } }
        var ids: [Int] = []
        for part in tokenizer.template {
            switch part {
            case .token(let id): ids.append(id)
            case .text: for id in encode(Array(text.utf8)) { ids.append(Int(id)) }
            }
        }
        return ids
    }

    private mutating func encode(_ bytes: [UInt8]) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(bytes.count / 4 + 8)
        for segment in tokenizer.rawMatcher.segments(bytes) {
            if let id = segment.id {
                ids.append(Int32(id))
                continue
            }
            let isWhole = segment.range.count == bytes.count
            let text = tokenizer.normalizer.apply(isWhole ? bytes : Array(bytes[segment.range]))
            for part in tokenizer.normalizedMatcher.segments(text) {
                if let id = part.id {
                    ids.append(Int32(id))
                    continue
                }
                let isWhole = part.range.count == text.count
                encodeWords(
                    of: isWhole ? text : Array(text[part.range]),
                    isFirst: segment.range.lowerBound == 0 && part.range.lowerBound == 0, into: &ids
                )
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
            return tokenizer.model.encode(text, start, end, &workspace, into: &ids)
        }
        if cache.append(text, start, end, to: &ids) { return }
        let first = ids.count
        tokenizer.model.encode(text, start, end, &workspace, into: &ids)
        cache.insert(text, start, end, ids: ids[first...])
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
