import Objectives
import Testing
import Tokenizers

/// Masks for a person to read.
@Suite struct MaskListingTests {
    private func listing(
        _ text: String, prompt: String? = nil, length: Int = 64, colored: Bool
    ) throws -> String {
        let tokenizer = try Sample.tokenizer()
        let examples = try TextSequences(tokenizer: tokenizer, maximumLength: length)
            .examples(of: text, prompt: prompt, place: "a.jsonl:1")
        return MaskListing.text(of: examples, tokenizer: tokenizer, colored: colored)
    }

    @Test func tablesShowEveryToken() throws {
        let tokenizer = try Sample.tokenizer()
        func row(_ position: Int, _ piece: String, _ weight: Int, _ text: String) throws -> String {
            let id = try #require(tokenizer.id(of: piece))
            return "\(position)\t\(id)\t\(weight)\t\(piece)\t\(text)\n"
        }
        let expected = try [
            "a.jsonl:1: 7 tokens, 3 targets\n", "position\tid\tweight\tpiece\ttext\n",
            row(0, "<s>", 0, "<s>"), row(1, "▁Once", 0, " Once"), row(2, "<0x0A>", 0, "\\n"),
            row(3, "<0x0A>", 0, "\\n"), row(4, "A", 1, "A"), row(5, "▁time", 1, " time"),
            row(6, "</s>", 1, "</s>"),
        ]
        #expect(
            try listing("A time", prompt: "Once", colored: false) == expected.joined())
    }

    @Test func terminalsShowTargetsBoldAndGreen() throws {
        let (plain, dim, bold) = ("\u{1B}[0m", "\u{1B}[2m", "\u{1B}[1;32m")
        #expect(
            try listing("A time", prompt: "Once", colored: true)
                == "a.jsonl:1: 7 tokens, 3 targets\n\(plain)\(dim)<s> Once\n\n\(plain)\(bold)A time</s>\(plain)\n"
        )
    }

    /// Bytes of a character are shown once it is whole, and what steers a terminal is not sent to it.
    @Test func charactersAreWholeAndHarmless() throws {
        for colored in [false, true] {
            let text = try listing("😀\u{1B}[31mred\u{7}", colored: colored)
            #expect(text.contains("😀") && !text.contains("\u{FFFD}"))
            #expect(!text.contains("\u{1B}[31m") && !text.contains("\u{7}"))
        }
        #expect(try listing("\u{1B}[31mred", colored: true).contains("\\u{1B}[31mred"))
    }

    @Test func partsFollowEachOther() throws {
        let text = try listing("Once upon time time", length: 4, colored: false)
        #expect(text.contains("a.jsonl:1, part 1 of 2: 4 tokens, 3 targets\nposition"))
        #expect(text.contains("\n\na.jsonl:1, part 2 of 2: 3 tokens, 2 targets\nposition"))
    }
}
