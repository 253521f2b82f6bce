/// How the texts of pieces become text again.
enum PieceDecoder: Sendable {
    /// Without a decoder pieces are joined by spaces.
    case joined
    /// Every piece stands for bytes.
    case byteLevel
    /// Changes to each piece, then byte tokens, then what is cut from the whole.
    case steps([Step], byteFallback: Bool, stripped: [StripRule])
    /// SentencePiece's own rules.
    case sentencePiece(SentencePieceDecoder)

    /// A change to one piece.
    enum Step: Sendable {
        /// Replaces every occurrence.
        case replace([UInt8], by: [UInt8])
        /// The character becomes a space; in the first piece it goes when `prepends`.
        case metaspace([UInt8], prepends: Bool)
    }

    /// Up to `count` times `character` goes from the front of the whole text.
    struct StripRule: Sendable {
        var character: [UInt8]
        var count: Int
    }

    /// U+FFFD.
    static let replacementCharacter: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// `piece` after the steps.
    static func apply(_ steps: [Step], _ piece: [UInt8], isFirst: Bool) -> [UInt8] {
        var piece = piece
        for step in steps {
            switch step {
            case .replace(let pattern, let content):
                piece = TextNormalizer.replacing(pattern, by: content, in: piece)
            case .metaspace(let mark, let prepends):
                let space = isFirst && prepends ? [] : [UInt8(ascii: " ")]
                piece = TextNormalizer.replacing(mark, by: space, in: piece)
            }
        }
        return piece
    }
}

/// SentencePiece's rules for text from pieces.
struct SentencePieceDecoder: Sendable {
    enum Kind: UInt8, Sendable {
        case text, control, unknown, byte
    }

    /// Kind of each id.
    var kinds: [Kind]
    /// What an unknown token becomes.
    var unknownSurface: [UInt8]
    /// Whether a `▁` at the beginning was not in the text.
    var consumesFirstMark: Bool
    /// Whether all of them were not, up to the first visible piece.
    var consumesAllMarks: Bool
    /// Whether text behind an added token begins as the whole text does.
    var restartsBehindAddedTokens: Bool
}

/// A run of bytes that may break off inside a character.
struct PartialUTF8: Sendable {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ more: some Sequence<UInt8>) { bytes.append(contentsOf: more) }

    /// Removes and returns everything up to a character that may still be completed; broken bytes stay as they are.
    mutating func takeWhole() -> [UInt8] {
        let whole = bytes.count - unfinishedCount
        defer { bytes.removeFirst(whole) }
        return Array(bytes[..<whole])
    }

    /// Removes and returns everything.
    mutating func takeAll() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// How many bytes at the end are the beginning of a character.
    private var unfinishedCount: Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            guard byte >= 0xC2, byte <= 0xF4, characterLength(byte) > back else { return 0 }
            // A second byte that the first one forbids makes the sequence broken, not unfinished.
            if back > 1, !Self.isSecond(bytes[bytes.count - back + 1], after: byte) { return 0 }
            return back
        }
        return 0
    }

    private static func isSecond(_ second: UInt8, after first: UInt8) -> Bool {
        switch first {
        case 0xE0: second >= 0xA0
        case 0xED: second < 0xA0
        case 0xF0: second >= 0x90
        case 0xF4: second < 0x90
        default: true
        }
    }

    /// `bytes` as text where every byte that belongs to no character is U+FFFD.
    static func replacingEachByte(_ bytes: [UInt8]) -> [UInt8] {
        if String(validating: bytes, as: UTF8.self) != nil { return bytes }
        var result: [UInt8] = []
        var position = 0
        while position < bytes.count {
            let length = characterLength(bytes[position])
            let end = position + length
            if end <= bytes.count, bytes[position] < 0x80 || bytes[position] >= 0xC2,
                String(validating: bytes[position..<end], as: UTF8.self) != nil
            {
                result += bytes[position..<end]
                position = end
            } else {
                result += PieceDecoder.replacementCharacter
                position += 1
            }
        }
        return result
    }
}
