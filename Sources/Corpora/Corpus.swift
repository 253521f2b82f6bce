import Experiments
import Foundation
import Platform

/// Where documents come from.
public enum CorpusSource: Sendable, Hashable {
    /// A file, or a folder with all the files in it.
    case file(String)
    /// What an importer makes of a package's files.
    case imported(Importer, path: String)

    /// A short name: the file's without extensions, or the importer's.
    public var name: String {
        switch self {
        case .file(let path):
            let name = Path.name(of: path)
            return name.split(separator: ".").first.map(String.init) ?? name
        case .imported(let importer, _): return importer.rawValue
        }
    }

    /// The path that was named.
    public var path: String {
        switch self {
        case .file(let path), .imported(_, let path): path
        }
    }
}

/// Documents of one kind from files, folders and packages.
public struct Corpus: Sendable {
    /// Where the documents come from, in this order.
    public let sources: [CorpusSource]
    /// What they are: at least one.
    public let documents: [CorpusDocument]
    /// The form that all of them have.
    public let kind: DocumentKind
    /// Lines and files that could not be used and were skipped.
    public let skippedCount: Int
    /// Why, of the first five.
    public let skippedMessages: [String]
    /// SHA-256 of the documents' digests in order, 64 hexadecimal digits: the content of the corpus, for a run's
    /// identity. Domains, places and other fields do not enter.
    public let hash: String

    /// The sources' names, joined by `+`.
    public var name: String { sources.map(\.name).joined(separator: "+") }

    /// Reads all sources.
    ///
    /// - Parameters:
    ///   - sources: where the documents come from.
    ///   - skippingBad: whether documents that cannot be used are counted and left out instead of thrown; a damaged file
    ///     is an error all the same.
    ///   - limit: how many documents are read; all when nil.
    /// - Throws: ``CorpusError`` or `SystemError`, one sentence with file, line and cure.
    public static func read(
        sources: [CorpusSource], skippingBad: Bool = false, limit: Int? = nil
    ) throws -> Corpus {
        precondition(limit ?? 1 >= 1, "a limit of \(limit ?? 1) documents leaves none")
        var builder = CorpusBuilder(skippingBad: skippingBad, limit: limit)
        for source in sources where !builder.isFull {
            switch source {
            case .file(let path): try CorpusFiles.read(path, into: &builder)
            case .imported(let importer, let path): try importer.read(path, into: &builder)
            }
        }
        let paths = sources.map { "'\($0.path)'" }.joined(separator: ", ")
        guard let kind = try kind(of: builder.documents) else {
            let reason = builder.skippedMessages.first.map { "; the first that was skipped: \($0)" }
            throw CorpusError(
                "no document was found in \(paths)\(reason ?? "; name a file or folder that holds some.")"
            )
        }
        return Corpus(
            sources: sources, documents: builder.documents, kind: kind,
            skippedCount: builder.skippedCount, skippedMessages: builder.skippedMessages,
            hash: hash(of: builder.documents))
    }

    /// The form that all `documents` have; nil when there are none.
    ///
    /// - Throws: ``CorpusError`` at the first document that differs from the first.
    public static func kind(of documents: [CorpusDocument]) throws(CorpusError) -> DocumentKind? {
        guard let first = documents.first else { return nil }
        let kind = first.content.kind
        if let other = documents.first(where: { $0.content.kind != kind }) {
            throw CorpusError(
                other.place,
                "it is a document of the kind '\(other.content.kind.rawValue)', but \(first.place) is of the kind "
                    + "'\(kind.rawValue)'; a corpus has one kind: train on each with its own objective."
            )
        }
        return kind
    }

    private static func hash(of documents: [CorpusDocument]) -> String {
        sha256Hex(Data(documents.flatMap { Array($0.digest.utf8) }))
    }
}
