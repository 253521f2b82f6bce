extension Tokenizer {
    /// The ids of a rendered conversation, and for each whether the assistant wrote it.
    ///
    /// The whole is encoded at once, as it is when the conversation runs; a token that reaches over a segment's
    /// beginning belongs to that segment. The file's own template is not applied: chat templates spell out the
    /// special tokens.
    public func encode(_ segments: [ChatSegment]) -> (ids: [Int], isAssistant: [Bool]) {
        var encoder = makeEncoder()
        let ids = encoder.encode(
            segments.map(\.text).joined(), addingSpecialTokens: false)
        var flags: [Bool] = []
        var text = ""
        for (index, segment) in segments.enumerated() {
            text += segment.text
            var end = ids.count
            if index + 1 < segments.count {
                let part = encoder.encode(text, addingSpecialTokens: false)
                end = zip(part, ids).prefix { $0 == $1 }.reduce(0) { count, _ in count + 1 }
            }
            flags += repeatElement(segment.isAssistant, count: max(0, end - flags.count))
        }
        return (ids, flags)
    }
}
