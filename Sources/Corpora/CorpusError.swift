import Tokenizers

/// A corpus that cannot be read or used: one sentence with the place, what is wrong and the cure.
public struct CorpusError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// Makes an error about no place in particular.
    public init(_ description: String) { self.description = onOneLine(description) }

    /// Makes an error at `place`, such as `corpus.jsonl:12`.
    public init(_ place: String, _ text: String) { self.init("\(place): \(text)") }

    /// A problem of the line at `place`.
    init(_ place: String, _ problem: FileProblem) {
        // The parser calls the whole it was given "the file"; here that is a line.
        let name = "the file"
        let isAboutWhole = problem.text.hasPrefix(name + " ")
        self.init(
            place, isAboutWhole ? "the line" + problem.text.dropFirst(name.count) : problem.text)
    }
}
