import Foundation
import TestSupport
import Testing
import Tokenizers

/// Damaged files: every one is refused by a sentence or works; none crashes, hangs or reads what is not there.
@Suite struct MutationTests {
    /// What tends to break parsers.
    private static let mutations = Mutations(fragments: [
        "\"", "\\", "\\u", "\\ud800", "\\udfff", "{", "}", "[", "]", ",", ":", "null", "true", "-1",
        "0", "1e999", "-0",
        "4294967295", "2147483648", "16777215", "99999999999999999999", "{\"a\":", "[[[[[[[[",
        "\u{0}", "\u{FFFD}", "<0x00>",
        "\"type\":\"BPE\"", "\"id\":0,", "\"content\":\"\"", "▁", "Ġ", " ", "a b", "\"\",",
    ])

    private let texts = [
        "", " ", "Hello  world\n", "日本語 é 😀\u{200D}", "<s>a</s><unk>word", "\u{0}\u{10FFFF}",
        String(repeating: "ab ", count: 40),
    ]

    /// Encodes and decodes what a damaged file still can.
    private func exercise(_ tokenizer: Tokenizer, _ generator: inout TestGenerator) {
        var encoder = tokenizer.makeEncoder()
        for text in texts {
            let ids = encoder.encode(text)
            #expect(ids.allSatisfy { $0 >= 0 })
            _ = tokenizer.decode(ids)
        }
        var stream = tokenizer.makeStreamingDecoder(skippingSpecialTokens: false)
        for _ in 0..<20 {
            _ = stream.append(Int.random(in: 0...tokenizer.vocabularySize, using: &generator))
        }
        _ = stream.finish()
    }

    /// How many of `count` damaged copies of the `files` could still be read.
    private func fuzz(
        _ files: [String], _ read: ([UInt8]) throws -> Tokenizer
    ) throws -> Int {
        var generator = TestGenerator(seed: Mutations.seed)
        let originals = try files.map { [UInt8](try Fixture.data("tokenizers/\($0)")) }
        var readable = 0
        for n in 0..<Mutations.count / 2 {
            let bytes = Self.mutations.damaged(originals[n % originals.count], &generator)
            do {
                let tokenizer = try read(bytes)
                readable += 1
                exercise(tokenizer, &generator)
            } catch let error as TokenizerError {
                #expect(
                    error.description.hasPrefix("file: ") && error.description.hasSuffix("."),
                    "\(error)")
            }
        }
        return readable
    }

    @Test func damagedJSONIsRefusedOrWorks() throws {
        let files = [
            "stories260K", "llama2-normalized", "llama3", "gpt2-prefix", "metaspace", "qwen2",
        ]
        let readable = try fuzz(files.map { "\($0).json" }) {
            try Tokenizer(json: $0, source: "file")
        }
        // Both ends are met: some damage is harmless, most is not.
        #expect(readable > Mutations.count / 100 && readable < Mutations.count / 2)
    }

    @Test func damagedModelsAreRefusedOrWork() throws {
        let files = ["sentencepiece", "sentencepiece-symbols", "sentencepiece-bare"]
        let readable = try fuzz(files.map { "\($0).model" }) {
            try Tokenizer(sentencePiece: $0, source: "file")
        }
        #expect(readable > Mutations.count / 100 && readable < Mutations.count / 2)
    }
}
