import Foundation
import Kernels
import Platform
import TensorStorage
import Tokenizers
import Transformer

/// A folder with a Llama as Hugging Face's ecosystem keeps it: config.json, safetensors, tokenizer files.
///
/// The matrices stay where they lie in the files, which are mapped into memory; norms and biases are copied as fp32.
public struct ModelDirectory: Sendable {
    /// The folder, as given.
    public let path: String
    /// What config.json says.
    public let configuration: LanguageModelConfiguration
    /// The parameters, in the types of the files.
    public let weights: LlamaWeights
    private let index: TensorIndex

    /// Opens the folder at `path` and checks every tensor's name, type and shape.
    ///
    /// - Throws: ``LanguageModelError``, `TensorStorageError` or `SystemError`: one sentence with the file and the cure.
    public init(path: String) throws {
        guard Folder.isFolder(path) else {
            throw LanguageModelError(
                path: path, "is no folder; name the one with config.json and model.safetensors.")
        }
        let file = "\(path)/config.json"
        guard Folder.holdsFile(file) else {
            throw LanguageModelError(
                path: path, "holds no config.json; a model's folder has one beside its tensors.")
        }
        let configuration = try LanguageModelConfiguration(path: file)
        let index = try TensorIndex(folder: path)
        try TensorCheck(index: index, llama: configuration.llama).run()
        self.path = path
        self.configuration = configuration
        self.index = index
        weights = try LlamaWeights(
            configuration.llama,
            matrix: { name, rows, columns in
                try index.file(of: name).matrix(name, rows: rows, columns: columns)
            },
            vector: { name, count in
                let view = FloatView(zeros: count)
                try index.file(of: name).readFloats(name, shape: [count], into: view)
                return view
            })
    }

    /// The file that holds tensor `name`.
    func file(of name: String) throws(LanguageModelError) -> SafetensorsFile {
        try index.file(of: name)
    }

    /// All parameters as fp32 in one flat buffer, in the layout of the configuration: for training.
    ///
    /// - Throws: `TensorStorageError` when a file cannot be read.
    public func parameters() throws -> FloatView {
        let layout = configuration.llama.layout
        let flat = FloatView(zeros: layout.count)
        for tensor in layout.tensors(in: flat) {
            try index.file(of: tensor.name).readFloats(
                tensor.name, shape: tensor.shape, into: tensor.view)
        }
        return flat
    }

    /// The files that the model is read from: config.json, the tensors' and their index.
    public var files: [String] { ["\(path)/config.json"] + index.files }

    /// The tokens at which generation ends: those of generation_config.json where it names some, else config.json's.
    ///
    /// - Throws: ``LanguageModelError`` or `SystemError` about a generation_config.json that cannot be used.
    public func endIDs() throws -> [Int] {
        try GenerationConfiguration.endIDs(
            folder: path, vocabularySize: configuration.llama.vocabularySize)
            ?? configuration.endIDs
    }

    /// The tokenizer at `path`, by default the folder's own, whose pieces the model must know.
    ///
    /// Its added tokens may have ids that the model does not know, as a `<pad>` that no text holds often has; see
    /// ``requireKnown(_:from:)``.
    ///
    /// - Throws: ``LanguageModelError`` when its vocabulary has ids beyond the model's; `TokenizerError` or `SystemError`
    ///   when it cannot be read.
    public func tokenizer(at path: String? = nil) throws -> Tokenizer {
        let place = path ?? self.path
        let tokenizer = try Tokenizer(path: place)
        try ModelCompanions.check(
            tokenizer, at: place, vocabularySize: configuration.llama.vocabularySize,
            source: "\(self.path)/config.json", cure: "take the tokenizer that belongs to the model"
        )
        return tokenizer
    }

    /// Makes sure that the model knows `ids`, which `tokenizer` made of a text.
    ///
    /// - Throws: ``LanguageModelError`` that names the first token beyond the model's vocabulary.
    public func requireKnown(_ ids: [Int], from tokenizer: Tokenizer) throws {
        let known = configuration.llama.vocabularySize
        guard let id = ids.first(where: { $0 >= known }) else { return }
        throw LanguageModelError(
            path: path,
            "the text has the token \(quoted(tokenizer.piece(id) ?? "")) with the id \(id), and the model knows the ids 0 to "
                + "\(known - 1) (vocab_size); leave the token out.")
    }
}

/// What generation_config.json says beside config.json.
enum GenerationConfiguration {
    /// The file's name.
    static let file = "generation_config.json"

    /// `eos_token_id`; nil when the file or the key is missing.
    static func endIDs(folder: String, vocabularySize: Int) throws -> [Int]? {
        let path = "\(folder)/\(file)"
        guard Folder.holdsFile(path) else { return nil }
        let bytes = [UInt8](try WholeFile.read(path, maximumBytes: 1 << 20))
        do {
            let entries = try JSONNode(parsing: bytes).entries()
            guard entries.contains(where: { $0.key == "eos_token_id" && !$0.node.isNull }) else {
                return nil
            }
            return try LanguageModelConfigurationReader(entries).tokenIDs(
                "eos_token_id", byDefault: 0, vocabulary: vocabularySize)
        } catch let problem {
            throw LanguageModelError(path: path, problem.text)
        }
    }
}
