import Foundation
import TestSupport
import Testing
import Tokenizers

/// Text in parts, with the ids' borders; text that is literal; tokens around a text.
@Suite struct PartsTests {
    private func tokenizer(_ file: String) throws -> Tokenizer {
        try Tokenizer(path: Fixture.path("tokenizers/\(file)"))
    }

    /// The parts' ids are those of the whole, and borders lie where the text is cut.
    @Test(arguments: ["llama2.json", "llama3.json", "gpt2.json", "sentencepiece.model"])
    func partsAreEncodedTogether(_ file: String) throws {
        let tokenizer = try tokenizer(file)
        let texts = ["The small model", " learns how to learn.", "", " A prompt", "s help"]
        let (ids, ends) = try tokenizer.encode(parts: texts.map { .literal($0) })
        #expect(ids == tokenizer.encode(texts.joined(), adding: .none))
        #expect(ends.count == texts.count && ends == ends.sorted() && ends.last == ids.count)
        #expect(ends[1] == ends[2])
        for (index, end) in ends.enumerated() {
            let text = tokenizer.decode(Array(ids[..<end]))
            #expect(texts[...index].joined().hasPrefix(text), "\(index)")
        }
        // Cuts before a space are borders between tokens.
        #expect(tokenizer.decode(Array(ids[..<ends[0]])) == texts[0])
        #expect(tokenizer.decode(Array(ids[..<ends[1]])) == texts[0] + texts[1])
    }

    @Test func specialPartsAreTheirIDs() throws {
        let tokenizer = try tokenizer("llama2.json")
        let (ids, ends) = try tokenizer.encode(
            parts: [.special("<s>"), .literal("a</s>"), .special("</s>"), .literal("")])
        let text = tokenizer.encode("a</s>", adding: .none, literally: true)
        #expect(text.allSatisfy { $0 > 2 })
        #expect(ids == [1] + text + [2])
        #expect(ends == [1, 1 + text.count, 2 + text.count, 2 + text.count])
        let (none, noEnds) = try tokenizer.encode(parts: [])
        #expect(none == [] && noEnds == [])
        let (framed, framedEnds) = try tokenizer.encode(parts: [.literal("a")], adding: .all)
        #expect(framed == tokenizer.encode("a") && framedEnds == [framed.count])
        let error = #expect(throws: TokenizerError.self) {
            try tokenizer.encode(parts: [.literal("a"), .special("[INST]")])
        }
        #expect(
            error?.description.hasPrefix("'[INST]' is no special token of this tokenizer; ") == true
        )
    }

    /// A special token takes the white space beside it from literal parts as it does from a text.
    @Test func whiteSpaceGoesAsInAText() throws {
        let tokenizer = try tokenizer("llama2-first.json")
        for text in ["a <mask> b", "a<mask>b", "a  <mask>\n b"] {
            let halves = text.components(separatedBy: "<mask>")
            let (ids, ends) = try tokenizer.encode(
                parts: [.literal(halves[0]), .special("<mask>"), .literal(halves[1])])
            #expect(ids == tokenizer.encode(text, adding: .none), "\(text)")
            #expect(ends[1] == ends[0] + 1 && ends[2] == ids.count)
        }
    }

    @Test(arguments: ReferenceTokenizer.all)
    func literalTextHoldsNoSpecialToken(_ reference: ReferenceTokenizer) throws {
        let tokenizer = try reference.tokenizer()
        let special = Set(tokenizer.specialIDs)
        let unknown = tokenizer.id(of: "<unk>")
        for id in tokenizer.specialIDs {
            let text = "a" + (tokenizer.piece(id) ?? "") + "b"
            let ids = tokenizer.encode(text, adding: .none, literally: true)
            #expect(ids.allSatisfy { !special.contains($0) || $0 == unknown }, "\(text)")
        }
        // Text without special tokens is the same either way.
        #expect(
            tokenizer.encode("The small model.", literally: true)
                == tokenizer.encode("The small model."))
    }

    @Test func tokensAroundATextAreChosen() throws {
        let tokenizer = try tokenizer("llama2-first.json")
        let text = tokenizer.encode("a", adding: .none)
        #expect(tokenizer.encode("a", adding: .beginning) == [1] + text)
        #expect(tokenizer.encode("a", adding: .all) == [1] + text + [2])
        #expect(tokenizer.encode("a") == [1] + text + [2])
    }

    @Test func endsOfASequenceAreKnown() throws {
        for (file, begin, end) in [
            ("llama2.json", "<s>", "</s>"), ("llama2-first.json", "<s>", "</s>"),
            ("sentencepiece.model", "<s>", "</s>"), ("llama3.json", "<|begin|>", nil),
            ("gpt2.json", nil, nil),
        ] as [(String, String?, String?)] {
            let tokenizer = try tokenizer(file)
            #expect(tokenizer.beginningID == begin.flatMap(tokenizer.id), "\(file)")
            #expect(tokenizer.endID == end.flatMap(tokenizer.id), "\(file)")
        }
        // A file beside it names them.
        let folder = try TemporaryDirectory()
        try folder.write(try Fixture.data("tokenizers/llama3.json"), to: "tokenizer.json")
        try folder.write(
            Array(#"{"bos_token": null, "eos_token": {"content": "<|im_end|>"}}"#.utf8),
            to: "tokenizer_config.json")
        let tokenizer = try Tokenizer(path: folder.path)
        #expect(tokenizer.beginningID == tokenizer.id(of: "<|begin|>"))
        #expect(tokenizer.endID == tokenizer.id(of: "<|im_end|>"))
    }
}
