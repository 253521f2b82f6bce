import Foundation
import Platform

/// A vocabulary that ``BytePairTrainer`` learned.
public struct LearnedVocabulary: Sendable {
    /// UTF-8 of the piece of each id: `<unk>`, `<s>`, `</s>`, `<0x00>` to `<0xFF>`, characters, merged pieces.
    let pieces: [[UInt8]]
    /// Ids of the two halves of each merged piece, in order.
    let merges: [(left: Int, right: Int)]

    /// Number of pieces.
    public var count: Int { pieces.count }

    /// The tokenizer.json of Llama-2's kind: spaces become `▁`, one goes in front, `<s>` before it, unknown characters
    /// become bytes. Hugging Face's `tokenizers` loads it and gives the same ids.
    public var json: Data {
        var text = Array(Self.head.utf8)
        for (id, piece) in pieces.enumerated() {
            text += Array((id == 0 ? "\n      " : ",\n      ").utf8)
            text += JSONText.quoted(piece)
            text += Array(": \(id)".utf8)
        }
        text += Array("\n    },\n    \"merges\": [".utf8)
        for (rank, merge) in merges.enumerated() {
            text += Array((rank == 0 ? "\n      [" : ",\n      [").utf8)
            text += JSONText.quoted(pieces[merge.left])
            text += Array(", ".utf8)
            text += JSONText.quoted(pieces[merge.right])
            text.append(UInt8(ascii: "]"))
        }
        text += Array("\n    ]\n  }\n}\n".utf8)
        return Data(text)
    }

    /// The tokenizer itself.
    public func tokenizer() throws -> Tokenizer {
        try Tokenizer(json: [UInt8](json), source: "the learned vocabulary")
    }

    /// Writes ``json`` to `path`.
    public func write(to path: String) throws { try AtomicFile.write(json, to: path) }

    private static var head: String {
        let added = ["<unk>", "<s>", "</s>"].enumerated().map { id, content in
            """
                {
                  "id": \(id), "content": "\(content)", "single_word": false, "lstrip": false,
                  "rstrip": false, "normalized": false, "special": true
                }
            """
        }
        return """
            {
              "version": "1.0",
              "truncation": null,
              "padding": null,
              "added_tokens": [
            \(added.joined(separator: ",\n"))
              ],
              "normalizer": {
                "type": "Sequence",
                "normalizers": [
                  {"type": "Prepend", "prepend": "▁"},
                  {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
                ]
              },
              "pre_tokenizer": null,
              "post_processor": {
                "type": "TemplateProcessing",
                "single": [
                  {"SpecialToken": {"id": "<s>", "type_id": 0}},
                  {"Sequence": {"id": "A", "type_id": 0}}
                ],
                "pair": [
                  {"SpecialToken": {"id": "<s>", "type_id": 0}},
                  {"Sequence": {"id": "A", "type_id": 0}},
                  {"SpecialToken": {"id": "<s>", "type_id": 1}},
                  {"Sequence": {"id": "B", "type_id": 1}}
                ],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}
              },
              "decoder": {
                "type": "Sequence",
                "decoders": [
                  {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                  {"type": "ByteFallback"},
                  {"type": "Fuse"},
                  {"type": "Strip", "content": " ", "start": 1, "stop": 0}
                ]
              },
              "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": "<unk>",
                "continuing_subword_prefix": null,
                "end_of_word_suffix": null,
                "fuse_unk": true,
                "byte_fallback": true,
                "ignore_merges": false,
                "vocab": {
            """
    }
}
