import Tokenizers

/// Pairs of answers in TRL's forms.
///
/// Answers are strings, or lists of messages; lists may begin with the conversation so far, and where no prompt is
/// given their shared beginning is the prompt. Of the lists, those with one question and one answer can be used.
extension CorpusLine {
    /// The prompt and its two answers.
    func preference() throws(FileProblem) -> DocumentContent {
        let chosen = try required("chosen")
        let rejected = try required("rejected")
        if (try? chosen.elements()) != nil && (try? rejected.elements()) != nil {
            return try preference(
                chosen: Self.messages(chosen), rejected: Self.messages(rejected))
        }
        return try preference(
            prompt: filled("prompt"), chosen: filled("chosen"), rejected: filled("rejected"))
    }

    private func preference(
        chosen: [ChatMessage], rejected: [ChatMessage]
    ) throws(FileProblem) -> DocumentContent {
        if chosen == rejected { throw Self.equalAnswers }
        let shared = zip(chosen, rejected).prefix { $0 == $1 }.map(\.0)
        let prompt = try promptMessages() ?? shared
        let tails = [chosen, rejected].map { messages in
            messages.starts(with: prompt) ? messages.dropFirst(prompt.count) : messages[...]
        }
        guard let question = prompt.first, prompt.map(\.role) == [.user],
            let better = tails[0].first, let worse = tails[1].first,
            tails.allSatisfy({ $0.map(\.role) == [.assistant] })
        else {
            throw FileProblem(
                "'chosen' and 'rejected' are lists of messages, of which only one question of the user's with one "
                    + "answer of the assistant's can be used; write 'prompt', 'chosen' and 'rejected' as strings."
            )
        }
        return try preference(
            prompt: question.content, chosen: better.content, rejected: worse.content)
    }

    /// The prompt that is given for lists; nil when they begin with it.
    private func promptMessages() throws(FileProblem) -> [ChatMessage]? {
        guard let node = member("prompt") else { return nil }
        if (try? node.elements()) != nil { return try Self.messages(node) }
        return [ChatMessage(role: .user, content: try filled("prompt"))]
    }

    private func preference(
        prompt: String, chosen: String, rejected: String
    ) throws(FileProblem) -> DocumentContent {
        if chosen == rejected { throw Self.equalAnswers }
        return .preference(prompt: prompt, chosen: chosen, rejected: rejected)
    }

    private static let equalAnswers = FileProblem(
        "'chosen' and 'rejected' say the same, where two answers are to be told apart; remove the line."
    )
}
