extension ConfigurationNode {
    /// This tree with `upper` laid over it: mappings merge key by key at every depth, anything else of `upper`
    /// replaces what was here. Marks stay with the values, so that an error names the file a value came from.
    ///
    /// - Parameter replacesWhole: mappings of `upper` for which this is true replace instead of merging.
    func overlaid(
        by upper: ConfigurationNode,
        replacesWhole: (ConfigurationNode) -> Bool = { _ in false }
    ) -> ConfigurationNode {
        guard let lowerEntries = entries, let upperEntries = upper.entries, !replacesWhole(upper)
        else { return upper }
        var merged = lowerEntries
        for entry in upperEntries {
            if let index = merged.firstIndex(where: { $0.key == entry.key }) {
                let value = merged[index].value.overlaid(
                    by: entry.value, replacesWhole: replacesWhole)
                merged[index] = Entry(key: entry.key, keyMark: entry.keyMark, value: value)
            } else {
                merged.append(entry)
            }
        }
        return ConfigurationNode(.mapping(merged), mark: upper.mark)
    }

    /// This tree with the keys it lacks taken from `defaults`, at every depth.
    ///
    /// - Parameter isLeftOut: whether the dotted name of a default is none of this tree's business.
    func filled(
        from defaults: ConfigurationNode, path: [String] = [],
        leavingOut isLeftOut: (String) -> Bool
    ) -> ConfigurationNode {
        guard let own = entries, let others = defaults.entries else { return self }
        let present = own.map { entry in
            guard let other = defaults[entry.key] else { return entry }
            let value = entry.value.filled(
                from: other, path: path + [entry.key], leavingOut: isLeftOut)
            return Entry(key: entry.key, keyMark: entry.keyMark, value: value)
        }
        let missing = others.filter { other in
            self[other.key] == nil && !isLeftOut((path + [other.key]).joined(separator: "."))
        }
        return ConfigurationNode(.mapping(present + missing), mark: mark)
    }

    /// This mapping with `value` at `path`; missing or null levels become mappings.
    ///
    /// - Throws: ``ConfigurationError`` at `mark` when the path crosses a scalar or a list.
    func setting(
        _ path: ArraySlice<String>, to value: ConfigurationNode, mark: SourceMark
    ) throws -> ConfigurationNode {
        guard let key = path.first else { return value }
        guard var entries = isNull ? [] : self.entries else {
            throw ConfigurationError(
                mark, "'\(key)' cannot be set inside \(shown), written at \(self.mark)")
        }
        let index = entries.firstIndex { $0.key == key }
        let old = index.map { entries[$0].value } ?? .emptyMapping(mark: mark)
        let new = try old.setting(path.dropFirst(), to: value, mark: mark)
        let entry = Entry(
            key: key, keyMark: path.count > 1 && index != nil ? entries[index!].keyMark : mark,
            value: new)
        if let index { entries[index] = entry } else { entries.append(entry) }
        return ConfigurationNode(.mapping(entries), mark: isNull ? mark : self.mark)
    }

    /// This mapping without the keys for which `isRemoved` is true.
    func removing(where isRemoved: (String) -> Bool) -> ConfigurationNode {
        guard let entries else { return self }
        return ConfigurationNode(.mapping(entries.filter { !isRemoved($0.key) }), mark: mark)
    }

    /// The same tree with every mark replaced.
    func marked(_ mark: SourceMark) -> ConfigurationNode {
        switch content {
        case .scalar: return ConfigurationNode(content, mark: mark)
        case .sequence(let elements):
            return ConfigurationNode(.sequence(elements.map { $0.marked(mark) }), mark: mark)
        case .mapping(let entries):
            let marked = entries.map {
                Entry(key: $0.key, keyMark: mark, value: $0.value.marked(mark))
            }
            return ConfigurationNode(.mapping(marked), mark: mark)
        }
    }
}

/// A value set on the command line: `training.steps=100`, `seeds=[0, 1]`.
public struct ConfigurationOverride: Sendable {
    /// The dotted path's parts.
    public let path: [String]
    /// The value, every mark being ``mark``.
    public let value: ConfigurationNode
    /// `command line: training.steps=100`.
    public let mark: SourceMark

    /// Reads one `key=value` argument; the value is YAML, as it would stand behind `key:` in a file.
    public init(_ argument: String) throws {
        mark = .argument(argument)
        guard let equals = argument.firstIndex(of: "=") else {
            throw ConfigurationError(mark, "expected key=value, such as training.steps=100")
        }
        let key = argument[..<equals]
        path = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        let isName: (String) -> Bool = { part in
            !part.isEmpty && part.allSatisfy { $0.isLetter || $0.isNumber || "_-".contains($0) }
        }
        if !path.allSatisfy(isName) {
            throw ConfigurationError(
                mark, "'\(key)' is not a dotted name, such as training.steps")
        }
        let text = String(argument[argument.index(after: equals)...])
        do {
            value = try ConfigurationNode.parse(value: text, source: "value").marked(mark)
        } catch let error as ConfigurationError {
            throw ConfigurationError(mark, error.message)
        }
    }

    /// `tree` with the value in its place.
    public func applied(to tree: ConfigurationNode) throws -> ConfigurationNode {
        try tree.setting(path[...], to: value, mark: mark)
    }
}
