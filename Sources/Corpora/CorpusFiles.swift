import Foundation
import Platform
import Tokenizers

/// Reads files and folders of documents.
///
/// `.jsonl`, `.ndjson` and `.json` hold one object a line; any other file is one text, unless it begins with such an object.
/// Each may be compressed by gzip.
struct CorpusFiles {
    private static let lineExtensions = [".jsonl", ".ndjson", ".json"]

    /// Adds what the file or folder at `path` holds.
    static func read(_ path: String, into builder: inout CorpusBuilder) throws {
        if Folder.isFolder(path) {
            try readFolder(path, within: [], into: &builder)
        } else {
            try readFile(path, into: &builder)
        }
    }

    /// Adds the files of a folder and of those in it, names sorted by their bytes, without hidden ones.
    ///
    /// - Parameter ancestors: the folders around it, without links, so that a link to one of them is found out.
    private static func readFolder(
        _ path: String, within ancestors: [String], into builder: inout CorpusBuilder
    ) throws {
        let resolved = Folder.resolved(path) ?? path
        if ancestors.contains(resolved) {
            throw CorpusError(path, "it is a link to a folder around it; remove the link.")
        }
        let names = try Folder.contents(of: path).filter { !$0.hasPrefix(".") }
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            if builder.isFull { return }
            let entry = place(of: name, in: path)
            if Folder.isFolder(entry) {
                try readFolder(entry, within: ancestors + [resolved], into: &builder)
            } else if Folder.holdsFile(entry) {
                try readFile(entry, into: &builder)
            } else {
                throw CorpusError(
                    entry, "it is no ordinary file, or a link to nothing; remove it.")
            }
        }
    }

    private static func readFile(_ path: String, into builder: inout CorpusBuilder) throws {
        let name = path.lowercased()
        let plain = name.hasSuffix(".gz") ? String(name.dropLast(3)) : name
        if lineExtensions.contains(where: { plain.hasSuffix($0) }) {
            try readLines(path, into: &builder)
        } else {
            try readText(path, into: &builder)
        }
    }

    private static func readText(_ path: String, into builder: inout CorpusBuilder) throws {
        var file = try UnpackedFile(path)
        let bytes = try file.whole()
        try checkIsNoList(bytes, path)
        try builder.add { () throws(CorpusError) in
            let text = try validText(bytes, source: path)
            guard !isBlank(text) else {
                throw CorpusError(
                    path, "it is empty or nothing but white space; remove the file.")
            }
            return CorpusDocument(.text(text), place: path)
        }
    }

    /// Refuses a file whose first line is a document's object: as one text it would be learned with all its braces.
    private static func checkIsNoList(_ bytes: [UInt8], _ path: String) throws(CorpusError) {
        let start = bytes.drop(while: isSpace)
        guard start.first == UInt8(ascii: "{"),
            let line = try? CorpusLine(parsing: Array(start.prefix { $0 != UInt8(ascii: "\n") })),
            line.isDocument
        else { return }
        throw CorpusError(
            path,
            "its first line is the object of a document, and only \(lineExtensions.joined(separator: ", ")) are read line by line; "
                + "give it such a name (or with .gz behind).")
    }

    private static func readLines(_ path: String, into builder: inout CorpusBuilder) throws {
        var file = try UnpackedFile(path)
        var isFirst = true
        try file.forEachLine { bytes, number in
            if builder.isFull { return false }
            guard let start = bytes.first(where: { !isSpace($0) }) else { return true }
            let place = "\(path):\(number)"
            if isFirst { try checkIsLines(bytes, start, place, path) }
            isFirst = false
            try builder.add { () throws(CorpusError) in try document(bytes, place) }
            return true
        }
    }

    private static func document(
        _ bytes: [UInt8], _ place: String
    ) throws(CorpusError) -> CorpusDocument {
        do {
            let line = try CorpusLine(parsing: bytes)
            return CorpusDocument(
                try line.content(), place: place, domain: line.domain, fields: line.fields)
        } catch {
            if String(validating: bytes, as: UTF8.self) == nil { throw notUTF8(place) }
            throw CorpusError(place, error)
        }
    }

    /// Refuses a file that is one JSON value over many lines: every one of them would be bad.
    private static func checkIsLines(
        _ bytes: [UInt8], _ start: UInt8, _ place: String, _ path: String
    ) throws(CorpusError) {
        let isList = start == UInt8(ascii: "[")
        let isObject = bytes.filter { !isSpace($0) } == [UInt8(ascii: "{")]
        guard isList || isObject else { return }
        throw CorpusError(
            place,
            "\(isList ? "a JSON list" : "an object over several lines") begins here, where every line is to be one "
                + "object; write it as lines, e.g. by `zcat -f '\(path)' | jq -c '\(isList ? ".[]" : ".")' > lines.jsonl`."
        )
    }
}

/// The path of `name` in `folder`, which may end in a slash.
func place(of name: String, in folder: String) -> String {
    folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
}
