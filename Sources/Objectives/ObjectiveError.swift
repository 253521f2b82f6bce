import Tokenizers

/// A document or setting that makes no training example: one sentence with the document's place, what is wrong and the
/// cure.
public struct ObjectiveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// Makes an error; line ends and other control characters, which a document's name or text may hold, are escaped.
    public init(_ sentence: String) { description = onOneLine(sentence) }

    /// Makes an error about the document that was read at `place`.
    init(place: String, _ sentence: String) { self.init("\(place): \(sentence)") }
}
