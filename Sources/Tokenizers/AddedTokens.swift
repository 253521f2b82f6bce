/// A token that is cut out of the text before the model sees it.
struct AddedToken: Sendable {
    var id: Int
    /// UTF-8.
    var content: [UInt8]
    var singleWord = false
    /// Whether it takes the whitespace on its left, or on its right, with it.
    var stripsLeft = false
    var stripsRight = false
    /// Whether it is looked for in normalized text.
    var isNormalized = true
    /// Whether decoding may skip it.
    var isSpecial = false
}

/// Finds added tokens in text: leftmost first, of those that start at one place the longest.
struct AddedTokenMatcher: Sendable {
    /// A stretch of text; `id` is nil between tokens.
    struct Segment {
        var range: Range<Int>
        var id: Int?
    }

    private let tokens: [AddedToken]
    private var trie = ByteTrie()

    /// - Parameter patterns: what is looked for, in the order of `tokens`.
    init(_ tokens: [AddedToken], patterns: [[UInt8]]) {
        self.tokens = tokens
        for (index, pattern) in patterns.enumerated() { trie.insert(pattern, value: Int32(index)) }
    }

    /// Cuts `text` into stretches that cover it, in order.
    ///
    /// - Parameter literally: whether special tokens are text.
    func segments(_ text: [UInt8], literally: Bool) -> [Segment] {
        if text.isEmpty { return [] }
        if tokens.isEmpty { return [Segment(range: 0..<text.count, id: nil)] }
        var segments: [Segment] = []
        var done = 0
        var position = 0
        // How far white space that was looked at goes: a run of it is read once, however many tokens lie in it.
        var spacesEnd = 0
        while position < text.count {
            guard let match = trie.longest(text, position) else {
                position += 1
                continue
            }
            let token = tokens[Int(match.value)]
            var start = position
            var stop = position + match.length
            // A match that is discarded still is passed over.
            position = stop
            if literally, token.isSpecial { continue }
            if token.singleWord, Self.isWord(before: start, text) || Self.isWord(at: stop, text) {
                continue
            }
            if token.stripsLeft {
                start = max(whiteSpaceStart(before: start, text, limit: done), done)
            }
            if token.stripsRight {
                if stop > spacesEnd { spacesEnd = whiteSpaceEnd(from: stop, text) }
                stop = max(stop, spacesEnd)
            }
            if done < start { segments.append(Segment(range: done..<start, id: nil)) }
            segments.append(Segment(range: min(start, stop)..<stop, id: token.id))
            done = stop
        }
        if done < text.count { segments.append(Segment(range: done..<text.count, id: nil)) }
        return segments
    }

    // MARK: Neighbours

    private static func isWord(at position: Int, _ text: [UInt8]) -> Bool {
        position < text.count && isWordScalar(ScalarAt(text, position).value)
    }

    private static func isWord(before position: Int, _ text: [UInt8]) -> Bool {
        position > 0 && isWordScalar(ScalarAt(text, characterStart(before: position, text)).value)
    }

    /// `\w` by Unicode's definition: alphabetic, marks, decimal digits, connectors, joiners.
    ///
    /// The library's tables are those of Unicode 16, so younger characters are none.
    private static func isWordScalar(_ value: Int) -> Bool {
        guard let scalar = Unicode.Scalar(UInt32(value)), let age = scalar.properties.age,
            age.major <= 16
        else { return false }
        if scalar.properties.isAlphabetic || scalar.properties.isJoinControl { return true }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation:
            return true
        default: return false
        }
    }
}

/// Where the white space that ends at `position` of `text` starts; nothing before `limit` is looked at.
func whiteSpaceStart(before position: Int, _ text: [UInt8], limit: Int) -> Int {
    var position = position
    while position > limit {
        let start = characterStart(before: position, text)
        guard CharacterClass.all[ScalarAt(text, start).value].isSpace else { break }
        position = start
    }
    return position
}

/// Where the white space that starts at `position` of `text` ends.
func whiteSpaceEnd(from position: Int, _ text: [UInt8]) -> Int {
    var position = position
    while position < text.count {
        let scalar = ScalarAt(text, position)
        guard CharacterClass.all[scalar.value].isSpace else { break }
        position += scalar.length
    }
    return position
}

private func characterStart(before position: Int, _ text: [UInt8]) -> Int {
    var start = position - 1
    while start > 0, text[start] & 0xC0 == 0x80 { start -= 1 }
    return start
}

/// Byte strings by prefix.
struct ByteTrie: Sendable {
    /// Node and byte → node.
    private var edges: [UInt64: Int32] = [:]
    /// Value of each node, −1 where no string ends.
    private var values: [Int32] = [-1]
    private var isFirst = [Bool](repeating: false, count: 256)

    /// Adds a string that is not empty; an equal one from before wins.
    mutating func insert(_ string: [UInt8], value: Int32) {
        guard let first = string.first else { return }
        isFirst[Int(first)] = true
        var node: Int32 = 0
        for byte in string {
            let edge = UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
            if let next = edges[edge] {
                node = next
            } else {
                node = Int32(values.count)
                values.append(-1)
                edges[edge] = node
            }
        }
        if values[Int(node)] < 0 { values[Int(node)] = value }
    }

    /// The longest string that stands in `text` at `position`.
    @inline(__always)
    func longest(_ text: [UInt8], _ position: Int) -> (value: Int32, length: Int)? {
        isFirst[Int(text[position])] ? walk(text, position) : nil
    }

    private func walk(_ text: [UInt8], _ position: Int) -> (value: Int32, length: Int)? {
        var best: (Int32, Int)?
        var node: Int32 = 0
        var end = position
        while end < text.count,
            let next = edges[UInt64(UInt32(bitPattern: node)) << 8 | UInt64(text[end])]
        {
            node = next
            end += 1
            if values[Int(node)] >= 0 { best = (values[Int(node)], end - position) }
        }
        return best
    }
}
