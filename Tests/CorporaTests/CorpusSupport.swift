import CZlib
import Corpora
import Foundation
import TestSupport

extension TemporaryDirectory {
    /// Writes `bytes` compressed by gzip and returns the path.
    @discardableResult
    func writeGzip(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        // Makes the folders.
        try write("", to: name)
        let bytes = Array(bytes)
        let file = gzopen(file(name), "wb")
        gzwrite(file, bytes, UInt32(bytes.count))
        gzclose(file)
        return self.file(name)
    }

    /// What `body`'s error says, with this folder's path left out.
    func message<Value>(_ body: () throws -> Value) -> String {
        do {
            _ = try body()
            return "no error"
        } catch {
            return "\(error)".replacingOccurrences(of: path + "/", with: "")
        }
    }

    /// The corpus of a JSONL file with these lines.
    func corpus(_ lines: String..., skippingBad: Bool = false) throws -> Corpus {
        let path = try write(lines.joined(separator: "\n"), to: "c.jsonl")
        return try Corpus.read(sources: [.file(path)], skippingBad: skippingBad)
    }
}

extension CorpusDocument {
    /// Its text; a mark of its own where it is of another kind.
    var text: String {
        if case .text(let text) = content { text } else { "<\(content.kind)>" }
    }
}
