/// Which of the tokens that a file's post-processor puts around a text are put there.
public enum SurroundingTokens: Sendable {
    /// None of them.
    case none
    /// Those in front, such as `<s>`: the beginning of a text that goes on.
    case beginning
    /// Those in front and those behind.
    case all
}

/// A part of what is encoded by ``Tokenizer/encode(parts:adding:)``.
public enum EncodingPart: Hashable, Sendable {
    /// A special token by its spelling, such as `</s>`.
    case special(String)
    /// Text in which nothing is a special token, whatever it spells.
    case literal(String)

    /// The part as text, special tokens spelled out.
    public var text: String {
        switch self {
        case .special(let text), .literal(let text): text
        }
    }
}
