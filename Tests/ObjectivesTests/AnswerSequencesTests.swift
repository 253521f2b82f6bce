import Objectives
import TestSupport
import Testing
import Tokenizers

/// Questions and answers: IFT and DPO.
@Suite struct AnswerSequencesTests {
    private func sequences(
        _ format: AnswerFormat = .plain, file: String = "stories260K.json", length: Int = 512,
        truncates: Bool = false
    ) throws -> AnswerSequences {
        AnswerSequences(
            tokenizer: try Sample.tokenizer(file), maximumLength: length, format: format,
            truncates: truncates)
    }

    private func pieces(_ example: TrainingExample) throws -> [String] {
        try Sample.tokenizer().pieces(example.ids)
    }

    private func conversation(_ messages: (ChatRole, String)...) -> [ChatMessage] {
        messages.map { ChatMessage(role: $0.0, content: $0.1) }
    }

    private func problem(_ body: () throws -> Any) -> String? {
        #expect(throws: ObjectiveError.self) { _ = try body() }?.description
    }

    // MARK: Prompt and completion

    @Test func plainCompletionsAreTargets() throws {
        let example = try sequences().example(
            prompt: "Once upon", completion: " time", place: "a:1")
        #expect(try pieces(example) == ["<s>", "▁Once", "▁upon", "▁time", "</s>"])
        #expect(example.lossWeights == [0, 0, 0, 1, 1] && example.place == "a:1")
    }

    /// Alone `upon` is other tokens than behind `Once `, where it takes the prompt's space: that token is no target.
    @Test func promptAndCompletionAreEncodedTogether() throws {
        let example = try sequences().example(
            prompt: "Once ", completion: "upon time", place: "a:1")
        #expect(try pieces(example) == ["<s>", "▁Once", "▁upon", "▁time", "</s>"])
        #expect(example.lossWeights == [0, 0, 0, 1, 1])
        let message = problem {
            try sequences().example(prompt: "Once ", completion: "upon", place: "a:1")
        }
        #expect(
            message
                == "a:1: every token of the answer is masked, since the tokenizer joins it with the end of the prompt; "
                + "end the prompt without white space and begin the answer with it.")
    }

    @Test(arguments: Sample.tokenizerFiles)
    func answersAreTheTargets(_ file: String) throws {
        let sequences = try sequences(file: file)
        let tokenizer = sequences.tokenizer
        var generator = TestGenerator(seed: 13)
        for _ in 0..<100 {
            let (prompt, answer) = (
                Sample.text(20, &generator), " " + Sample.text(20, &generator)
            )
            let example = try sequences.example(prompt: prompt, completion: answer, place: "a")
            let whole = try tokenizer.encode(parts: [.literal(prompt + answer)]).ids
            #expect(example.ids == tokenizer.beginning + whole + tokenizer.end)
            #expect(example.lead + example.targets == example.ids)
            if tokenizer.decode(whole) != prompt + answer { continue }
            #expect(tokenizer.text(of: example.targets, after: example.lead) == answer)
        }
    }

    // MARK: Conversations

    /// By hand: ` Once ` is `▁Once` and `▁` behind `]`.
    @Test func answersOfLlama2EndTheirTurn() throws {
        let example = try sequences(.chat(.llama2)).example(
            of: conversation((.user, "Hi"), (.assistant, "Once")), place: "a:1")
        #expect(try Sample.tokenizer().pieces(example.targets) == ["▁Once", "▁", "</s>"])
        #expect(example.lead + example.targets == example.ids)
        let asCompletion = try sequences(.chat(.llama2)).example(
            prompt: "Hi", completion: "Once", place: "a:1")
        #expect(asCompletion == example)
    }

    @Test func conversationsAreThoseOfTheTokenizer() throws {
        let messages = conversation(
            (.system, "Be brief.</s>"), (.user, "What is 1 + 1?"), (.assistant, "It is 2."),
            (.user, "Und é? 模型"), (.assistant, "😀 é, 学习\n\nYes."))
        for (file, template) in [
            ("stories260K.json", ChatTemplate.llama2), ("llama2.json", .llama2),
            ("sentencepiece.model", .llama2), ("llama3.json", .chatML),
        ] {
            let tokenizer = try Sample.tokenizer(file)
            let segments = try template.segments(messages)
            let (ids, isAssistant) = try tokenizer.encode(segments)
            let example = try sequences(.chat(template), file: file).example(
                of: messages, place: "a")
            #expect(example.ids == ids)
            #expect(example.lossWeights == isAssistant.map { $0 ? 1 : 0 }, "\(file)")
            let first = ids.firstIndex { $0 != tokenizer.beginningID }
            #expect(first == (template == .llama2 ? 1 : 0), "\(file) begins with one BOS or none")
        }
    }

    /// In chatML a line end stands before the answer; one that the answer begins with makes a token of both.
    @Test func tokensAcrossTheBorderOfAnAnswerAreMasked() throws {
        let folder = try TemporaryDirectory()
        let tokenizer = try Sample.tokenizerWithLineEnds("llama3.json", in: folder)
        let sequences = AnswerSequences(
            tokenizer: tokenizer, maximumLength: 64, format: .chat(.chatML))
        let example = try sequences.example(
            of: conversation((.user, "a"), (.assistant, "\nb")), place: "a")
        #expect(tokenizer.pieces(example.ids).contains("ĊĊ"))
        #expect(tokenizer.pieces(example.targets) == ["b", "<|im_end|>"])
    }

    @Test func conversationsWithoutAPlaceAreNamed() throws {
        let user = conversation((.user, "Hi"))
        #expect(
            problem { try sequences().example(of: user, place: "a:2") }
                == "a:2: the document has messages, which need a chat template, and 'plain' is none; set objective.chat_template to llama-2 or chatml."
        )
        #expect(
            problem { try sequences(.chat(.llama2)).example(of: user, place: "a:2") }
                == "a:2: every token of the example is masked, so that there is nothing to learn from it; give it an "
                + "answer, or raise training.sequence_length when it was truncated.")
        let turned = conversation((.user, "a"), (.user, "b"))
        #expect(
            problem { try sequences(.chat(.llama2)).example(of: turned, place: "a:2") }?
                .hasPrefix("a:2: message 2 is the user's; ") == true)
        #expect(
            problem { try sequences(.chat(.chatML)).example(of: user, place: "a:2") }?
                .hasPrefix("a:2: '<|im_start|>' is no special token of this tokenizer; ") == true)
    }

    // MARK: Length

    @Test func longExamplesAreNamedOrCutBehindBOS() throws {
        let (prompt, answer) = ("Once upon time upon time", " Once")
        #expect(
            problem {
                try sequences(length: 5).example(prompt: prompt, completion: answer, place: "a:3")
            }
                == "a:3: the example is 8 tokens long and a sequence holds 5; raise training.sequence_length, or set "
                + "objective.truncate, so that prompts lose their beginning.")
        let cut = try sequences(length: 5, truncates: true).example(
            prompt: prompt, completion: answer, place: "a:3")
        #expect(try pieces(cut) == ["<s>", "▁upon", "▁time", "▁Once", "</s>"])
        #expect(cut.lossWeights == [0, 0, 0, 1, 1])
        let whole = try sequences(length: 8).example(
            prompt: prompt, completion: answer, place: "a:3")
        #expect(whole.tokens.count == 8)
        let messages = conversation(
            (.user, "Hi"), (.assistant, "Once"), (.user, "Once upon a time upon a time"))
        #expect(
            problem {
                try sequences(.chat(.llama2), length: 6, truncates: true)
                    .example(of: messages, place: "a:3")
            }?.hasPrefix("a:3: every token of the example is masked") == true)
    }

    // MARK: Preferences

    @Test func preferencesShareTheirPrompt() throws {
        let pair = try sequences().preference(
            prompt: "Once", chosen: " upon", rejected: " time time", place: "a:4")
        #expect(try pieces(pair.chosen) == ["<s>", "▁Once", "▁upon", "</s>"])
        #expect(try pieces(pair.rejected) == ["<s>", "▁Once", "▁time", "▁time", "</s>"])
        #expect(pair.chosen.lossWeights == [0, 0, 1, 1])
        #expect(pair.rejected.lossWeights == [0, 0, 1, 1, 1])
        let chat = try sequences(.chat(.llama2)).preference(
            prompt: "Hi", chosen: "Once", rejected: "time", place: "a:4")
        #expect(chat.chosen.lead == chat.rejected.lead)
        #expect(try Sample.tokenizer().pieces(chat.rejected.targets) == ["▁time", "▁", "</s>"])
    }

    /// White space that the template cuts off makes no difference.
    @Test func equalAnswersAreNamed() throws {
        let message =
            "a:4: the chosen and the rejected answer are the same tokens; remove the document or make them differ."
        #expect(
            problem {
                try sequences().preference(
                    prompt: "Once", chosen: " time", rejected: " time", place: "a:4")
            } == message)
        #expect(
            problem {
                try sequences(.chat(.llama2)).preference(
                    prompt: "Once", chosen: "time", rejected: "time\n", place: "a:4")
            } == message)
    }

    /// 6 and 7 tokens: two of the prompt's go in both, and answers stay whole.
    @Test func longPreferencesLoseAsMuchOfThePrompt() throws {
        func pair(_ length: Int, truncates: Bool) throws -> PreferenceExample {
            try sequences(length: length, truncates: truncates).preference(
                prompt: "Once upon time", chosen: " Once", rejected: " Once upon", place: "a:5")
        }
        let cut = try pair(5, truncates: true)
        #expect(try pieces(cut.chosen) == ["<s>", "▁time", "▁Once", "</s>"])
        #expect(try pieces(cut.rejected) == ["<s>", "▁time", "▁Once", "▁upon", "</s>"])
        #expect(try pieces(try pair(4, truncates: true).chosen) == ["<s>", "▁Once", "</s>"])
        #expect(
            problem { try pair(3, truncates: true) }
                == "a:5: an answer does not fit a sequence of 3 tokens even without its prompt, and answers are not cut; "
                + "raise training.sequence_length by 1 or more, or leave the document out."
        )
        #expect(
            problem { try pair(6, truncates: false) }?
                .hasPrefix("a:5: the example is 7 tokens long and a sequence holds 6; ") == true)
    }
}
