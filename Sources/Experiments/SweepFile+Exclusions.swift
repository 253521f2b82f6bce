import Foundation

extension SweepFile {
    /// For each entry of `exclude`, the values by which it matches each named parameter, or `seed`.
    ///
    /// - Throws: ``ConfigurationError`` for a parameter that there is not, and for a value that it never takes.
    static func exclusions(
        _ reader: ConfigurationReader, parameters: [SweepParameter], seeds: [Int]
    ) throws -> [[String: [JSONValue]]] {
        guard let node = reader.node("exclude") else { return [] }
        var excludable = parameters.map(Excludable.init)
        excludable.append(Excludable(seeds: seeds, mark: reader.node("seeds")?.mark))
        return try (node.elements ?? [node]).map { entry in
            var exclusion: [String: [JSONValue]] = [:]
            try collect(entry, path: [], among: excludable, into: &exclusion)
            if exclusion.isEmpty {
                throw ConfigurationError(
                    entry.mark, "an entry of exclude is empty; name a parameter and its value")
            }
            return exclusion
        }
    }

    /// Reads `{layout: cft, training: {steps: [100, 200]}}`; dotted names work as well.
    private static func collect(
        _ node: ConfigurationNode, path: [String], among excludable: [Excludable],
        into exclusion: inout [String: [JSONValue]]
    ) throws {
        guard let entries = node.entries else {
            throw ConfigurationError(
                node.mark, "exclude has \(node.shown); expected mappings {parameter: value}")
        }
        for entry in entries {
            let path = path + [entry.key]
            let name = path.joined(separator: ".")
            if let named = excludable.first(where: { $0.name == name }) {
                let values = entry.value.elements ?? [entry.value]
                for value in values { try named.check(value) }
                exclusion[name] = values.map(\.json.withWholeNumbersAsIntegers)
            } else if entry.value.entries != nil {
                try collect(entry.value, path: path, among: excludable, into: &exclusion)
            } else {
                throw ConfigurationError(
                    entry.keyMark,
                    "exclude names the unknown parameter '\(abridged(name))'"
                        + Spelling.hint(for: name, among: excludable.map(\.name)))
            }
        }
    }
}

/// A parameter, or the seeds, as an entry of `exclude` may name it.
private struct Excludable {
    let name: String
    /// Where its values stand; nil for the default.
    private let mark: SourceMark?
    /// The values, as text for the message.
    private let texts: [String]
    private let accepts: (JSONValue) -> Bool

    init(_ parameter: SweepParameter) {
        name = parameter.name
        mark = parameter.mark
        switch parameter.domain {
        case .values(let values):
            let accepted = values.map(\.json.withWholeNumbersAsIntegers)
            texts = values.map(\.labelText)
            accepts = accepted.contains
        case .interval(_, let minimum, let maximum):
            texts = ["numbers from \(minimum) to \(maximum)"]
            accepts = { $0.doubleValue.map { (minimum...maximum).contains($0) } ?? false }
        }
    }

    init(seeds: [Int], mark: SourceMark?) {
        name = "seed"
        self.mark = mark
        texts = seeds.count > 12 ? ["\(seeds.count) seeds"] : seeds.map(String.init)
        accepts = { $0.integerValue.map(seeds.contains) ?? false }
    }

    /// Refuses a value that is never taken: it would exclude nothing, silently.
    func check(_ value: ConfigurationNode) throws {
        if accepts(value.json.withWholeNumbersAsIntegers) { return }
        // What another file or the command line narrows, the exclusion need not follow.
        if let mark, mark.source != value.mark.source, !value.mark.isArgument { return }
        throw ConfigurationError(
            value.mark,
            "exclude names \(value.shown), which \(name) never is"
                + Spelling.hint(for: value.labelText, among: texts))
    }
}
