/// The forms that documents have; an objective takes some of them.
public enum DocumentKind: String, CaseIterable, Sendable {
    /// A text to be learned.
    case text
    /// A question and its answer.
    case completion
    /// A conversation.
    case messages
    /// Two answers to a prompt.
    case preference
}

extension DocumentContent {
    /// Which form it has.
    public var kind: DocumentKind {
        switch self {
        case .text: .text
        case .completion: .completion
        case .messages: .messages
        case .preference: .preference
        }
    }
}
