/// A tokenizer file, template or message that cannot be used: one sentence with the file, what is wrong and the cure.
public struct TokenizerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The sentence.
    public let description: String

    /// Makes an error about no file in particular.
    public init(_ description: String) { self.description = onOneLine(description) }

    /// Makes an error about `source`, a path or a phrase.
    public init(source: String, _ text: String) {
        description = onOneLine("\(source): \(text)")
    }
}

/// `text` with control characters escaped: names in files may hold line ends, and a sentence stays on its line.
package func onOneLine(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
        let isControl = scalar.properties.generalCategory == .control
        return isControl ? scalar.escaped(asASCII: false) : String(scalar)
    }.joined()
}

/// A problem in a file; the reader adds the file's name.
package struct FileProblem: Error {
    package var text: String

    package init(_ text: String) { self.text = text }
}

/// The beginning of `text` when it is long.
func shortened(_ text: String) -> String {
    // By scalars: a single character can be of any length.
    let scalars = text.unicodeScalars
    return scalars.prefix(81).count <= 80 ? text : String(scalars.prefix(77)) + "…"
}

/// `text` in single quotes, shortened when it is long.
package func quoted(_ text: String) -> String { "'\(shortened(text))'" }

/// The UTF-8 `bytes` in single quotes, shortened when they are many.
func quoted(_ bytes: ArraySlice<UInt8>) -> String {
    quoted(String(decoding: bytes.prefix(400), as: UTF8.self))
}
