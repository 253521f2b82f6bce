import Corpora
import TestSupport
import Testing

/// Imported entries as texts, questions and preferences.
@Suite struct EntryTests {
    private let folder: TemporaryDirectory
    private let documents: [CorpusDocument]

    /// Two animals, one of them in two synsets that say the same, and a food that is alone in its domain.
    init() throws {
        folder = try TemporaryDirectory()
        try folder.write(
            """
            00001740 05 n 02 sea_otter 0 otter 1 000 | an otter of the sea
            00001741 05 n 01 marten 0 000 | a slender animal
            00001742 05 n 01 pine_marten 0 000 | a slender animal
            00001743 13 n 01 bread 0 000 | baked dough

            """, to: "data.noun")
        documents = try Corpus.read(
            sources: [.imported(.wordnet, path: folder.file("data.noun"))]
        ).documents
    }

    @Test func textsStayAsTheyAre() {
        #expect(documents.entries(as: .text) == documents)
    }

    @Test func questionsAskForTheDefinition() {
        let questions = documents.entries(as: .question)
        #expect(
            questions.map(\.content) == [
                .completion(
                    prompt: "What is the meaning of 'sea otter'?", completion: "an otter of the sea"
                ),
                .completion(
                    prompt: "What is the meaning of 'marten'?", completion: "a slender animal"),
                .completion(
                    prompt: "What is the meaning of 'pine marten'?", completion: "a slender animal"),
                .completion(prompt: "What is the meaning of 'bread'?", completion: "baked dough"),
            ])
        #expect(questions.map(\.place) == documents.map(\.place))
        #expect(questions.map(\.domain) == documents.map(\.domain))
    }

    /// Against the next definition of the domain that says something else, around its end; bread has none.
    @Test func preferencesAreAgainstAnotherDefinitionOfTheDomain() {
        #expect(
            documents.entries(as: .preference).map(\.content) == [
                .preference(
                    prompt: "What is the meaning of 'sea otter'?", chosen: "an otter of the sea",
                    rejected: "a slender animal"),
                .preference(
                    prompt: "What is the meaning of 'marten'?", chosen: "a slender animal",
                    rejected: "an otter of the sea"),
                .preference(
                    prompt: "What is the meaning of 'pine marten'?", chosen: "a slender animal",
                    rejected: "an otter of the sea"),
            ])
    }

    /// What text-adapt-cft reads.
    @Test func everyEntryHasAContextualPromptOfItsOwn() {
        #expect(
            documents[0].fields["contextual_prompt"]
                == "The following text defines 'sea otter' (noun.animal). Focus on what it means and on what tells it from "
                + "related terms.")
        #expect(Set(documents.map { $0.fields["contextual_prompt"] }).count == 4)
    }

    @Test func whatWasNotImportedStaysAsItIs() throws {
        let corpus = try folder.corpus("{\"text\": \"A text.\", \"title\": \"x\"}")
        #expect(corpus.documents.entries(as: .question) == corpus.documents)
        #expect(corpus.documents.entries(as: .preference) == corpus.documents)
    }
}
