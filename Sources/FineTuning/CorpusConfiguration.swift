import Corpora
import Experiments

/// The section `corpus:` of a text run.
public struct CorpusConfiguration: Encodable, Sendable, Hashable {
    /// Files, folders, or what an importer reads.
    public var path: [String]
    /// The importer; nil for text, JSONL and folders of them.
    public var from: String?
    /// The share of documents that is held out.
    public var heldOut: Double
    /// The first so many documents alone; nil for all.
    public var limit: Int?
    /// Whether lines that cannot be read are left out.
    public var skipsBad: Bool

    enum CodingKeys: String, CodingKey {
        case path, from
        case heldOut = "held_out"
        case limit
        case skipsBad = "skip_bad"
    }

    /// Reads the section.
    ///
    /// - Throws: `ConfigurationError` for a missing or impossible value.
    public init(_ reader: ConfigurationReader) throws {
        path = try reader.strings("path")
        if path.isEmpty { throw reader.error("path", "is an empty list; name a file or folder") }
        if reader.contains("from") {
            from = try reader.choice("from", among: Importer.allCases.map(\.rawValue))
        }
        heldOut = try reader.double("held_out", default: 0.05, in: 0..<1)
        limit = reader.contains("limit") ? try reader.integer("limit", in: 1...) : nil
        skipsBad = try reader.boolean("skip_bad", default: false)
    }

    /// What is read.
    public var sources: [CorpusSource] {
        path.map { path in
            from.flatMap(Importer.init(rawValue:)).map { .imported($0, path: path) } ?? .file(path)
        }
    }
}
