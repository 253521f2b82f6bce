import Foundation
import Platform

extension Tokenizer {
    /// A larger file is no tokenizer.
    private static let maximumBytes = 1 << 27

    /// Reads the tokenizer at `path`: a tokenizer.json, a tokenizer.model, or a folder that holds one of them
    /// (tokenizer.json first).
    ///
    /// Of the files beside it, tokenizer_config.json and special_tokens_map.json name the tokens that begin and end a sequence.
    /// A tokenizer.model says nothing of the tokens around a text and has no added tokens: `add_bos_token` (true when it is
    /// absent, as in Llama's own code) and `add_eos_token` (false) say the former, and `added_tokens_decoder` or
    /// added_tokens.json the latter.
    ///
    /// - Throws: ``TokenizerError`` that names file, component and what is accepted; `SystemError` for files that cannot
    ///   be read.
    public convenience init(path: String) throws {
        let file = try Self.file(at: path)
        let bytes = [UInt8](try WholeFile.read(file, maximumBytes: Self.maximumBytes))
        let folder = Path.parent(of: file)
        let companions = try CompanionFiles(folder: folder.isEmpty ? "." : folder)
        if Path.name(of: file).hasSuffix(".model") {
            try self.init(sentencePiece: bytes, source: file, companions)
        } else {
            try self.init(json: bytes, source: file, companions)
        }
    }

    /// Reads the bytes of a tokenizer.json.
    ///
    /// - Parameter source: what errors name as the file.
    public convenience init(json bytes: [UInt8], source: String) throws {
        try self.init(json: bytes, source: source, CompanionFiles())
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
        var companions = CompanionFiles()
        companions.addsBeginning = addsBeginning
        companions.addsEnd = addsEnd
        try self.init(sentencePiece: bytes, source: source, companions)
    }

    private convenience init(
        json bytes: [UInt8], source: String, _ companions: CompanionFiles
    ) throws {
        do {
            let parts = try HuggingFaceReader.read(bytes)
            let special = parts.addedTokens.filter(\.isSpecial)
            /// The token that a file names, that is alone on its side of a text, or that has a usual name.
            func end(_ named: [UInt8]?, _ around: [Int], _ usual: [String]) -> Int? {
                if let named { return parts.addedTokens.first { $0.content == named }?.id }
                if around.count == 1 { return around[0] }
                return usual.lazy.compactMap { name in
                    special.first { $0.content.elementsEqual(name.utf8) }?.id
                }.first
            }
            self.init(
                model: parts.model, normalizer: parts.normalizer, preTokenizer: parts.preTokenizer,
                decoder: parts.decoder, template: parts.template, addedTokens: parts.addedTokens,
                specialIDs: special.map(\.id).sorted(),
                ends: (
                    end(companions.beginning, parts.template.before, ["<s>", "<|begin_of_text|>"]),
                    end(
                        companions.end, parts.template.after,
                        ["</s>", "<|end_of_text|>", "<|endoftext|>"])
                ))
        } catch let problem {
            throw TokenizerError(source: source, problem.text)
        }
    }

    private convenience init(
        sentencePiece bytes: [UInt8], source: String, _ companions: CompanionFiles
    ) throws {
        do {
            let parts = try SentencePieceReader.read(bytes, companions)
            self.init(
                model: parts.model, normalizer: parts.normalizer, preTokenizer: PreTokenizer(),
                decoder: parts.decoder, template: parts.template, addedTokens: parts.addedTokens,
                specialIDs: parts.specialIDs, ends: parts.ends)
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
            source: path,
            "the folder holds neither a tokenizer.json nor a tokenizer.model; copy the model's into it or name another."
        )
    }
}
