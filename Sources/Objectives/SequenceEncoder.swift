import Tokenizers

/// Encodes the texts of many documents with one tokenizer: it remembers words and contextual prompts that it has met.
///
/// What it makes is what a new one makes, only sooner: a document's sequences do not depend on those before it.
public struct SequenceEncoder: Sendable {
    /// Prompts of each document's own never come back, so the memory starts again when it holds this many.
    private static let maximumPromptCount = 1024

    /// Makes the tokens.
    public let tokenizer: Tokenizer
    private var words: TokenEncoder
    /// The ids of contextual prompts alone; with the text, since strings that are equal may be other bytes (`é`).
    private var prompts: [String: (text: String, ids: [Int])] = [:]

    /// Makes one that has met nothing.
    public init(_ tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
        words = tokenizer.makeEncoder()
    }

    /// The ids of a text in which nothing is a special token.
    mutating func ids(of text: String) -> [Int] {
        words.encode(text, adding: .none, literally: true)
    }

    /// The ids of a contextual prompt alone.
    mutating func ids(ofPrompt prompt: String) -> [Int] {
        if let known = prompts[prompt], known.text.utf8.elementsEqual(prompt.utf8) {
            return known.ids
        }
        if prompts.count >= Self.maximumPromptCount { prompts = [:] }
        let ids = ids(of: prompt)
        prompts[prompt] = (prompt, ids)
        return ids
    }

    /// The ids of parts that follow each other, see `Tokenizer.encode(parts:adding:)`.
    ///
    /// - Throws: `TokenizerError` when a special part is no special token of ``tokenizer``.
    mutating func encode(parts: [EncodingPart]) throws -> (ids: [Int], ends: [Int]) {
        try words.encode(parts: parts)
    }
}
