import Tokenizers

/// A text run that cannot go on: one sentence with the file or document, what is wrong and the cure.
public struct FineTuningError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// Makes an error about the file or folder at `path`.
    init(_ path: String, _ problem: String) { description = onOneLine("\(path): \(problem)") }
}
