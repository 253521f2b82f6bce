/// Tokenizing for other programs, line by line.
///
/// A line that is a JSON string is answered by the JSON list of its ids, a line that is a JSON list of ids by the JSON
/// string of their text, without line ends inside either. One answer per line, in order; a line that is
/// neither ends the conversation with an error. Whoever writes the answers flushes them when the other side waits.
public struct LineProtocol {
    /// What is asked of the tokenizer.
    public struct Options: Sendable {
        /// Whether ids have the special tokens around a text, and texts of ids show special tokens.
        public var addsSpecialTokens = true
        /// Whether text that spells a special token is text.
        public var isLiteral = false
        /// Whether ids are answered by the list of the texts that a ``StreamingDecoder`` gives for each, and at the end.
        public var streams = false

        /// The usual ones.
        public init() {}
    }

    private let tokenizer: Tokenizer
    private let options: Options
    private var encoder: TokenEncoder
    private var lineNumber = 0

    /// Answers with `tokenizer`.
    public init(_ tokenizer: Tokenizer, _ options: Options = Options()) {
        self.tokenizer = tokenizer
        self.options = options
        encoder = tokenizer.makeEncoder()
    }

    /// The answer to one line, without a line end.
    ///
    /// - Parameter line: its bytes, without the line feed.
    /// - Throws: ``TokenizerError`` that names the line's number when it is neither a string nor a list of ids.
    public mutating func answer(_ line: some Sequence<UInt8>) throws -> String {
        lineNumber += 1
        do {
            return try answer(JSONNode(parsing: Array(line)))
        } catch let problem {
            throw TokenizerError(
                source: "line \(lineNumber)",
                "a JSON string or a JSON list of ids is expected, but \(problem.text)")
        }
    }

    private mutating func answer(_ node: JSONNode) throws(FileProblem) -> String {
        switch node.value {
        case .string:
            let ids = encoder.encode(
                try node.string(), adding: options.addsSpecialTokens ? .all : .none,
                literally: options.isLiteral)
            return "[\(ids.map(String.init).joined(separator: ","))]"
        case .array:
            var ids: [Int] = []
            for element in try node.elements() {
                ids.append(try element.int(atMost: Int(Int32.max)))
            }
            return text(of: ids)
        default: throw FileProblem("it is something else.")
        }
    }

    private func text(of ids: [Int]) -> String {
        func quoted(_ text: String) -> String {
            String(decoding: JSONText.quoted(text.utf8), as: UTF8.self)
        }
        let skips = !options.addsSpecialTokens
        guard options.streams else {
            return quoted(tokenizer.decode(ids, skippingSpecialTokens: skips))
        }
        var stream = tokenizer.makeStreamingDecoder(skippingSpecialTokens: skips)
        var texts = ids.map { quoted(stream.append($0)) }
        texts.append(quoted(stream.finish()))
        return "[\(texts.joined(separator: ","))]"
    }
}
