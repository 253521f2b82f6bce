extension Tokenizer {
    /// The ids of parts that follow each other, and where each part ends in them.
    ///
    /// Neighbouring literal parts are encoded as one text, so that the ids are those of the whole: what a prompt and its
    /// continuation need, whose tokens differ when they are encoded alone. `ends[i]` is how many ids lie before the end of
    /// part i; a token that reaches over it belongs to the next part. The tokens that `tokens` puts around belong to the
    /// first and to the last part.
    ///
    /// - Parameters:
    ///   - parts: special tokens, and text in which nothing is one.
    ///   - tokens: which of the file's tokens are put around; by default none, since parts can spell them.
    /// - Throws: ``TokenizerError`` when a special part is no special token of this tokenizer.
    public func encode(
        parts: [EncodingPart], adding tokens: SurroundingTokens = .none
    ) throws -> (ids: [Int], ends: [Int]) {
        var encoder = makeEncoder()
        return try encoder.encode(parts: parts, adding: tokens)
    }

    /// The ids of a rendered conversation, and for each whether the assistant wrote it.
    ///
    /// What messages say is encoded literally: nobody can end a turn by writing `</s>`. The file's own template is
    /// not applied: chat templates spell out the special tokens.
    ///
    /// - Throws: ``TokenizerError`` when a marker of the template is no special token of this tokenizer.
    public func encode(_ segments: [ChatSegment]) throws -> (ids: [Int], isAssistant: [Bool]) {
        let (ids, ends) = try encode(parts: segments.flatMap(\.parts))
        var flags: [Bool] = []
        flags.reserveCapacity(ids.count)
        var part = 0
        for segment in segments {
            part += segment.parts.count
            let end = part == 0 ? 0 : ends[part - 1]
            flags += repeatElement(segment.isAssistant, count: end - flags.count)
        }
        return (ids, flags)
    }

    /// The special token with this spelling: an added token, or a control or user-defined piece of a tokenizer.model.
    func specialToken(_ spelling: String) throws -> AddedToken {
        let bytes = Array(spelling.utf8)
        if let token = addedToken(bytes) { return token }
        let id = Int(model.vocabulary.id(bytes))
        if case .sentencePiece(let rules) = decoder, id >= 0 {
            let isSymbol = model.frozen.longest(bytes, 0)?.length == bytes.count
            if isSymbol || rules.kinds[id] == .control {
                return AddedToken(id: id, content: bytes, isNormalized: false, isSpecial: true)
            }
        }
        throw TokenizerError(
            "\(quoted(spelling)) is no special token of this tokenizer; use the tokenizer of a model that was trained "
                + "with it, or a chat template whose markers this one has.")
    }
}
