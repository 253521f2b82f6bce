/// Tokenizing for other programs, line by line.
///
/// A line that is a JSON string is answered by the JSON list of its ids, a line that is a JSON list of ids by the JSON
/// string of their text, without line ends inside either. One answer per line, in order; a line that is
/// neither ends the conversation with an error. Whoever writes the answers flushes them when the other side waits.
public struct LineProtocol {
    private let tokenizer: Tokenizer
    private var encoder: TokenEncoder
    private let addsSpecialTokens: Bool
    private var lineNumber = 0

    /// Answers with `tokenizer`.
    ///
    /// - Parameter addingSpecialTokens: whether ids have the special tokens around a text, and texts of ids show special
    ///   tokens.
    public init(_ tokenizer: Tokenizer, addingSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        encoder = tokenizer.makeEncoder()
        addsSpecialTokens = addingSpecialTokens
    }

    /// The answer to one line, without a line end.
    ///
    /// - Throws: ``TokenizerError`` that names the line's number when it is neither a string nor a list of ids.
    public mutating func answer(_ line: String) throws -> String {
        lineNumber += 1
        do {
            return try answer(JSONNode(parsing: Array(line.utf8)))
        } catch let problem {
            throw TokenizerError(
                source: "line \(lineNumber)",
                "\(problem.text) A JSON string or a JSON list of ids is expected.")
        }
    }

    /// Answers every line of `lines` by a call of `write`.
    public mutating func run(
        _ lines: some Sequence<String>, write: (String) throws -> Void
    ) throws {
        for line in lines { try write(answer(line)) }
    }

    private mutating func answer(_ node: JSONNode) throws(FileProblem) -> String {
        if case .string = node.value {
            let ids = encoder.encode(
                try node.string(), addingSpecialTokens: addsSpecialTokens)
            return "[\(ids.map(String.init).joined(separator: ","))]"
        }
        var ids: [Int] = []
        for element in try node.elements() {
            ids.append(try element.int(atMost: Int(Int32.max)))
        }
        let text = tokenizer.decode(ids, skippingSpecialTokens: !addsSpecialTokens)
        return String(decoding: JSONText.quoted(text.utf8), as: UTF8.self)
    }
}
