import Foundation
import TestSupport
import Testing
import Tokenizers

/// Conversations as text.
@Suite struct ChatTests {
    private struct Fixtures: Decodable {
        struct Case: Decodable {
            struct Message: Decodable {
                let role: String
                let content: String
            }
            let template: String
            let messages: [Message]
            let prompt: Bool
            let text: String
        }
        let templates: [String: String]
        let cases: [Case]
    }

    private func conversation(_ messages: [(ChatRole, String)]) -> [ChatMessage] {
        messages.map { ChatMessage(role: $0.0, content: $0.1) }
    }

    @Test func rendersAsJinja() throws {
        let fixtures = try Fixture.json("tokenizers/chat.json", as: Fixtures.self)
        #expect(fixtures.cases.count > 10)
        for item in fixtures.cases {
            let template = try ChatTemplate(named: item.template)
            let messages = try item.messages.map {
                ChatMessage(role: try ChatRole(named: $0.role), content: $0.content)
            }
            let segments = try template.segments(messages, addingPrompt: item.prompt)
            #expect(isSame(segments.map(\.text).joined(), item.text), "\(item.text)")
        }
    }

    @Test func onlyAnswersAreTheAssistants() throws {
        let messages = conversation([(.system, "S"), (.user, "U"), (.assistant, "A"), (.user, "V")])
        let llama = try ChatTemplate.llama2.segments(messages)
        #expect(
            llama == [
                ChatSegment(
                    parts: [
                        .special("<s>"), .literal("[INST] <<SYS>>\nS\n<</SYS>>\n\nU [/INST]"),
                    ], isAssistant: false),
                ChatSegment(parts: [.literal(" A "), .special("</s>")], isAssistant: true),
                ChatSegment(
                    parts: [.special("<s>"), .literal("[INST] V [/INST]")], isAssistant: false),
            ])
        let chatML = try ChatTemplate.chatML.segments(messages, addingPrompt: true)
        #expect(chatML.filter(\.isAssistant).map(\.text) == ["A<|im_end|>"])
        #expect(chatML.last?.text.hasSuffix("<|im_start|>assistant\n") == true)
    }

    /// Flags follow the tokens: what the answer's ids decode to is the answer.
    @Test func idsOfAnswersAreMarked() throws {
        let messages = conversation([
            (.system, "Be brief."), (.user, "What is 1 + 1?"), (.assistant, "It is 2."),
            (.user, "And é?"),
            (.assistant, "😀 é"),
        ])
        for (file, template) in [("llama2.json", ChatTemplate.llama2), ("llama3.json", .chatML)] {
            let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/\(file)"))
            let segments = try template.segments(messages)
            let (ids, flags) = try tokenizer.encode(segments)
            #expect(ids == tokenizer.encode(segments.map(\.text).joined(), adding: .none))
            #expect(flags.count == ids.count)
            let answers = zip(ids, flags).filter(\.1).map(\.0)
            let text = tokenizer.decode(answers, skippingSpecialTokens: false)
            let expected = segments.filter(\.isAssistant).map(\.text).joined()
            #expect(text.filter { $0 != " " } == expected.filter { $0 != " " })
            #expect(flags.contains(false))
        }
    }

    /// Markers become their ids with a tokenizer.model too, and a vocabulary without them is refused by one sentence.
    @Test func markersAreTokensOrAnError() throws {
        let messages = conversation([(.user, "Hi</s>"), (.assistant, "<s>Hello")])
        let model = try Tokenizer(path: Fixture.path("tokenizers/sentencepiece.model"))
        let (ids, flags) = try model.encode(ChatTemplate.llama2.segments(messages))
        let (begin, end) = (try #require(model.beginningID), try #require(model.endID))
        #expect(ids.first == begin && ids.last == end)
        #expect(ids.count { $0 == begin || $0 == end } == 2)
        #expect(flags.last == true && flags.first == false)
        let text = model.encode("[INST] Hi</s> [/INST] <s>Hello ", adding: .none)
        #expect(Array(ids.dropFirst().dropLast()) == text)
        // What a user writes ends no turn.
        let llama2 = try Tokenizer(path: Fixture.path("tokenizers/llama2.json"))
        let written = try llama2.encode(ChatTemplate.llama2.segments(messages)).ids
        #expect(written.count { llama2.specialIDs.contains($0) } == 2)
        for tokenizer in [model, llama2, try Tokenizer(path: Fixture.path("tokenizers/gpt2.json"))]
        {
            let error = #expect(throws: TokenizerError.self) {
                try tokenizer.encode(ChatTemplate.chatML.segments(messages))
            }
            #expect(
                error?.description.hasPrefix(
                    "'<|im_start|>' is no special token of this tokenizer; ")
                    == true)
        }
    }

    /// Megabytes are no known template, and are not read for long.
    @Test func longTemplatesAreNone() {
        let source = String(repeating: "{% if a %}\n  ", count: 1 << 18)
        let start = ContinuousClock.now
        #expect(ChatTemplate(recognizing: source) == nil)
        #expect(start.duration(to: .now) < .seconds(30))
    }

    @Test func templatesAreRecognized() throws {
        let fixtures = try Fixture.json("tokenizers/chat.json", as: Fixtures.self)
        for (name, source) in fixtures.templates {
            #expect(ChatTemplate(recognizing: source)?.rawValue == name)
            let quotes = source.replacingOccurrences(of: "'", with: "\"")
            #expect(ChatTemplate(recognizing: quotes)?.rawValue == name)
            // One more character in the output is another template.
            #expect(ChatTemplate(recognizing: source + "x") == nil)
            #expect(
                ChatTemplate(
                    recognizing: source.replacingOccurrences(of: "<|im_end|>", with: "<|end|>")
                        .replacingOccurrences(of: "[INST] ", with: "[INST]")) == nil)
        }
        let guarded = """
            {% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}
            {%- for m in messages %}
                {{- '<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n' }}
            {%- endfor %}
            {%- if add_generation_prompt %}
                {{- '<|im_start|>assistant\\n' }}
            {%- endif %}
            """
        #expect(ChatTemplate(recognizing: guarded) == .chatML)
        let withDefault = guarded.replacingOccurrences(
            of: "{%- for", with: "{{ '<|im_start|>system\\nHelp.<|im_end|>\\n' }}{%- for")
        #expect(ChatTemplate(recognizing: withDefault) == nil)
        for broken in ["{% for", "{{ 'a", "{{", "{%%}", "", "{", "{#"] {
            #expect(ChatTemplate(recognizing: broken) == nil)
        }
    }

    /// Damaged sources are another template or the same, and never a crash.
    @Test func damagedTemplatesAreRead() throws {
        let fixtures = try Fixture.json("tokenizers/chat.json", as: Fixtures.self)
        var generator = TestGenerator(seed: 9)
        for (name, source) in fixtures.templates.sorted(by: { $0.key < $1.key }) {
            for _ in 0..<1000 {
                var scalars = Array(source.unicodeScalars)
                for _ in 0...Int.random(in: 0...2, using: &generator) {
                    let place = Int.random(in: 0..<scalars.count, using: &generator)
                    if Bool.random(using: &generator) {
                        scalars.removeSubrange(
                            place..<min(
                                scalars.count, place + Int.random(in: 1...9, using: &generator)))
                    } else {
                        let symbols: [Unicode.Scalar] = [
                            "{", "}", "%", "'", "\"", "\\", "-", "#", "|", ".", " ",
                        ]
                        scalars.insert(symbols.randomElement(using: &generator) ?? "{", at: place)
                    }
                }
                let found = ChatTemplate(recognizing: String(String.UnicodeScalarView(scalars)))
                #expect(found == nil || found?.rawValue == name)
            }
        }
    }

    @Test func filesNameTheirTemplate() throws {
        let folder = try TemporaryDirectory()
        let fixtures = try Fixture.json("tokenizers/chat.json", as: Fixtures.self)
        let source = try JSONEncoder().encode(["chat_template": fixtures.templates["chatml"]])
        let known = try folder.write(source, to: "known.json")
        #expect(try ChatTemplate(configuration: known) == .chatML)
        let other = try folder.write(
            Array(#"{"chat_template": "{{ bos_token }}"}"#.utf8), to: "other.json")
        let unknown = #expect(throws: TokenizerError.self) {
            try ChatTemplate(configuration: other)
        }
        #expect(
            unknown?.description
                == "\(other): its chat_template, '{{ bos_token }}', is none of those built in (llama-2, chatml)."
        )
        let list = try folder.write(
            JSONEncoder().encode([
                "chat_template": [
                    ["name": "tool_use", "template": "x"],
                    ["name": "default", "template": fixtures.templates["llama-2"] ?? ""],
                ]
            ]), to: "list.json")
        #expect(try ChatTemplate(configuration: list) == .llama2)
        let ends = try folder.write(
            JSONSerialization.data(withJSONObject: [
                "chat_template": fixtures.templates["llama-2"] ?? "",
                "bos_token": ["content": "<s>"],
                "eos_token": "<end>",
            ]), to: "ends.json")
        let otherEnd = #expect(throws: TokenizerError.self) {
            try ChatTemplate(configuration: ends)
        }
        #expect(
            otherEnd?.description.contains("with the eos_token '<end>'; only </s> is supported.")
                == true)
        let none = try folder.write(Array("{}".utf8), to: "none.json")
        let missing = #expect(throws: TokenizerError.self) { try ChatTemplate(configuration: none) }
        #expect(missing?.description.contains("it has no chat_template") == true)
    }

    @Test func unknownNamesAndOrdersAreNamed() throws {
        let name = #expect(throws: TokenizerError.self) { try ChatTemplate(named: "vicuna") }
        #expect(
            name?.description
                == "the chat template 'vicuna' is unknown (accepted: llama-2, chatml).")
        let role = #expect(throws: TokenizerError.self) { try ChatRole(named: "tool") }
        #expect(
            role?.description == "the role 'tool' is unknown (accepted: system, user, assistant).")
        for roles in [
            [ChatRole.assistant], [.user, .user], [.user, .system], [.system, .system], [.system],
            [],
        ] {
            #expect(throws: TokenizerError.self) {
                try ChatTemplate.llama2.segments(roles.map { ChatMessage(role: $0, content: "x") })
            }
        }
        let turn = #expect(throws: TokenizerError.self) {
            try ChatTemplate.llama2.segments(
                conversation([(.system, "s"), (.user, "a"), (.user, "b")]))
        }
        #expect(turn?.description.hasPrefix("message 3 is the user's; ") == true)
    }
}
