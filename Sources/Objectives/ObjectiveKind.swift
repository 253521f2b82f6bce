import Corpora

/// The objectives a language model is fine-tuned with, by the field's names.
public enum ObjectiveKind: String, Sendable, CaseIterable, Codable {
    /// Continued pretraining: every token of a text is a target.
    case cpt
    /// Contextual fine-tuning: a contextual prompt, which carries no loss, stands before every text.
    case cft
    /// CFT with prompts that work against learning, a control.
    case negCFT = "neg-cft"
    /// CFT with a prompt of each document's own.
    case textAdaptCFT = "text-adapt-cft"
    /// Instruction fine-tuning: answers are the targets.
    case ift
    /// Direct preference optimization: of two answers the first is preferred.
    case dpo
    /// CPT on texts with exercises about them behind (AdaptLLM).
    case readingComprehension = "reading-comprehension"

    /// Whether a contextual prompt stands before each text.
    public var usesContextualPrompt: Bool {
        switch self {
        case .cft, .negCFT, .textAdaptCFT: true
        case .cpt, .ift, .dpo, .readingComprehension: false
        }
    }

    /// The documents that this objective can be trained on.
    public var documentKinds: [DocumentKind] {
        switch self {
        case .cpt, .cft, .negCFT, .textAdaptCFT, .readingComprehension: [.text]
        case .ift: [.completion, .messages]
        case .dpo: [.preference]
        }
    }

    /// Checks that this objective can be trained on `document`.
    ///
    /// - Throws: ``ObjectiveError`` that names the document, what it has and what is needed.
    public func check(_ document: CorpusDocument) throws {
        if documentKinds.contains(document.content.kind) { return }
        let needed = documentKinds.map(\.members).joined(separator: ", or with ")
        throw ObjectiveError(
            "\(rawValue) needs documents with \(needed); \(document.place) has \(document.content.kind.members)."
        )
    }
}

extension DocumentKind {
    /// The members of such a document's JSONL line.
    fileprivate var members: String {
        switch self {
        case .text: "text"
        case .completion: "prompt and completion"
        case .messages: "messages"
        case .preference: "prompt, chosen and rejected"
        }
    }
}
