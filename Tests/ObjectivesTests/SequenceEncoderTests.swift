import ContextualPrompts
import Corpora
import Objectives
import TestSupport
import Testing
import Tokenizers

/// An encoder that has met other documents: it changes nothing.
@Suite struct SequenceEncoderTests {
    /// What a document gives, or the error about it.
    private enum Outcome: Equatable {
        case examples([TrainingExample])
        case problem(String)

        init(_ make: () throws -> [TrainingExample]) {
            do {
                self = .examples(try make())
            } catch {
                self = .problem("\(error)")
            }
        }
    }

    /// A document for each content, of texts that may be empty or end in white space.
    private func documents(_ generator: inout TestGenerator) -> [DocumentContent] {
        func text(_ count: Int) -> String {
            let ends = ["", "", " ", "\n", "\n\n"]
            let words = Bool.random(using: &generator) || count > 10
            return (words ? Sample.text(count, &generator) : "")
                + (ends.randomElement(using: &generator) ?? "")
        }
        let messages = (0..<Int.random(in: 1...6, using: &generator)).map {
            ChatMessage(role: $0 % 2 == 0 ? .user : .assistant, content: text(8))
        }
        return [
            .text(text(60)), .text(text(3)), .completion(prompt: text(9), completion: text(9)),
            .messages(messages), .preference(prompt: text(9), chosen: text(4), rejected: text(4)),
        ]
    }

    private func outcome(
        _ objective: Objective, _ document: CorpusDocument, _ prompt: ContextualPrompt,
        _ index: Int, _ encoder: inout SequenceEncoder
    ) -> Outcome {
        Outcome {
            if objective.kind == .dpo {
                let pair = try objective.preferences(of: document, encoder: &encoder)
                return [pair.chosen, pair.rejected]
            }
            return try objective.examples(
                of: document, prompt: objective.kind.usesContextualPrompt ? prompt : nil,
                index: index, encoder: &encoder)
        }
    }

    @Test(arguments: Sample.tokenizerFiles)
    func documentsAreWhatTheyAreAlone(_ file: String) throws {
        let tokenizer = try Sample.tokenizer(file)
        var generator = TestGenerator(seed: 31)
        let prompts = (0..<3).map {
            ContextualPrompt(name: "\($0)", text: Sample.text(5, &generator))
        }
        for format in [AnswerFormat.plain, .chat(.llama2), .chat(.chatML)] {
            let objectives = ObjectiveKind.allCases.map {
                Objective(
                    $0, tokenizer: tokenizer, maximumLength: 160, format: format, truncates: true)
            }
            var encoder = objectives[0].makeEncoder()
            var made = 0
            for round in 0..<12 {
                let prompt = prompts[round % prompts.count]
                for (content, objective) in documents(&generator).flatMap({ content in
                    objectives.map { (content, $0) }
                }) where objective.kind.documentKinds.contains(content.kind) {
                    let document = CorpusDocument(content, place: "a.jsonl:\(round)")
                    var fresh = objective.makeEncoder()
                    let alone = outcome(objective, document, prompt, round, &fresh)
                    #expect(outcome(objective, document, prompt, round, &encoder) == alone)
                    if case .examples = alone { made += 1 }
                }
            }
            #expect(made > 60, "of 156")
        }
    }

    /// A contextual prompt that is remembered and a question that is not are cut from what follows in the same way.
    @Test(arguments: Sample.tokenizerFiles)
    func contextualPromptsAreCutAsQuestionsAre(_ file: String) throws {
        let tokenizer = try Sample.tokenizer(file)
        let texts = TextSequences(tokenizer: tokenizer, maximumLength: 4096)
        let answers = AnswerSequences(
            tokenizer: tokenizer, maximumLength: 4096, format: .plain)
        var encoder = SequenceEncoder(tokenizer)
        var generator = TestGenerator(seed: 32)
        let prompts = (0..<4).map { _ in Sample.text(6, &generator) }
        for round in 0..<100 {
            let (prompt, text) = (prompts[round % prompts.count], Sample.text(20, &generator))
            let example = try texts.examples(
                of: text, prompt: prompt, place: "a", encoder: &encoder)
            let answer = try answers.example(
                prompt: prompt + "\n\n", completion: text, place: "a")
            #expect(example == [answer])
        }
    }

    /// More prompts than are remembered.
    @Test func promptsOfEachDocumentsOwnAreForgotten() throws {
        let tokenizer = try Sample.tokenizer()
        let texts = TextSequences(tokenizer: tokenizer, maximumLength: 64)
        var encoder = SequenceEncoder(tokenizer)
        for round in 0..<2100 {
            let prompt = "Once \(round % 1050)"
            let examples = try texts.examples(
                of: "upon a time", prompt: prompt, place: "a", encoder: &encoder)
            let ids = try tokenizer.encode(
                parts: [.literal(prompt + "\n\nupon a time")]
            ).ids
            #expect(examples.map(\.ids) == [tokenizer.beginning + ids + tokenizer.end])
        }
    }

    /// Equal as strings, of other bytes and so of other tokens: a precomposed letter, and one with its accent behind.
    @Test func promptsThatAreEqualAsStringsAreKeptApart() throws {
        let texts = TextSequences(tokenizer: try Sample.tokenizer(), maximumLength: 64)
        var encoder = SequenceEncoder(texts.tokenizer)
        for prompt in ["\u{E9}", "e\u{301}", "\u{E9}"] {
            let alone = try texts.examples(of: "Once", prompt: prompt, place: "a")
            let warm = try texts.examples(
                of: "Once", prompt: prompt, place: "a", encoder: &encoder)
            #expect(warm == alone)
        }
    }
}
