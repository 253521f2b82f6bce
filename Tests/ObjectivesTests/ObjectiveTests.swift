import ContextualPrompts
import Corpora
import Objectives
import Testing
import Tokenizers

/// Objectives by name, and the documents they take.
@Suite struct ObjectiveTests {
    private static let documents = [
        CorpusDocument(.text("We stayed home because it rained."), place: "a.jsonl:1"),
        CorpusDocument(.completion(prompt: "Once", completion: " upon"), place: "a.jsonl:2"),
        CorpusDocument(
            .messages([
                ChatMessage(role: .user, content: "Hi"),
                ChatMessage(role: .assistant, content: "Once"),
            ]), place: "a.jsonl:3"),
        CorpusDocument(
            .preference(prompt: "Once", chosen: " upon", rejected: " time"), place: "a.jsonl:4"),
    ]
    private static let prompt = ContextualPrompt(name: "Focus", text: "Look at the words.")

    private func objective(_ kind: ObjectiveKind, seed: UInt64 = 0) throws -> Objective {
        Objective(
            kind, tokenizer: try Sample.tokenizer(), maximumLength: 256, format: .chat(.llama2),
            seed: seed)
    }

    @Test func namesAreTheFields() throws {
        #expect(
            ObjectiveKind.allCases.map(\.rawValue) == [
                "cpt", "cft", "neg-cft", "text-adapt-cft", "ift", "dpo", "reading-comprehension",
            ])
        #expect(try AnswerFormat(named: "plain") == .plain)
        #expect(try AnswerFormat(named: "chatml") == .chat(.chatML))
        #expect(throws: TokenizerError.self) { try AnswerFormat(named: "vicuna") }
    }

    /// Of every pair of objective and document: examples, or a sentence.
    @Test func documentsOfAnotherKindAreNamed() throws {
        let members = [
            "text", "prompt and completion", "messages", "prompt, chosen and rejected",
        ]
        for kind in ObjectiveKind.allCases {
            for (index, document) in Self.documents.enumerated() {
                let fits =
                    switch kind {
                    case .ift: index == 1 || index == 2
                    case .dpo: index == 3
                    default: index == 0
                    }
                let needed =
                    switch kind {
                    case .ift: "prompt and completion, or with messages"
                    case .dpo: "prompt, chosen and rejected"
                    default: "text"
                    }
                let objective = try objective(kind)
                func make() throws -> Int {
                    if kind == .dpo {
                        return try objective.preferences(of: document).chosen.ids.count
                    }
                    let prompt = kind.usesContextualPrompt ? Self.prompt : nil
                    return try objective.examples(of: document, prompt: prompt).count
                }
                if fits {
                    #expect(try make() > 0)
                    continue
                }
                let error = #expect(throws: ObjectiveError.self) { try make() }
                #expect(
                    error?.description
                        == "\(kind.rawValue) needs documents with \(needed); a.jsonl:\(index + 1) has \(members[index])."
                )
            }
        }
    }

    @Test func theirExamplesAreThoseOfTheSequences() throws {
        let texts = TextSequences(tokenizer: try Sample.tokenizer(), maximumLength: 256)
        let text = "We stayed home because it rained."
        let document = Self.documents[0]
        #expect(
            try objective(.cpt).examples(of: document)
                == texts.examples(of: text, prompt: nil, place: "a.jsonl:1"))
        let expected = try texts.examples(of: text, prompt: Self.prompt.text, place: "a.jsonl:1")
        for kind in [ObjectiveKind.cft, .negCFT, .textAdaptCFT] {
            #expect(try objective(kind).examples(of: document, prompt: Self.prompt) == expected)
        }
        let answers = AnswerSequences(
            tokenizer: try Sample.tokenizer(), maximumLength: 256, format: .chat(.llama2))
        #expect(
            try objective(.dpo).preferences(of: Self.documents[3])
                == answers.preference(
                    prompt: "Once", chosen: " upon", rejected: " time", place: "a.jsonl:4"))
        #expect(
            try objective(.ift).examples(of: Self.documents[1])
                == [answers.example(prompt: "Once", completion: " upon", place: "a.jsonl:2")])
    }

    /// Text and exercise are all learned; epochs, documents and seeds draw, and draw the same again.
    @Test func readingComprehensionDrawsExercises() throws {
        func texts(_ seed: UInt64, epochs: Range<Int>, index: Int = 0) throws -> [String] {
            try epochs.map { epoch in
                let examples = try objective(.readingComprehension, seed: seed).examples(
                    of: Self.documents[0], epoch: epoch, index: index)
                let example = try #require(examples.first)
                #expect(examples.count == 1)
                #expect(example.targets.count == example.tokens.count - 1)
                return try Sample.tokenizer().decode(example.ids)
            }
        }
        let drawn = try texts(1, epochs: 0..<12)
        #expect(try texts(1, epochs: 0..<12) == drawn)
        #expect(Set(drawn).count == 2)
        #expect(try texts(2, epochs: 0..<12) != drawn)
        #expect(try texts(1, epochs: 0..<12, index: 1) != drawn)
        let start = "We stayed home because it rained.\n\nQuestion: "
        #expect(drawn.allSatisfy { $0.hasPrefix(start) })
    }

    @Test func promptsComeFromWhereTheyAreSaidTo() throws {
        let document = CorpusDocument(
            .text("x"), place: "a.jsonl:9", fields: ["hint": "Mind the x.", "blank": " \n"])
        let field = ContextualPromptSource.field("hint")
        #expect(
            try field.prompt(for: document, epoch: 0, index: 0)
                == ContextualPrompt(name: "hint", text: "Mind the x."))
        let drawn = ContextualPromptSource.drawn { epoch, index in
            ContextualPrompt(name: "\(epoch)", text: "\(index)")
        }
        #expect(
            try drawn.prompt(for: document, epoch: 3, index: 5)
                == ContextualPrompt(name: "3", text: "5"))
        let made = ContextualPromptSource.made { ContextualPrompt(name: "made", text: $0.place) }
        #expect(try made.prompt(for: document, epoch: 0, index: 0).text == "a.jsonl:9")
        let missing = #expect(throws: ObjectiveError.self) {
            try ContextualPromptSource.field("context").prompt(for: document, epoch: 0, index: 0)
        }
        #expect(
            missing?.description
                == "a.jsonl:9: its contextual prompt is the member 'context', which is not there or is no text (members that are: blank, hint); "
                + "add it or name another.")
        let empty = #expect(throws: ObjectiveError.self) {
            try ContextualPromptSource.field("blank").prompt(for: document, epoch: 0, index: 0)
        }
        #expect(
            empty?.description
                == "a.jsonl:9: its contextual prompt, the member 'blank', is empty; write one or remove the document."
        )
    }
}
