import Experiments
import Foundation

extension PromptPool {
    /// The newest `version` of a pool's file that this program reads.
    static let newestVersion = 1

    /// Reads a pool from the YAML file at `path`: `version: 1` and `prompts`, a list of `{name, text}`.
    ///
    /// White space around a name or a text does not count.
    ///
    /// - Throws: `ConfigurationError` with file, line and column: for an unreadable file, an unknown key, no prompt at
    ///   all, an empty name or text, or one that stands there twice.
    public static func read(path: String) throws -> PromptPool {
        let reader = try ConfigurationReader(try ConfigurationNode.read(path: path).node)
        let version = try reader.integer("version", in: 1...)
        if version > newestVersion {
            throw reader.error(
                "version", "is \(version); this program reads versions up to \(newestVersion)")
        }
        guard let elements = reader.node("prompts")?.elements, !elements.isEmpty else {
            throw reader.error(
                "prompts", "needs one prompt or more; expected a list of {name, text}")
        }
        var draft = PoolDraft()
        for (index, element) in elements.enumerated() {
            try draft.add(try ConfigurationReader(element, name: "prompts[\(index)]"))
        }
        try reader.finish()
        return PromptPool(draft.prompts)
    }
}

/// A pool of which some prompts are read.
private struct PoolDraft {
    var prompts: [ContextualPrompt] = []
    /// Where each name and each text was written first.
    private var nameMarks: [String: SourceMark] = [:]
    private var textMarks: [String: SourceMark] = [:]

    /// Reads one `{name, text}`.
    mutating func add(_ reader: ConfigurationReader) throws {
        let name = try Self.words("name", reader)
        let text = try Self.words("text", reader)
        try reader.finish()
        if let first = nameMarks.updateValue(reader.mark, forKey: name) {
            throw reader.error("name", "is '\(name)', the name of the prompt at \(first) already")
        }
        if let first = textMarks.updateValue(reader.mark, forKey: text) {
            throw reader.error(
                "text",
                "is the text of the prompt at \(first) already, which would be drawn twice as often"
            )
        }
        prompts.append(ContextualPrompt(name: name, text: text))
    }

    private static func words(_ key: String, _ reader: ConfigurationReader) throws -> String {
        let words = try reader.string(key).trimmingCharacters(in: .whitespacesAndNewlines)
        if words.isEmpty { throw reader.error(key, "is empty; expected a text") }
        return words
    }
}
