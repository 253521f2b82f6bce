import Tokenizers

/// How a question and its answer become text.
public enum AnswerFormat: Sendable, Hashable {
    /// Prompt and completion as they stand, with BOS before and EOS behind.
    case plain
    /// A conversation; a prompt is the user's message and its completion the assistant's.
    case chat(ChatTemplate)

    /// The format called `name`: `plain`, or a chat template's name.
    ///
    /// - Throws: `TokenizerError` that names an unknown one.
    public init(named name: String) throws {
        self = name == "plain" ? .plain : .chat(try ChatTemplate(named: name))
    }
}
