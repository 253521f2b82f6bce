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

    /// `chat_template`: a string, or of a list of named ones the one called `default`; nil when there is none.
    static func chatTemplate(_ node: JSONNode, source: String) throws -> String? {
        do throws(FileProblem) {
            guard let template = try node.member("chat_template") else { return nil }
            guard case .array = template.value else { return try template.string() }
            for element in try template.elements()
            where try element.required("name").string() == "default" {
                return try element.required("template").string()
            }
            return nil
        } catch let problem {
            throw TokenizerError(source: source, problem.text)
        }
    }

    /// Throws when `bos_token` or `eos_token` are there and are not `<s>` and `</s>`.
    static func checkEnds(_ node: JSONNode, source: String) throws {
        do throws(FileProblem) {
            for (key, expected) in [("bos_token", "<s>"), ("eos_token", "</s>")]
                as [(StaticString, String)]
            {
                guard let token = try node.member(key) else { continue }
                var text = token
                if case .object = token.value { text = try token.required("content") }
                guard try text.string() == expected else {
                    throw FileProblem(
                        "its chat_template is that of Llama-2 with the \(key) \(quoted(try text.string())); "
                            + "only \(expected) is supported.")
                }
            }
        } catch let problem {
            throw TokenizerError(source: source, problem.text)
        }
    }
}
