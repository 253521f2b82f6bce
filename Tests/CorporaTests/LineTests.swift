import Corpora
import TestSupport
import Testing
import Tokenizers

/// Lines of JSONL.
@Suite struct LineTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    @Test func textsAreRead() throws {
        let corpus = try folder.corpus(
            #"{"text": "One \"é\" \u00e9\n", "domain": "a", "title": "T", "n": 3, "list": ["x"], "none": null}"#,
            "  \r", "", #" {"text": "Two", "prompt": null} "# + "\r")
        #expect(corpus.kind == .text)
        #expect(corpus.documents.map(\.content) == [.text("One \"é\" é\n"), .text("Two")])
        #expect(corpus.documents[0].domain == "a" && corpus.documents[1].domain == nil)
        #expect(corpus.documents[0].fields == ["title": "T"] && corpus.documents[1].fields == [:])
        #expect(corpus.documents.map(\.place) == [1, 4].map { "\(folder.file("c.jsonl")):\($0)" })
        #expect(corpus.name == "c" && corpus.skippedCount == 0)
    }

    @Test func answersAreRead() throws {
        let corpus = try folder.corpus(
            #"{"completion": "4", "prompt": "2 + 2?"}"#,
            #"{"prompt": "Why?", "completion": "So.", "source": "book"}"#)
        #expect(corpus.kind == .completion)
        #expect(
            corpus.documents.map(\.content) == [
                .completion(prompt: "2 + 2?", completion: "4"),
                .completion(prompt: "Why?", completion: "So."),
            ])
        #expect(corpus.documents[1].fields == ["source": "book"])
    }

    @Test func conversationsAreRead() throws {
        let corpus = try folder.corpus(
            #"{"messages": [{"role": "system", "content": ""}, {"role": "user", "content": "Hi", "name": "x"}, {"content": "Yes?", "role": "assistant"}]}"#
        )
        #expect(corpus.kind == .messages)
        let messages = [
            ChatMessage(role: .system, content: ""), ChatMessage(role: .user, content: "Hi"),
            ChatMessage(role: .assistant, content: "Yes?"),
        ]
        #expect(corpus.documents.map(\.content) == [.messages(messages)])
    }

    /// TRL's forms of one and the same pair.
    @Test(arguments: [
        #"{"prompt": "Sky?", "chosen": "Blue.", "rejected": "Green."}"#,
        #"{"chosen": [U, B], "rejected": [U, G]}"#,
        #"{"prompt": [U], "chosen": [B], "rejected": [G]}"#,
        #"{"prompt": "Sky?", "chosen": [U, B], "rejected": [U, G]}"#,
        #"{"prompt": "Sky?", "chosen": [B], "rejected": [G]}"#,
    ])
    func preferencesAreRead(form: String) throws {
        let line = form.replacing("U", with: #"{"role": "user", "content": "Sky?"}"#)
            .replacing("[B]", with: #"[{"role": "assistant", "content": "Blue."}]"#)
            .replacing(" B]", with: #" {"role": "assistant", "content": "Blue."}]"#)
            .replacing("[G]", with: #"[{"role": "assistant", "content": "Green."}]"#)
            .replacing(" G]", with: #" {"role": "assistant", "content": "Green."}]"#)
        let corpus = try folder.corpus(line)
        #expect(
            corpus.documents.map(\.content) == [
                .preference(prompt: "Sky?", chosen: "Blue.", rejected: "Green.")
            ])
        #expect(corpus.kind == .preference)
    }

    @Test(arguments: [
        (#"{"text": "a""#, "it is not valid JSON at its byte 12: , or } is expected."),
        (#"{"text": "a"} {"text": "b"}"#, "it is not valid JSON at its byte 14: something after"),
        ("text", #"it is no JSON object; every line is to be one, such as {"text": "…"}."#),
        (#"{"text": 3}"#, "text is 3, where a string is expected."),
        (#"{"text": "a", "text": "b"}"#, "the line has the key 'text' twice; keep one of them."),
        (#"{"text": "a", "domain": 3}"#, "domain is 3, where a string is expected."),
        (#"{"text": " \n\u00a0"}"#, "text is empty or nothing but white space; remove the line."),
        (
            #"{"prompt": "a", "completion": ""}"#,
            "completion is empty or nothing but white space; remove the line."
        ),
        (
            "{}",
            "it has no members, where 'text'; 'prompt' and 'completion'; 'messages'; or 'prompt', 'chosen' and "
                + "'rejected' is expected."
        ),
        (#"{"input": "a", "output": 3}"#, "it has 'input', 'output', where 'text'; "),
        (#"{"text": null}"#, "it has no members, where 'text'; "),
        (#"{"prompt": "a"}"#, "it has 'prompt' without 'completion', or 'chosen' and 'rejected'."),
        (#"{"completion": "a"}"#, "it has 'completion' without 'prompt'."),
        (#"{"prompt": "a", "rejected": "b"}"#, "it has 'rejected' without 'chosen'."),
        (#"{"chosen": "a", "rejected": "b"}"#, "it has 'chosen' without 'prompt'."),
        (#"{"text": "a", "messages": []}"#, "it mixes 'text' with 'messages'; keep one kind ("),
        (#"{"text": "a", "prompt": "b"}"#, "it mixes 'text' with 'prompt'; keep one kind ("),
        (
            #"{"prompt": "a", "completion": "b", "chosen": "c"}"#,
            "it mixes 'completion' with 'chosen'; keep one kind ("
        ),
        (#"{"messages": "a"}"#, "messages is 'a', where a list is expected."),
        (#"{"messages": []}"#, "messages has no message of the user's or the assistant's; remove"),
        (#"{"messages": [{"role": "user"}]}"#, "messages[0] lacks 'content'."),
        (
            #"{"messages": [{"role": "tool", "content": "a"}]}"#,
            "messages[0].role is 'tool', which is no role (accepted: system, user, assistant)."
        ),
        (
            #"{"messages": [{"role": "user", "content": " "}]}"#,
            "messages[0].content is empty or nothing but white space; remove the line."
        ),
        (
            #"{"prompt": "a", "chosen": "b", "rejected": "b"}"#,
            "'chosen' and 'rejected' say the same, where two answers are to be told apart; remove"
        ),
        (
            #"{"chosen": [{"role": "user", "content": "a"}], "rejected": [{"role": "user", "content": "a"}]}"#,
            "'chosen' and 'rejected' say the same, "
        ),
        (
            #"{"chosen": [{"role": "user", "content": "a"}], "rejected": [{"role": "user", "content": "b"}]}"#,
            "'chosen' and 'rejected' are lists of messages, of which only one question "
        ),
        (
            #"{"prompt": "a", "chosen": "b", "rejected": [{"role": "user", "content": "b"}]}"#,
            "rejected is a list, where a string is expected."
        ),
    ])
    func badLinesAreNamed(line: String, message: String) throws {
        let good = #"{"text": "good"}"#
        let found = folder.message { try folder.corpus(good, "", line) }
        #expect(found.hasPrefix("c.jsonl:3: \(message)") && found.hasSuffix("."), "\(found)")
        let corpus = try folder.corpus(good, "", line, skippingBad: true)
        #expect(corpus.documents.map(\.text) == ["good"] && corpus.skippedCount == 1)
        #expect(
            corpus.skippedMessages.map { $0.replacing(folder.path + "/", with: "") } == [found])
    }

    @Test func bytesThatAreNoTextAreNamed() throws {
        let good = #"{"text": "good"}"# + "\n"
        let path = try folder.write(
            Array(good.utf8) + Array(#"{"text": ""#.utf8) + [0xC3, 0x28] + Array("\"}\n".utf8),
            to: "c.jsonl")
        #expect(
            folder.message { try Corpus.read(sources: [.file(path)]) }
                == "c.jsonl:2: it is not valid UTF-8; convert it, e.g. by `iconv -t UTF-8`.")
        let corpus = try Corpus.read(sources: [.file(path)], skippingBad: true)
        #expect(corpus.documents.count == 1 && corpus.skippedCount == 1)
    }

    /// Skipping lines does not help a file that has none.
    @Test(arguments: [
        ("[{\"text\": \"a\"}]", "a JSON list begins here, ", ".[]"),
        ("\n{\n  \"text\": \"a\"\n}\n", "an object over several lines begins here, ", "."),
    ])
    func documentsOverSeveralLinesAreNamed(
        text: String, message: String, filter: String
    ) throws {
        let path = try folder.write(text, to: "c.json")
        let found = folder.message {
            try Corpus.read(sources: [.file(path)], skippingBad: true)
        }
        let line = text.hasPrefix("\n") ? 2 : 1
        #expect(found.hasPrefix("c.json:\(line): \(message)"))
        #expect(found.contains("by `zcat -f 'c.json' | jq -c '\(filter)' > lines.jsonl`."))
    }
}
