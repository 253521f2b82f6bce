import Platform

/// Synsets of WordNet from its `data.noun`, `data.verb`, `data.adj` and `data.adv`.
///
/// A text is `{lemmas} ({part of speech}): {gloss}`, its domain the lexicographer file.
struct WordNetImporter {
    private static let names = ["data.noun", "data.verb", "data.adj", "data.adv"]

    /// Adds the synsets of one file, or of the four in a folder in their order above.
    static func read(_ path: String, into builder: inout CorpusBuilder) throws {
        let names = Folder.holdsFile(path) ? [Path.name(of: path)] : names
        let paths = try names.map { try Importer.wordnet.locate($0, at: path) }
        for path in paths where !builder.isFull { try readFile(path, into: &builder) }
    }

    private static func readFile(_ path: String, into builder: inout CorpusBuilder) throws {
        var file = try UnpackedFile(path)
        let count = builder.documents.count + builder.skippedCount
        try file.forEachLine { bytes, number in
            // The license stands in front, in lines that begin with spaces.
            if builder.isFull { return false }
            if bytes.isEmpty || bytes.starts(with: "  ".utf8) { return true }
            try builder.add { () throws(CorpusError) in
                let place = "\(path):\(number)"
                guard let synset = Synset(line: bytes) else {
                    throw Importer.wordnet.wrongFile(place, "the line is no synset")
                }
                return synset.entry.document(synset.text, place: place)
            }
            return true
        }
        if builder.documents.count + builder.skippedCount == count {
            throw Importer.wordnet.wrongFile(path, "it holds no synset")
        }
    }
}
