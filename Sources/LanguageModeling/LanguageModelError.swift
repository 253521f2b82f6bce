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
        // Names in files may hold line ends and other control characters; a sentence stays on its line.
        description = "\(path): \(problem)".unicodeScalars.map { scalar in
            let isControl = scalar.properties.generalCategory == .control
            return isControl ? scalar.escaped(asASCII: false) : String(scalar)
        }.joined()
    }
}

/// `text` in single quotes, shortened when it is long.
func quoted(_ text: String) -> String {
    text.count <= 80 ? "'\(text)'" : "'\(text.prefix(77))…'"
}

/// The first few of `names`, quoted, and how many more there are.
func quotedList(_ names: some Collection<String>) -> String {
    let shown = names.prefix(4).map(quoted).joined(separator: ", ")
    return names.count > 4 ? "\(shown) and \(names.count - 4) more" : shown
}
