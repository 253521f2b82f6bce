import Tokenizers

/// Files of a language model that cannot be used: one sentence with the file, what is wrong and the cure.
public struct LanguageModelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// Makes an error about the file or folder at `path`.
    ///
    /// - Parameters:
    ///   - path: the file or folder.
    ///   - problem: what is wrong and what would be right; completes "`path`: …".
    public init(path: String, _ problem: String) {
        description = onOneLine("\(path): \(problem)")
    }
}

/// The first few of `names`, quoted, and how many more there are.
func quotedList(_ names: some Collection<String>) -> String {
    let shown = names.prefix(4).map { quoted($0) }.joined(separator: ", ")
    return names.count > 4 ? "\(shown) and \(names.count - 4) more" : shown
}
