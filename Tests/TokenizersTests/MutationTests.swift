import Foundation
import TestSupport
import Testing
import Tokenizers

/// Damaged files: every one is refused by a sentence or works; none crashes, hangs or reads what is not there.
///
/// `SANDBOX_MUTATIONS` says how many are tried (2,000 when it is not set), `SANDBOX_MUTATION_SEED` where the sequence
/// begins.
@Suite struct MutationTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let count = Int(environment["SANDBOX_MUTATIONS"] ?? "") ?? 2000
    private static let seed = UInt64(environment["SANDBOX_MUTATION_SEED"] ?? "") ?? 1

    /// What tends to break parsers.
    private static let fragments = [
        "\"", "\\", "\\u", "\\ud800", "\\udfff", "{", "}", "[", "]", ",", ":", "null", "true", "-1",
        "0", "1e999", "-0",
        "4294967295", "2147483648", "16777215", "99999999999999999999", "{\"a\":", "[[[[[[[[",
        "\u{0}", "\u{FFFD}", "<0x00>",
        "\"type\":\"BPE\"", "\"id\":0,", "\"content\":\"\"", "▁", "Ġ", " ", "a b", "\"\",",
    ].map { Array($0.utf8) }

    private let texts = [
        "", " ", "Hello  world\n", "日本語 é 😀\u{200D}", "<s>a</s><unk>word", "\u{0}\u{10FFFF}",
        String(repeating: "ab ", count: 40),
    ]

    private func mutated(_ bytes: [UInt8], _ generator: inout TestGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0...Int.random(in: 0...3, using: &generator) {
            let place = Int.random(in: 0...bytes.count, using: &generator)
            let length = min(bytes.count - place, Int.random(in: 0...12, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0 where place < bytes.count:
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1 where place < bytes.count:
                bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            case 2: bytes.removeSubrange(place..<place + length)
            case 3:
                let copy = Array(bytes[place..<place + length])
                bytes.insert(
                    contentsOf: copy, at: Int.random(in: 0...bytes.count, using: &generator))
            case 4:
                bytes.insert(
                    contentsOf: Self.fragments.randomElement(using: &generator) ?? [], at: place)
            default:
                bytes.replaceSubrange(
                    place..<place + length,
                    with: Self.fragments.randomElement(using: &generator) ?? [])
            }
        }
        return bytes
    }

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
        var generator = TestGenerator(seed: Self.seed)
        let originals = try files.map { [UInt8](try Fixture.data("tokenizers/\($0)")) }
        var readable = 0
        for n in 0..<Self.count / 2 {
            let bytes = mutated(originals[n % originals.count], &generator)
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
        #expect(readable > Self.count / 100 && readable < Self.count / 2)
    }

    @Test func damagedModelsAreRefusedOrWork() throws {
        let files = ["sentencepiece", "sentencepiece-symbols", "sentencepiece-bare"]
        let readable = try fuzz(files.map { "\($0).model" }) {
            try Tokenizer(sentencePiece: $0, source: "file")
        }
        #expect(readable > Self.count / 100 && readable < Self.count / 2)
    }
}
