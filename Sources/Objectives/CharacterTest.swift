/// A property of characters, looked up for ASCII: most of a text is, and what Swift asks Unicode's tables is slow.
package struct CharacterTest: Sendable {
    package static let whiteSpace = CharacterTest { $0.isWhitespace }
    package static let lineEnd = CharacterTest { $0 == "\n" }
    package static let noLetter = CharacterTest { !$0.isLetter }

    /// `[128]`: whether the character with this code has it.
    private let ascii: [Bool]
    private let test: @Sendable (Character) -> Bool

    private init(_ test: @escaping @Sendable (Character) -> Bool) {
        ascii = (UInt8(0)..<128).map { test(Character(Unicode.Scalar($0))) }
        self.test = test
    }

    /// The pieces of `text` between characters with this property: what `String.split` gives.
    package func split(_ text: String, omittingEmptySubsequences omitsEmpty: Bool = true)
        -> [Substring]
    {
        var text = text
        text.makeContiguousUTF8()
        var pieces: [Substring] = []
        var start = text.startIndex
        forEachSeparator(text) { separator in
            if !omitsEmpty || start < separator.lowerBound {
                pieces.append(text[start..<separator.lowerBound])
            }
            start = separator.upperBound
        }
        if !omitsEmpty || start < text.endIndex { pieces.append(text[start...]) }
        return pieces
    }

    private func forEachSeparator(_ text: String, _ body: (Range<String.Index>) -> Void) {
        text.utf8.withContiguousStorageIfAvailable { bytes in
            func index(_ offset: Int) -> String.Index {
                text.utf8.index(text.startIndex, offsetBy: offset)
            }
            var position = 0
            while position < bytes.count {
                var next = position + 1
                // Two ASCII bytes in a row are two characters, unless they are a line end `\r\n`.
                let isAlone = next == bytes.count || bytes[next] < 0x80
                if bytes[position] < 0x80 && bytes[position] != 0x0D && isAlone {
                    if ascii[Int(bytes[position])] { body(index(position)..<index(next)) }
                } else {
                    let first = index(position)
                    let behind = text.index(after: first)
                    next = text.utf8.distance(from: text.startIndex, to: behind)
                    if test(text[first]) { body(first..<behind) }
                }
                position = next
            }
        }
    }
}

extension String {
    /// Whether the bytes of `mark` stand somewhere: without them neither do its characters, which are slow to look for.
    func hasBytes(of mark: StaticString) -> Bool {
        let count = mark.utf8CodeUnitCount
        return utf8.withContiguousStorageIfAvailable { bytes in
            guard bytes.count >= count else { return false }
            return (0...bytes.count - count).contains { start in
                var length = 0
                while length < count && bytes[start + length] == mark.utf8Start[length] {
                    length += 1
                }
                return length == count
            }
        } ?? true
    }
}
