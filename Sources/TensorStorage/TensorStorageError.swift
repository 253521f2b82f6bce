/// A tensor file that cannot be read or written, in one sentence that names the file, the tensor and the problem.
public struct TensorStorageError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The sentence shown to the user.
    public let description: String

    /// An error about a whole file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - problem: what is wrong and what would be right; completes "`path`: …".
    public init(path: String, _ problem: String) {
        description = "\(path): \(problem)"
    }

    /// An error about one tensor of a file.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - tensor: the tensor's name.
    ///   - problem: what is wrong and what would be right; completes "`path`: tensor "`tensor`" …".
    public init(path: String, tensor: String, _ problem: String) {
        description = "\(path): tensor \(quoted(tensor)) \(problem)"
    }
}

/// `text` in quotation marks with control characters escaped, shortened so that a message stays one readable line.
func quoted(_ text: String) -> String {
    let limit = 120
    guard text.unicodeScalars.count > limit else { return text.debugDescription }
    return (String(String.UnicodeScalarView(text.unicodeScalars.prefix(limit))) + "…")
        .debugDescription
}
