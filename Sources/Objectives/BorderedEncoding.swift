import Tokenizers

/// A conversation's parts that were encoded together, with the tokens that are the assistant's alone.
///
/// The ids are those of the whole text: with a Llama-2 tokenizer ` A` is two tokens alone and one behind `Answer:`. A
/// token may then hold the end of one part and the beginning of the next; it is no target, so that a loss on one part
/// never counts a character of another.
struct BorderedEncoding {
    /// `[T]`: the ids of all parts.
    let ids: [Int]
    /// `[T]`: whether a token holds text of the assistant's, and of no part before or behind it.
    let isTarget: [Bool]

    /// - Throws: `TokenizerError` when a special part is no special token of the tokenizer.
    init(_ segments: [ChatSegment], _ encoder: inout SequenceEncoder) throws {
        let parts = segments.flatMap(\.parts)
        let isAnswer = segments.flatMap { segment in segment.parts.map { _ in segment.isAssistant }
        }
        let (ids, ends) = try encoder.encode(parts: parts)
        var isTarget = Array(repeating: false, count: ids.count)
        for index in parts.indices where isAnswer[index] {
            let start = try Self.start(ofPart: index, parts, ids, ends, &encoder)
            for token in start..<max(start, ends[index]) { isTarget[token] = true }
        }
        self.ids = ids
        self.isTarget = isTarget
    }

    /// The first token that holds nothing of the parts before `index`.
    private static func start(
        ofPart index: Int, _ parts: [EncodingPart], _ ids: [Int], _ ends: [Int],
        _ encoder: inout SequenceEncoder
    ) throws -> Int {
        guard index > 0 else { return 0 }
        guard case .literal = parts[index - 1], case .literal = parts[index] else {
            return ends[index - 1]
        }
        let before = try encoder.encode(parts: Array(parts[..<index])).ids
        return max(ends[index - 1], encoder.tokenizer.border(behind: before, in: ids))
    }
}

extension Tokenizer {
    /// The first of `ids` that holds nothing of a text in front, whose ids alone are `before`.
    ///
    /// Where the ids begin with `before` it is the one behind. Else they may be the same text, cut otherwise: with GPT-2
    /// the line ends before a text are `\n`, `\n`, and alone `\n\n`. So the bytes of what differs are counted.
    func border(behind before: [Int], in ids: [Int]) -> Int {
        var border = zip(before, ids).prefix { $0 == $1 }.count
        if border == before.count { return border }
        var stream = makeStreamingDecoder(
            after: Array(ids[..<border]), skippingSpecialTokens: false)
        var alone = stream
        var missing = before[border...].reduce(0) { $0 + alone.append($1).utf8.count }
        while border < ids.count && missing > 0 {
            missing -= stream.append(ids[border]).utf8.count
            border += 1
        }
        return border
    }
}
