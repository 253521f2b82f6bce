import Corpora
import Tokenizers

/// Questions with answers as sequences to train on: instruction fine-tuning (IFT), and pairs for direct preference
/// optimization (DPO).
///
/// Answers, with the end of their turn, are targets; nothing else is. With a chat template the ids are those of
/// `Tokenizer.encode(_:)` for the rendered conversation, and BOS stands where the template spells it. Sources: Ouyang et
/// al., "Training language models to follow instructions with human feedback" (2022); Rafailov et al., "Direct
/// Preference Optimization" (2023).
public struct AnswerSequences: Sendable {
    /// Makes the tokens.
    public let tokenizer: Tokenizer
    /// The longest sequence, in tokens.
    public let maximumLength: Int
    /// How questions and answers become text.
    public let format: AnswerFormat
    /// Whether examples that are too long lose their beginning, behind BOS; otherwise they are an error.
    public let truncates: Bool

    /// - Parameters:
    ///   - tokenizer: makes the tokens; text that spells a special token is text.
    ///   - maximumLength: the longest sequence, in tokens; 2 or more.
    ///   - format: how questions and answers become text.
    ///   - truncates: whether examples that are too long lose their beginning.
    public init(
        tokenizer: Tokenizer, maximumLength: Int, format: AnswerFormat, truncates: Bool = false
    ) {
        precondition(maximumLength >= 2, "\(maximumLength) tokens hold nothing to predict")
        self.tokenizer = tokenizer
        self.maximumLength = maximumLength
        self.format = format
        self.truncates = truncates
    }

    /// The sequence of a question and its answer (IFT).
    ///
    /// - Throws: ``ObjectiveError`` when it is too long or no token carries loss.
    public func example(
        prompt: String, completion: String, place: String
    ) throws -> TrainingExample {
        var encoder = SequenceEncoder(tokenizer)
        return try example(
            prompt: prompt, completion: completion, place: place, encoder: &encoder)
    }

    /// The sequence of one question of many, see ``example(prompt:completion:place:)``.
    ///
    /// - Parameter encoder: of ``tokenizer``; what it has met makes this one faster, and changes nothing.
    public func example(
        prompt: String, completion: String, place: String, encoder: inout SequenceEncoder
    ) throws -> TrainingExample {
        let sequence = try sequence(prompt: prompt, answer: completion, place: place, &encoder)
        return try finished(sequence, place: place)
    }

    /// The sequence of a conversation (IFT).
    ///
    /// - Throws: ``ObjectiveError`` when there is no chat template, the template has no place for a message, the
    ///   sequence is too long or no token carries loss.
    public func example(of messages: [ChatMessage], place: String) throws -> TrainingExample {
        var encoder = SequenceEncoder(tokenizer)
        return try example(of: messages, place: place, encoder: &encoder)
    }

    /// The sequence of one conversation of many, see ``example(of:place:)``.
    ///
    /// - Parameter encoder: of ``tokenizer``; what it has met makes this one faster, and changes nothing.
    public func example(
        of messages: [ChatMessage], place: String, encoder: inout SequenceEncoder
    ) throws -> TrainingExample {
        guard case .chat(let template) = format else {
            let names = ChatTemplate.allCases.map(\.rawValue).joined(separator: " or ")
            throw ObjectiveError(
                place: place,
                "the document has messages, which need a chat template, and 'plain' is none; set objective.chat_template to \(names)."
            )
        }
        return try finished(
            sequence(of: messages, template, place: place, &encoder), place: place)
    }

    /// The two sequences of a prompt and its answers (DPO).
    ///
    /// A prompt that is too long loses as many tokens in both, and answers lose none.
    ///
    /// - Throws: ``ObjectiveError`` when the sequences are the same, too long, or without a token that carries loss.
    public func preference(
        prompt: String, chosen: String, rejected: String, place: String
    ) throws -> PreferenceExample {
        var encoder = SequenceEncoder(tokenizer)
        return try preference(
            prompt: prompt, chosen: chosen, rejected: rejected, place: place, encoder: &encoder)
    }

    /// The two sequences of one prompt of many, see ``preference(prompt:chosen:rejected:place:)``.
    ///
    /// - Parameter encoder: of ``tokenizer``; what it has met makes this one faster, and changes nothing.
    public func preference(
        prompt: String, chosen: String, rejected: String, place: String,
        encoder: inout SequenceEncoder
    ) throws -> PreferenceExample {
        var first = try sequence(prompt: prompt, answer: chosen, place: place, &encoder)
        var second = try sequence(prompt: prompt, answer: rejected, place: place, &encoder)
        guard first.ids != second.ids else {
            throw ObjectiveError(
                place: place,
                "the chosen and the rejected answer are the same tokens; remove the document or make them differ."
            )
        }
        let longest = max(first.ids.count, second.ids.count)
        try checkLength(longest, place: place)
        let excess = max(0, longest - maximumLength)
        guard excess <= min(first.promptLength, second.promptLength) else {
            throw ObjectiveError(
                place: place,
                "an answer does not fit a sequence of \(maximumLength) tokens even without its prompt, and answers are not "
                    + "cut; raise training.sequence_length by \(excess - min(first.promptLength, second.promptLength)) "
                    + "or more, or leave the document out.")
        }
        first.cut(excess)
        second.cut(excess)
        return PreferenceExample(
            chosen: try first.example(place: place), rejected: try second.example(place: place))
    }

    private func finished(_ sequence: WeightedTokens, place: String) throws -> TrainingExample {
        try checkLength(sequence.ids.count, place: place)
        var sequence = sequence
        sequence.cut(max(0, sequence.ids.count - maximumLength))
        return try sequence.example(place: place)
    }

    private func checkLength(_ length: Int, place: String) throws {
        if truncates || length <= maximumLength { return }
        throw ObjectiveError(
            place: place,
            "the example is \(length) tokens long and a sequence holds \(maximumLength); "
                + "raise training.sequence_length, or set objective.truncate, so that prompts lose their beginning."
        )
    }

    private func sequence(
        prompt: String, answer: String, place: String, _ encoder: inout SequenceEncoder
    ) throws -> WeightedTokens {
        guard case .chat(let template) = format else {
            return try plainSequence(prompt: prompt, answer: answer, place: place, &encoder)
        }
        let messages = [
            ChatMessage(role: .user, content: prompt),
            ChatMessage(role: .assistant, content: answer),
        ]
        return try sequence(of: messages, template, place: place, &encoder)
    }

    private func plainSequence(
        prompt: String, answer: String, place: String, _ encoder: inout SequenceEncoder
    ) throws -> WeightedTokens {
        precondition(encoder.tokenizer === tokenizer, "the encoder has another tokenizer")
        let ids = encoder.ids(of: prompt + answer)
        let start = tokenizer.border(behind: encoder.ids(of: prompt), in: ids)
        // Else EOS alone would be learned, and nobody would see it.
        if start == ids.count && !answer.isEmpty {
            throw ObjectiveError(
                place: place,
                "every token of the answer is masked, since the tokenizer joins it with the end of the prompt; "
                    + "end the prompt without white space and begin the answer with it.")
        }
        return WeightedTokens(ids, answerStart: start, tokenizer)
    }

    private func sequence(
        of messages: [ChatMessage], _ template: ChatTemplate, place: String,
        _ encoder: inout SequenceEncoder
    ) throws -> WeightedTokens {
        precondition(encoder.tokenizer === tokenizer, "the encoder has another tokenizer")
        do {
            let encoding = try BorderedEncoding(try template.segments(messages), &encoder)
            return WeightedTokens(encoding, tokenizer)
        } catch let error as TokenizerError {
            throw ObjectiveError(place: place, error.description)
        }
    }
}

/// Tokens and whether each is a target, before they are cut to length.
private struct WeightedTokens {
    var ids: [Int]
    var isTarget: [Bool]
    /// Whether the first is BOS, which stays when tokens are cut.
    private let hasBeginning: Bool

    /// A conversation, whose template spells BOS and EOS.
    init(_ encoding: BorderedEncoding, _ tokenizer: Tokenizer) {
        ids = encoding.ids
        isTarget = encoding.isTarget
        hasBeginning = ids.first != nil && ids.first == tokenizer.beginningID
    }

    /// A question and its answer, with BOS put before and EOS, a target, behind.
    init(_ text: [Int], answerStart: Int, _ tokenizer: Tokenizer) {
        let beginning = tokenizer.beginningID.map { [$0] } ?? []
        let end = tokenizer.endID.map { [$0] } ?? []
        ids = beginning + text + end
        isTarget = ids.indices.map { $0 >= beginning.count + answerStart }
        hasBeginning = ids.first != nil && ids.first == tokenizer.beginningID
    }

    /// Tokens of the prompt that may be cut: without BOS one has to stay, which predicts the first target.
    var promptLength: Int { max(0, (isTarget.firstIndex(of: true) ?? ids.count) - 1) }

    /// Removes `count` tokens from the left, behind BOS.
    mutating func cut(_ count: Int) {
        let first = hasBeginning ? 1 : 0
        ids.removeSubrange(first..<first + count)
        isTarget.removeSubrange(first..<first + count)
    }

    func example(place: String) throws -> TrainingExample {
        guard isTarget.dropFirst().contains(true) else {
            throw ObjectiveError(
                place: place,
                "every token of the example is masked, so that there is nothing to learn from it; "
                    + "give it an answer, or raise training.sequence_length when it was truncated.")
        }
        let weights = isTarget.indices.map { Float($0 > 0 && isTarget[$0] ? 1 : 0) }
        return TrainingExample(tokens: ids.map(Int32.init), lossWeights: weights, place: place)
    }
}
