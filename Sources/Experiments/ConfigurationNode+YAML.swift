import Foundation
import Platform
import Yams

extension ConfigurationNode {
    /// Files above this are refused: a configuration is written by a person.
    static let maximumFileBytes = 1_000_000
    /// Mappings and lists nest no deeper than this.
    static let maximumDepth = 64

    /// Reads a YAML file whose root is a mapping (an empty file is an empty one).
    ///
    /// - Throws: ``ConfigurationError`` for a missing, unreadable, over-long or ill-formed file.
    public static func read(path: String) throws -> (node: ConfigurationNode, text: String) {
        if path.isEmpty {
            throw ConfigurationError(
                SourceMark(source: "the file name"), "it is empty; name a configuration file")
        }
        let data: Data
        do {
            data = try WholeFile.read(path, maximumBytes: maximumFileBytes)
        } catch let error as SystemError {
            // The mark names the file.
            let reason =
                error.code == EFBIG
                ? "longer than \(maximumFileBytes) bytes; a configuration is written by a person: is this the right "
                    + "file?"
                : SystemError.reason(error.code, at: path, isReading: true)
            throw ConfigurationError(SourceMark(source: path), "cannot be read: \(reason)")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationError(
                SourceMark(source: path),
                "the file is not UTF-8 text; save it as UTF-8, or is this the right file?")
        }
        return (try parse(document: text, source: path), text)
    }

    /// Reads a YAML document whose root is a mapping; `source` names it in marks.
    public static func parse(document text: String, source: String) throws -> ConfigurationNode {
        let node = try parse(value: text, source: source)
        if node.isNull {
            return .emptyMapping(mark: SourceMark(source: source, line: 1, column: 1))
        }
        guard node.entries != nil else {
            throw ConfigurationError(
                node.mark, "the file holds \(node.shown); expected a mapping (key: value)")
        }
        return node
    }

    /// Reads any YAML value; an empty text is null.
    public static func parse(value text: String, source: String) throws -> ConfigurationNode {
        try refuseManyAliases(text, source: source)
        do {
            // The `.basic` resolver leaves every plain scalar a string, hence no surprises with keys.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else {
                return .scalar("", mark: SourceMark(source: source, line: 1, column: 1))
            }
            // The parser owns the anchors, which the nodes hold weakly.
            return try withExtendedLifetime(parser) {
                try convert(root, source: source, depth: 0)
            }
        } catch let error as YamlError {
            throw ConfigurationError(yaml: error, source: source)
        }
    }

    /// Refuses a text that seems to have more than a few aliases before the library sees it.
    ///
    /// Nested aliases make a small text stand for a huge tree, and the library walks it whole when it compares the
    /// keys of a mapping. What looks like an alias (`*` and a letter, digit, `_` or `-`) may stand in a comment or in
    /// quotes; up to 16 of them are left to ``convert(_:source:depth:)``, which knows, because they cannot multiply
    /// to more than 3⁵ times the text.
    private static func refuseManyAliases(_ text: String, source: String) throws {
        var count = 0
        var line = 1
        var firstLine = 1
        var afterStar = false
        for byte in text.utf8 {
            let isName =
                byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            if afterStar && isName {
                count += 1
                if count == 1 { firstLine = line }
                if count > 16 {
                    throw refusedAlias(SourceMark(source: source, line: firstLine, column: 1))
                }
            }
            afterStar = byte == UInt8(ascii: "*")
            if byte == UInt8(ascii: "\n") { line += 1 }
        }
    }

    private static func refusedAlias(_ mark: SourceMark) -> ConfigurationError {
        ConfigurationError(
            mark, "anchors (&name) and aliases (*name) are not accepted; use inherit")
    }

    private static func key(_ node: Node, source: String) throws -> (String, SourceMark) {
        let mark = SourceMark(source: source, line: node.mark?.line, column: node.mark?.column)
        guard case .scalar(let scalar) = node, scalar.anchor == nil else {
            throw ConfigurationError(mark, "a key must be a plain text")
        }
        return (scalar.string, mark)
    }

    private static func convert(
        _ node: Node, source: String, depth: Int
    ) throws -> ConfigurationNode {
        let mark = SourceMark(source: source, line: node.mark?.line, column: node.mark?.column)
        if node.anchor != nil || node.alias != nil {
            throw refusedAlias(mark)
        }
        if depth > maximumDepth {
            throw ConfigurationError(
                mark, "nested more than \(maximumDepth) deep; is this a configuration?")
        }
        switch node {
        case .scalar(let scalar):
            let isQuoted = scalar.style != .plain
            try refuseTag(scalar.tag, expected: isQuoted ? [.str, .implicit] : [.implicit], mark)
            return ConfigurationNode(
                .scalar(text: scalar.string, isQuoted: isQuoted), mark: mark)
        case .sequence(let sequence):
            try refuseTag(sequence.tag, expected: [.implicit], mark)
            let elements = try sequence.map {
                try convert($0, source: source, depth: depth + 1)
            }
            return ConfigurationNode(.sequence(elements), mark: mark)
        case .mapping(let mapping):
            try refuseTag(mapping.tag, expected: [.implicit, .map], mark)
            let entries = try mapping.map { pair in
                let (key, keyMark) = try key(pair.key, source: source)
                let value = try convert(pair.value, source: source, depth: depth + 1)
                return Entry(key: key, keyMark: keyMark, value: value)
            }
            return ConfigurationNode(.mapping(entries), mark: mark)
        case .alias: throw refusedAlias(mark)
        }
    }

    /// Explicit tags (`!!int "3"`) would change what a text means behind the reader's back.
    private static func refuseTag(_ tag: Tag, expected: [Tag.Name], _ mark: SourceMark) throws {
        if !expected.contains(where: { $0.rawValue == tag.description }) {
            throw ConfigurationError(mark, "the tag '\(tag)' is not accepted; write a plain value")
        }
    }
}

extension ConfigurationError {
    /// One sentence for an error of the YAML library, whose own texts span several lines.
    init(yaml error: YamlError, source: String) {
        func at(_ mark: Mark, _ problem: String, _ context: YamlError.Context?) -> Self {
            let place = SourceMark(source: source, line: mark.line, column: mark.column)
            // libYAML's own limit, whose text names a C function.
            if problem.hasPrefix("Maximum nesting level") {
                return ConfigurationError(
                    place,
                    "nested more than \(ConfigurationNode.maximumDepth) deep; is this a configuration?"
                )
            }
            // libYAML's contexts are phrases such as "while parsing a flow mapping".
            let where_ = context.map { " (\($0.text) that begins at line \($0.mark.line))" } ?? ""
            return ConfigurationError(place, "not valid YAML: \(problem)\(where_)")
        }
        switch error {
        case .scanner(let context, let problem, let mark, _),
            .parser(let context, let problem, let mark, _):
            self = at(mark, problem, context)
        case .composer(_, let problem, let mark, _):
            self = at(mark, problem, nil)
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { "'\($0)'" }.joined(separator: ", ")
            self = ConfigurationError(
                SourceMark(source: source, line: context.mark.line, column: context.mark.column),
                "the same mapping has the key \(keys) more than once; keep one")
        case .reader(let problem, let offset, _, let text):
            let before = text.prefix(offset ?? 0)
            let line = before.count { $0.isNewline } + 1
            let column = before.reversed().prefix { !$0.isNewline }.count + 1
            self = ConfigurationError(
                SourceMark(source: source, line: line, column: column),
                "not valid YAML: \(problem)")
        default:
            self = ConfigurationError(SourceMark(source: source), "not valid YAML: \(error)")
        }
    }
}
