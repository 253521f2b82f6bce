import Foundation

/// Unicode's normalization form C, as Hugging Face's `tokenizers` has it.
enum CanonicalComposition {
    /// The library's tables are those of Unicode 9: younger marks keep their place and compose with nothing.
    private static let libraryVersion = 9

    /// `text`, valid UTF-8, in form C.
    static func apply(_ text: [UInt8]) -> [UInt8] {
        if isComposed(text) { return text }
        var result = String.UnicodeScalarView()
        var stretch = String.UnicodeScalarView()
        for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
            if let age = scalar.properties.age, age.major > libraryVersion {
                append(stretch, to: &result)
                stretch = String.UnicodeScalarView()
                result.append(scalar)
            } else {
                stretch.append(scalar)
            }
        }
        append(stretch, to: &result)
        return Array(String(result).utf8)
    }

    /// Whether `text` holds only characters that are in form C whatever stands beside them.
    private static func isComposed(_ text: [UInt8]) -> Bool {
        var position = 0
        while position < text.count {
            let scalar = ScalarAt(text, position)
            switch scalar.value {
            case 0..<0x300, 0x400...0x482, 0x2010...0x2027, 0x3001...0x3029, 0x3041...0x3096,
                0x30A1...0x30FA, 0x4E00...0x9FFF, 0xAC00...0xD7A3, 0xFF01...0xFF60:
                break
            default: return false
            }
            position += scalar.length
        }
        return true
    }

    private static func append(
        _ stretch: String.UnicodeScalarView, to result: inout String.UnicodeScalarView
    ) {
        for scalar in String(stretch).precomposedStringWithCanonicalMapping.unicodeScalars {
            // Foundation (Swift 6.3) leaves a Hangul syllable and a final consonant behind it apart.
            if let last = result.last, let syllable = syllable(last, scalar) {
                result.removeLast()
                result.append(syllable)
            } else {
                result.append(scalar)
            }
        }
    }

    /// A syllable without a final consonant and one to end it, as one.
    private static func syllable(
        _ open: Unicode.Scalar, _ final: Unicode.Scalar
    ) -> Unicode.Scalar? {
        guard (0xAC00...0xD7A3).contains(open.value), (open.value - 0xAC00) % 28 == 0,
            (0x11A8...0x11C2).contains(final.value)
        else { return nil }
        return Unicode.Scalar(open.value + final.value - 0x11A7)
    }
}
