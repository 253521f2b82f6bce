import ContextualPrompts
import Corpora

/// Where the contextual prompt of a document comes from.
public enum ContextualPromptSource: Sendable {
    /// Drawn for each example (CFT, NEG-CFT): the prompt of a document's number in an epoch.
    case drawn(@Sendable (_ epoch: Int, _ index: Int) -> ContextualPrompt)
    /// The member of this name in the document's JSONL line (TextAdaptCFT).
    case field(String)
    /// Made for each document (TextAdaptCFT), such as by a language model.
    case made(@Sendable (CorpusDocument) throws -> ContextualPrompt)

    /// The contextual prompt of a document.
    ///
    /// - Parameters:
    ///   - document: the document.
    ///   - epoch: which pass over the corpus.
    ///   - index: the document's number in the corpus.
    /// - Throws: ``ObjectiveError`` when the document lacks the field or it is empty, and what making a prompt throws.
    public func prompt(
        for document: CorpusDocument, epoch: Int, index: Int
    ) throws -> ContextualPrompt {
        switch self {
        case .drawn(let draw): return draw(epoch, index)
        case .made(let make): return try make(document)
        case .field(let name):
            guard let text = document.fields[name] else {
                let names = document.fields.keys.sorted().joined(separator: ", ")
                throw ObjectiveError(
                    place: document.place,
                    "its contextual prompt is the member '\(name)', which is not there or is no text (members that are: "
                        + "\(names.isEmpty ? "none" : names)); add it or name another.")
            }
            guard text.contains(where: { !$0.isWhitespace }) else {
                throw ObjectiveError(
                    place: document.place,
                    "its contextual prompt, the member '\(name)', is empty; write one or remove the document."
                )
            }
            return ContextualPrompt(name: name, text: text)
        }
    }
}
