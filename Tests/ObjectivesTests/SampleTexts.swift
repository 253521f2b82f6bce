import Foundation
import Objectives
import TestSupport
import Testing
import Tokenizers

/// Tokenizers of every kind, and texts of many scripts.
enum Sample {
    /// Llama-2 (with byte tokens), Llama-3, GPT-2 and Qwen2 kinds, and SentencePiece.
    static let tokenizerFiles = [
        "stories260K.json", "llama2.json", "llama2-first.json", "llama3.json", "gpt2.json",
        "qwen2.json", "metaspace.json", "sentencepiece.model",
    ]

    static func tokenizer(_ file: String = "stories260K.json") throws -> Tokenizer {
        try Tokenizer(path: Fixture.path("tokenizers/\(file)"))
    }

    /// The tokenizer with line ends that merge: `ĊĊ` and `ĊĊĊ`, as the full vocabularies have them; without a
    /// template of its own.
    static func tokenizerWithLineEnds(
        _ file: String, in folder: TemporaryDirectory
    ) throws -> Tokenizer {
        let data = try Fixture.data("tokenizers/\(file)")
        var root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        var model = try #require(root["model"] as? [String: Any])
        var vocabulary = try #require(model["vocab"] as? [String: Int])
        let merges = try #require(model["merges"] as? [Any])
        // Added tokens are numbered behind the vocabulary.
        var added = try #require(root["added_tokens"] as? [[String: Any]])
        for index in added.indices {
            let id = try #require(added[index]["id"] as? Int)
            if id >= vocabulary.count { added[index]["id"] = id + 2 }
        }
        root["added_tokens"] = added
        root["post_processor"] = nil
        vocabulary["ĊĊ"] = vocabulary.count
        vocabulary["ĊĊĊ"] = vocabulary.count
        model["vocab"] = vocabulary
        model["merges"] =
            merges is [String] ? merges + ["Ċ Ċ", "ĊĊ Ċ"] : merges + [["Ċ", "Ċ"], ["ĊĊ", "Ċ"]]
        root["model"] = model
        return try Tokenizer(
            path: folder.write(JSONSerialization.data(withJSONObject: root), to: file))
    }

    private static let words = [
        "Once", "upon", "a", "time", "the", "small", "model", "learns", "Answer:", "A", "B", "é",
        "Straße",
        "крышка", "模型", "学习", "こんにちは", "शब्द", "😀", "👩‍👩‍👧", "3.14", "</s>", "<s>", "[INST]", "e\u{301}",
        "x", ".",
        "?", "don't",
    ]
    private static let gaps = [" ", " ", " ", " ", "", "\n", "\n\n", "  ", "\t", ", "]

    /// A text of up to `count` words that begins and ends with one.
    static func text(_ count: Int, _ generator: inout TestGenerator) -> String {
        var text = ""
        for index in 0..<Int.random(in: 1...count, using: &generator) {
            if index > 0 { text += gaps.randomElement(using: &generator) ?? " " }
            text += words.randomElement(using: &generator) ?? "a"
        }
        return text
    }
}

extension TrainingExample {
    /// Targets.
    var targets: [Int] { zip(tokens, lossWeights).filter { $0.1 > 0 }.map { Int($0.0) } }
    /// Tokens before the first target.
    var lead: [Int] { zip(tokens, lossWeights).prefix { $0.1 == 0 }.map { Int($0.0) } }
    var ids: [Int] { tokens.map(Int.init) }
}

extension Tokenizer {
    /// Pieces as the files spell them.
    func pieces(_ ids: [Int]) -> [String] { ids.map { piece($0) ?? "" } }
    /// BOS, where there is one.
    var beginning: [Int] { beginningID.map { [$0] } ?? [] }
    /// EOS, where there is one.
    var end: [Int] { endID.map { [$0] } ?? [] }
    /// The text of `ids` behind `lead`.
    func text(of ids: [Int], after lead: [Int]) -> String {
        var stream = makeStreamingDecoder(after: lead)
        return ids.map { stream.append($0) }.joined() + stream.finish()
    }
}
