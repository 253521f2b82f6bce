import ArgumentParser

/// `sandbox text`: language models and their tokens.
struct TextCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "text",
        abstract: "Work with text: fine-tune and run language models, make tokenizers.",
        discussion: """
            Examples:
              sandbox text train sweeps/text/cft.yaml model.path=path/to/llama corpus.path=notes.jsonl
              sandbox text generate --model path/to/llama --prompt "Once upon a time" --greedy
              sandbox text tokenize notes.txt --tokenizer tokenizer.json --pieces

            \(exitStatusHelp)
            """,
        subcommands: [
            TextTrainCommand.self, TextMergeCommand.self, TextGenerateCommand.self,
            TextForwardCommand.self, TextInitCommand.self,
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

/// What an option that names adapters says.
let adapterHelp: ArgumentHelp =
    "A folder of LoRA adapters, as PEFT saves them, that were trained on this model."
