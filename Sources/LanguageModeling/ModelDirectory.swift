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
    /// The tokens at which generation ends: those of generation_config.json where it names some, else config.json's.
    public let endIDs: [Int]
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
        endIDs =
            try GenerationConfiguration.endIDs(
                folder: path, vocabularySize: configuration.llama.vocabularySize)
            ?? configuration.endIDs
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

    /// The tokenizer at `path`, by default the folder's own, whose ids the model must know.
    ///
    /// - Throws: ``LanguageModelError`` when it has ids beyond the model's vocabulary; `TokenizerError` or `SystemError`
    ///   when it cannot be read.
    public func tokenizer(at path: String? = nil) throws -> Tokenizer {
        let place = path ?? self.path
        let tokenizer = try Tokenizer(path: place)
        let known = configuration.llama.vocabularySize
        guard tokenizer.vocabularySize <= known else {
            throw LanguageModelError(
                path: place,
                "the tokenizer has ids up to \(tokenizer.vocabularySize - 1), the model knows \(known) (vocab_size in "
                    + "\(self.path)/config.json); take the tokenizer that belongs to the model.")
        }
        return tokenizer
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
