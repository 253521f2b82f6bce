import ArgumentParser
import Platform
import Tokenizers

/// `sandbox text tokenizer train`: a vocabulary learned from a corpus.
struct TextTokenizerTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Learn a byte-pair vocabulary with byte fallback from text files.",
        discussion: """
            Writes a tokenizer.json of Llama-2's kind that Hugging Face's `tokenizers` loads with the same ids. The same \
            text gives the same file.

            Examples:
              sandbox text tokenizer train corpus.txt --size 8000 --output tokenizer.json
              cat *.txt | sandbox text tokenizer train - --size 4096 --output tokenizer.json

            Exit status: 0 success, 1 a text that cannot be learned from, 64 a usage error.
            """)

    @Argument(help: "Text files in UTF-8; - is standard input.")
    var files: [String]

    @Option(help: "Pieces of the vocabulary, 3 special tokens and 256 bytes among them.")
    var size = 8000

    @Option(
        help: "Share of the text's characters that get a piece of their own; others become bytes.")
    var coverage = 0.9995

    @Option(help: "The file to write.")
    var output: String

    func run() throws {
        try reportingErrors {
            var trainer = try BytePairTrainer(vocabularySize: size, characterCoverage: coverage)
            // A folder among them is told by the attempt to read it.
            let sources = files.filter { $0 != InputFile.standardInput && !Folder.isFolder($0) }
            try refuseToReplace(sources, by: output)
            let isPrinted = isStandardOutput(output)
            if !isPrinted { try requirePlace(for: output) }
            for file in files {
                var continues = false
                try TextFile.forEachPiece(of: file) { text in
                    trainer.add(text, continues: continues)
                    continues = true
                }
            }
            let learned = try trainer.train()
            if isPrinted {
                try Terminal.print(String(decoding: learned.json, as: UTF8.self))
            } else {
                try learned.write(to: output)
            }
            if learned.count < size {
                note("the text has no more than \(learned.count) pieces that occur twice")
            }
            let report = "wrote \(output): \(learned.count) pieces\n"
            if isPrinted {
                Terminal.write(report, to: .error)
            } else {
                try Terminal.print(report)
            }
        }
    }
}
