import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// Learning a vocabulary.
@Suite struct TrainerTests {
    private func train(_ text: String, _ size: Int, coverage: Double = 0.9995) throws
        -> LearnedVocabulary
    {
        var trainer = try BytePairTrainer(vocabularySize: size, characterCoverage: coverage)
        trainer.add(text)
        return try trainer.train()
    }

    /// The committed file, whose ids Hugging Face's library gave, is what the trainer writes today.
    @Test func sameTextGivesTheSameFile() throws {
        let corpus = String(
            decoding: try Fixture.data("tokenizers/corpus.txt"), as: UTF8.self)
        let json = try train(corpus, 620).json
        #expect(json == (try Fixture.data("tokenizers/learned.json")))
        let folder = try TemporaryDirectory()
        try train(corpus, 620).write(to: folder.file("tokenizer.json"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("tokenizer.json"))) == json)
    }

    /// Cut at line ends wherever, a text gives the words that it gives at once; another text begins behind a space.
    @Test func piecesCutAtLineEndsAreOneText() throws {
        let text = try Fixture.data("tokenizers/corpus.txt")
        let corpus = String(decoding: text, as: UTF8.self)
        for limit in [1, 100, 1000] {
            var trainer = try BytePairTrainer(vocabularySize: 620)
            var piece: [UInt8] = []
            var isFirst = true
            for byte in text {
                piece.append(byte)
                guard byte == 0x0A, piece.count >= limit else { continue }
                trainer.add(String(decoding: piece, as: UTF8.self), continues: !isFirst)
                (piece, isFirst) = ([], false)
            }
            trainer.add(String(decoding: piece, as: UTF8.self), continues: !isFirst)
            #expect(try trainer.train().json == train(corpus, 620).json, "\(limit)")
        }
        var whole = WordCounter()
        whole.add(Array("a b\nc d\n\ne".utf8))
        var pieces = WordCounter()
        pieces.add(Array("a b\n".utf8))
        pieces.add(Array("c d\n\n".utf8), continues: true)
        pieces.add(Array("e".utf8), continues: true)
        func words(_ counter: WordCounter) -> [String] {
            (0..<counter.words.count).map { String(decoding: counter.words[$0], as: UTF8.self) }
        }
        #expect(words(whole) == ["▁a", "▁b", "c", "▁d", "e"] && words(pieces) == words(whole))
        pieces.add(Array("e".utf8))
        #expect(words(pieces) == words(whole) + ["▁e"])
    }

    /// The most frequent pair first; of equal ones the smaller left id, then the smaller right id.
    @Test func pairsFollowTheirFrequency() throws {
        // Characters by frequency: ▁ 5 (259), then b, c, d, a in the order of frequency and code point.
        let learned = try train("ab ab ab cd cd", 300)
        let pieces = learned.pieces.map { String(decoding: $0, as: UTF8.self) }
        #expect(Array(pieces[259...]) == ["▁", "a", "b", "c", "d", "▁a", "▁ab", "▁c", "▁cd"])
    }

    /// The naive way: count all pairs of all words anew for every merge.
    @Test func equalsCountingAnew() throws {
        var generator = TestGenerator(seed: 3)
        for round in 0..<20 {
            let words = (0..<60).map { _ in
                String(
                    (0..<Int.random(in: 1...7, using: &generator)).map { _ in
                        "aab c\nd".randomElement(using: &generator) ?? "a"
                    })
            }
            let text = words.joined(separator: " ")
            let learned = try train(text, 330, coverage: 1)
            #expect(
                learned.merges.map { [$0.left, $0.right] } == naiveMerges(text, learned), "\(round)"
            )
        }
    }

    private func naiveMerges(_ text: String, _ learned: LearnedVocabulary) -> [[Int]] {
        var counter = WordCounter()
        counter.add(Array(text.utf8))
        var ids: [[UInt8]: Int] = [:]
        for (id, piece) in learned.pieces.enumerated() { ids[piece] = id }
        var words = (0..<counter.words.count).map { entry in
            String(decoding: counter.words[entry], as: UTF8.self).unicodeScalars.map {
                ids[Array(String($0).utf8)] ?? -1
            }
        }
        var merges: [[Int]] = []
        while merges.count < learned.merges.count + 1 {
            var counts: [[Int]: Int] = [:]
            for (word, count) in zip(words, counter.counts) {
                for i in 0..<max(0, word.count - 1) {
                    counts[[word[i], word[i + 1]], default: 0] += count
                }
            }
            let best = counts.filter { $0.value > 1 }.min {
                ($1.value, $0.key[0], $0.key[1]) < ($0.value, $1.key[0], $1.key[1])
            }
            guard let pair = best?.key else { return merges }
            merges.append(pair)
            let id = ids[learned.pieces[pair[0]] + learned.pieces[pair[1]]] ?? -2
            for w in words.indices {
                var i = 0
                while i + 1 < words[w].count {
                    if [words[w][i], words[w][i + 1]] == pair {
                        words[w].replaceSubrange(i...i + 1, with: [id])
                    }
                    i += 1
                }
            }
        }
        return merges
    }

    /// Spaces, line ends, digits and punctuation are never inside a piece that has letters.
    @Test func piecesStayInsideWords() throws {
        let text = String(repeating: "one two, 12 12 3.5\none two!! 12\r\nनमस्ते नमस्ते\n", count: 9)
        let learned = try train(text, 400)
        let pieces = Set(learned.pieces[259...].map { String(decoding: $0, as: UTF8.self) })
        #expect(pieces.isSuperset(of: ["one", "▁two", "!!", "▁नमस्ते"]))
        #expect(!pieces.contains { $0.contains("\n") || $0.contains("\r") || $0.contains("12") })
        #expect(!pieces.contains { $0.contains("two,") || $0.contains("two!") })
        let tokenizer = try learned.tokenizer()
        for text in ["one two, 12\n", "\u{0}\u{7F}😀 new", " one  two ", text] {
            #expect(tokenizer.decode(tokenizer.encode(text)) == text)
        }
    }

    /// One letter, and letters without spaces: words are cut at 256 characters, so that time grows with the text.
    @Test func textWithoutSpacesIsLearned() throws {
        let one = try train(String(repeating: "a", count: 1 << 20), 300)
        let longest = one.pieces.map(\.count).max()
        #expect(longest == 256)
        var generator = TestGenerator(seed: 8)
        let letters = Array("abcdefgh".unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<1 << 18 { text.append(letters.randomElement(using: &generator) ?? "a") }
        let learned = try train(String(text), 1000)
        #expect(learned.count == 1000)
        #expect(try train(String(text), 1000).json == learned.json)
    }

    @Test func requestsThatCannotBeMetAreNamed() throws {
        #expect(throws: TokenizerError.self) { try BytePairTrainer(vocabularySize: 259) }
        #expect(throws: TokenizerError.self) {
            try BytePairTrainer(vocabularySize: 300, characterCoverage: 2)
        }
        let empty = #expect(throws: TokenizerError.self) { try train("", 300) }
        #expect(
            empty?.description
                == "there is no text to learn a vocabulary from; name files that are not empty.")
        let many = #expect(throws: TokenizerError.self) { try train("abcdefgh", 262) }
        #expect(many?.description.contains("exceeds the vocabulary size 262") == true)
    }
}
