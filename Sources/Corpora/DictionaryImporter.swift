import Platform

/// Entries of a dictionary in dictd's format, of which GCIDE is one.
///
/// The index has lines of headword, offset and length, separated by tabs; the dictionary is one text, which dictzip
/// compresses so that gzip can unpack it. Source: dictfmt(1), dictzip(1), RFC 2229.
struct DictionaryImporter {
    private static let digits = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// Headwords of texts about the dictionary itself.
    private static let ownPrefixes = ["00-database", "00database"]

    /// Adds the entries of the dictionary at `path` in their order there, each once however many headwords lead to it.
    static func read(_ path: String, into builder: inout CorpusBuilder) throws {
        let path = try locate(path)
        let indexPath = try indexPath(of: path)
        let entries = try entries(indexPath)
        var file = try UnpackedFile(path)
        let bytes = try file.whole()
        for (number, entry) in entries.enumerated() where !builder.isFull {
            try builder.add { () throws(CorpusError) in
                guard entry.range.upperBound <= bytes.count else {
                    throw Importer.gcide.wrongFile(
                        path, "it ends within the entry '\(entry.headword)'")
                }
                let following = number + 1 < entries.count ? entries[number + 1].range : 0..<0
                let text = DictionaryText.text(
                    bytes[entry.range], following: bytes[following.clamped(to: bytes.indices)])
                let place = "\(path): \(entry.headword)"
                guard !isBlank(text) else { throw CorpusError(place, "the entry is empty.") }
                return DictionaryEntry(term: entry.headword, definition: text, domain: nil)
                    .document(text, place: place)
            }
        }
    }

    private static func locate(_ path: String) throws(CorpusError) -> String {
        if let plain = try? Importer.gcide.locate("gcide.dict", at: path) { return plain }
        return try Importer.gcide.locate("gcide.dict.dz", at: path)
    }

    /// The path of the index that belongs to the dictionary at `path`.
    private static func indexPath(of path: String) throws(CorpusError) -> String {
        let stem = [".dict.dz", ".dict"].first { path.hasSuffix($0) }.map {
            path.dropLast($0.count)
        }
        guard let stem else {
            throw Importer.gcide.wrongFile(path, "its name does not end in .dict.dz or .dict")
        }
        let index = "\(stem).index"
        guard Folder.holdsFile(index) else {
            throw CorpusError(
                path, "its index '\(index)' is missing beside it; \(Importer.gcide.cure).")
        }
        return index
    }

    private struct Entry {
        let headword: String
        let range: Range<Int>
        var place: (Int, Int) { (range.lowerBound, range.upperBound) }
    }

    /// The entries by their places in the dictionary, with the first headword of each.
    private static func entries(_ path: String) throws -> [Entry] {
        var entries: [Range<Int>: Entry] = [:]
        var own: Set<Range<Int>> = []
        var file = try UnpackedFile(path)
        try file.forEachLine { bytes, number in
            guard !bytes.isEmpty else { return true }
            guard let entry = entry(bytes) else {
                throw Importer.gcide.wrongFile(
                    "\(path):\(number)", "the line is not a headword, an offset and a length")
            }
            if ownPrefixes.contains(where: { entry.headword.hasPrefix($0) }) {
                own.insert(entry.range)
            } else if entries[entry.range] == nil {
                entries[entry.range] = entry
            }
            return true
        }
        guard !entries.isEmpty else { throw Importer.gcide.wrongFile(path, "it has no entries") }
        return entries.values.filter { !own.contains($0.range) }.sorted { $0.place < $1.place }
    }

    private static func entry(_ line: [UInt8]) -> Entry? {
        let columns = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        guard columns.count >= 3, let headword = String(validating: columns[0], as: UTF8.self),
            let offset = number(columns[1]), let length = number(columns[2])
        else { return nil }
        return Entry(headword: headword, range: offset..<offset + length)
    }

    /// A number with the digits of base64, the most significant one first.
    private static func number(_ text: ArraySlice<UInt8>) -> Int? {
        guard (1...8).contains(text.count) else { return nil }
        var number = 0
        for byte in text {
            guard let digit = digits.firstIndex(of: byte) else { return nil }
            number = number * 64 + digit
        }
        return number
    }
}
