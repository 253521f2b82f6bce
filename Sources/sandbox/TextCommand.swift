import ArgumentParser

/// `sandbox text`: language models and their tokens.
struct TextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text",
        abstract: "Work with text: tokenize it, learn the vocabulary of a tokenizer, make a model.",
        discussion: """
            Example:
              sandbox text tokenize notes.txt --tokenizer tokenizer.json --pieces

            \(exitStatusHelp)
            """,
        subcommands: [TextTokenizeCommand.self, TextTokenizerCommand.self, TextInitCommand.self])
}

/// `sandbox text tokenizer`: tokenizers themselves.
struct TextTokenizerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizer",
        abstract: "Make tokenizers.",
        discussion: """
            Example:
              sandbox text tokenizer train corpus.txt --size 8000 --output tokenizer.json

            \(exitStatusHelp)
            """,
        subcommands: [TextTokenizerTrainCommand.self])
}
