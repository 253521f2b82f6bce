import Foundation
import Kernels
import LanguageModeling
import TestSupport
import Testing

/// The tokenizer beside a model.
@Suite struct ModelTokenizerTests {
    /// A model of `vocabularySize` tokens with the tokenizer of 512 pieces, to which added tokens were given.
    private func folder(
        vocabularySize: Int, adding tokens: [(id: Int, content: String)] = []
    ) throws -> TemporaryDirectory {
        let configuration = try TinyModel.configuration(
            "\"vocab_size\": 20", "\"vocab_size\": \(vocabularySize)")
        let folder = try TemporaryDirectory()
        try ModelWriter(configuration, storedAs: .float32).write(
            TinyModel.parameters(configuration), to: folder.file("m"),
            pool: WorkerPool(workers: 1))
        let text = String(decoding: try Fixture.data("tokenizers/stories260K.json"), as: UTF8.self)
        let start = try #require(text.firstRange(of: /"added_tokens"\s*:\s*\[/))
        let added = tokens.map { id, content in
            """
            {"id": \(id), "content": "\(content)", "single_word": false, "lstrip": false, "rstrip": false,
             "normalized": false, "special": true},
            """
        }
        try folder.write(
            text.replacingCharacters(in: start, with: text[start] + added.joined()),
            to: "m/tokenizer.json")
        return folder
    }

    @Test func aVocabularyMustFitTheModels() throws {
        let folder = try folder(vocabularySize: 511)
        let model = try ModelDirectory(path: folder.file("m"))
        let error = #expect(throws: LanguageModelError.self) { try model.tokenizer() }
        #expect(
            error?.description.contains(
                "the tokenizer has ids up to 511, the model knows 511 (vocab_size in") == true)
    }

    /// As public copies of Llama-2 have it: `<pad>` is the first id that the model does not know.
    @Test func anAddedTokenBeyondTheVocabularyIsRefusedInATextAlone() throws {
        let folder = try folder(vocabularySize: 512, adding: [(512, "<pad>")])
        let model = try ModelDirectory(path: folder.file("m"))
        let tokenizer = try model.tokenizer()
        #expect(tokenizer.vocabularySize == 513 && tokenizer.pieceCount == 512)
        try model.requireKnown(tokenizer.encode("Once upon a time"), from: tokenizer)
        let error = #expect(throws: LanguageModelError.self) {
            try model.requireKnown(tokenizer.encode("Once <pad>"), from: tokenizer)
        }
        #expect(
            error?.description
                == "\(folder.file("m")): the text has the token '<pad>' with the id 512, and the model knows the ids 0 to 511 "
                + "(vocab_size); leave the token out.")
    }

    @Test func filesThatAModelWouldRefuseAreNamedBefore() throws {
        let folder = try folder(vocabularySize: 512)
        let path = folder.file("m")
        func refusal(_ vocabularySize: Int) throws -> String {
            let configuration = try TinyModel.configuration(
                "\"vocab_size\": 20", "\"vocab_size\": \(vocabularySize)")
            do {
                try ModelCompanions.check(in: path, for: configuration, source: "new.json")
                return "fits"
            } catch {
                return "\(error)".replacingOccurrences(of: path, with: "M")
            }
        }
        #expect(try refusal(512) == "fits")
        #expect(
            try refusal(300)
                == "M/tokenizer.json: the tokenizer has ids up to 511, the model knows 300 (vocab_size in new.json); raise "
                + "vocab_size or move the tokenizer away.")
        try folder.write("{\"eos_token_id\": 700}", to: "m/generation_config.json")
        #expect(try refusal(512).hasPrefix("M/generation_config.json: eos_token_id is 700, where"))
        #expect(try refusal(701) == "fits")
        try folder.write("{", to: "m/generation_config.json")
        #expect(try refusal(701).hasPrefix("M/generation_config.json: it is not valid JSON"))
        try folder.write("{}", to: "m/generation_config.json")
        try folder.write("{}", to: "m/tokenizer.json")
        #expect(try refusal(512).hasPrefix("M/tokenizer.json: "))
    }
}
