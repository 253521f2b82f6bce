import Platform

/// Corpora that Debian packages, read as they are installed.
public enum Importer: String, CaseIterable, Sendable {
    /// Terms of the Gene Ontology with their definitions (`GO.sqlite` of r-bioc-go.db).
    case go
    /// Synsets of WordNet 3.0 (`data.noun`, … of wordnet-base).
    case wordnet
    /// Entries of the GNU Collaborative International Dictionary of English (dict-gcide).
    case gcide

    /// The Debian package that has the files.
    public var package: String {
        switch self {
        case .go: "r-bioc-go.db"
        case .wordnet: "wordnet-base"
        case .gcide: "dict-gcide"
        }
    }

    /// Where the package puts its files, below the root.
    var installedFolder: String {
        switch self {
        case .go: "usr/lib/R/site-library/GO.db/extdata"
        case .wordnet: "usr/share/wordnet"
        case .gcide: "usr/share/dictd"
        }
    }

    /// How the files are had without being root, for messages.
    var cure: String {
        "get it by `apt-get download \(package) && dpkg -x \(package)_*.deb corpus` and name the folder 'corpus'"
    }

    /// Adds the documents at `path`: a file, the folder that holds it, or the folder a package was unpacked into.
    func read(_ path: String, into builder: inout CorpusBuilder) throws {
        switch self {
        case .go: try OntologyImporter.read(path, into: &builder)
        case .wordnet: try WordNetImporter.read(path, into: &builder)
        case .gcide: try DictionaryImporter.read(path, into: &builder)
        }
    }

    /// The path of the package's file `name`, looked for at, in and below `path`.
    ///
    /// - Throws: ``CorpusError`` with the cure when it is in none of these places.
    func locate(_ name: String, at path: String) throws(CorpusError) -> String {
        if Folder.holdsFile(path) { return path }
        let places = [name, "\(installedFolder)/\(name)"].map { Corpora.place(of: $0, in: path) }
        guard let place = places.first(where: Folder.holdsFile) else {
            throw CorpusError(path, "there is no '\(name)' of Debian's \(package); \(cure).")
        }
        return place
    }

    /// The error that the file at `path` is not the package's.
    func wrongFile(_ path: String, _ reason: String) -> CorpusError {
        CorpusError(path, "it is not usable as a file of Debian's \(package) (\(reason)); \(cure).")
    }
}
