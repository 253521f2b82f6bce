import Foundation
import TestSupport
import Testing
import Tokenizers

/// Text that comes out id by id.
@Suite struct StreamingTests {
    private func bytes(_ tokenizer: Tokenizer, _ values: [Int]) throws -> [Int] {
        try values.map { value in
            let digits = String(value, radix: 16, uppercase: true)
            return try #require(tokenizer.id(of: "<0x\(value < 16 ? "0" : "")\(digits)>"))
        }
    }

    /// A character comes with its last byte, not before and not in parts.
    @Test func charactersComeWhole() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/llama2.json"))
        var stream = tokenizer.makeStreamingDecoder()
        let ids = try bytes(tokenizer, [0xF0, 0x9F, 0x98, 0x80, 0x41])
        #expect(ids.map { stream.append($0) } == ["", "", "", "😀", "A"])
        #expect(stream.finish() == "")
    }

    /// Bytes that become no character are U+FFFD each: at once when broken, at the end when unfinished.
    @Test func brokenBytesAreReplaced() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/llama2.json"))
        var stream = tokenizer.makeStreamingDecoder()
        let ids = try bytes(tokenizer, [0xFF, 0x41, 0xE4, 0xBD, 0x41, 0xE4, 0xBD])
        #expect(
            ids.map { stream.append($0) }
                == ["\u{FFFD}", "A", "", "", "\u{FFFD}\u{FFFD}A", "", ""])
        #expect(stream.finish() == "\u{FFFD}\u{FFFD}")
        // The library sees the whole run, which is no text, and replaces all of it.
        #expect(tokenizer.decode(ids) == String(repeating: "\u{FFFD}", count: 7))
    }

    /// Sequences that can never become a character are not waited for.
    @Test(arguments: [
        [0xE0, 0x80], [0xED, 0xA0], [0xF0, 0x80], [0xF4, 0x90], [0xC0], [0xF5], [0x80],
    ])
    func impossibleBytesDoNotWait(_ values: [Int]) throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/llama2.json"))
        var stream = tokenizer.makeStreamingDecoder()
        let text = try bytes(tokenizer, values).map { stream.append($0) }.joined()
        #expect(text == String(repeating: "\u{FFFD}", count: values.count))
        #expect(stream.finish() == "")
    }

    /// The space that a Llama-2 tokenizer puts in front goes, once, and only there.
    @Test func theFirstSpaceGoes() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/llama2.json"))
        for text in ["a b", " a", "  a", "\n a", "😀 b"] {
            let ids = tokenizer.encode(text)
            var stream = tokenizer.makeStreamingDecoder()
            #expect(ids.map { stream.append($0) }.joined() + stream.finish() == text)
        }
    }

    /// Behind a prompt the stream is what the text of all ids has behind the prompt's, spaces too.
    @Test(arguments: ReferenceTokenizer.all)
    func streamsGoOnAfterAPrompt(_ reference: ReferenceTokenizer) throws {
        let tokenizer = try reference.tokenizer()
        var compared = 0
        for ids in try reference.cases().encoded where !ids.isEmpty {
            for cut in [1, ids.count / 2, ids.count - 1] {
                let prompt = tokenizer.decode(Array(ids[..<cut]))
                // A prompt that ends within a character has no text of its own.
                if prompt.unicodeScalars.contains("\u{FFFD}") { continue }
                var stream = tokenizer.makeStreamingDecoder(after: Array(ids[..<cut]))
                let streamed = ids[cut...].map { stream.append($0) }.joined() + stream.finish()
                let whole = tokenizer.decode(ids)
                if whole.unicodeScalars.contains("\u{FFFD}") { continue }
                #expect(isSame(prompt + streamed, whole), "\(ids) at \(cut)")
                compared += 1
            }
        }
        #expect(compared > 100)
        let llama2 = try Tokenizer(path: Fixture.path("tokenizers/llama2.json"))
        var stream = llama2.makeStreamingDecoder(after: llama2.encode("x:"))
        let next = try #require(llama2.encode("x: a").last)
        #expect(stream.append(next) == " a")
    }

    /// Random cuts of byte-level text lose nothing: streams are whole scalars and join to the decoded text.
    @Test func byteLevelStreamsEqualDecode() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/gpt2.json"))
        var generator = TestGenerator(seed: 5)
        for _ in 0..<300 {
            let ids = (0..<12).map { _ in
                Int.random(in: 0..<tokenizer.vocabularySize, using: &generator)
            }
            var stream = tokenizer.makeStreamingDecoder()
            let streamed = ids.map { stream.append($0) }.joined() + stream.finish()
            #expect(isSame(streamed, tokenizer.decode(ids)), "\(ids)")
        }
    }
}
