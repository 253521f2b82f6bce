import Tokenizers

/// One line of a JSONL corpus: an object with the members of one kind of document.
struct CorpusLine {
    /// The kinds by the members that only they have; `prompt` belongs to two.
    private static let kinds: KeyValuePairs<String, DocumentKind> = [
        "text": .text, "completion": .completion, "messages": .messages, "chosen": .preference,
        "rejected": .preference,
    ]
    private static let accepted =
        "'text'; 'prompt' and 'completion'; 'messages'; or 'prompt', 'chosen' and 'rejected'"

    /// The members that make the document; null counts as absent, as data-set tools write it.
    private var members: [String: JSONNode] = [:]
    /// The names of the others.
    private var otherNames: [String] = []
    /// The part of the corpus it names.
    private(set) var domain: String?
    /// The others that are text.
    private(set) var fields: [String: String] = [:]

    init(parsing bytes: [UInt8]) throws(FileProblem) {
        guard bytes.first(where: { !isSpace($0) }) == UInt8(ascii: "{") else {
            throw FileProblem(
                "it is no JSON object; every line is to be one, such as {\"text\": \"…\"}.")
        }
        for (key, node) in try JSONNode(parsing: bytes).entries() where !node.isNull {
            if key == "prompt" || Self.kinds.contains(where: { $0.key == key }) {
                members[key] = node
            } else if key == "domain" {
                domain = try node.string()
            } else {
                otherNames.append(key)
                if let text = try? node.string() { fields[key] = text }
            }
        }
    }

    /// What the document says.
    func content() throws(FileProblem) -> DocumentContent {
        switch try kind() {
        case .text: return .text(try filled("text"))
        case .completion:
            return .completion(prompt: try filled("prompt"), completion: try filled("completion"))
        case .messages: return .messages(try Self.messages(try required("messages")))
        case .preference: return try preference()
        }
    }

    /// Whether it has the members of one kind, whatever they say.
    var isDocument: Bool { (try? kind()) != nil }

    /// The one kind whose members the line has.
    private func kind() throws(FileProblem) -> DocumentKind {
        let found = Self.kinds.filter { members[$0.key] != nil }
        guard let kind = found.first?.value else {
            if members["prompt"] != nil {
                throw FileProblem(
                    "it has 'prompt' without 'completion', or 'chosen' and 'rejected'.")
            }
            let names = otherNames.prefix(8).map { "'\($0)'" }.joined(separator: ", ")
            throw FileProblem(
                "it has \(names.isEmpty ? "no members" : names), where \(Self.accepted) is expected."
            )
        }
        var mixed = found.filter { $0.value != kind }.map(\.key)
        if members["prompt"] != nil && (kind == .text || kind == .messages) {
            mixed.append("prompt")
        }
        if let other = mixed.first, let own = found.first?.key {
            throw FileProblem(
                "it mixes '\(own)' with '\(other)'; keep one kind (\(Self.accepted)) and rename the rest."
            )
        }
        return kind
    }

    /// The member `name`, nil when there is none.
    func member(_ name: String) -> JSONNode? { members[name] }

    /// The member `name`, which the line's kind needs.
    func required(_ name: String) throws(FileProblem) -> JSONNode {
        guard let node = members[name] else {
            let others = Self.kinds.map(\.key).filter { members[$0] != nil }
            throw FileProblem("it has '\(others.first ?? "")' without '\(name)'.")
        }
        return node
    }

    /// The text of the member `name`, which says something.
    func filled(_ name: String) throws(FileProblem) -> String {
        try Self.filled(try required(name))
    }

    private static func filled(_ node: JSONNode) throws(FileProblem) -> String {
        let text = try node.string()
        guard !isBlank(text) else {
            throw FileProblem("\(node.place) is empty or nothing but white space; remove the line.")
        }
        return text
    }

    /// The messages of a list; a system message may be empty, as data sets have it.
    static func messages(_ node: JSONNode) throws(FileProblem) -> [ChatMessage] {
        var messages: [ChatMessage] = []
        for element in try node.elements() {
            let role = try role(try element.required("role"))
            let content = try element.required("content")
            messages.append(
                ChatMessage(
                    role: role,
                    content: role == .system ? try content.string() : try filled(content)))
        }
        guard messages.contains(where: { $0.role != .system }) else {
            throw FileProblem(
                "\(node.place) has no message of the user's or the assistant's; remove the line.")
        }
        return messages
    }

    private static func role(_ node: JSONNode) throws(FileProblem) -> ChatRole {
        let name = try node.string()
        guard let role = ChatRole(rawValue: name) else {
            let accepted = ChatRole.allCases.map(\.rawValue).joined(separator: ", ")
            throw FileProblem(
                "\(node.place) is '\(name.prefix(80))', which is no role (accepted: \(accepted)).")
        }
        return role
    }
}
