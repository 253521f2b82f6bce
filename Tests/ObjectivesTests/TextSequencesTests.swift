import Objectives
import TestSupport
import Testing
import Tokenizers

/// Texts with and without contextual prompts: CPT and CFT.
@Suite struct TextSequencesTests {
    private func sequences(_ file: String, _ maximumLength: Int = 64) throws -> TextSequences {
        TextSequences(tokenizer: try Sample.tokenizer(file), maximumLength: maximumLength)
    }

    private func one(
        _ file: String, _ text: String, prompt: String?
    ) throws -> (pieces: [String], weights: [Float]) {
        let sequences = try sequences(file)
        let examples = try sequences.examples(of: text, prompt: prompt, place: "a.jsonl:1")
        let example = try #require(examples.count == 1 ? examples.first : nil)
        #expect(example.place == "a.jsonl:1")
        return (sequences.tokenizer.pieces(example.ids), example.lossWeights)
    }

    // MARK: By hand

    @Test func everyTokenButTheFirstIsATargetOfCPT() throws {
        let (pieces, weights) = try one("stories260K.json", "Once upon", prompt: nil)
        #expect(pieces == ["<s>", "▁Once", "▁upon", "</s>"])
        #expect(weights == [0, 1, 1, 1])
    }

    /// The text's first token is predicted from the prompt, and neither the prompt nor the blank line is a target.
    @Test func onlyTheTextIsATargetOfCFT() throws {
        let (pieces, weights) = try one("stories260K.json", "A time", prompt: "Once upon")
        #expect(
            pieces == ["<s>", "▁Once", "▁upon", "<0x0A>", "<0x0A>", "A", "▁time", "</s>"])
        #expect(weights == [0, 0, 0, 0, 0, 1, 1, 1])
    }

    /// GPT-2 cuts a blank line into `Ċ`, `Ċ` before a text and has one `ĊĊ` at an end: both line ends are the prompt's. Of
    /// four it makes `ĊĊĊ`, `Ċ`: the first is the prompt's too, in part.
    @Test(arguments: [
        ("b", ["a", "Ċ", "Ċ", "b"], 3), ("\n\nb", ["a", "ĊĊĊ", "Ċ", "b"], 2),
        (" b", ["a", "ĊĊ", "Ġb"], 2), ("\n\n\n\n\n", ["a", "ĊĊ", "ĊĊ", "ĊĊĊ"], 2),
    ])
    func tokensOfThePromptAndAcrossTheBorderAreMasked(
        _ text: String, _ expected: [String], _ masked: Int
    ) throws {
        let folder = try TemporaryDirectory()
        let tokenizer = try Sample.tokenizerWithLineEnds("gpt2.json", in: folder)
        let examples = try TextSequences(tokenizer: tokenizer, maximumLength: 64)
            .examples(of: text, prompt: "a", place: "a")
        let example = try #require(examples.first)
        #expect(tokenizer.pieces(example.ids) == expected)
        #expect(example.lossWeights == expected.indices.map { $0 < masked ? 0 : 1 })
    }

    // MARK: Long documents

    /// Six tokens of text and EOS, in stretches of what BOS leaves; EOS does not stand alone.
    @Test func longTextsAreCutWithBOSBeforeEachPart() throws {
        let sequences = try sequences("stories260K.json", 4)
        let text = "Once upon time time upon Once"
        let examples = try sequences.examples(of: text, prompt: nil, place: "a.jsonl:7")
        #expect(
            examples.map { sequences.tokenizer.pieces($0.ids) } == [
                ["<s>", "▁Once", "▁upon", "▁time"], ["<s>", "▁time", "▁upon"],
                ["<s>", "▁Once", "</s>"],
            ])
        #expect(
            examples.map(\.place) == (1...3).map { "a.jsonl:7, part \($0) of 3" })
        #expect(
            examples.allSatisfy { $0.lossWeights == [0] + $0.tokens.dropFirst().map { _ in 1 } })
    }

    /// Without BOS a stretch is led by the last token of the one before, so that only the first of all is no target.
    @Test func textsWithoutBOSAreLedByTheirOwnTokens() throws {
        let sequences = try sequences("gpt2.json", 5)
        let text = "The small model learns how to learn while it is fine-tuned."
        let ids = sequences.tokenizer.encode(text, adding: .none)
        try #require(ids.count > 10)
        let examples = try sequences.examples(of: text, prompt: nil, place: "a")
        #expect(examples.flatMap(\.targets) == Array(ids.dropFirst()))
        #expect(
            zip(examples, examples.dropFirst()).allSatisfy { $0.tokens.last == $1.tokens.first })
        #expect(examples.allSatisfy { $0.tokens.count <= 5 })
    }

    @Test(arguments: Sample.tokenizerFiles)
    func everyTokenOfATextIsATargetOnce(_ file: String) throws {
        let tokenizer = try Sample.tokenizer(file)
        var generator = TestGenerator(seed: 11)
        for _ in 0..<150 {
            let text = Sample.text(60, &generator)
            let maximum = Int.random(in: 2...40, using: &generator)
            let ids = try tokenizer.encode(parts: [.literal(text)]).ids + tokenizer.end
            if tokenizer.beginningID == nil && ids.count < 2 { continue }
            let examples = try TextSequences(tokenizer: tokenizer, maximumLength: maximum)
                .examples(of: text, prompt: nil, place: "a")
            let expected = tokenizer.beginningID == nil ? Array(ids.dropFirst()) : ids
            #expect(examples.flatMap(\.targets) == expected)
            checkForm(examples, tokenizer, maximum)
        }
    }

    @Test(arguments: Sample.tokenizerFiles)
    func promptsAreBeforeEveryPartAndNeverATarget(_ file: String) throws {
        let tokenizer = try Sample.tokenizer(file)
        var generator = TestGenerator(seed: 12)
        var faithful = 0
        for _ in 0..<150 {
            let (prompt, text) = (Sample.text(4, &generator), Sample.text(60, &generator))
            let whole = try tokenizer.encode(parts: [.literal(prompt + "\n\n" + text)]).ids
            let alone = try tokenizer.encode(parts: [.literal(prompt + "\n\n")]).ids
            let maximum = 2 * (alone.count + 12)
            let examples = try TextSequences(tokenizer: tokenizer, maximumLength: maximum)
                .examples(of: text, prompt: prompt, place: "a")
            checkForm(examples, tokenizer, maximum)
            // The ids are those of prompt and text together, cut.
            let first = try #require(examples.first)
            let targets = examples.flatMap(\.targets)
            #expect(first.lead + targets == tokenizer.beginning + whole + tokenizer.end)
            #expect(examples.dropFirst().allSatisfy { $0.lead == tokenizer.beginning + alone })
            // What is learned is the text, what is not is the prompt.
            let learned = tokenizer.text(of: targets, after: first.lead)
            let all = tokenizer.decode(first.lead + targets)
            #expect(all == tokenizer.decode(first.lead) + learned)
            // Where the tokenizer's own text of its ids is the text it was given.
            if tokenizer.decode(whole) != prompt + "\n\n" + text { continue }
            faithful += 1
            #expect(learned == text)
        }
        #expect(faithful == 150 || ["metaspace.json", "sentencepiece.model"].contains(file))
    }

    private func checkForm(
        _ examples: [TrainingExample], _ tokenizer: Tokenizer, _ maximumLength: Int
    ) {
        for example in examples {
            #expect(example.tokens.count <= maximumLength && example.targetWeight >= 1)
            guard let beginning = tokenizer.beginningID else { continue }
            #expect(example.ids.first == beginning && example.ids.count { $0 == beginning } == 1)
        }
        guard let end = tokenizer.endID else { return }
        #expect(examples.flatMap(\.ids).count { $0 == end } == 1)
        #expect(examples.last?.ids.last == end)
    }

    // MARK: Errors

    private func problem(
        _ file: String, _ text: String, prompt: String?, maximumLength: Int = 64
    ) throws -> String? {
        let sequences = try sequences(file, maximumLength)
        let error = #expect(throws: ObjectiveError.self) {
            try sequences.examples(of: text, prompt: prompt, place: "a\n.jsonl:3")
        }
        return error?.description
    }

    @Test func documentsWithoutTargetsAreNamed() throws {
        let empty = #"a\n.jsonl:3: the document has no tokens; remove it from the corpus."#
        #expect(try problem("stories260K.json", "", prompt: nil) == empty)
        #expect(try problem("stories260K.json", "", prompt: "Once") == empty)
        #expect(
            try problem("gpt2.json", "a", prompt: nil)
                == #"a\n.jsonl:3: the document is a single token, which nothing predicts; remove it from the corpus."#
        )
        let folder = try TemporaryDirectory()
        let joining = TextSequences(
            tokenizer: try Sample.tokenizerWithLineEnds("gpt2.json", in: folder),
            maximumLength: 64)
        let masked = #expect(throws: ObjectiveError.self) {
            try joining.examples(of: "\n", prompt: "a", place: "a:3")
        }
        #expect(
            masked?.description
                == #"a:3: every token of the document is masked, since the tokenizer joins its text with the end "#
                + "of the contextual prompt; remove it from the corpus.")
    }

    /// BOS, `▁Once` and the blank line are 4 tokens; 8 more are needed, or a quarter of the sequence.
    @Test func longPromptsAreNamed() throws {
        #expect(
            try problem("stories260K.json", "upon", prompt: "Once", maximumLength: 11)
                == #"a\n.jsonl:3: the contextual prompt takes 4 of the 11 tokens of a sequence and leaves 7 for the text, "#
                + "where 8 are needed; shorten the prompt or raise training.sequence_length.")
        let text = String(repeating: "Once ", count: 50) + "upon"
        #expect(try sequences("stories260K.json", 12).minimumTextLength == 8)
        let cut = try sequences("stories260K.json", 12).examples(
            of: text, prompt: "Once", place: "a")
        #expect(cut.count == 7)
        #expect(try sequences("stories260K.json", 400).minimumTextLength == 100)
        let prompt = String(repeating: "Once ", count: 500)
        #expect(
            try problem("stories260K.json", "upon", prompt: prompt)?.contains(
                "leaves 0 for the text")
                == true)
    }
}
