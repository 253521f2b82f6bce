import Corpora
import Foundation
import TestSupport
import Testing

/// Files, folders and gzip.
@Suite struct FileTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func read(_ name: String) throws -> Corpus {
        try Corpus.read(sources: [.file(folder.file(name))])
    }

    @Test func aTextFileIsOneDocument() throws {
        try folder.write("# A\n\n{\"text\": \"no line\"}\n", to: "notes.md")
        let corpus = try read("notes.md")
        #expect(corpus.documents.map(\.text) == ["# A\n\n{\"text\": \"no line\"}\n"])
        #expect(corpus.documents[0].place == folder.file("notes.md"))
    }

    @Test func byteOrderMarksAreNoText() throws {
        try folder.write("\u{FEFF}a", to: "a.txt")
        try folder.write("\u{FEFF}{\"text\": \"b\"}", to: "b.jsonl")
        try folder.writeGzip("\u{FEFF}c".utf8, to: "c.txt.gz")
        let corpus = try Corpus.read(sources: [.file(folder.path)])
        #expect(corpus.documents.map { Array($0.text.unicodeScalars) } == [["a"], ["b"], ["c"]])
    }

    /// Bytewise: `B` < `a` < `z` < `é`, whatever the order in which they were made, and `a-b` < `a/x` as folders nest.
    @Test(arguments: [false, true])
    func foldersAreReadInTheOrderOfNames(isReversed: Bool) throws {
        let names = ["é.txt", "B.txt", "z.txt", "a/y.txt", "a/b/x.md", "a-b.txt", "lines.ndjson"]
        for name in isReversed ? names.reversed() : names {
            try folder.write(name.hasPrefix("lines") ? "{\"text\": \"\(name)\"}" : name, to: name)
        }
        try folder.write("hidden", to: ".hidden.txt")
        try folder.write("hidden", to: ".git/config")
        let expected = [
            "B.txt", "a/b/x.md", "a/y.txt", "a-b.txt", "lines.ndjson", "z.txt", "é.txt",
        ]
        #expect(try read(".").documents.map(\.text) == expected)
        #expect(try read("").documents.map(\.text) == expected)
    }

    @Test func linksAreFollowedButNotInCircles() throws {
        try folder.write("a", to: "a/a.txt")
        let files = FileManager.default
        try files.createSymbolicLink(
            atPath: folder.file("b"), withDestinationPath: folder.file("a"))
        #expect(try read("").documents.map(\.text) == ["a", "a"])
        try files.createSymbolicLink(
            atPath: folder.file("a/up"), withDestinationPath: folder.path)
        #expect(
            folder.message { try read("") }
                == "a/up: it is a link to a folder around it; remove the link.")
        try files.removeItem(atPath: folder.file("a/up"))
        try files.createSymbolicLink(
            atPath: folder.file("c"), withDestinationPath: folder.file("none"))
        #expect(
            folder.message { try read("") }
                == "c: it is no ordinary file, or a link to nothing; remove it.")
    }

    /// Lines of objects under another name would be learned as one text with all its braces; other JSON may be a text.
    @Test func linesUnderAnotherNameAreNotTakenForAText() throws {
        let message =
            ": its first line is the object of a document, and only .jsonl, .ndjson, .json are read line by line; give it such "
            + "a name (or with .gz behind)."
        try folder.write("{\"text\": \"a\"}\n{\"text\": \"b\"}\n", to: "a.txt")
        try folder.writeGzip("{\"prompt\": \"a\", \"completion\": \"b\"}".utf8, to: "b.gz")
        try folder.write("\n {\"text\": \"\"}\n{\"text\": \"b\"}\n", to: "e")
        for name in ["a.txt", "b.gz", "e"] {
            #expect(folder.message { try read(name) } == name + message)
            // That would leave out the whole corpus.
            #expect(
                folder.message {
                    try Corpus.read(sources: [.file(folder.file(name))], skippingBad: true)
                } == name + message)
        }
        try folder.write("{\"name\": \"a\"}\n", to: "c.conf")
        try folder.write("{ in braces }\n", to: "d.txt")
        #expect(try read("c.conf").documents.count == 1)
        #expect(try read("d.txt").documents.count == 1)
    }

    @Test func filesThatAreNoTextAreNamed() throws {
        try folder.write(Array("one\ntwo\n".utf8) + [0xFF] + Array("\nfour".utf8), to: "a.txt")
        #expect(
            folder.message { try read("a.txt") }
                == "a.txt:3: it is not valid UTF-8; convert it, e.g. by `iconv -t UTF-8`.")
        try folder.write(" \n\t", to: "b.txt")
        #expect(
            folder.message { try read("b.txt") }
                == "b.txt: it is empty or nothing but white space; remove the file.")
        #expect(folder.message { try read("none") }.hasPrefix("cannot read 'none': No such file"))
        try FileManager.default.createDirectory(
            atPath: folder.file("empty"), withIntermediateDirectories: false)
        #expect(
            folder.message { try read("empty") }
                == "no document was found in 'empty'; name a file or folder that holds some.")
        let corpus = try Corpus.read(
            sources: [.file(folder.path)] + [.file(try folder.write("c", to: "c.txt"))],
            skippingBad: true)
        #expect(corpus.documents.map(\.text) == ["c", "c"] && corpus.skippedCount == 2)
    }

    /// Longer than the pieces it is read in, so that lines and characters lie across their ends.
    @Test func longFilesAreReadTheSameCompressedOrNot() throws {
        var generator = TestGenerator(seed: 1)
        let texts = (0..<400).map { number in
            "\(number) "
                + String(repeating: "é😀\\n", count: Int.random(in: 0...300, using: &generator))
        }
        let bytes = texts.map { "{\"text\": \"\($0)\"}\n" }.joined().utf8
        #expect(bytes.count > 5 << 16)
        let expected = texts.map { $0.replacing("\\n", with: "\n") }
        try folder.write(bytes, to: "a.jsonl")
        #expect(try read("a.jsonl").documents.map(\.text) == expected)
        try folder.writeGzip(bytes, to: "b.jsonl.gz")
        #expect(try read("b.jsonl.gz").documents.map(\.text) == expected)
        // The magic decides, not the name; and two members after each other, and the zeros of a tape, are one file.
        let members = try ["x.gz", "y.gz"].enumerated().map { half, name in
            let middle = bytes.count / 2
            let part = Array(half == 0 ? bytes.prefix(middle) : bytes.dropFirst(middle))
            return try Data(
                contentsOf: URL(fileURLWithPath: try folder.writeGzip(part, to: name)))
        }
        let zeros = [UInt8](repeating: 0, count: 100_000)
        try folder.write(members[0] + members[1] + zeros, to: "c.jsonl")
        #expect(try read("c.jsonl").documents.map(\.text) == expected)
        // What stands behind a member and is none is not passed over.
        try folder.write(members[0] + members[1].dropFirst(), to: "c.jsonl")
        #expect(
            folder.message { try read("c.jsonl") }
                == "c.jsonl: its gzip data is damaged; fetch or compress it again.")
    }

    /// Every cut is found, and every byte that is changed is either found or one that says nothing of the text.
    @Test func damagedGzipIsNamed() throws {
        let text = (0..<60).map { "{\"text\": \"line \($0 * $0)\"}\n" }.joined()
        let path = try folder.writeGzip(text.utf8, to: "a.jsonl.gz")
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let expected = try read("a.jsonl.gz").hash
        for length in 2..<bytes.count {
            try folder.write(bytes.prefix(length), to: "b.jsonl")
            #expect(
                folder.message { try read("b.jsonl") }
                    == "b.jsonl: its gzip data ends too early; the file was cut: fetch or compress it again.",
                "\(length) of \(bytes.count) bytes")
        }
        var refused = 0
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0x10
            try folder.write(damaged, to: "b.jsonl")
            do {
                #expect(try read("b.jsonl").hash == expected, "byte \(index)")
            } catch {
                #expect("\(error)".hasPrefix(folder.file("b.jsonl")), "byte \(index): \(error)")
                refused += 1
            }
        }
        // Of a header's 10 bytes time (4), extra flags and system mean nothing here (RFC 1952); and the data ends in a
        // byte whose last bits may fill it up (RFC 1951).
        #expect(refused >= bytes.count - 7)
    }

    /// Whatever is done to a file, it is read or refused by a sentence that names it.
    @Test func damagedLinesAreRefusedOrWork() throws {
        let mutations = Mutations(fragments: [
            "\"", "\\", "\\u", "\\ud800", "{", "}", "[", "]", ",", ":", "null", "\n", "\r", "\u{0}",
            "\"text\":", "\"prompt\":", "\"messages\":[{\"role\":\"user\"", "\"chosen\":", " ",
        ])
        let lines = Array(
            """
            {"text": "a", "domain": "d"}
            {"prompt": "a", "completion": "b"}
            {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
            {"prompt": "a", "chosen": "b", "rejected": "c"}
            """.utf8)
        var generator = TestGenerator(seed: Mutations.seed)
        for _ in 0..<Mutations.count / 4 {
            let path = try folder.write(mutations.damaged(lines, &generator), to: "c.jsonl")
            let message = folder.message { try Corpus.read(sources: [.file(path)]) }
            // Four kinds are too many, so the best that can come of it is that.
            #expect(message.hasPrefix("c.jsonl:") && message.hasSuffix("."), "\(message)")
        }
    }
}
