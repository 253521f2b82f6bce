/// What takes a while before the first update.
public enum Preparation: Sendable {
    /// An endpoint is asked for the documents' contextual prompts.
    case prompts
    /// Documents become examples, to find out what training would stumble over.
    case examples
    /// The starting model's log-probabilities of preferences are computed.
    case reference

    /// What is done, and what is counted.
    public var words: (label: String, unit: String) {
        switch self {
        case .prompts: ("contextual prompts", "documents")
        case .examples: ("looking through the corpus", "documents")
        case .reference: ("reference of dpo", "pairs")
        }
    }
}

/// Who is told how far preparations have come.
public struct PreparationReporter {
    let advanced: (_ what: Preparation, _ done: Int, _ total: Int) -> Void
    let ended: () -> Void

    /// - Parameters:
    ///   - advanced: told how much is done of how much.
    ///   - ended: told when that preparation is over.
    public init(
        advanced: @escaping (_ what: Preparation, _ done: Int, _ total: Int) -> Void = { _, _, _ in
        }, ended: @escaping () -> Void = {}
    ) {
        self.advanced = advanced
        self.ended = ended
    }
}
