import TestSupport
import Testing

@testable import Tokenizers

/// Character classes, words and composition.
@Suite struct UnicodeTests {
    @Test func classesHaveTheLibrarysSizes() {
        var counts: [CharacterClass: Int] = [:]
        for kind in CharacterClass.all { counts[kind, default: 0] += 1 }
        #expect(counts[.letter] == 141_028)
        #expect(counts[.number] == 1_911)
        #expect(counts[.space] == 23 && counts[.lineEnd] == 2)
    }

    private func words(_ text: String, _ pattern: WordPattern) -> [String] {
        let bytes = Array(text.utf8)
        var ends: [Int] = []
        pattern.cut(bytes, 0, bytes.count, into: &ends)
        return zip([0] + ends, ends).map { String(decoding: bytes[$0..<$1], as: UTF8.self) }
    }

    @Test func wordsEndWhereTheExpressionsSay() {
        #expect(
            words("it's  12345 x!\n\n y ", .gpt2) == [
                "it", "'s", " ", " 12345", " x", "!", "\n\n", " y", " ",
            ])
        #expect(
            words("it'S  12345 x!\n\n y ", .llama3)
                == ["it", "'S", " ", " ", "123", "45", " x", "!\n\n", " y", " "])
        #expect(words("a12\n \n\n  b", .qwen2) == ["a", "1", "2", "\n \n\n", " ", " b"])
        #expect(words("'ſx 'll'", .llama3) == ["'ſ", "x", " '", "ll", "'"])
        #expect(words("(word) \t\tz", .llama3) == ["(word", ")", " \t", "\tz"])
    }

    /// White space that every token takes with it is read once: megabytes of line ends took hours.
    @Test func whiteSpaceIsReadOnce() {
        let text = [UInt8](repeating: 0x0A, count: 1 << 19)
        for (left, right) in [(true, false), (false, true), (true, true)] {
            let token = AddedToken(id: 7, content: [0x0A], stripsLeft: left, stripsRight: right)
            let matcher = AddedTokenMatcher([token], patterns: [token.content])
            let segments = matcher.segments(text, literally: false)
            #expect(segments.count == text.count && segments.allSatisfy { $0.id == 7 })
        }
    }

    @Test func expressionsAreKnownByTheirText() {
        #expect(WordPattern(regex: "\\s+") == nil)
        #expect(WordPattern(regex: "") == nil)
    }

    /// Form C, where Foundation's is wrong too.
    @Test func composes() {
        func composed(_ text: String) -> [UInt32] {
            String(decoding: CanonicalComposition.apply(Array(text.utf8)), as: UTF8.self)
                .unicodeScalars.map(\.value)
        }
        #expect(composed("e\u{301}\u{212B}") == [0xE9, 0xC5])
        #expect(composed("\u{C640}\u{11BF}") == [0xC658])
        #expect(composed("\u{1112}\u{1161}\u{11AB}") == [0xD55C])
        #expect(composed("\u{D55C}\u{11AB}") == [0xD55C, 0x11AB])
        #expect(composed("\u{1E69}\u{0344}") == [0x1E69, 0x0308, 0x301])
        #expect(composed("s\u{307}\u{323}") == [0x1E69])
        #expect(composed("\u{9C7}\u{9BE} \u{95F}") == [0x9CB, 0x20, 0x92F, 0x93C])
        // Foundation makes a Cyrillic letter of this Deseret one.
        #expect(composed("\u{10437}\u{308}") == [0x10437, 0x308])
        // A mark of Unicode 11 is not moved: the library does not know it.
        #expect(composed("a\u{301}\u{10F46}") == [0xE1, 0x10F46])
    }

    /// Words that are too long for 32-bit positions are cut between characters.
    @Test func wordsBeyondTheLimitAreCut() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/llama2.json"))
        let text = String(repeating: "aé", count: 60)
        var whole = TokenEncoder(tokenizer)
        var cut = TokenEncoder(tokenizer, maximumWordLength: 70)
        let ids = cut.encode(text, adding: .none)
        #expect(tokenizer.decode(ids) == text)
        #expect(cut.encode("short", adding: .none) == whole.encode("short", adding: .none))
    }

    /// A long word is merged as a short one is: by rank, then from the left.
    @Test func longWordsMergeAsShortOnes() {
        var table = MergeTable(capacity: 4)
        table.insert(1, 1, rank: 0, id: 2)
        table.insert(2, 2, rank: 1, id: 3)
        table.insert(3, 1, rank: 1, id: 4)
        for count in [5, 39, 40, 41, 42, 43, 45, 101] {
            var workspace = MergeWorkspace()
            workspace.symbols = [Int32](repeating: 1, count: count)
            workspace.merge(table)
            let quads = count / 4
            let rest: [Int32] = [[], [1], [2], [2, 1]][count % 4]
            var expected = [Int32](repeating: 3, count: quads) + rest
            if count % 4 == 1 { expected.replaceSubrange(quads - 1..<quads + 1, with: [4]) }
            #expect(workspace.symbols == expected, "\(count)")
        }
    }
}
