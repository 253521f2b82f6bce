/// Where a configuration value was written: a place in a file, or an argument of the command line.
public struct SourceMark: Hashable, Sendable, CustomStringConvertible {
    /// The file's path, or a phrase such as `command line: training.steps=100`.
    public let source: String
    /// Line, from 1; nil outside files.
    public let line: Int?
    /// Column, from 1; nil outside files.
    public let column: Int?

    /// Makes a mark; without line and column it names the source alone.
    public init(source: String, line: Int? = nil, column: Int? = nil) {
        self.source = source
        self.line = line
        self.column = column
    }

    /// The mark of a `key=value` argument.
    static func argument(_ text: String) -> SourceMark {
        SourceMark(source: argumentPrefix + text)
    }

    /// Whether it marks a `key=value` argument.
    var isArgument: Bool { line == nil && source.hasPrefix(Self.argumentPrefix) }

    private static let argumentPrefix = "command line: "

    /// `file:line:column`, or the source alone.
    public var description: String {
        guard let line, let column else { return source }
        return "\(source):\(line):\(column)"
    }
}

/// A mistake in a configuration: `file:line:column: sentence`.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where the mistake is.
    public let mark: SourceMark
    /// What is wrong and what is accepted.
    public let message: String

    /// Makes an error at `mark`.
    public init(_ mark: SourceMark, _ message: String) {
        self.mark = mark
        self.message = message
    }

    /// The mark, a colon and the message on one line: line ends and other control characters, which a value or a file
    /// name may hold, are escaped.
    public var description: String {
        "\(mark): \(message)".unicodeScalars.map { scalar in
            let isControl = scalar.properties.generalCategory == .control
            return isControl ? scalar.escaped(asASCII: false) : String(scalar)
        }.joined()
    }
}

/// Help for misspelled names.
public enum Spelling {
    /// The accepted name with the smallest edit distance to `word`; nil when none is near.
    ///
    /// Distance: insertions, deletions, substitutions and swaps of neighbours, upper and lower case alike
    /// (optimal string alignment). Near means at most two edits, or a third of the word's length.
    public static func nearest(to word: String, among accepted: [String]) -> String? {
        // No name is that long, and the distance costs the product of both lengths.
        if word.count > 100 { return nil }
        let limit = max(2, word.count / 3)
        var best: (name: String, distance: Int)?
        for name in accepted {
            let distance = editDistance(word.lowercased(), name.lowercased())
            if distance <= limit && distance < max(word.count, name.count)
                && distance < best?.distance ?? .max
            {
                best = (name, distance)
            }
        }
        return best?.name
    }

    /// The end of an error sentence: `; did you mean 'x'? (accepted: x, y)`, without the guess when none is
    /// near.
    public static func hint(for word: String, among accepted: [String]) -> String {
        let list = accepted.isEmpty ? "nothing" : accepted.joined(separator: ", ")
        guard let name = nearest(to: word, among: accepted) else { return " (accepted: \(list))" }
        return "; did you mean '\(name)'? (accepted: \(list))"
    }

    static func editDistance(_ first: String, _ second: String) -> Int {
        let a = Array(first)
        let b = Array(second)
        var previous: [Int] = []
        var current = Array(0...b.count)
        for i in 0..<a.count {
            var next = [i + 1]
            for j in 0..<b.count {
                var cost = current[j] + (a[i] == b[j] ? 0 : 1)
                cost = min(cost, current[j + 1] + 1, next[j] + 1)
                if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                    cost = min(cost, previous[j - 1] + 1)
                }
                next.append(cost)
            }
            previous = current
            current = next
        }
        return current[b.count]
    }
}
