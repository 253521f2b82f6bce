import Platform

/// What is read of a tokenizer_config.json.
enum TokenizerConfiguration {
    /// The parsed file.
    static func node(_ path: String) throws -> JSONNode {
        let bytes = [UInt8](try WholeFile.read(path, maximumBytes: 1 << 26))
        do {
            return try JSONNode(parsing: bytes)
        } catch let problem {
            throw TokenizerError(source: path, problem.text)
        }
    }

    /// `add_bos_token`, true when absent, and `add_eos_token`, false when absent.
    static func addedTokens(
        _ node: JSONNode, source: String
    ) throws -> (beginning: Bool, end: Bool) {
        do {
            return (
                try node.member("add_bos_token")?.bool() ?? true,
                try node.member("add_eos_token")?.bool() ?? false
            )
        } catch let problem {
            throw TokenizerError(source: source, problem.text)
        }
    }
}
