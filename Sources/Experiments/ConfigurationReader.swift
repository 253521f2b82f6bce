/// Reads one mapping of a configuration key by key, with types and ranges, and remembers what it was asked:
/// ``finish()`` then refuses every other key with the nearest valid one.
///
/// A key whose value is empty (`curriculum:`, `null`, `~`) counts as not given. Keys left out need a default;
/// without one they are an error. Not `Sendable`: it lives for one reading.
public final class ConfigurationReader {
    /// The dotted name of the mapping, for messages; empty at the top of the file.
    public let name: String
    /// Where the mapping begins.
    public let mark: SourceMark
    private let entries: [ConfigurationNode.Entry]
    private var asked: [String] = []

    /// Begins to read `node`, which must be a mapping (null counts as an empty one).
    public init(_ node: ConfigurationNode, name: String = "") throws {
        guard let entries = node.isNull ? [] : node.entries else {
            let subject = name.isEmpty ? "the configuration" : name
            throw ConfigurationError(
                node.mark, "\(subject) is \(node.shown); expected a mapping (key: value)")
        }
        self.name = name
        self.mark = node.mark
        self.entries = entries
    }

    /// The keys that stand in the mapping, in the order of the file.
    public var keys: [String] { entries.map(\.key) }

    /// Whether `key` has a value.
    public func contains(_ key: String) -> Bool {
        guard let entry = entries.first(where: { $0.key == key }) else { return false }
        if entry.value.isNull && !asked.contains(key) { asked.append(key) }
        return !entry.value.isNull
    }

    /// The value of `key` as it stands, nil when it is not given. Counts as asking for the key.
    public func node(_ key: String) -> ConfigurationNode? {
        if !asked.contains(key) { asked.append(key) }
        let value = entries.first { $0.key == key }?.value
        return value?.isNull == true ? nil : value
    }

    /// The error to throw when the value of `key` is well-formed but wrong in context.
    ///
    /// - Parameters:
    ///   - key: the key that the sentence begins with.
    ///   - message: what is wrong and the cure.
    ///   - concerned: dotted names below this mapping of the values that do not agree: the error points at the one
    ///     that the command line sets, if any, because the file alone may be sound.
    public func error(
        _ key: String, _ message: String, concerning concerned: [String] = []
    ) -> ConfigurationError {
        let whole = ConfigurationNode(.mapping(entries), mark: mark)
        let set = concerned.lazy.compactMap { whole.value(at: $0)?.mark }.first(where: \.isArgument)
        let entry = entries.first { $0.key == key }
        return ConfigurationError(set ?? entry?.value.mark ?? mark, "\(dotted(key)) \(message)")
    }

    /// Refuses keys nobody asked for, the first of them by name, with the nearest accepted key.
    public func finish() throws {
        guard let entry = entries.first(where: { !asked.contains($0.key) }) else { return }
        let place = name.isEmpty ? "at the top level" : "in \(name)"
        throw ConfigurationError(
            entry.keyMark,
            "unknown key '\(abridged(entry.key))' \(place)\(Spelling.hint(for: entry.key, among: asked))"
        )
    }

    // MARK: Sections

    /// Reads the mapping under `key` with `body` and finishes it; when it is not given, `body` reads an empty
    /// mapping, so that defaults apply.
    public func section<Value>(
        _ key: String, _ body: (ConfigurationReader) throws -> Value
    ) throws -> Value {
        let node = node(key) ?? .emptyMapping(mark: mark)
        let reader = try ConfigurationReader(node, name: dotted(key))
        let value = try body(reader)
        try reader.finish()
        return value
    }

    // MARK: Scalars

    /// An integer; `default: nil` makes the key required.
    public func integer(
        _ key: String, default fallback: Int? = nil,
        in range: some RangeExpression<Int> = Int.min...Int.max
    ) throws -> Int {
        try required(key, fallback, "an integer" + phrase(range)) { node in
            guard case .integer(let value) = node.scalarValue, range.contains(value) else {
                return nil
            }
            return value
        }
    }

    /// A finite number, integers included; `default: nil` makes the key required.
    public func double(
        _ key: String, default fallback: Double? = nil,
        in range: some RangeExpression<Double> = -Double.infinity...Double.infinity
    ) throws -> Double {
        try required(key, fallback, "a number" + phrase(range)) { node in
            guard let value = node.numericValue, range.contains(value) else { return nil }
            return value
        }
    }

    /// A finite number, nil when the key is not given.
    public func doubleIfPresent(
        _ key: String,
        in range: some RangeExpression<Double> = -Double.infinity...Double.infinity
    ) throws -> Double? {
        node(key) == nil ? nil : try double(key, in: range)
    }

    /// `true` or `false`; `default: nil` makes the key required.
    public func boolean(_ key: String, default fallback: Bool? = nil) throws -> Bool {
        try required(key, fallback, "true or false") { node in
            if case .boolean(let value) = node.scalarValue { return value }
            return nil
        }
    }

    /// A text; `default: nil` makes the key required. A text that looks like a number must be quoted.
    public func string(_ key: String, default fallback: String? = nil) throws -> String {
        try required(key, fallback, "a text") { node in
            if case .string(let value) = node.scalarValue { return value }
            return nil
        }
    }

    /// A text, nil when the key is not given.
    public func stringIfPresent(_ key: String) throws -> String? {
        node(key) == nil ? nil : try string(key)
    }

    /// One of the texts in `accepted`; `default: nil` makes the key required.
    public func choice(
        _ key: String, default fallback: String? = nil, among accepted: [String]
    ) throws -> String {
        try choice(key, default: fallback, accepted: accepted) {
            accepted.contains($0) ? $0 : nil
        }
    }

    /// A text that `parse` understands: for names with aliases or with a number in them (`knn=3`).
    ///
    /// - Parameter accepted: the spellings to name, and to look for the nearest in, when `parse` gives nil.
    public func choice<Value>(
        _ key: String, default fallback: Value? = nil, accepted: [String],
        _ parse: (String) -> Value?
    ) throws -> Value {
        guard let node = node(key) else { return try self.fallback(key, fallback, "a name") }
        return try parsed(node, dotted(key), accepted, parse)
    }

    // MARK: Lists

    /// A list of integers; one integer counts as a list of one.
    public func integers(
        _ key: String, default fallback: [Int]? = nil,
        in range: some RangeExpression<Int> = Int.min...Int.max
    ) throws -> [Int] {
        try list(key, fallback, "an integer" + phrase(range)) { node in
            guard case .integer(let value) = node.scalarValue, range.contains(value) else {
                return nil
            }
            return value
        }
    }

    /// A list of finite numbers; one number counts as a list of one.
    public func doubles(
        _ key: String, default fallback: [Double]? = nil,
        in range: some RangeExpression<Double> = -Double.infinity...Double.infinity
    ) throws -> [Double] {
        try list(key, fallback, "a number" + phrase(range)) { node in
            guard let value = node.numericValue, range.contains(value) else { return nil }
            return value
        }
    }

    /// A list of texts; one text counts as a list of one.
    public func strings(_ key: String, default fallback: [String]? = nil) throws -> [String] {
        try list(key, fallback, "a text") { node in
            if case .string(let value) = node.scalarValue { return value }
            return nil
        }
    }

    /// A list of texts that `parse` understands, as ``choice(_:default:accepted:_:)`` does for one.
    public func choices<Value>(
        _ key: String, default fallback: [Value]? = nil, accepted: [String],
        _ parse: (String) -> Value?
    ) throws -> [Value] {
        guard let node = node(key) else { return try self.fallback(key, fallback, "a list") }
        return try (node.elements ?? [node]).enumerated().map { index, element in
            let place = node.elements == nil ? dotted(key) : "\(dotted(key))[\(index)]"
            return try parsed(element, place, accepted, parse)
        }
    }

    // MARK: Helpers

    private func dotted(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    private func required<Value>(
        _ key: String, _ fallback: Value?, _ expected: String,
        _ read: (ConfigurationNode) -> Value?
    ) throws -> Value {
        guard let node = node(key) else { return try self.fallback(key, fallback, expected) }
        if let value = read(node) { return value }
        throw ConfigurationError(
            node.mark, "\(dotted(key)) is \(node.shown); expected \(expected)")
    }

    private func list<Value>(
        _ key: String, _ fallback: [Value]?, _ expected: String,
        _ read: (ConfigurationNode) -> Value?
    ) throws -> [Value] {
        guard let node = node(key) else {
            return try self.fallback(key, fallback, "a list, each \(expected)")
        }
        return try (node.elements ?? [node]).enumerated().map { index, element in
            if let value = read(element) { return value }
            let place = node.elements == nil ? dotted(key) : "\(dotted(key))[\(index)]"
            throw ConfigurationError(
                element.mark, "\(place) is \(element.shown); expected \(expected)")
        }
    }

    private func parsed<Value>(
        _ node: ConfigurationNode, _ place: String, _ accepted: [String],
        _ parse: (String) -> Value?
    ) throws -> Value {
        guard case .string(let text) = node.scalarValue else {
            throw ConfigurationError(
                node.mark,
                "\(place) is \(node.shown); expected a name"
                    + Spelling.hint(for: "", among: accepted))
        }
        if let value = parse(text) { return value }
        throw ConfigurationError(
            node.mark, "\(place) is '\(abridged(text))'" + Spelling.hint(for: text, among: accepted)
        )
    }

    private func fallback<Value>(
        _ key: String, _ fallback: Value?, _ expected: String
    ) throws -> Value {
        if let fallback { return fallback }
        let likely = entries.first {
            !asked.contains($0.key) && Spelling.nearest(to: $0.key, among: [key]) != nil
        }
        let question = likely.map { " (is '\($0.key)' at \($0.keyMark) meant?)" } ?? ""
        throw ConfigurationError(
            mark, "\(dotted(key)) is missing; expected \(expected)\(question)")
    }
}

extension ConfigurationNode {
    /// The number of a numeric scalar, integers included.
    var numericValue: Double? {
        switch scalarValue {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

/// `, at least 1` and the like; empty for a range that holds everything.
func phrase<Bound>(_ range: some RangeExpression<Bound>) -> String
where Bound: Comparable & LosslessStringConvertible {
    switch range {
    case let range as PartialRangeFrom<Bound>: return ", at least \(range.lowerBound)"
    case let range as PartialRangeThrough<Bound>: return ", at most \(range.upperBound)"
    case let range as PartialRangeUpTo<Bound>: return ", below \(range.upperBound)"
    case let range as Range<Bound>:
        return ", at least \(range.lowerBound) and below \(range.upperBound)"
    case let range as ClosedRange<Bound>:
        let lowest = ["\(Int.min)", "-inf"].contains("\(range.lowerBound)")
        let highest = ["\(Int.max)", "inf"].contains("\(range.upperBound)")
        if lowest { return highest ? "" : ", at most \(range.upperBound)" }
        return highest
            ? ", at least \(range.lowerBound)" : ", \(range.lowerBound) to \(range.upperBound)"
    default: return ", in \(range)"
    }
}
