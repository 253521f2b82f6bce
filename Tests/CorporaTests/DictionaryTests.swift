import Corpora
import TestSupport
import Testing

/// Dictionaries in dictd's format with entries as GCIDE writes them.
@Suite struct DictionaryTests {
    private struct Entry {
        let headwords: [String]
        let bytes: [UInt8]

        init(_ headwords: String..., text: String) {
            self.headwords = headwords
            bytes = Array(text.utf8)
        }
    }

    private static let information = Entry(
        "00-database-info", "00-gcide-info", text: "00-database-info\nAbout the dictionary.\n")
    private static let otter = Entry(
        "Otter", "otter",
        text: #"""
            Otter \Ot"ter\ ([o^]t"t[~e]r), n. [OE. oter; akin to F.
               loutre, L. lutra. See {Water}.] (Zo["o]l.)
               1. Any carnivorous animal of the genus {Lutra}, found in
                  all parts of the world, as in the [AE]gean; it dives
                  for its food. [Written also {Oter}.]
                  [1913 Webster +PJC]

                        The otter's coat, he said, is warm.   --Anon.
                  [1913 Webster]

               2. The fur. [Obs.]
                  [1913 Webster] Otto
            """# + "\n")
    private static let otto = Entry(
        "Otto", text: #"Otto \Ot"to\, n. [See {Attar}.]"# + "\n   Same as {Attar}.\n   [PJC]\n\n")
    private static let entries = [information, otter, otto]

    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    /// The digits of dictd's base64 by the definition of dictfmt(1).
    private func base64(_ number: Int) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let rest = number / 64
        return (rest == 0 ? "" : base64(rest)) + String(digits[number % 64])
    }

    private func write(
        _ entries: [Entry], to stem: String = "gcide", isCompressed: Bool = true
    ) throws {
        var bytes: [UInt8] = []
        var lines: [String] = []
        for entry in entries {
            lines += entry.headwords.map {
                "\($0)\t\(base64(bytes.count))\t\(base64(entry.bytes.count))\n"
            }
            bytes += entry.bytes + [0x0A]
        }
        if isCompressed {
            try folder.writeGzip(bytes, to: stem + ".dict.dz")
        } else {
            try folder.write(bytes, to: stem + ".dict")
        }
        // dictd sorts by headword, so that the order of the dictionary is not the index's.
        try folder.write(lines.sorted().joined(), to: stem + ".index")
    }

    private func read(_ name: String) throws -> Corpus {
        try Corpus.read(sources: [.imported(.gcide, path: folder.file(name))])
    }

    /// The marks are resolved by hand.
    @Test func entriesAreReadable() throws {
        try write(Self.entries)
        let documents = try read("").documents
        try #require(documents.count == 2)
        #expect(
            documents[0].text
                == """
                Otter (ŏt"tẽr), n. [OE. oter; akin to F. loutre, L. lutra. See Water.] (Zoöl.) 1. Any \
                carnivorous animal of the genus Lutra, found in all parts of the world, as in the Ægean; it \
                dives for its food. [Written also Oter.]
                The otter's coat, he said, is warm. --Anon.
                2. The fur. [Obs.]
                """)
        #expect(documents[1].text == "Otto, n. [See Attar.] Same as Attar.")
        #expect(documents[0].place == folder.file("gcide.dict.dz: Otter"))
        #expect(documents.map(\.domain) == [nil, nil])
    }

    @Test func theFileIsFound() throws {
        try write(Self.entries, to: "root/usr/share/dictd/gcide")
        try write(Self.entries, to: "plain/gcide", isCompressed: false)
        try write(Self.entries, to: "other/vera")
        for place in [
            "root", "root/usr/share/dictd", "root/usr/share/dictd/gcide.dict.dz", "plain",
            "plain/gcide.dict", "other/vera.dict.dz",
        ] {
            #expect(try read(place).documents.count == 2, "\(place)")
        }
    }

    /// Fields of the index are bytes of any number; more than two digits are needed for an offset from 4,096 on.
    @Test func manyEntriesAreFound() throws {
        let entries = (0..<3000).map { Entry("word\($0)", text: "word\($0)\n   Meaning \($0).\n") }
        try write(entries)
        #expect(
            try read("").documents.map(\.text) == (0..<3000).map { "word\($0) Meaning \($0)." })
    }

    /// A few entries of GCIDE's hold bytes of Windows-1252.
    @Test func otherBytesBecomeText() throws {
        let text =
            Array("Drop\n   The market".utf8) + [0x92] + Array("s fa".utf8) + [0xE7]
            + Array("ade.".utf8)
        try folder.writeGzip(text, to: "gcide.dict.dz")
        try folder.write("Drop\tA\t\(base64(text.count))\n", to: "gcide.index")
        #expect(try read("").documents.map(\.text) == ["Drop The market’s façade."])
    }

    @Test func missingAndWrongFilesAreNamedWithTheCure() throws {
        let cure =
            "get it by `apt-get download dict-gcide && dpkg -x dict-gcide_*.deb corpus` and name the folder 'corpus'."
        #expect(
            folder.message { try read("none") }
                == "none: there is no 'gcide.dict.dz' of Debian's dict-gcide; \(cure)")
        try folder.write("text", to: "gcide.txt")
        #expect(
            folder.message { try read("gcide.txt") }.contains(
                "does not end in .dict.dz or .dict); get"))
        try write(Self.entries)
        try folder.write("", to: "gcide.index")
        #expect(folder.message { try read("") }.hasPrefix("gcide.index: it is not usable"))
        for line in ["a", "a\tB", "a\tB\t", "a\tB\t?", "a\tBBBBBBBBB\tB"] {
            try folder.write("Otter\tA\tB\n" + line, to: "gcide.index")
            #expect(
                folder.message { try read("") }.hasPrefix("gcide.index:2: it is not usable"),
                "\(line)")
        }
        try folder.write("Otter\tA\t//\n", to: "gcide.index")
        #expect(
            folder.message { try read("") }.contains(
                "(it ends within the entry 'Otter'); get it by"))
        try folder.write("x", to: "alone/gcide.dict.dz")
        #expect(
            folder.message { try read("alone") }
                == "alone/gcide.dict.dz: its index 'alone/gcide.index' is missing beside it; \(cure)"
        )
    }
}
