import Experiments
import Foundation
import TestSupport
import Testing

/// `sandbox text` as a user meets it.
@Suite struct TextTests {
    private static let stories = Fixture.path("tokenizers/stories260K.json")

    @Test func aTextBecomesIdsOrPieces() throws {
        let folder = try TemporaryDirectory()
        let text = "Once upon a time, there was a little girl named Lily."
        try folder.write(text, to: "story.txt")
        // The first of the model's own reference encodings.
        let ids = [1, 403, 407, 261, 378, 432, 383, 286, 261, 376, 298, 315, 421, 395, 317, 426]
        func run(_ flags: String...) throws -> String {
            let outcome = try Program.run(
                ["text", "tokenize", "story.txt", "--tokenizer", Self.stories] + flags,
                in: folder.path)
            #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
            return outcome.output
        }
        let line = ids.map(String.init).joined(separator: " ") + "\n"
        #expect(try run() == line)
        #expect(try run("--ids") == line)
        #expect(try run("--no-special") == String(line.dropFirst(2)))
        let pieces = try run("--pieces").split(separator: "\n")
        #expect(pieces.count == ids.count)
        #expect(pieces[0] == "1\t\"<s>\"" && pieces[1] == "403\t\"▁Once\"")
        let report = try json(try run("--json"))
        #expect(report["ids"]?.arrayValue?.compactMap(\.integerValue) == ids)
        #expect(report["pieces"]?.arrayValue?.first?.stringValue == "<s>")
        // Line by line, both ways.
        try folder.write(
            "\"Once upon a time\"\n[1,403,407]\n\"\\u00e9\\n\"\n", to: "lines.jsonl")
        let lines = try Program.run(
            ["text", "tokenize", "lines.jsonl", "--tokenizer", Self.stories, "--json-lines"],
            in: folder.path)
        #expect(lines.exitCode == 0)
        #expect(lines.output.hasPrefix("[1,403,407,261,378]\n\"<s> Once upon\"\n[1,"))
    }

    @Test func whatCannotBeTokenizedIsSaid() throws {
        let folder = try TemporaryDirectory()
        try folder.write([0x61, 0xFF], to: "bytes.txt")
        try folder.write("a", to: "text.txt")
        try folder.write("{\"model\": {\"type\": \"Unigram\"}}", to: "unigram.json")
        func error(_ arguments: [String], status: Int32 = 1) throws -> String {
            let outcome = try Program.run(["text", "tokenize"] + arguments, in: folder.path)
            #expect(outcome.exitCode == status && outcome.output == "", "\(outcome)")
            return outcome.errors
        }
        #expect(
            try error(["bytes.txt", "--tokenizer", Self.stories])
                == "error: 'bytes.txt': the text is no UTF-8; convert it, with `iconv -t UTF-8` for example.\n"
        )
        #expect(try error(["no.txt", "--tokenizer", Self.stories]).contains("'no.txt'"))
        #expect(try error(["text.txt", "--tokenizer", "no.json"]).contains("'no.json'"))
        let unknown = try error(["text.txt", "--tokenizer", "unigram.json"])
        #expect(unknown.contains("unigram.json") && unknown.contains("Unigram"), "\(unknown)")
        #expect(
            try error(["text.txt", "--tokenizer", Self.stories, "--ids", "--json"], status: 64)
                .contains("exclude each other"))
    }

    @Test func aVocabularyIsLearnedAndUsed() throws {
        let folder = try TemporaryDirectory()
        let text = String(repeating: "the cat sat on the mat, the rat on the hat. ", count: 40)
        try folder.write(text, to: "corpus.txt")
        let arguments = ["text", "tokenizer", "train", "corpus.txt", "--output", "learned.json"]
        let outcome = try Program.run(arguments + ["--size", "300"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.output.hasPrefix("wrote learned.json: "))
        let first = try bytes(folder.file("learned.json"))
        _ = try Program.run(arguments + ["--size", "300"], in: folder.path)
        #expect(try bytes(folder.file("learned.json")) == first)
        let used = try Program.run(
            ["text", "tokenize", "corpus.txt", "--tokenizer", "learned.json", "--json"],
            in: folder.path)
        let pieces = try json(used.output)["pieces"]?.arrayValue?.compactMap(\.stringValue) ?? []
        #expect(pieces.first == "<s>" && pieces.contains("▁the"))
        // Far fewer tokens than characters, and none of them unknown.
        #expect(pieces.count < text.count / 3 && !pieces.contains("<unk>"))
        let small = try Program.run(arguments + ["--size", "100"], in: folder.path)
        #expect(small.exitCode == 1 && small.errors.contains("100"), "\(small)")
        #expect(try bytes(folder.file("learned.json")) == first)
        try folder.write("", to: "empty.txt")
        let empty = try Program.run(
            ["text", "tokenizer", "train", "empty.txt", "--output", "none.json"], in: folder.path)
        #expect(empty.exitCode == 1 && empty.errors.contains("no text"), "\(empty)")
        #expect(!FileManager.default.fileExists(atPath: folder.file("none.json")))
    }

    /// A vocabulary takes the place of no text that it is learned from, and what cannot be written is not learned.
    @Test func aCorpusIsNotReplaced() throws {
        let folder = try TemporaryDirectory()
        let text = String(repeating: "the cat sat on the mat. ", count: 20)
        try folder.write(text, to: "a/corpus.txt")
        try FileManager.default.createSymbolicLink(
            atPath: folder.file("link"), withDestinationPath: "a")
        func error(_ output: String, status: Int32) throws -> String {
            let outcome = try Program.run(
                [
                    "text", "tokenizer", "train", "a/corpus.txt", "--size", "280", "--output",
                    output,
                ], in: folder.path)
            #expect(outcome.exitCode == status && outcome.output == "", "\(outcome)")
            return outcome.errors
        }
        for output in ["a/corpus.txt", "./a/../a/corpus.txt", "link/corpus.txt"] {
            #expect(
                try error(output, status: 64)
                    == "error: command line: --output \(output): a/corpus.txt is read by this command and would be replaced; "
                    + "name another file\n")
        }
        #expect(
            try error("no/tokenizer.json", status: 1)
                == "error: cannot write 'no/tokenizer.json': No such file or directory; create the folder 'no' or name another\n"
        )
        #expect(try error("a", status: 1).contains("'a': Is a directory; it is a folder"))
        try folder.write("", to: "file")
        #expect(try error("file/x", status: 1).contains("'file' is a file"))
        #expect(try error("", status: 1).contains("the name is empty"))
        #expect(try bytes(folder.file("a/corpus.txt")) == Data(text.utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("a")).count == 1)
        let read = try Program.run(
            ["text", "tokenizer", "train", "a", "--size", "280", "--output", "a/new.json"],
            in: folder.path)
        #expect(read.exitCode == 1 && read.errors.hasPrefix("error: cannot read 'a': "), "\(read)")
        // Standard input has no name that could be an output's.
        let piped = try TestSupport.run(
            try builtProgram(),
            ["text", "tokenizer", "train", "-", "--size", "280", "--output", "learned.json"],
            workingDirectory: folder.path, input: text)
        #expect(piped.exitCode == 0, "\(piped)")
    }

    /// Text that is read in pieces: a word at their seam, characters of several bytes, and a byte that is none.
    @Test func aLargeCorpusIsReadInPieces() throws {
        let folder = try TemporaryDirectory()
        // Ten megabytes in lines of 25 bytes, behind a first line of four.
        let text = "abcd\n" + String(repeating: "größer abcd efgh 😀 naïf\n", count: 330_000)
        try folder.write(text, to: "large.txt")
        let arguments = ["text", "tokenizer", "train", "--size", "330", "--coverage", "1"]
        let large = try Program.run(
            arguments + ["large.txt", "--output", "large.json"], in: folder.path)
        #expect(large.exitCode == 0, "\(large)")
        // The same words, each as often for all that matters: more than once.
        try folder.write(
            "abcd\n" + String(repeating: "größer abcd efgh 😀 naïf\n", count: 1000), to: "small.txt")
        let small = try Program.run(
            arguments + ["small.txt", "--output", "small.json"], in: folder.path)
        #expect(small.exitCode == 0, "\(small)")
        #expect(try bytes(folder.file("large.json")) == bytes(folder.file("small.json")))
        try folder.write(Array(text.utf8) + [0xFF], to: "bad.txt")
        let bad = try Program.run(
            arguments + ["bad.txt", "--output", "bad.json"], in: folder.path)
        #expect(bad.exitCode == 1 && bad.errors.contains("'bad.txt': the text is no UTF-8"))
    }

    /// What goes to standard output is the tokenizer alone, whatever standard output is.
    @Test func aTokenizerCanBePrinted() throws {
        let folder = try TemporaryDirectory()
        try folder.write(String(repeating: "the cat sat. ", count: 20), to: "corpus.txt")
        let train = ["text", "tokenizer", "train", "corpus.txt", "--size", "280", "--output"]
        _ = try Program.run(train + ["learned.json"], in: folder.path)
        let expected = String(decoding: try bytes(folder.file("learned.json")), as: UTF8.self)
        #expect(expected.hasPrefix("{"))
        // A file, then a pipe.
        let printed = try Program.run(train + ["/dev/stdout"], in: folder.path)
        #expect(printed.exitCode == 0 && printed.output == expected, "\(printed)")
        #expect(printed.errors.contains("wrote /dev/stdout: "))
        let piped = try TestSupport.run(
            "sh", ["-c", "\"$0\" \"$@\" | cat", try builtProgram()] + train + ["/dev/stdout"],
            workingDirectory: folder.path)
        #expect(piped.output == expected && piped.errors.contains("wrote /dev/stdout: "))
    }

    /// Runs `sandbox text tokenize` with what a shell makes its standard input.
    private func tokenize(_ arguments: [String], input: String = ":", in folder: String) throws
        -> ChildProcess.Outcome
    {
        try Program.run(
            ["text", "tokenize", "--tokenizer", Self.stories] + arguments, in: folder,
            limits: input)
    }

    @Test func standardInputThatCannotBeReadIsSaid() throws {
        let folder = try TemporaryDirectory()
        for flags in [[], ["--json-lines"]] {
            let closed = try tokenize(flags, input: "exec <&-", in: folder.path)
            #expect(
                closed.errors
                    == "error: cannot read standard input: it is closed; name a file or give it one by `<`\n"
            )
            #expect(closed.exitCode == 1 && closed.output == "")
            let directory = try tokenize(flags, input: "exec < .", in: folder.path)
            #expect(
                directory.errors
                    == "error: cannot read standard input: it is a folder; name a file\n")
            #expect(directory.exitCode == 1)
            let named = try tokenize(flags + ["."], in: folder.path)
            #expect(named.exitCode == 1 && named.errors.hasPrefix("error: cannot read '.': "))
        }
    }

    /// Lines of a file and of standard input are the same lines.
    @Test func linesDoNotDependOnWhereTheyComeFrom() throws {
        let folder = try TemporaryDirectory()
        let cases: [([UInt8], Int32, String, String)] = [
            (Array("\"Once\"\r\n[403]".utf8), 0, "[1,403]\n\"Once\"\n", ""),
            (
                Array("\"Once\"\n\n[403]\n".utf8), 1, "[1,403]\n",
                "error: line 2: a JSON string or a JSON list of ids is expected, but it is not valid JSON at its byte 0: a "
                    + "value is expected.\n"
            ),
            (
                [0x22, 0xFF, 0x22, 0x0A], 1, "",
                "error: line 1: a JSON string or a JSON list of ids is expected, but it is not valid UTF-8.\n"
            ),
        ]
        for (bytes, status, output, errors) in cases {
            try folder.write(bytes, to: "lines")
            for outcome in [
                try tokenize(["lines", "--json-lines"], in: folder.path),
                try tokenize(["--json-lines"], input: "exec < lines", in: folder.path),
            ] {
                #expect(outcome.exitCode == status)
                #expect(outcome.output == output && outcome.errors == errors, "\(outcome)")
            }
        }
    }

    @Test func textOfTwoGibibytesIsRefused() throws {
        let folder = try TemporaryDirectory()
        try folder.write("", to: "huge.txt")
        let handle = try #require(FileHandle(forWritingAtPath: folder.file("huge.txt")))
        try handle.truncate(atOffset: 1 << 31)
        try handle.close()
        let outcome = try Program.run(
            ["text", "tokenize", "huge.txt", "--tokenizer", Self.stories], in: folder.path)
        #expect(
            outcome.errors
                == "error: 'huge.txt': the text is longer than 2147483647 bytes; cut it, with `split -C 1G` for example.\n"
        )
        #expect(outcome.exitCode == 1)
    }

    @Test func specialTokensMayBeText() throws {
        let folder = try TemporaryDirectory()
        try folder.write("a</s>", to: "text.txt")
        func ids(_ flags: String...) throws -> [String.SubSequence] {
            let outcome = try Program.run(
                ["text", "tokenize", "text.txt", "--tokenizer", Self.stories] + flags,
                in: folder.path)
            return outcome.output.dropLast().split(separator: " ")
        }
        #expect(try ids().last == "2")
        #expect(try ids("--literal").count > 3 && !ids("--literal").contains("2"))
        let alone = try Program.run(
            ["text", "tokenize", "text.txt", "--tokenizer", Self.stories, "--stream"],
            in: folder.path)
        #expect(alone.exitCode == 64 && alone.errors.contains("--stream needs --json-lines"))
    }
}
