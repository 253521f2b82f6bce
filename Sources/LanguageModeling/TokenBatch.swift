import Kernels
import Platform
import Tokenizers
import Transformer

/// Sequences of ids of one length, [B, T], from a JSON file: a list of equally long lists.
public struct TokenBatch: Sendable {
    /// B lists of T ids.
    public let sequences: [[Int]]

    /// T.
    public var length: Int { sequences[0].count }

    /// Reads the file at `path`.
    ///
    /// - Parameters:
    ///   - path: a JSON file.
    ///   - configuration: the model that will read the ids.
    /// - Throws: ``LanguageModelError`` with the file and the place of what is wrong: no list of equally long lists, an id
    ///   that the model does not know, sequences longer than its positions.
    public init(path: String, for configuration: LlamaConfiguration) throws {
        let bytes = [UInt8](try WholeFile.read(path, maximumBytes: 1 << 30))
        do {
            sequences = try Self.sequences(try JSONNode(parsing: bytes), configuration)
        } catch let problem {
            throw LanguageModelError(path: path, problem.text)
        }
    }

    private static func sequences(
        _ node: JSONNode, _ configuration: LlamaConfiguration
    ) throws(FileProblem) -> [[Int]] {
        var sequences: [[Int]] = []
        for (index, list) in try node.elements().enumerated() {
            var ids: [Int] = []
            for (place, element) in try list.elements().enumerated() {
                let id = try element.number()
                guard id >= 0, id < Double(configuration.vocabularySize), id == id.rounded() else {
                    throw FileProblem(
                        "sequence \(index) has the id \(element.text()) at position \(place); the model knows the ids 0 to "
                            + "\(configuration.vocabularySize - 1).")
                }
                ids.append(Int(id))
            }
            guard ids.count == sequences.first?.count ?? ids.count else {
                throw FileProblem(
                    "sequence \(index) has \(ids.count) ids and the first one \(sequences[0].count); all sequences must be "
                        + "equally long.")
            }
            sequences.append(ids)
        }
        guard let length = sequences.first?.count, length > 0 else {
            throw FileProblem("there are no ids; a list of equally long lists of ids is expected.")
        }
        guard length <= configuration.positionCount else {
            throw FileProblem(
                "the sequences have \(length) ids and the model \(configuration.positionCount) positions "
                    + "(max_position_embeddings); shorten them.")
        }
        return sequences
    }
}
