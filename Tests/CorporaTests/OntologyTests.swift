import CSQLite
import Corpora
import Foundation
import TestSupport
import Testing

/// GO.sqlite, made here with the tables that the package has.
@Suite struct OntologyTests {
    private static let schema = """
        CREATE TABLE go_ontology (ontology VARCHAR(9) PRIMARY KEY, term_type VARCHAR(18) NOT NULL UNIQUE);
        CREATE TABLE go_term (_id INTEGER PRIMARY KEY, go_id CHAR(10) NOT NULL UNIQUE,
            term VARCHAR(255) NOT NULL, ontology VARCHAR(9) NOT NULL, definition TEXT NULL);
        INSERT INTO go_ontology VALUES ('BP', 'biological_process'), ('MF', 'molecular_function');
        """
    private static let terms = """
        INSERT INTO go_term VALUES (1, 'GO:0000002', 'binding', 'MF', 'Holding  on to a molecule.'),
            (2, 'GO:0000001', 'growth', 'BP', 'Getting larger, as in "cell growth".'),
            (3, 'GO:0000003', 'named only', 'BP', NULL), (4, 'GO:0000004', 'blank', 'BP', ' '),
            (5, 'GO:0000005', 'other', 'XX', 'Of an ontology that is not listed.');
        """
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func write(_ statements: String, to name: String = "GO.sqlite") throws {
        // Makes the folders.
        try folder.write("", to: name)
        var database: OpaquePointer?
        try #require(sqlite3_open(folder.file(name), &database) == SQLITE_OK)
        defer { sqlite3_close(database) }
        try #require(sqlite3_exec(database, statements, nil, nil, nil) == SQLITE_OK)
    }

    private func read(_ name: String, limit: Int? = nil) throws -> Corpus {
        try Corpus.read(sources: [.imported(.go, path: folder.file(name))], limit: limit)
    }

    @Test func termsAreReadWithTheirDefinitions() throws {
        try write(Self.schema + Self.terms)
        let corpus = try read("GO.sqlite")
        #expect(
            corpus.documents.map(\.text) == [
                "growth: Getting larger, as in \"cell growth\".",
                "binding: Holding on to a molecule.", "other: Of an ontology that is not listed.",
            ])
        #expect(
            corpus.documents.map(\.domain) == ["biological_process", "molecular_function", "XX"])
        #expect(corpus.documents[0].place == folder.file("GO.sqlite: GO:0000001"))
        #expect(corpus.kind == .text && corpus.name == "go")
        #expect(try read("GO.sqlite", limit: 1).documents.count == 1)
    }

    /// The file, its folder, and the root of the unpacked package.
    @Test func theFileIsFound() throws {
        let name = "a b/?#%41/usr/lib/R/site-library/GO.db/extdata/GO.sqlite"
        try write(Self.schema + Self.terms, to: name)
        for place in [name, String(name.dropLast("/GO.sqlite".count)), "a b/?#%41"] {
            #expect(try read(place).documents.count == 3, "\(place)")
        }
    }

    /// Reading leaves nothing behind and needs no leave to write.
    @Test func theDatabaseIsNotTouched() throws {
        try write(Self.schema + Self.terms)
        let before = try Data(contentsOf: URL(fileURLWithPath: folder.file("GO.sqlite")))
        let files = FileManager.default
        try files.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.path)
        defer { try? files.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.path) }
        _ = try read("GO.sqlite")
        #expect(try folder.names() == ["GO.sqlite"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file("GO.sqlite"))) == before)
    }

    @Test func missingAndWrongFilesAreNamedWithTheCure() throws {
        let cure =
            "get it by `apt-get download r-bioc-go.db && dpkg -x r-bioc-go.db_*.deb corpus` and name the "
            + "folder 'corpus'."
        #expect(
            folder.message { try read("none") }
                == "none: there is no 'GO.sqlite' of Debian's r-bioc-go.db; \(cure)")
        for (text, reason) in [
            ("This is no database, but a text of some length.", "file is not a database"),
            ("", "no such table: go_term"),
        ] {
            try folder.write(text, to: "wrong")
            #expect(
                folder.message { try read("wrong") }
                    == "wrong: it is not usable as a file of Debian's r-bioc-go.db (\(reason)); \(cure)"
            )
        }
        try write("CREATE TABLE go_term (go_id, term); CREATE TABLE go_ontology (ontology)")
        #expect(folder.message { try read("") }.contains("(no such column: "))
    }

    @Test func damagedDatabasesAreRefusedOrRead() throws {
        let rows = (10..<2000).map { "(\($0), 'GO:\($0)', 'term \($0)', 'BP', 'What it is.')" }
        try write(Self.schema + "INSERT INTO go_term VALUES \(rows.joined(separator: ", "));")
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.file("GO.sqlite"))))
        try folder.write(bytes.prefix(bytes.count / 2), to: "cut")
        #expect(
            folder.message { try read("cut") }.contains(
                "(database disk image is malformed); get it by"))
        var generator = TestGenerator(seed: Mutations.seed)
        for _ in 0..<Mutations.count / 10 {
            var damaged = bytes
            for _ in 0..<40 {
                damaged[Int.random(in: 0..<bytes.count, using: &generator)] ^=
                    UInt8.random(in: 1...255, using: &generator)
            }
            try folder.write(damaged, to: "damaged")
            let message = folder.message { try read("damaged") }
            #expect(message == "no error" || message.hasPrefix("damaged: "), "\(message)")
        }
    }
}
