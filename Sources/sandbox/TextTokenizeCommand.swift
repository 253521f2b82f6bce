import ArgumentParser
import Experiments
import Foundation
import Platform
import Tokenizers

/// `sandbox text tokenize`: the ids of a text.
struct TextTokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Print the token ids, or the pieces, of a text.",
        discussion: """
            Ids are those of Hugging Face's `tokenizers` and of SentencePiece: tokenizer.json of the Llama-2, Llama-3, \
            GPT-2 and Qwen2 kinds, or a tokenizer.model of type BPE. Special tokens such as <s> are put around the text as the file says.

            --json-lines answers one JSON value a line, for other programs: a string by the list of its ids, a list of ids \
            by its text. A line that is neither, a blank one too, ends it with an error.

            Examples:
              sandbox text tokenize notes.txt --tokenizer path/to/model
              sandbox text tokenize --tokenizer tokenizer.json --pieces < notes.txt

            Exit status: 0 success, 1 a file that cannot be read or is no UTF-8, 64 a usage error.
            """)

    @Argument(help: "A text file in UTF-8, or - for standard input.")
    var file = "-"

    @Option(
        help: ArgumentHelp(
            "A tokenizer.json, a tokenizer.model, or a folder that holds one of them.",
            valueName: "path"))
    var tokenizer: String

    @Flag(help: "Print ids, on one line (the default).")
    var ids = false

    @Flag(help: "Print a line for each token: its id and its piece as a JSON string.")
    var pieces = false

    @Flag(help: "Print {ids, pieces} as JSON.")
    var json = false

    @Flag(help: "Answer JSON values line by line.")
    var jsonLines = false

    @Flag(help: "Leave out the special tokens around a text.")
    var noSpecial = false

    @Flag(help: "Take text that spells a special token, such as </s>, for text.")
    var literal = false

    @Flag(
        help:
            "With --json-lines: answer ids by the list of the texts that come out one id at a time."
    )
    var stream = false

    func validate() throws {
        if stream && !jsonLines { throw ValidationError("--stream needs --json-lines") }
        if [ids, pieces, json, jsonLines].count(where: \.self) > 1 {
            throw ValidationError("--ids, --pieces, --json and --json-lines exclude each other")
        }
    }

    func run() throws { try reportingErrors { try tokenize() } }

    private func tokenize() throws {
        let tokenizer = try Tokenizer(path: tokenizer)
        if jsonLines { return try answerLines(tokenizer) }
        let text = try TextFile.read(file, maximumBytes: TextFile.maximumBytes)
        let found = tokenizer.encode(text, adding: noSpecial ? .none : .all, literally: literal)
        if pieces {
            let rows = found.map { id in
                "\(id)\t\(CanonicalJSON.text(of: .string(tokenizer.piece(id) ?? "")))\n"
            }
            try Terminal.print(rows.joined())
        } else if json {
            let report: JSONValue = [
                "ids": .array(found.map(JSONValue.integer)),
                "pieces": .array(found.map { .string(tokenizer.piece($0) ?? "") }),
            ]
            try Terminal.print(CanonicalJSON.text(of: report) + "\n")
        } else {
            try Terminal.print(found.map(String.init).joined(separator: " ") + "\n")
        }
    }

    private func answerLines(_ tokenizer: Tokenizer) throws {
        var options = LineProtocol.Options()
        options.addsSpecialTokens = !noSpecial
        options.isLiteral = literal
        options.streams = stream
        var answers = LineProtocol(tokenizer, options)
        try InputFile(file).forEachLine(maximumBytes: TextFile.maximumBytes) { line in
            try Terminal.print(answers.answer(line) + "\n")
        }
    }
}

/// Text files of any origin.
enum TextFile {
    /// Longer texts are not encoded at once.
    static let maximumBytes = Int(Int32.max)
    private static let pieceBytes = 4 << 20

    /// The text of a file, or of standard input for `-`.
    ///
    /// - Throws: one sentence when it cannot be read, is longer than `maximumBytes` or is no UTF-8.
    static func read(_ path: String, maximumBytes: Int) throws -> String {
        let data: Data
        do {
            data = try InputFile(path).whole(maximumBytes: maximumBytes)
        } catch let error as SystemError where error.code == EFBIG {
            throw TokenizerError(
                source: name(of: path),
                "the text is longer than \(maximumBytes) bytes; cut it, with `split -C 1G` for example."
            )
        }
        return try text(data, of: path)
    }

    /// Calls `body` with the text of a file, or of standard input for `-`, in pieces of some megabytes that end where lines do.
    ///
    /// - Throws: one sentence when it cannot be read or is no UTF-8; what `body` throws.
    static func forEachPiece(of path: String, _ body: (String) throws -> Void) throws {
        let file = try InputFile(path)
        var piece = Data()
        while true {
            let bytes = try file.next()
            if bytes.isEmpty { break }
            // The new bytes alone are searched: a line may be as long as the file.
            guard piece.count >= pieceBytes, let end = bytes.lastIndex(of: 0x0A) else {
                piece.append(bytes)
                continue
            }
            piece.append(bytes[...end])
            try body(text(piece, of: path))
            piece = Data(bytes[(end + 1)...])
        }
        if !piece.isEmpty { try body(text(piece, of: path)) }
    }

    private static func text(_ data: Data, of path: String) throws -> String {
        guard let text = String(validating: data, as: UTF8.self) else {
            throw TokenizerError(
                source: name(of: path),
                "the text is no UTF-8; convert it, with `iconv -t UTF-8` for example.")
        }
        return text
    }

    private static func name(of path: String) -> String {
        path == InputFile.standardInput ? "standard input" : "'\(path)'"
    }
}
