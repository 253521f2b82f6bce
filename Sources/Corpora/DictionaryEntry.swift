/// What an importer reads: a term and what it means.
///
/// Its document is a text for continued pretraining. The same entry can be asked for and answered, or answered rightly
/// and wrongly, so that every objective has something to learn from an imported corpus.
struct DictionaryEntry {
    let term: String
    let definition: String
    let domain: String?

    /// Members of the document's fields.
    enum Field {
        static let term = "term"
        static let definition = "definition"
        /// A contextual prompt of the document's own, made from its term and domain.
        static let prompt = "contextual_prompt"
    }

    func document(_ text: String, place: String) -> CorpusDocument {
        let kind = domain.map { " (\($0.replacing("_", with: " ")))" } ?? ""
        let prompt =
            "The following text defines '\(term)'\(kind). Focus on what it means and on what tells it from related terms."
        return CorpusDocument(
            .text(text), place: place, domain: domain,
            fields: [
                Field.term: term, Field.definition: definition, Field.prompt: prompt,
            ])
    }
}

/// The form in which the documents of an imported corpus are wanted.
public enum EntryForm: Sendable, Hashable {
    /// Texts.
    case text
    /// `What is the meaning of 'term'?` and the definition.
    case question
    /// The same question, with the entry's definition preferred to that of another entry of its domain.
    case preference
}

extension Array where Element == CorpusDocument {
    /// The imported documents of texts in another form; those that were not imported stay as they are, and so does an entry
    /// whose domain has no other definition.
    public func entries(as form: EntryForm) -> [CorpusDocument] {
        guard form != .text else { return self }
        let others = form == .preference ? otherDefinitions() : [:]
        return enumerated().compactMap { index, document in
            guard let term = document.fields[DictionaryEntry.Field.term],
                let definition = document.fields[DictionaryEntry.Field.definition]
            else { return document }
            let question = "What is the meaning of '\(term)'?"
            let content: DocumentContent
            if form == .question {
                content = .completion(prompt: question, completion: definition)
            } else if let other = others[index] {
                content = .preference(prompt: question, chosen: definition, rejected: other)
            } else {
                return nil
            }
            return CorpusDocument(
                content, place: document.place, domain: document.domain, fields: document.fields)
        }
    }

    /// For each entry the definition of the next one of its domain that says something else, the last one's being the
    /// first's.
    private func otherDefinitions() -> [Int: String] {
        var others: [Int: String] = [:]
        let groups = Dictionary(grouping: indices) { self[$0].domain }
        for places in groups.values {
            let definitions = places.map { self[$0].fields[DictionaryEntry.Field.definition] }
            for (number, place) in places.enumerated() {
                let rest = (1..<places.count).lazy.map {
                    definitions[(number + $0) % places.count]
                }
                others[place] =
                    rest.first { $0 != nil && $0 != definitions[number] } ?? nil
            }
        }
        return others
    }
}
