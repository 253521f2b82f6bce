import Foundation
import Yams

extension ConfigurationNode {
    /// The tree as YAML, keys in their present order: equal trees print equal texts, and reading the text
    /// gives the same tree.
    public func yaml() throws -> String {
        do {
            return try serialize(node: yamlNode(), width: -1, allowUnicode: true)
        } catch {
            throw ConfigurationError(mark, "the configuration cannot be written as YAML: \(error)")
        }
    }

    private func yamlNode() -> Node {
        switch content {
        case .scalar(let text, let isQuoted):
            return Node(text, Tag(isQuoted ? .str : .implicit), isQuoted ? .doubleQuoted : .plain)
        case .sequence(let elements):
            let isFlat = elements.allSatisfy { $0.scalarValue != nil }
            return Node(elements.map { $0.yamlNode() }, .implicit, isFlat ? .flow : .block)
        case .mapping(let entries):
            let pairs = entries.map { (Node($0.key), $0.value.yamlNode()) }
            return Node(pairs, .implicit, entries.isEmpty ? .flow : .block)
        }
    }

    /// The value as JSON: scalars by ``ScalarValue``.
    public var json: JSONValue {
        switch content {
        case .sequence(let elements): return .array(elements.map(\.json))
        case .mapping(let entries):
            return .object(
                Dictionary(entries.map { ($0.key, $0.value.json) }, uniquingKeysWith: { $1 }))
        case .scalar:
            switch scalarValue {
            case .boolean(let value): return .boolean(value)
            case .integer(let value): return .integer(value)
            case .number(let value): return .number(value)
            case .string(let value): return .string(value)
            case .null, nil: return .null
            }
        }
    }

    /// The tree of a JSON value, keys sorted; `source` stands in every mark.
    public init(_ json: JSONValue, source: String) {
        let mark = SourceMark(source: source)
        switch json {
        case .null: self = .scalar("null", mark: mark)
        case .boolean(let value): self = .scalar(value ? "true" : "false", mark: mark)
        case .integer(let value): self = .scalar(String(value), mark: mark)
        case .number(let value): self = .scalar(Self.yamlText(value), mark: mark)
        case .string(let text):
            // Quoted exactly when the bare text would be read as something else, here or by other readers.
            let isPlain =
                text.first?.isLetter == true && ScalarValue(text) == .string(text)
                && text.allSatisfy {
                    $0.isASCII && ($0.isLetter || $0.isNumber || "_-./=".contains($0))
                }
                && !["yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
                && !["true", "false", "null"].contains(text.lowercased())
            self.init(.scalar(text: text, isQuoted: !isPlain), mark: mark)
        case .array(let values):
            self.init(.sequence(values.map { .init($0, source: source) }), mark: mark)
        case .object(let members):
            let entries = members.sorted { $0.key < $1.key }.map {
                Entry(key: $0.key, keyMark: mark, value: .init($0.value, source: source))
            }
            self.init(.mapping(entries), mark: mark)
        }
    }

    /// The tree of any encodable value: how a typed configuration becomes `config.yaml`.
    public init(encoding value: some Encodable, source: String) throws {
        self.init(try JSONValue(encoding: value), source: source)
    }

    /// The shortest text that reads back as `value`, with a point: `1.0e-05`, because some YAML readers take
    /// `1e-05` for a string.
    static func yamlText(_ value: Double) -> String {
        let text = value.description
        guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
        return text[..<exponent] + ".0" + text[exponent...]
    }
}
