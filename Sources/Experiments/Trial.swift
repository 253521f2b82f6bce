/// One run that a sweep asks for: a configuration and a seed.
public struct Trial: Sendable {
    /// A parameter's name with the text of its value in this trial.
    public struct Value: Hashable, Codable, Sendable {
        /// The parameter's dotted name.
        public let name: String
        /// The value's text as the file has it; lists and mappings as canonical JSON.
        public let text: String

        /// Makes a value.
        public init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    /// The sections of the sweep with this trial's parameter values in their places.
    public let configuration: ConfigurationNode
    /// The parameters that differ between trials, in the order of the file.
    public let varying: [Value]
    /// The trial's seed.
    public let seed: Int

    /// The varying values joined by `-`, the seed last: `cft-s0`; `s0` when nothing varies. Fit for a file
    /// name; two trials may share it when their values differ only in what a file name cannot hold, or behind the
    /// fourth digit: the hash in a run's name keeps them apart.
    public var label: String { label(without: []) }

    /// ``label`` without the values of some parameters, which the caller tells in other words.
    public func label(without names: Set<String>) -> String {
        var values = varying.filter { !names.contains($0.name) }
            .map { fileNameText($0.shortText(digits: 4)) }.joined(separator: "-").prefix(120)
        if values.hasPrefix(".") { values = "_" + values.dropFirst() }
        return values.isEmpty ? "s\(seed)" : "\(values)-s\(seed)"
    }
}

/// `text` with everything but letters, digits and `._+=` and `-` replaced by `_`, at most 40 characters.
func fileNameText(_ text: String) -> String {
    let mapped = text.map { character in
        character.isASCII
            && (character.isLetter || character.isNumber || "._+=-".contains(character))
            ? character : "_"
    }
    return String(mapped.prefix(40))
}

extension SweepFile {
    /// More trials than this are refused: it is a typing mistake.
    static let maximumTrials = 100_000

    /// All trials: parameters in the order of the file, the first varying slowest, seeds innermost; those that
    /// an entry of `exclude` matches are left out.
    ///
    /// In a random sweep each draw takes the place of one combination, and a draw that repeats an earlier one
    /// is left out.
    public func trials() throws -> [Trial] {
        var trials: [Trial] = []
        for combination in try combinations() {
            let tree = try zip(parameters, combination).reduce(configuration) { tree, pair in
                try tree.setting(pair.0.path[...], to: pair.1, mark: pair.1.mark)
            }
            let varying = zip(parameters, combination).filter { $0.0.isVarying }.map {
                Trial.Value(name: $0.0.name, text: $0.1.labelText)
            }
            for seed in seeds where !isExcluded(combination, seed: seed) {
                trials.append(Trial(configuration: tree, varying: varying, seed: seed))
            }
        }
        if trials.isEmpty {
            throw ConfigurationError(
                SourceMark(source: path), "exclude leaves none of the trials; remove an entry")
        }
        return trials
    }

    /// What became of a random sweep's draws when some of them are no trials: repeats are left out, and exclusion
    /// comes after drawing. Nil when every draw is one, and for a grid.
    public func drawNote() throws -> String? {
        guard case .random(let count, _) = method else { return nil }
        let distinct = try combinations()
        let left = distinct.count { combination in
            seeds.contains { !isExcluded(combination, seed: $0) }
        }
        if left == count { return nil }
        return "\(left) of \(count) draws left: \(distinct.count - left) excluded, "
            + "\(count - distinct.count) equal to an earlier one; raise count for more"
    }

    private func combinations() throws -> [[ConfigurationNode]] {
        switch method {
        case .random(let count, let sweepSeed):
            try checkCount(count)
            var seen: Set<JSONValue> = []
            return (0..<count).map { index in
                parameters.map { $0.draw(seed: sweepSeed, index: index) }
            }.filter { seen.insert(.array($0.map(\.json))).inserted }
        case .grid:
            var combinations: [[ConfigurationNode]] = [[]]
            for parameter in parameters {
                guard case .values(let values) = parameter.domain else {
                    throw ConfigurationError(
                        parameter.mark,
                        "\(parameter.name) has min and max, which a grid cannot enumerate; list "
                            + "values, or set method: random with count and sweep_seed")
                }
                try checkCount(combinations.count * values.count)
                combinations = combinations.flatMap { begun in values.map { begun + [$0] } }
            }
            return combinations
        }
    }

    private func checkCount(_ combinations: Int) throws {
        if combinations * seeds.count > Self.maximumTrials {
            throw ConfigurationError(
                SourceMark(source: path),
                "the sweep asks for \(combinations * seeds.count) trials; at most "
                    + "\(Self.maximumTrials) are accepted")
        }
    }

    private func isExcluded(_ combination: [ConfigurationNode], seed: Int) -> Bool {
        exclusions.contains { exclusion in
            exclusion.allSatisfy { name, accepted in
                if name == "seed" { return accepted.contains(.integer(seed)) }
                guard let index = parameters.firstIndex(where: { $0.name == name }) else {
                    return false
                }
                return accepted.contains(combination[index].json.withWholeNumbersAsIntegers)
            }
        }
    }
}

extension ConfigurationNode {
    /// The text that stands for the value in run names and tables.
    var labelText: String {
        if case .scalar(let text, _) = content { return text }
        return CanonicalJSON.text(of: json)
    }
}

extension JSONValue {
    /// The value with 1.0 as 1 at the top, so that `exclude: [{x: 1}]` finds `x: 1.0`.
    var withWholeNumbersAsIntegers: JSONValue {
        if case .number(let value) = self, let integer = Int(exactly: value) {
            return .integer(integer)
        }
        return self
    }
}
