import Tokenizers

/// Texts as sequences to train on: continued pretraining (CPT) without a prompt, contextual fine-tuning (CFT) with one.
///
/// CPT: BOS, text, EOS; every token but BOS is a target. CFT: BOS, contextual prompt, a blank line, text, EOS; the text
/// and EOS are targets, its first token predicted from the prompt. A document that is longer than a sequence becomes
/// several, each with BOS and the prompt before its stretch of the text, and EOS behind the last: every token of
/// the text is a target exactly once. A tokenizer without EOS or BOS leaves them out. Source: Choi et al., "Teaching LLMs
/// How to Learn with Contextual Fine-Tuning" (ICLR 2025).
public struct TextSequences: Sendable {
    /// What stands between a contextual prompt and the text.
    public static let separator = "\n\n"

    /// Makes the tokens.
    public let tokenizer: Tokenizer
    /// The longest sequence, in tokens.
    public let maximumLength: Int

    /// - Parameters:
    ///   - tokenizer: makes the tokens; text that spells a special token is text.
    ///   - maximumLength: the longest sequence, in tokens; 2 or more.
    public init(tokenizer: Tokenizer, maximumLength: Int) {
        precondition(maximumLength >= 2, "\(maximumLength) tokens hold nothing to predict")
        self.tokenizer = tokenizer
        self.maximumLength = maximumLength
    }

    /// The least tokens that a contextual prompt has to leave for the text: a quarter of the sequence, and 8.
    ///
    /// With less most of a step's work would go into repeating the prompt.
    public var minimumTextLength: Int { max(8, maximumLength / 4) }

    /// The sequences of a text, in order.
    ///
    /// - Parameters:
    ///   - text: the document.
    ///   - prompt: the contextual prompt; nil for CPT.
    ///   - place: where the document was read.
    /// - Throws: ``ObjectiveError`` when the document has no tokens or none that carries loss, or the prompt leaves less
    ///   than ``minimumTextLength``.
    public func examples(
        of text: String, prompt: String?, place: String
    ) throws -> [TrainingExample] {
        var encoder = SequenceEncoder(tokenizer)
        return try examples(of: text, prompt: prompt, place: place, encoder: &encoder)
    }

    /// The sequences of one text of many, see ``examples(of:prompt:place:)``.
    ///
    /// - Parameter encoder: of ``tokenizer``; what it has met makes this one faster, and changes nothing.
    public func examples(
        of text: String, prompt: String?, place: String, encoder: inout SequenceEncoder
    ) throws -> [TrainingExample] {
        precondition(encoder.tokenizer === tokenizer, "the encoder has another tokenizer")
        let encoding = try encode(text, prompt: prompt, place: place, &encoder)
        let chunks = encoding.chunks(maximumLength)
        return try chunks.enumerated().map { index, chunk in
            let tokens = chunk.lead + encoding.targets[chunk.targets]
            guard tokens.count >= 2 else {
                throw ObjectiveError(
                    place: place,
                    "the document is a single token, which nothing predicts; remove it from the corpus."
                )
            }
            // Without BOS nothing predicts the first token of a text that has no prompt.
            let masked = max(chunk.lead.count, 1)
            let weights = tokens.indices.map { Float($0 < masked ? 0 : 1) }
            return TrainingExample(
                tokens: tokens.map(Int32.init), lossWeights: weights,
                place: chunks.count == 1 ? place : "\(place), part \(index + 1) of \(chunks.count)")
        }
    }

    private func encode(
        _ text: String, prompt: String?, place: String, _ encoder: inout SequenceEncoder
    ) throws -> TextEncoding {
        let beginning = tokenizer.beginningID.map { [$0] } ?? []
        let end = tokenizer.endID.map { [$0] } ?? []
        guard let prompt else {
            let ids = encoder.ids(of: text)
            guard !ids.isEmpty else { throw emptyDocument(place) }
            return TextEncoding(
                firstLead: beginning, lead: beginning, targets: ids + end, hasEnd: !end.isEmpty)
        }
        let front = prompt + Self.separator
        let alone = encoder.ids(ofPrompt: front)
        let ids = encoder.ids(of: front + text)
        guard ids != alone else { throw emptyDocument(place) }
        let start = tokenizer.border(behind: alone, in: ids)
        guard start < ids.count else {
            throw ObjectiveError(
                place: place,
                "every token of the document is masked, since the tokenizer joins its text with the end of the "
                    + "contextual prompt; remove it from the corpus.")
        }
        let leads = TextEncoding(
            firstLead: beginning + ids[..<start], lead: beginning + alone,
            targets: ids[start...] + end, hasEnd: !end.isEmpty)
        try checkRoom(behind: max(leads.firstLead.count, leads.lead.count), place: place)
        return leads
    }

    private func checkRoom(behind leadLength: Int, place: String) throws {
        let room = maximumLength - leadLength
        if room >= minimumTextLength { return }
        throw ObjectiveError(
            place: place,
            "the contextual prompt takes \(leadLength) of the \(maximumLength) tokens of a sequence and leaves "
                + "\(max(room, 0)) for the text, where \(minimumTextLength) are needed; "
                + "shorten the prompt or raise training.sequence_length.")
    }

    private func emptyDocument(_ place: String) -> ObjectiveError {
        ObjectiveError(place: place, "the document has no tokens; remove it from the corpus.")
    }
}

/// A text's targets, and what stands before them in each sequence.
private struct TextEncoding {
    /// Before the first stretch: BOS and the prompt as it is encoded with the text, with a token that holds the end of
    /// the one and the beginning of the other.
    let firstLead: [Int]
    /// Before the others: BOS and the prompt.
    let lead: [Int]
    /// Tokens of the text, and EOS.
    let targets: [Int]
    /// Whether the last target is EOS.
    let hasEnd: Bool

    /// Each sequence's lead and its stretch of the targets.
    func chunks(_ maximumLength: Int) -> [(lead: [Int], targets: Range<Int>)] {
        var chunks: [(lead: [Int], targets: Range<Int>)] = []
        var start = 0
        while start < targets.count {
            var lead = start == 0 ? firstLead : self.lead
            // Without BOS and prompt the last token of the stretch before predicts the first of this one.
            if lead.isEmpty && start > 0 { lead = [targets[start - 1]] }
            var end = min(start + maximumLength - lead.count, targets.count)
            // EOS alone would teach that a text may be empty: the last token of the text goes with it.
            if hasEnd && end == targets.count - 1 && end - start > 1 { end -= 1 }
            chunks.append((lead, start..<end))
            start = end
        }
        return chunks
    }
}
