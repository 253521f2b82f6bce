import Experiments
import Foundation
import Tokenizers

/// What a document of a corpus says.
public enum DocumentContent: Sendable, Hashable {
    /// A text to be learned.
    case text(String)
    /// A question and its answer.
    case completion(prompt: String, completion: String)
    /// A conversation.
    case messages([ChatMessage])
    /// Two answers to a prompt, of which the first is preferred.
    case preference(prompt: String, chosen: String, rejected: String)
}

/// One document of a corpus: what training examples are made of.
public struct CorpusDocument: Sendable, Hashable {
    /// What it says.
    public let content: DocumentContent
    /// Where it was read, such as `corpus.jsonl:12` or `GO.sqlite: GO:0000001`, for messages.
    public let place: String
    /// The part of the corpus it belongs to, such as a lexicographer file; nil where there are none.
    public let domain: String?
    /// Other members of its JSONL line that are text, such as a contextual prompt of its own.
    public let fields: [String: String]
    /// SHA-256 of its content, 64 hexadecimal digits: decides on which side of the split it falls, and names what is
    /// kept of it in caches. Documents that say the same are the same.
    public let digest: String

    /// - Parameters:
    ///   - content: what it says.
    ///   - place: where it was read.
    ///   - domain: the part of the corpus it belongs to.
    ///   - fields: other members of its line that are text.
    public init(
        _ content: DocumentContent, place: String, domain: String? = nil,
        fields: [String: String] = [:]
    ) {
        self.content = content
        self.place = place
        self.domain = domain
        self.fields = fields
        digest = content.digest
    }
}

extension DocumentContent {
    /// SHA-256 of the kind and the texts, each with its number of bytes and a colon in front, so that no two contents
    /// are hashed as the same bytes.
    var digest: String {
        var bytes: [UInt8] = []
        for text in [kind.rawValue] + texts {
            bytes += "\(text.utf8.count):".utf8
            bytes += text.utf8
        }
        return sha256Hex(Data(bytes))
    }

    /// All that it says, in the order of reading.
    private var texts: [String] {
        switch self {
        case .text(let text): [text]
        case .completion(let prompt, let completion): [prompt, completion]
        case .messages(let messages): messages.flatMap { [$0.role.rawValue, $0.content] }
        case .preference(let prompt, let chosen, let rejected): [prompt, chosen, rejected]
        }
    }
}
