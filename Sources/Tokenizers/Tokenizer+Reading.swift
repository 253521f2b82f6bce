import Foundation
import Platform

extension Tokenizer {
    /// A larger file is no tokenizer.
    private static let maximumBytes = 1 << 27

    /// Reads the tokenizer at `path`: a tokenizer.json, a tokenizer.model, or a folder that holds one of them
    /// (tokenizer.json first).
    ///
    /// A tokenizer.model says nothing of the tokens around a text. `<s>` is put in front and nothing behind, as
    /// Llama's own code does, unless `add_bos_token` and `add_eos_token` of a tokenizer_config.json beside it say otherwise.
    ///
    /// - Throws: ``TokenizerError`` that names file, component and what is accepted; `SystemError` for files that cannot
    ///   be read.
    public convenience init(path: String) throws {
        let file = try Self.file(at: path)
        let bytes = [UInt8](try WholeFile.read(file, maximumBytes: Self.maximumBytes))
        if Path.name(of: file).hasSuffix(".model") {
            var begins = true
            var ends = false
            let folder = Path.parent(of: file)
            let configuration = (folder.isEmpty ? "." : folder) + "/tokenizer_config.json"
            if FileManager.default.fileExists(atPath: configuration) {
                let node = try TokenizerConfiguration.node(configuration)
                (begins, ends) = try TokenizerConfiguration.addedTokens(node, source: configuration)
            }
            try self.init(
                sentencePiece: bytes, source: file, addsBeginning: begins, addsEnd: ends)
        } else {
            try self.init(json: bytes, source: file)
        }
    }

    /// Reads the bytes of a tokenizer.json.
    ///
    /// - Parameter source: what errors name as the file.
    public convenience init(json bytes: [UInt8], source: String) throws {
        do {
            let parts = try HuggingFaceReader.read(bytes)
            self.init(
                model: parts.model, normalizer: parts.normalizer, preTokenizer: parts.preTokenizer,
                decoder: parts.decoder, template: parts.template, addedTokens: parts.addedTokens,
                specialIDs: parts.addedTokens.filter(\.isSpecial).map(\.id).sorted())
        } catch let problem {
            throw TokenizerError(source: source, problem.text)
        }
    }

    /// Reads the bytes of a SentencePiece tokenizer.model of type BPE.
    ///
    /// - Parameters:
    ///   - source: what errors name as the file.
    ///   - addsBeginning: whether the beginning of the sequence (`<s>`) is put before a text.
    ///   - addsEnd: whether its end (`</s>`) is put behind.
    public convenience init(
        sentencePiece bytes: [UInt8], source: String, addsBeginning: Bool = true,
        addsEnd: Bool = false
    ) throws {
        do {
            let parts = try SentencePieceReader.read(
                bytes, addsBeginning: addsBeginning, addsEnd: addsEnd)
            self.init(
                model: parts.model, normalizer: parts.normalizer, preTokenizer: PreTokenizer(),
                decoder: parts.decoder, template: parts.template, addedTokens: [],
                specialIDs: parts.controlIDs)
        } catch let problem {
            throw TokenizerError(source: source, problem.text)
        }
    }

    private static func file(at path: String) throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return path }
        for name in ["tokenizer.json", "tokenizer.model"]
        where FileManager.default.fileExists(atPath: "\(path)/\(name)") {
            return "\(path)/\(name)"
        }
        throw TokenizerError(
            source: path, "the folder holds neither a tokenizer.json nor a tokenizer.model.")
    }
}
