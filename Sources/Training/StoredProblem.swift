import TensorStorage

/// One thing that is wrong with what is stored.
public struct StoredProblem: Hashable, Sendable {
    /// The file or folder.
    public let file: String
    /// One sentence with the file and the cure.
    public let message: String
    /// Whether stored data is damaged; otherwise a configuration asks for something impossible.
    public let isDamage: Bool

    /// - Parameters:
    ///   - file: the file or folder.
    ///   - message: one sentence with the file and the cure.
    ///   - isDamage: whether stored data is damaged.
    public init(file: String, message: String, isDamage: Bool) {
        self.file = file
        self.message = message
        self.isDamage = isDamage
    }

    /// An error as a problem of `file`: its sentence, with the file in front when it does not name it, and a cure when
    /// it has none.
    public init(_ error: any Error, about file: String, isDamage: Bool) {
        var message = "\(error)"
        if !message.contains(file) { message = "\(file): \(message)" }
        if isDamage && !message.contains(";") || error is TensorStorageError {
            if message.hasSuffix(".") { message.removeLast() }
            message += "; restore it from a copy, or remove it and make it again"
        }
        self.init(file: file, message: message, isDamage: isDamage)
    }
}
