import ArgumentParser

/// `sandbox text`: language models and their tokens.
struct TextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text",
        abstract: "Work with text: language models and their tokenizers.",
        discussion: """
            Examples:
              sandbox text generate --model path/to/llama --prompt "Once upon a time" --greedy
              sandbox text tokenize notes.txt --tokenizer tokenizer.json --pieces

            \(exitStatusHelp)
            """,
        subcommands: [
            TextGenerateCommand.self, TextForwardCommand.self, TextInitCommand.self,
            TextTokenizeCommand.self, TextTokenizerCommand.self,
        ])
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
