/// What happens to text before it is cut into words.
struct TextNormalizer: Sendable {
    enum Step: Sendable {
        /// Puts bytes before a text that is not empty.
        case prepend([UInt8])
        /// Replaces every occurrence, from the left.
        case replace([UInt8], by: [UInt8])
        /// Unicode's canonical composition.
        case composed
        /// The whitespace rules of SentencePiece.
        case sentencePiece(SentencePieceNormalizer)
    }

    var steps: [Step]

    /// The normalized text.
    ///
    /// - Parameter isFirst: whether the text starts where the whole input starts.
    func apply(_ text: [UInt8], isFirst: Bool = true) -> [UInt8] {
        var text = text
        for step in steps {
            switch step {
            case .prepend(let prefix): if !text.isEmpty { text.insert(contentsOf: prefix, at: 0) }
            case .replace(let pattern, let content):
                text = Self.replacing(pattern, by: content, in: text)
            case .composed: text = CanonicalComposition.apply(text)
            case .sentencePiece(let normalizer):
                text = normalizer.apply(text, isFirst: isFirst)
            }
        }
        return text
    }

    /// `text` with every occurrence of `pattern`, which is not empty, replaced from the left.
    static func replacing(_ pattern: [UInt8], by content: [UInt8], in text: [UInt8]) -> [UInt8] {
        guard let first = pattern.first, text.contains(first) else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 2)
        var position = 0
        while position < text.count {
            if text[position] == first, matches(pattern, text, position) {
                for byte in content { result.append(byte) }
                position += pattern.count
            } else {
                result.append(text[position])
                position += 1
            }
        }
        return result
    }
}

/// Whether `pattern` stands in `text` at `position`.
func matches(_ pattern: [UInt8], _ text: [UInt8], _ position: Int) -> Bool {
    guard position + pattern.count <= text.count else { return false }
    for i in pattern.indices where text[position + i] != pattern[i] { return false }
    return true
}
