import Foundation
import TestSupport
import Testing
import Tokenizers

/// A tokenizer of Tests/Fixtures/tokenizers with what the reference library makes of texts and ids.
struct ReferenceTokenizer: Sendable, CustomTestStringConvertible {
    struct Decoded: Decodable, Sendable {
        let ids: [Int]
        let skipping: String
        let whole: String

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            ids = try list.decode([Int].self)
            skipping = try list.decode(String.self)
            whole = try list.decode(String.self)
        }
    }

    struct Cases: Decodable, Sendable {
        let encoded: [[Int]]
        let decoded: [Decoded]
    }

    let file: String
    var testDescription: String { file }

    static let all =
        [
            "gpt2", "gpt2-digits", "gpt2-prefix", "learned", "llama2", "llama2-first",
            "llama2-normalized", "llama3", "metaspace", "metaspace-never", "qwen2", "stories260K",
        ].map { Self(file: "\($0).json") }
        + ["", "-bare", "-suffix", "-symbols"].map { Self(file: "sentencepiece\($0).model") }

    static func texts() throws -> [String] {
        try Fixture.json("tokenizers/texts.json", as: [String].self)
    }

    func tokenizer() throws -> Tokenizer {
        try Tokenizer(path: Fixture.path("tokenizers/\(file)"))
    }

    func cases() throws -> Cases {
        let name = file.split(separator: ".")[0]
        return try Fixture.json("tokenizers/\(name).cases.json", as: Cases.self)
    }
}

/// Byte for byte, where == takes composed and decomposed characters for the same.
func isSame(_ a: String, _ b: String) -> Bool { a.utf8.elementsEqual(b.utf8) }

/// The same ids and texts as Hugging Face's `tokenizers` and SentencePiece.
@Suite struct ReferenceTests {
    @Test(arguments: ReferenceTokenizer.all)
    func encodesAsTheLibrary(_ reference: ReferenceTokenizer) throws {
        let tokenizer = try reference.tokenizer()
        let cases = try reference.cases()
        let texts = try ReferenceTokenizer.texts()
        try #require(texts.count == cases.encoded.count && texts.count > 100)
        for (text, ids) in zip(texts, cases.encoded) {
            #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
        }
    }

    @Test func fixturesAreThoseOfTheManifest() throws {
        struct Manifest: Decodable {
            let sha256: [String: String]
        }
        let manifest = try Fixture.json("tokenizers/manifest.json", as: Manifest.self)
        #expect(manifest.sha256.count == 2 * ReferenceTokenizer.all.count + 4)
        let lines = manifest.sha256.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }
        let outcome = try run(
            "sha256sum", ["--check", "--strict"], workingDirectory: Fixture.path("tokenizers"),
            input: lines.joined())
        #expect(outcome.exitCode == 0, "\(outcome)")
    }

    /// An encoder that has met words gives what a fresh one gives.
    @Test(arguments: ReferenceTokenizer.all)
    func encodersRememberRightly(_ reference: ReferenceTokenizer) throws {
        var encoder = try reference.tokenizer().makeEncoder()
        let cases = try reference.cases()
        for _ in 0..<2 {
            for (text, ids) in zip(try ReferenceTokenizer.texts(), cases.encoded) {
                #expect(encoder.encode(text) == ids, "\(text.debugDescription)")
            }
        }
    }

    @Test(arguments: ReferenceTokenizer.all)
    func decodesAsTheLibrary(_ reference: ReferenceTokenizer) throws {
        let tokenizer = try reference.tokenizer()
        for decoded in try reference.cases().decoded {
            let skipping = tokenizer.decode(decoded.ids)
            #expect(isSame(skipping, decoded.skipping), "\(decoded.ids): \(skipping)")
            let whole = tokenizer.decode(decoded.ids, skippingSpecialTokens: false)
            #expect(isSame(whole, decoded.whole), "\(decoded.ids): \(whole)")
        }
    }

    /// What is decoded at once and id by id is the same text, but for broken runs of byte tokens.
    @Test(arguments: ReferenceTokenizer.all)
    func streamsWhatDecodeGives(_ reference: ReferenceTokenizer) throws {
        let tokenizer = try reference.tokenizer()
        let cases = try reference.cases()
        for ids in cases.encoded + cases.decoded.map(\.ids) {
            let decoded = tokenizer.decode(ids)
            var stream = tokenizer.makeStreamingDecoder()
            let streamed = ids.map { stream.append($0) }.joined() + stream.finish()
            if decoded.unicodeScalars.contains("\u{FFFD}") { continue }
            #expect(isSame(streamed, decoded), "\(ids)")
        }
    }

    /// Every id that has a piece is found by it again, and ids beyond the vocabulary have none.
    @Test(arguments: ReferenceTokenizer.all)
    func piecesAndIDsBelongTogether(_ reference: ReferenceTokenizer) throws {
        let tokenizer = try reference.tokenizer()
        for id in 0..<tokenizer.vocabularySize {
            guard let piece = tokenizer.piece(id) else { continue }
            #expect(tokenizer.id(of: piece) == id)
        }
        for id in [-1, tokenizer.vocabularySize, .max, .min] {
            #expect(tokenizer.piece(id) == nil)
            #expect(tokenizer.decode([id]) == "")
        }
        #expect(tokenizer.id(of: "no such piece") == nil)
    }

    /// The reference ids that came with the model's files.
    @Test func storiesTokenizerGivesItsReferenceIDs() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/stories260K.json"))
        let expected = [
            "Once upon a time, there was a little girl named Lily.": [
                1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426,
            ],
            "naïve café 😀 你好": [
                1, 297, 412, 198, 178, 360, 280, 412, 431, 485, 410, 243, 162, 155, 131, 410, 231,
                192, 163, 232, 168, 192,
            ],
            "": [1],
        ]
        for (text, ids) in expected {
            #expect(tokenizer.encode(text) == ids)
            #expect(tokenizer.encode(text, adding: .none) == Array(ids.dropFirst()))
            #expect(tokenizer.decode(ids) == text)
        }
        #expect(tokenizer.specialIDs == [0, 1, 2])
        #expect(tokenizer.beginningID == 1 && tokenizer.endID == 2)
        #expect(tokenizer.vocabularySize == 512)
    }

    /// A word at the beginning has another id than behind a colon: why contexts and continuations are encoded together.
    @Test func aContinuationAloneHasOtherIDs() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/llama2.json"))
        let context = tokenizer.encode("x:", adding: .none)
        let alone = tokenizer.encode(" a", adding: .none)
        let whole = tokenizer.encode("x: a", adding: .none)
        #expect(alone.count == 2)
        #expect(whole == context + [alone[1]])
    }
}
