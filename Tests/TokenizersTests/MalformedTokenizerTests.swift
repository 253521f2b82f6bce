import Foundation
import TestSupport
import Testing
import Tokenizers

/// A tokenizer.json with one thing wrong and what the sentence about it says.
struct MalformedTokenizer: Sendable, CustomTestStringConvertible {
    let change: @Sendable (inout [String: Any]) -> Void
    let message: String
    var testDescription: String { message }

    init(_ message: String, _ change: @escaping @Sendable (inout [String: Any]) -> Void) {
        self.message = message
        self.change = change
    }

    /// Replaces a key of the model.
    static func model(_ message: String, _ key: String, _ value: @escaping @Sendable () -> Any)
        -> Self
    {
        Self(message) { file in
            var model = file["model"] as? [String: Any] ?? [:]
            model[key] = value()
            file["model"] = model
        }
    }

    /// Replaces a component.
    static func component(_ message: String, _ key: String, _ json: String) -> Self {
        Self(message) {
            $0[key] = try? JSONSerialization.jsonObject(
                with: Data(json.utf8), options: .fragmentsAllowed)
        }
    }

    static let models: [Self] = [
        .model("model has the type 'Unigram'; supported are BPE.", "type") { "Unigram" },
        .model("model.dropout is set, so ids would depend on chance; set it to null.", "dropout") {
            0.1
        },
        .model(
            "model.continuing_subword_prefix is '##'; only vocabularies without it are supported.",
            "continuing_subword_prefix"
        ) { "##" },
        .model(
            "model.end_of_word_suffix is '</w>'; only vocabularies without it are supported.",
            "end_of_word_suffix"
        ) { "</w>" },
        .init("model.unk_token is '<none>', which the vocabulary lacks.") { file in
            var model = file["model"] as? [String: Any] ?? [:]
            model["unk_token"] = "<none>"
            model["byte_fallback"] = false
            file["model"] = model
        },
        .model("model.vocab is a list, where an object is expected.", "vocab") { [1] },
        .model("model.vocab gives 'a' an id that is not a whole number from 0 on.", "vocab") {
            ["a": -1]
        },
        .model("model.vocab gives 'a' an id that is not a whole number from 0 on.", "vocab") {
            ["a": 1.5]
        },
        .model(
            "the piece 'a' has the id 4294967296; ids from 0 to 16777215 are supported.", "vocab"
        ) {
            ["a": 4_294_967_296]
        },
        .model("have the same id 7.", "vocab") { ["a": 7, "b": 7] },
        .model("model.merges is not a list.", "merges") { "a b" },
        .model("model.merges[0] needs the piece 'zz', which the vocabulary lacks.", "merges") {
            ["zz a"]
        },
        .model("model.merges[0] needs the piece 'zz', which the vocabulary lacks.", "merges") {
            ["a zz"]
        },
        .model("model.merges[0] needs the piece 'ab', which the vocabulary lacks.", "merges") {
            [["a", "b"]]
        },
        .model("model.merges[0] is neither two pieces", "merges") { ["ab"] },
        .model("model.merges[0] is neither two pieces", "merges") { ["a b c"] },
        .model("model.merges[0] is neither two pieces", "merges") { [" a"] },
        .model("model.merges[0] is neither two pieces", "merges") { [["a"]] },
        .model("model.merges[0] is neither two pieces", "merges") { [5] },
        .model("model.byte_fallback is 'yes', where true or false is expected.", "byte_fallback") {
            "yes"
        },
    ]

    static let components: [Self] = [
        .component(
            "normalizer has the type 'Lowercase'; supported are", "normalizer",
            #"{"type":"Lowercase"}"#),
        .component(
            "normalizer.normalizers[0].pattern of a Replace is a regular expression", "normalizer",
            #"{"type":"Sequence","normalizers":[{"type":"Replace","pattern":{"Regex":" +"},"content":""}]}"#
        ),
        .component(
            "normalizer.pattern.String of a Replace is empty.", "normalizer",
            #"{"type":"Replace","pattern":{"String":""},"content":"x"}"#),
        .component("normalizer lacks 'type'.", "normalizer", "{}"),
        .component(
            "normalizer can make a text more than 16 times as long", "normalizer",
            #"{"type":"Sequence","normalizers":["#
                + (0..<5).map { _ in #"{"type":"Replace","pattern":{"String":"a"},"content":"aa"}"#
                }.joined(separator: ",")
                + "]}"),
        .component(
            "normalizer prepends 65 bytes; up to 64 are supported.", "normalizer",
            #"{"type":"Prepend","prepend":""# + String(repeating: "x", count: 65) + "\"}"),
        .component(
            "normalizer.content has 257 bytes; up to 256 are supported.", "normalizer",
            #"{"type":"Replace","pattern":{"String":"x"},"content":""#
                + String(repeating: "x", count: 257) + "\"}"),
        .component(
            "normalizer has more than 32 steps", "normalizer",
            #"{"type":"Sequence","normalizers":["#
                + (0..<33).map { _ in #"{"type":"NFC"}"# }.joined(separator: ",") + "]}"),
        .component(
            "pre_tokenizer has more than 32 steps", "pre_tokenizer",
            #"{"type":"Sequence","pretokenizers":["#
                + (0..<33).map { _ in #"{"type":"Digits"}"# }.joined(separator: ",") + "]}"),
        .component(
            "decoder has more than 32 steps", "decoder",
            #"{"type":"Sequence","decoders":["#
                + (0..<33).map { _ in
                    #"{"type":"Replace","pattern":{"String":"x"},"content":"y"}"#
                }.joined(separator: ",") + "]}"),
        .component(
            "added_tokens[0].content has 257 bytes; up to 256 are supported.", "added_tokens",
            #"[{"id":512,"content":""# + String(repeating: "x", count: 257) + "\"}]"),
        .component(
            "post_processor has more than 1000 tokens around a text", "post_processor",
            #"{"type":"TemplateProcessing","special_tokens":{"b":{"id":"b","ids":[1]}},"single":["#
                + (0..<1100).map { _ in #"{"SpecialToken":{"id":"b"}}"# }.joined(separator: ",")
                + "]}"),
        .component(
            "post_processor.single[1] is the Sequence A, which is the text, a second time",
            "post_processor",
            #"{"type":"TemplateProcessing","special_tokens":{},"single":[{"Sequence":{"id":"A"}},{"Sequence":{"id":"A"}}]}"#
        ),
        .component(
            "post_processor.special_tokens.<s>.ids[0] is 9999, and neither the vocabulary nor added_tokens",
            "post_processor",
            #"{"type":"TemplateProcessing","special_tokens":{"<s>":{"id":"<s>","ids":[9999]}},"single":[{"Sequence":{"id":"A"}}]}"#
        ),
        .component(
            "pre_tokenizer has the type 'BertPreTokenizer'", "pre_tokenizer",
            #"{"type":"BertPreTokenizer"}"#),
        .component(
            #"pre_tokenizer splits by the regular expression '\w+'; supported are those of GPT-2"#,
            "pre_tokenizer",
            #"{"type":"Split","pattern":{"Regex":"\\w+"},"behavior":"Isolated","invert":false}"#),
        .component(
            "expression '" + String(repeating: "a", count: 77) + "…'; supported are",
            "pre_tokenizer",
            #"{"type":"Split","pattern":{"Regex":""# + String(repeating: "a", count: 5000)
                + #""},"behavior":"Isolated","invert":false}"#),
        .component(
            "pre_tokenizer.pattern is a String", "pre_tokenizer",
            #"{"type":"Split","pattern":{"String":" "},"behavior":"Isolated","invert":false}"#),
        .component(
            "pre_tokenizer.pretokenizers[1] is a Split behind ByteLevel", "pre_tokenizer",
            #"{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Split"}]}"#),
        .component(
            "prepend_scheme is 'last'; accepted are first, always, never.", "pre_tokenizer",
            #"{"type":"Metaspace","replacement":"_","prepend_scheme":"last"}"#),
        .component(
            "replacement is not one character.", "pre_tokenizer",
            #"{"type":"Metaspace","replacement":"__"}"#),
        .component(
            "which contradict each other.", "pre_tokenizer",
            #"{"type":"Metaspace","replacement":"_","add_prefix_space":false}"#),
        .component(
            "post_processor has the type 'BertProcessing'", "post_processor",
            #"{"type":"BertProcessing"}"#),
        .component(
            "post_processor.single[0] names the token '[CLS]', which special_tokens lacks.",
            "post_processor",
            #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}}],"special_tokens":{}}"#
        ),
        .component(
            "post_processor.single lacks the Sequence A", "post_processor",
            #"{"type":"TemplateProcessing","single":[],"special_tokens":{}}"#),
        .component("decoder has the type 'WordPiece'", "decoder", #"{"type":"WordPiece"}"#),
        .component(
            "decoder.decoders[1] is a ByteFallback in an order", "decoder",
            #"{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteFallback"}]}"#),
        .component(
            "strips 1 characters at the end", "decoder",
            #"{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":" ","start":0,"stop":1}]}"#
        ),
        .component(
            "added_tokens[0] gives '<s>' the id 2; in the vocabulary it has 1.", "added_tokens",
            #"[{"id":2,"content":"<s>"}]"#),
        .component(
            "added_tokens[0] gives 'new' the id 3; tokens outside the vocabulary", "added_tokens",
            #"[{"id":3,"content":"new"}]"#),
        .component(
            "added_tokens[1] has the id 1 of another added token.", "added_tokens",
            #"[{"id":1,"content":"<s>"},{"id":1,"content":"<s>"}]"#),
        .component(
            "added_tokens[0].id is -1, where a whole number", "added_tokens",
            #"[{"id":-1,"content":"<s>"}]"#),
        .component("added_tokens[0] lacks 'content'.", "added_tokens", #"[{"id":1}]"#),
        .component("version is '2.0'; only '1.0' is supported.", "version", #""2.0""#),
        .init("the file lacks 'model'.") { $0["model"] = nil },
    ]
}

/// Every file that cannot be used is one sentence that names file, place and what is accepted.
@Suite struct MalformedTokenizerTests {
    @Test(arguments: MalformedTokenizer.models + MalformedTokenizer.components)
    func isOneSentence(_ malformed: MalformedTokenizer) throws {
        let data = try Fixture.data("tokenizers/stories260K.json")
        var file = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        malformed.change(&file)
        let bytes = [UInt8](try JSONSerialization.data(withJSONObject: file))
        let error = #expect(throws: TokenizerError.self) {
            try Tokenizer(json: bytes, source: "folder/tokenizer.json")
        }
        let text = try #require(error?.description)
        #expect(text.hasPrefix("folder/tokenizer.json: "))
        #expect(text.contains(malformed.message), "\(text)")
        #expect(text.hasSuffix(".") && !text.contains("\n"))
    }

    @Test func filesThatAreNoneAreNamed() throws {
        let folder = try TemporaryDirectory()
        let empty = #expect(throws: TokenizerError.self) { try Tokenizer(path: folder.path) }
        #expect(
            empty?.description.contains("neither a tokenizer.json nor a tokenizer.model") == true)
        #expect(throws: (any Error).self) { try Tokenizer(path: folder.file("missing.json")) }
        try folder.write(Array("[]".utf8), to: "tokenizer.json")
        let list = #expect(throws: TokenizerError.self) { try Tokenizer(path: folder.path) }
        #expect(
            list?.description
                == "\(folder.path)/tokenizer.json: the file is a list, where an object is expected."
        )
    }

    /// Holes between ids are no fault.
    @Test func holesBetweenIDsAreAccepted() throws {
        let json =
            #"{"model": {"type": "BPE", "vocab": {"a": 3, "b": 1000, "ab": 7}, "merges": ["a b"]}}"#
        let tokenizer = try Tokenizer(json: Array(json.utf8), source: "json")
        #expect(tokenizer.vocabularySize == 1001)
        #expect(tokenizer.encode("abax") == [7, 3])
        #expect(tokenizer.decode([7, 5, 3]) == "ab a")
    }
}
