import Foundation
import Platform

/// A file that is read from its beginning to its end, unpacked where its first bytes are gzip's.
struct UnpackedFile {
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let file: InputFile
    private let gzip: GzipReader?
    /// What was read to look at the beginning.
    private var start: Data?

    /// - Throws: `SystemError` when the file is missing or may not be read, ``CorpusError`` when its gzip data is bad.
    init(_ path: String) throws {
        file = try InputFile(path)
        var first = try file.next()
        // A pipe may hand out a single byte.
        if first.count == 1 { first += try file.next() }
        gzip = GzipReader.isGzip(first) ? try GzipReader(path, file, start: first) : nil
        let content = try gzip?.next() ?? first
        // Editors of other systems put a mark before UTF-8, which is no part of the text.
        start = content.starts(with: Self.byteOrderMark) ? content.dropFirst(3) : content
    }

    /// The next bytes; none at the end.
    mutating func next() throws -> Data {
        if let piece = start, !piece.isEmpty {
            start = nil
            return piece
        }
        return try gzip?.next() ?? file.next()
    }

    /// Everything that is left.
    mutating func whole() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let piece = try next()
            if piece.isEmpty { return bytes }
            bytes += piece
        }
    }

    /// Calls `body` with every line, without its line feed, and its number, from 1, until it answers false.
    ///
    /// On arrays: `LineSplitter` cuts `Data`, which took two thirds of the time to read a large corpus.
    mutating func forEachLine(_ body: ([UInt8], Int) throws -> Bool) throws {
        var line: [UInt8] = []
        var number = 1
        while true {
            let piece = [UInt8](try next())
            if piece.isEmpty { break }
            var start = 0
            while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
                line += piece[start..<end]
                guard try body(line, number) else { return }
                number += 1
                line.removeAll(keepingCapacity: true)
                start = end + 1
            }
            line += piece[start...]
        }
        if !line.isEmpty { _ = try body(line, number) }
    }
}

/// The text that `bytes` are in UTF-8.
///
/// - Throws: ``CorpusError`` with the file and the first line that is not.
func validText(_ bytes: [UInt8], source: String) throws(CorpusError) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let index = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    throw notUTF8("\(source):\(index + 1)")
}

/// The error that the line at `place` is no text.
func notUTF8(_ place: String) -> CorpusError {
    CorpusError(place, "it is not valid UTF-8; convert it, e.g. by `iconv -t UTF-8`.")
}
