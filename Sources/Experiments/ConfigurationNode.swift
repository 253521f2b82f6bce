/// A configuration as a tree whose every value knows where it was written.
///
/// Scalars keep their text: what a text means is decided by this project's rules (``ScalarValue``), not by the
/// YAML library's, which reads `yes` as a Boolean, `1:30` as 90 and `010` as 8.
public struct ConfigurationNode: Sendable {
    /// A scalar's text, or the children.
    public enum Content: Sendable {
        /// A text; quoted texts are strings whatever they look like.
        case scalar(text: String, isQuoted: Bool)
        /// A list.
        case sequence([ConfigurationNode])
        /// A mapping, in the order of the file, keys unique.
        case mapping([Entry])
    }

    /// A key of a mapping with its value.
    public struct Entry: Sendable {
        /// The key.
        public let key: String
        /// Where the key was written.
        public let keyMark: SourceMark
        /// The value.
        public var value: ConfigurationNode

        /// Makes an entry.
        public init(key: String, keyMark: SourceMark, value: ConfigurationNode) {
            self.key = key
            self.keyMark = keyMark
            self.value = value
        }
    }

    /// The scalar or the children.
    public var content: Content
    /// Where the value begins.
    public var mark: SourceMark

    /// Makes a node.
    public init(_ content: Content, mark: SourceMark) {
        self.content = content
        self.mark = mark
    }

    /// A plain scalar.
    public static func scalar(_ text: String, mark: SourceMark) -> ConfigurationNode {
        ConfigurationNode(.scalar(text: text, isQuoted: false), mark: mark)
    }

    /// A mapping without keys.
    public static func emptyMapping(mark: SourceMark) -> ConfigurationNode {
        ConfigurationNode(.mapping([]), mark: mark)
    }

    /// The entries when this is a mapping, else nil.
    public var entries: [Entry]? {
        if case .mapping(let entries) = content { return entries }
        return nil
    }

    /// The elements when this is a list, else nil.
    public var elements: [ConfigurationNode]? {
        if case .sequence(let elements) = content { return elements }
        return nil
    }

    /// What the scalar means; nil for mappings and lists.
    public var scalarValue: ScalarValue? {
        guard case .scalar(let text, let isQuoted) = content else { return nil }
        return isQuoted ? .string(text) : ScalarValue(text)
    }

    /// Whether this is an unquoted empty text, `~` or `null`: read as "not given", so that a file can take
    /// back what it inherits.
    public var isNull: Bool { scalarValue == .null }

    /// The value of `key` in a mapping; nil when absent or no mapping.
    public subscript(key: String) -> ConfigurationNode? {
        entries?.first { $0.key == key }?.value
    }

    /// The value under a dotted path such as `training.optimizer.name`.
    public func value(at path: String) -> ConfigurationNode? {
        path.split(separator: ".").reduce(Optional(self)) { node, key in node?[String(key)] }
    }

    /// How a message shows the value: `'text'`, `3`, `a list`, `a mapping`.
    var shown: String {
        switch content {
        case .sequence: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let text, _):
            switch scalarValue {
            case .string: return "'\(abridged(text))'"
            case .null: return "empty"
            default: return abridged(text)
            }
        }
    }
}

/// `text` for a message, its middle left out when it is longer than a line of a terminal.
func abridged(_ text: String) -> String {
    text.count > 80 ? "\(text.prefix(60))…\(text.suffix(15))" : text
}

/// What the text of an unquoted scalar means.
public enum ScalarValue: Hashable, Sendable {
    /// Empty, `~` or `null`.
    case null
    /// `true` or `false`, nothing else.
    case boolean(Bool)
    /// `-?[0-9]+` without leading zeros, within 64 bits.
    case integer(Int)
    /// A decimal number with a point or an exponent, or an integer beyond 64 bits; always finite.
    case number(Double)
    /// Any other text.
    case string(String)

    /// Reads `text`.
    public init(_ text: String) {
        switch text {
        case "", "~", "null": self = .null
        case "true": self = .boolean(true)
        case "false": self = .boolean(false)
        default:
            if !ScalarValue.looksNumeric(text) {
                self = .string(text)
            } else if let integer = Int(text) {
                self = .integer(integer)
            } else if let number = Double(text), number.isFinite {
                self = .number(number)
            } else {
                self = .string(text)
            }
        }
    }

    /// `-?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][-+]?[0-9]+)?` with at least one digit before the exponent.
    private static func looksNumeric(_ text: String) -> Bool {
        var rest = Substring(text)
        if rest.first == "-" { rest.removeFirst() }
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        if whole.count > 1 && whole.first == "0" { return false }
        rest.removeFirst(whole.count)
        var digits = whole.count
        if rest.first == "." {
            rest.removeFirst()
            let fraction = rest.prefix { $0.isASCII && $0.isNumber }
            digits += fraction.count
            rest.removeFirst(fraction.count)
        }
        if digits == 0 { return false }
        if rest.first == "e" || rest.first == "E" {
            rest.removeFirst()
            if rest.first == "-" || rest.first == "+" { rest.removeFirst() }
            return !rest.isEmpty && rest.allSatisfy { $0.isASCII && $0.isNumber }
        }
        return rest.isEmpty
    }
}
