import Experiments
import Foundation
import Kernels
import Platform
import Tokenizers
import Transformer

/// A Llama's config.json as Hugging Face's transformers writes it, in its older or its newer spelling.
///
/// Older: `rope_theta`, `rope_scaling {type | rope_type}`, `torch_dtype`; newer: `rope_parameters {rope_theta, rope_type}`,
/// `dtype`. Keys that are not known stay with the configuration and are written back as they were.
public struct LanguageModelConfiguration: Sendable {
    /// Sizes and options of the network.
    public let llama: LlamaConfiguration
    /// The token that begins a text; nil when the file says null.
    public let beginningID: Int?
    /// The tokens that end a text; empty when the file says null.
    public let endIDs: [Int]
    /// What the tensors are said to be stored as, such as `bfloat16`; nil when the file does not say. The tensors
    /// themselves decide.
    public let statedType: String?
    /// Standard deviation of fresh weights.
    public let initializerRange: Double
    /// The file's members in its order, each value as JSON text.
    private let members: [(key: String, text: String)]

    /// ``statedType`` where it is one that tensors can be written as.
    public var storedType: StoredElement? { statedType.flatMap(StoredElement.init(rawValue:)) }

    /// A larger file is no config.json.
    private static let maximumBytes = 1 << 20

    /// Reads the config.json at `path`.
    ///
    /// - Throws: ``LanguageModelError`` that names file, key, value and what is accepted; `SystemError` when the file
    ///   cannot be read.
    public init(path: String) throws {
        let data = try WholeFile.read(path, maximumBytes: Self.maximumBytes)
        try self.init(json: [UInt8](data), source: path)
    }

    /// Reads the bytes of a config.json.
    ///
    /// - Parameters:
    ///   - bytes: the file's content.
    ///   - source: what errors name as the file.
    public init(json bytes: [UInt8], source: String) throws(LanguageModelError) {
        do {
            let entries = try JSONNode(parsing: bytes).entries()
            let reader = LanguageModelConfigurationReader(entries)
            try reader.checkFamily()
            llama = try reader.llama()
            let vocabulary = llama.vocabularySize
            beginningID = try reader.tokenIDs("bos_token_id", byDefault: 1, vocabulary: vocabulary)
                .first
            endIDs = try reader.tokenIDs("eos_token_id", byDefault: 2, vocabulary: vocabulary)
            statedType = try reader.statedType()
            initializerRange = try reader.number(
                "initializer_range", default: 0.02, "a number from 0 to 1"
            ) { $0 >= 0 && $0 <= 1 }
            members = entries.map { ($0.key, $0.node.text(depth: 1)) }
        } catch let problem {
            throw LanguageModelError(path: source, problem.text)
        }
    }

    /// The text of a config.json that transformers of both spellings read as this network.
    ///
    /// What was read stays as it was; added are the family where it is missing, the type in both spellings and, beside
    /// `rope_parameters`, the older `rope_theta` and `rope_scaling`, without which older readers would rotate otherwise.
    ///
    /// - Parameter storedType: what the tensors are stored as.
    public func text(storedAs storedType: StoredElement) -> String {
        var members = members
        func set(_ key: String, _ text: String, replacing: Bool = false) {
            if let index = members.firstIndex(where: { $0.key == key }) {
                if replacing || members[index].text == "null" { members[index].text = text }
            } else {
                members.append((key, text))
            }
        }
        set("architectures", "[\n    \"LlamaForCausalLM\"\n  ]")
        set("model_type", "\"llama\"")
        set("dtype", "\"\(storedType.rawValue)\"", replacing: true)
        set("torch_dtype", "\"\(storedType.rawValue)\"", replacing: true)
        if members.contains(where: { $0.key == "rope_parameters" && $0.text != "null" }) {
            set("rope_theta", "\(llama.rotary.theta)")
            if case .llama3(let factor, let low, let high, let positions) = llama.rotary.scaling {
                let lines = [
                    "\"factor\": \(factor)", "\"high_freq_factor\": \(high)",
                    "\"low_freq_factor\": \(low)",
                    "\"original_max_position_embeddings\": \(positions)",
                    "\"rope_type\": \"llama3\"",
                ]
                set("rope_scaling", "{\n    \(lines.joined(separator: ",\n    "))\n  }")
            }
        }
        let lines = members.map { "  \(CanonicalJSON.text(of: .string($0.key))): \($0.text)" }
        return "{\n\(lines.joined(separator: ",\n"))\n}\n"
    }
}
