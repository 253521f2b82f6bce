import Foundation
import TestSupport
import Testing
import Tokenizers

/// A protocol-buffer message, field by field.
private struct Message {
    var bytes: [UInt8] = []

    mutating func varint(_ value: UInt64) {
        var value = value
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        bytes.append(UInt8(value))
    }

    func number(_ field: UInt64, _ value: UInt64) -> Message {
        var copy = self
        copy.varint(field << 3)
        copy.varint(value)
        return copy
    }

    func data(_ field: UInt64, _ data: [UInt8]) -> Message {
        var copy = self
        copy.varint(field << 3 | 2)
        copy.varint(UInt64(data.count))
        copy.bytes += data
        return copy
    }

    func float(_ field: UInt64, _ value: Float) -> Message {
        var copy = self
        copy.varint(field << 3 | 5)
        copy.bytes += (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
        return copy
    }

    func piece(_ text: String, _ score: Float, type: UInt64 = 1) -> Message {
        data(1, Message().data(1, Array(text.utf8)).float(2, score).number(3, type).bytes)
    }
}

/// SentencePiece models that are made by hand.
@Suite struct SentencePieceTests {
    private let trainer = Message().number(3, 2)

    private func read(_ message: Message, trainer: Message? = nil) throws -> Tokenizer {
        let bytes = message.data(2, (trainer ?? self.trainer).bytes).bytes
        return try Tokenizer(sentencePiece: bytes, source: "tokenizer.model")
    }

    private var small: Message {
        Message().piece("<unk>", 0, type: 2).piece("<s>", 0, type: 3).piece("</s>", 0, type: 3)
            .piece("ab", -1).piece("bc", -1).piece("▁", -2).piece("a", -3).piece("b", -4)
            .piece("c", -5)
    }

    /// Merges of equal score go from the left.
    @Test func equalScoresMergeFromTheLeft() throws {
        let tokenizer = try read(small)
        #expect(tokenizer.encode("abc") == [1, 5, 3, 8])
        #expect(tokenizer.encode("xyabc") == [1, 5, 0, 3, 8])
        #expect(tokenizer.decode([1, 5, 3, 8, 0, 2]) == "abc \u{2047} ")
    }

    @Test func tokensAroundTheTextAreAsked() throws {
        let bytes = small.data(2, trainer.bytes).bytes
        let both = try Tokenizer(
            sentencePiece: bytes, source: "m", addsBeginning: true, addsEnd: true)
        #expect(both.encode("a") == [1, 5, 6, 2])
        #expect(both.specialIDs == [1, 2])
        let folder = try TemporaryDirectory()
        try folder.write(bytes, to: "tokenizer.model")
        try folder.write(
            Array(#"{"add_bos_token": false, "add_eos_token": true}"#.utf8),
            to: "tokenizer_config.json")
        #expect(try Tokenizer(path: folder.path).encode("a") == [5, 6, 2])
    }

    /// A folder with `small` and files beside it.
    private func folder(_ files: [String: String]) throws -> TemporaryDirectory {
        let folder = try TemporaryDirectory()
        try folder.write(small.data(2, trainer.bytes).bytes, to: "tokenizer.model")
        for (name, text) in files { try folder.write(Array(text.utf8), to: name) }
        return folder
    }

    /// What folders of `transformers` hold beside a tokenizer.model, in the newer form and the older one.
    @Test func addedTokensBesideAModelCount() throws {
        let newer = [
            "tokenizer_config.json": #"""
            {"bos_token": "<s>", "eos_token": {"content": "<|im_end|>"}, "pad_token": "<pad>", "add_bos_token": true,
             "added_tokens_decoder": {
               "1": {"content": "<s>", "special": true}, "2": {"content": "</s>", "special": true},
               "10": {"content": "<|im_end|>", "special": true}, "9": {"content": "<|im_start|>", "special": true},
               "11": {"content": "ca", "special": false}}}
            """#
        ]
        let older = [
            "added_tokens.json": #"{"<|im_start|>": 9, "<|im_end|>": 10, "ca": 11}"#,
            "special_tokens_map.json": #"""
            {"bos_token": {"content": "<s>"}, "eos_token": "<|im_end|>", "pad_token": "<pad>",
             "additional_special_tokens": ["<|im_start|>", "</s>"]}
            """#,
        ]
        for files in [newer, older] {
            let folder = try folder(files)
            let tokenizer = try Tokenizer(path: folder.path)
            #expect(tokenizer.vocabularySize == 13)
            #expect(tokenizer.beginningID == 1 && tokenizer.endID == 10)
            #expect(tokenizer.specialIDs == [1, 2, 9, 10, 12])
            #expect(tokenizer.id(of: "<pad>") == 12 && tokenizer.piece(9) == "<|im_start|>")
            // Every stretch gets its space.
            #expect(tokenizer.encode("<|im_start|>a<|im_end|>b") == [1, 9, 5, 6, 10, 5, 7])
            #expect(tokenizer.encode("</s>", adding: .none) == [2])
            #expect(tokenizer.encode("</s>", adding: .none, literally: true) == [5, 0])
            #expect(tokenizer.encode("abca", adding: .none) == [5, 3, 11])
            let ids = [1, 9, 5, 6, 10, 5, 7]
            #expect(
                tokenizer.decode(ids, skippingSpecialTokens: false) == "<s><|im_start|>a<|im_end|>b"
            )
            #expect(tokenizer.decode(ids) == "a b")
        }
    }

    /// `legacy` false: only the text's beginning gets a space, unless it has one.
    @Test func laterStretchesMayHaveNoSpace() throws {
        let folder = try folder([
            "tokenizer_config.json":
                #"{"legacy": false, "added_tokens_decoder": {"9": {"content": "<x>"}}}"#
        ])
        let tokenizer = try Tokenizer(path: folder.path)
        #expect(tokenizer.encode("a<x>b") == [1, 5, 6, 9, 7])
        #expect(tokenizer.encode("▁a") == [1, 5, 6])
        #expect(tokenizer.decode([1, 5, 6, 9, 7]) == "a<x>b")
        #expect(tokenizer.decode([1, 5, 6, 9, 5, 7]) == "a<x> b")
    }

    @Test func filesBesideAModelThatContradictItAreNamed() throws {
        for (files, message) in [
            (
                ["added_tokens.json": #"{"<x>": 3}"#],
                "tokenizer.model: a file beside it gives the added token '<x>' the id 3 of the piece 'ab'"
            ),
            (
                ["added_tokens.json": #"{"<x>": -3}"#],
                "added_tokens.json: <x> is -3, where a whole number from 0 to 16777215 is expected."
            ),
            (
                ["tokenizer_config.json": #"{"added_tokens_decoder": {"x": {"content": "a"}}}"#],
                "tokenizer_config.json: added_tokens_decoder has the key 'x'; ids from 0 to 16777215 are supported."
            ),
            (
                ["special_tokens_map.json": #"{"bos_token": 1}"#],
                "special_tokens_map.json: bos_token is 1, where a string is expected."
            ),
        ] {
            let folder = try folder(files)
            let error = #expect(throws: TokenizerError.self) { try Tokenizer(path: folder.path) }
            #expect(error?.description.contains(message) == true, "\(error as Any)")
        }
    }

    @Test func modelsThatCannotBeUsedAreNamed() throws {
        let cases: [(Message, Message?, String)] = [
            (
                small, Message().number(3, 1),
                "it is a SentencePiece model of type UNIGRAM; only BPE is supported."
            ),
            (Message(), nil, "it holds no pieces, so it is no SentencePiece model."),
            (Message().piece("a", 0), nil, "it has no unknown piece."),
            (small.piece("<x>", 0, type: 2), nil, "it has two unknown pieces."),
            (
                small.piece("ab", 0), nil,
                "the piece 'ab' is in the vocabulary twice, with the ids 3 and 9."
            ),
            (
                small.piece("z", 0, type: 5), nil,
                "its piece 9, 'z', is unused; such models are not supported."
            ),
            (small.piece("z", 0, type: 9), nil, "its piece 9 has the unknown type 9."),
            (small.piece("", 0), nil, "its piece 9 has 0 bytes; 1 to 256 are supported."),
            (
                small.piece(String(repeating: "x", count: 257), 0, type: 4), nil,
                "its piece 9 has 257 bytes; 1 to 256 are supported."
            ),
            (
                small, trainer.data(44, [UInt8](repeating: 0x78, count: 257)),
                "its unk_surface has 257 bytes; up to 256 are supported."
            ),
            (small.piece("z", .nan), nil, "the score of its piece 9 is not a number."),
            (
                small.piece("<0x41>", 0, type: 6), nil,
                "its piece '<0x41>' is a byte although byte_fallback is false."
            ),
            (
                small, trainer.number(35, 1),
                "it lacks some of the pieces <0x00> to <0xFF> although byte_fallback is true."
            ),
            (
                small.data(3, Message().data(1, Array("nmt_nfkc".utf8)).data(2, [1, 2]).bytes), nil,
                "its normalizer_spec 'nmt_nfkc' replaces characters by a table; only 'identity' is supported."
            ),
        ]
        for (message, trainer, expected) in cases {
            let error = #expect(throws: TokenizerError.self) { try read(message, trainer: trainer) }
            #expect(error?.description == "tokenizer.model: \(expected)")
        }
    }

    /// Half a file, at every length, is a sentence or a smaller model.
    @Test func cutFilesAreRefused() throws {
        let bytes = [UInt8](try Fixture.data("tokenizers/sentencepiece.model"))
        for count in stride(from: 0, to: bytes.count, by: 61) {
            #expect(throws: TokenizerError.self) {
                try Tokenizer(sentencePiece: Array(bytes[..<count]), source: "m")
            }
        }
    }
}
