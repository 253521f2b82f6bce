/// Terms of the Gene Ontology from `GO.sqlite` (Bioconductor's GO.db).
///
/// A text is `{term}: {definition}`, its domain the ontology. Terms without a definition are left out: a name alone
/// teaches nothing (8,419 of 43,559 terms in version 3.16).
struct OntologyImporter {
    private static let query = """
        SELECT go_id, term, coalesce(term_type, go_term.ontology), definition
        FROM go_term LEFT JOIN go_ontology ON go_ontology.ontology = go_term.ontology
        WHERE trim(definition) <> '' ORDER BY go_id
        """

    /// Adds the terms of the database at `path`, by their identifiers.
    static func read(_ path: String, into builder: inout CorpusBuilder) throws {
        let path = try Importer.go.locate("GO.sqlite", at: path)
        do {
            try Database(path).forEachRow(of: query) { row in
                if builder.isFull { return false }
                try builder.add { () throws(CorpusError) in try document(row, path) }
                return true
            }
        } catch let problem as Database.Problem {
            throw Importer.go.wrongFile(path, problem.reason)
        }
    }

    private static func document(
        _ row: [String?], _ path: String
    ) throws(CorpusError) -> CorpusDocument {
        guard let identifier = row[0], let term = row[1], let definition = row[3] else {
            throw Importer.go.wrongFile(path, "a term has no name")
        }
        let entry = DictionaryEntry(
            term: withSingleSpaces(term), definition: withSingleSpaces(definition), domain: row[2])
        return entry.document("\(entry.term): \(entry.definition)", place: "\(path): \(identifier)")
    }
}
