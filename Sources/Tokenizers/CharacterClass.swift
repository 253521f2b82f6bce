/// What the word patterns distinguish.
enum CharacterClass: UInt8, Sendable {
    /// Punctuation, symbols, marks, control characters, what is not assigned.
    case other
    /// `\p{L}`
    case letter
    /// `\p{N}`
    case number
    /// `\s` but for line ends.
    case space
    /// `[\r\n]`
    case lineEnd

    /// Whether `\s` matches.
    var isSpace: Bool { self == .space || self == .lineEnd }

    /// The class of every scalar: one byte each, filled once.
    private static let table: [CharacterClass] = {
        var table = [CharacterClass](repeating: .other, count: 0x110000)
        for (ranges, name) in [
            (UnicodeRanges.letters, CharacterClass.letter), (UnicodeRanges.numbers, .number),
            (UnicodeRanges.spaces, .space),
        ] {
            for i in stride(from: 0, to: ranges.count - 1, by: 2) {
                for scalar in ranges[i]...ranges[i + 1] { table[Int(scalar)] = name }
            }
        }
        table[0x0A] = .lineEnd
        table[0x0D] = .lineEnd
        return table
    }()

    /// All classes by scalar, for loops that look up many.
    static var all: [CharacterClass] { table }
}

/// A scalar of a UTF-8 text and the bytes it takes.
struct ScalarAt {
    var value: Int
    var length: Int

    /// The scalar at `position` of `bytes`, which is valid UTF-8 there.
    @inline(__always)
    init(_ bytes: [UInt8], _ position: Int) {
        let first = Int(bytes[position])
        if first < 0x80 {
            value = first
            length = 1
        } else if first < 0xE0 {
            value = (first & 0x1F) << 6 | Int(bytes[position + 1] & 0x3F)
            length = 2
        } else if first < 0xF0 {
            value =
                (first & 0x0F) << 12 | Int(bytes[position + 1] & 0x3F) << 6
                | Int(bytes[position + 2] & 0x3F)
            length = 3
        } else {
            value =
                (first & 0x07) << 18 | Int(bytes[position + 1] & 0x3F) << 12
                | Int(bytes[position + 2] & 0x3F) << 6 | Int(bytes[position + 3] & 0x3F)
            length = 4
        }
    }
}

/// The bytes of the UTF-8 character that starts with `first`.
@inline(__always)
func characterLength(_ first: UInt8) -> Int {
    first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
}
