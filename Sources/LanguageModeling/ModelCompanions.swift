import Platform
import Tokenizers

/// The files beside a config.json that a model made of it hands on.
public enum ModelCompanions {
    /// Reads the tokenizer and the generation_config.json of `folder`, where they are there, as a model of `configuration`
    /// with them would be read.
    ///
    /// - Parameters:
    ///   - folder: the folder with the files.
    ///   - configuration: the model to be made.
    ///   - source: the file of `configuration`, which errors name.
    /// - Throws: ``LanguageModelError``, `TokenizerError` or `SystemError` about a file that the model would refuse.
    public static func check(
        in folder: String, for configuration: LanguageModelConfiguration, source: String
    ) throws {
        let known = configuration.llama.vocabularySize
        _ = try GenerationConfiguration.endIDs(folder: folder, vocabularySize: known)
        // Of two the model would read the first.
        let files = ["tokenizer.json", "tokenizer.model"].map { "\(folder)/\($0)" }
        guard let file = files.first(where: Folder.holdsFile) else { return }
        try check(
            Tokenizer(path: file), at: file, vocabularySize: known, source: source,
            cure: "raise vocab_size or move the tokenizer away")
    }

    /// - Throws: ``LanguageModelError`` when pieces of the vocabulary have ids from `vocabularySize` on.
    static func check(
        _ tokenizer: Tokenizer, at place: String, vocabularySize: Int, source: String, cure: String
    ) throws(LanguageModelError) {
        guard tokenizer.pieceCount > vocabularySize else { return }
        throw LanguageModelError(
            path: place,
            "the tokenizer has ids up to \(tokenizer.pieceCount - 1), the model knows \(vocabularySize) (vocab_size in "
                + "\(source)); \(cure).")
    }
}
