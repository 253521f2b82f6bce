import ContextualPrompts
import Corpora
import Randomness
import Tokenizers

/// How documents become training examples.
///
/// A held-out set is measured with the same value; a text's loss without a prompt is that of ``ObjectiveKind/cpt``.
public struct Objective: Sendable {
    /// Which objective it is.
    public let kind: ObjectiveKind
    /// Decides which exercises a reading-comprehension text gets.
    public let seed: UInt64
    private let texts: TextSequences
    private let answers: AnswerSequences

    /// - Parameters:
    ///   - kind: which objective.
    ///   - tokenizer: makes the tokens.
    ///   - maximumLength: the longest sequence, in tokens; 2 or more.
    ///   - format: how questions and answers become text.
    ///   - truncates: whether questions with answers that are too long lose their beginning; otherwise they are an error.
    ///   - seed: decides which exercises a reading-comprehension text gets.
    public init(
        _ kind: ObjectiveKind, tokenizer: Tokenizer, maximumLength: Int,
        format: AnswerFormat = .plain, truncates: Bool = false, seed: UInt64 = 0
    ) {
        self.kind = kind
        self.seed = seed
        texts = TextSequences(tokenizer: tokenizer, maximumLength: maximumLength)
        answers = AnswerSequences(
            tokenizer: tokenizer, maximumLength: maximumLength, format: format,
            truncates: truncates)
    }

    /// An encoder for many documents, one after another.
    public func makeEncoder() -> SequenceEncoder { SequenceEncoder(texts.tokenizer) }

    /// The training examples of a document: one, or several of a text that is longer than a sequence.
    ///
    /// - Parameters:
    ///   - document: of a content that ``kind`` takes; not for DPO, see ``preferences(of:)``.
    ///   - prompt: the contextual prompt, for the objectives that use one and for no other.
    ///   - epoch: which pass over the corpus; every pass has other exercises.
    ///   - index: the document's number in the corpus.
    /// - Throws: ``ObjectiveError`` when the document's content is another, it has no tokens or no targets, or it is too
    ///   long.
    public func examples(
        of document: CorpusDocument, prompt: ContextualPrompt? = nil, epoch: Int = 0,
        index: Int = 0
    ) throws -> [TrainingExample] {
        var encoder = makeEncoder()
        return try examples(
            of: document, prompt: prompt, epoch: epoch, index: index, encoder: &encoder)
    }

    /// The training examples of one document of many, see ``examples(of:prompt:epoch:index:)``.
    ///
    /// - Parameter encoder: of ``makeEncoder()``; what it has met makes this document faster, and changes nothing.
    public func examples(
        of document: CorpusDocument, prompt: ContextualPrompt? = nil, epoch: Int = 0,
        index: Int = 0, encoder: inout SequenceEncoder
    ) throws -> [TrainingExample] {
        precondition(kind != .dpo, "dpo has preferences")
        precondition(
            kind.usesContextualPrompt == (prompt != nil),
            "\(kind.rawValue) and a contextual prompt: both or neither")
        try kind.check(document)
        let place = document.place
        switch document.content {
        case .text(let text) where kind == .readingComprehension:
            let key = RandomKey(seed: seed, stream: .exerciseChoice, step: epoch, example: index)
            let text = ReadingComprehension.text(of: text, key: key)
            return try texts.examples(of: text, prompt: nil, place: place, encoder: &encoder)
        case .text(let text):
            return try texts.examples(
                of: text, prompt: prompt?.text, place: place, encoder: &encoder)
        case .completion(let prompt, let completion):
            return [
                try answers.example(
                    prompt: prompt, completion: completion, place: place, encoder: &encoder)
            ]
        case .messages(let messages):
            return [try answers.example(of: messages, place: place, encoder: &encoder)]
        case .preference:
            preconditionFailure("check(_:) lets no preference pass")
        }
    }

    /// The pair of sequences of a document, for DPO.
    ///
    /// - Parameter document: a prompt with two answers.
    /// - Throws: ``ObjectiveError`` when the document's content is another, its answers are the same, or it is too long.
    public func preferences(of document: CorpusDocument) throws -> PreferenceExample {
        var encoder = makeEncoder()
        return try preferences(of: document, encoder: &encoder)
    }

    /// The pair of sequences of one document of many, see ``preferences(of:)``.
    ///
    /// - Parameter encoder: of ``makeEncoder()``; what it has met makes this document faster, and changes nothing.
    public func preferences(
        of document: CorpusDocument, encoder: inout SequenceEncoder
    ) throws -> PreferenceExample {
        precondition(kind == .dpo, "\(kind.rawValue) has no preferences")
        try kind.check(document)
        guard case .preference(let prompt, let chosen, let rejected) = document.content else {
            preconditionFailure("check(_:) lets nothing else pass")
        }
        return try answers.preference(
            prompt: prompt, chosen: chosen, rejected: rejected, place: document.place,
            encoder: &encoder)
    }
}
