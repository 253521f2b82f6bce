/// The whitespace rules of a SentencePiece model without a table of character replacements.
struct SentencePieceNormalizer: Sendable {
    var addsDummyPrefix = true
    /// Whether the space in front comes before every stretch between added tokens, or before the first alone and only when
    /// that starts with none.
    var prefixesEveryStretch = true
    var removesExtraSpaces = true
    var escapesSpaces = true
    var putsSpacesBehind = false
    /// User-defined symbols stay as they are.
    var symbols = ByteTrie()

    /// `text` with `▁` for spaces, and one before it or behind.
    ///
    /// - Parameter isFirst: whether the text starts where the whole input starts.
    func apply(_ text: [UInt8], isFirst: Bool) -> [UInt8] {
        let space = UInt8(ascii: " ")
        var position = 0
        if removesExtraSpaces {
            while position < text.count, text[position] == space,
                (symbols.longest(text, position)?.length ?? 1) == 1
            {
                position += 1
            }
        }
        if position == text.count { return [] }
        let startsWithSpace = text[position] == space || BytePairModel.isSpaceMark(text, position)
        let addsMark =
            addsDummyPrefix && (prefixesEveryStretch || (isFirst && !startsWithSpace))
        let mark = escapesSpaces ? BytePairModel.spaceMark : [space]
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 2)
        if addsMark && !putsSpacesBehind { result += mark }
        var wasSpace = removesExtraSpaces
        while position < text.count {
            let length = symbols.longest(text, position)?.length ?? characterLength(text[position])
            var start = position
            position += length
            while wasSpace, start < position, text[start] == space { start += 1 }
            if start < position {
                for i in start..<position {
                    if text[i] == space { result += mark } else { result.append(text[i]) }
                }
                wasSpace = removesExtraSpaces && text[position - 1] == space
            }
        }
        if removesExtraSpaces {
            while !result.isEmpty, result.suffix(mark.count).elementsEqual(mark) {
                result.removeLast(mark.count)
            }
        }
        if addsMark && putsSpacesBehind { result += mark }
        return result
    }
}
