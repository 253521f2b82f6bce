import Foundation

/// The text of an entry of GCIDE without the marks of its format.
///
/// The word divided into syllables between backslashes goes, as do the braces around references and the tags that name a
/// source (`[1913 Webster]`); letters with accents in brackets become letters (`['e]`); the lines of a paragraph
/// become one. Source: GCIDE's own pronunc.txt and tagset.txt for the marks.
struct DictionaryText {
    private static let tagPrefixes = [
        "1913 Webster", "Webster 1913", "WordNet", "PJC", "Century Dict",
    ]
    private static let tags = ["AS", "RDH", "RHUD", "RP", "GG", "MW10"]
    private static let letters = [
        "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "eth": "ð", "yogh": "ȝ", "deg": "°",
        "root": "√", "sect": "§", "imac": "ī", "aum": "ä",
    ]
    /// Marks before their letter.
    private static let marksBefore: [Character: Character] = [
        "'": "\u{301}", "`": "\u{300}", "^": "\u{302}", "\"": "\u{308}", "~": "\u{303}",
        ",": "\u{327}", "=": "\u{304}", "-": "\u{304}", ".": "\u{307}",
    ]
    /// Longest text between brackets or backslashes that is looked at, in bytes.
    private static let longestMark = 120

    /// The text of the entry `bytes`.
    ///
    /// - Parameter following: the entry behind it, whose headword GCIDE's files often put at the end of this one.
    static func text(_ bytes: ArraySlice<UInt8>, following: ArraySlice<UInt8>) -> String {
        let own = withoutHeadword(trimmed(bytes), of: following)
        return String(
            decoding: withSingleSpaces(withoutMarks(unicode(own)), keepingParagraphs: true),
            as: UTF8.self)
    }

    /// `bytes` in UTF-8: a few entries have bytes of Windows-1252 in them, and nothing else that is not ASCII.
    private static func unicode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard String(validating: bytes, as: UTF8.self) == nil,
            let text = String(data: Data(bytes), encoding: .windowsCP1252)
        else { return Array(bytes) }
        return Array(text.utf8)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? bytes.startIndex
        return bytes[..<end]
    }

    /// `bytes` without the headword of `following` at the end, which stands alone behind white space there.
    private static func withoutHeadword(
        _ bytes: ArraySlice<UInt8>, of following: ArraySlice<UInt8>
    ) -> ArraySlice<UInt8> {
        let name = trimmed(following.prefix { $0 != UInt8(ascii: "\\") })
        let rest = bytes.dropLast(name.count)
        guard !name.isEmpty, following.count > name.count, bytes.suffix(name.count) == name,
            let last = rest.last, isSpace(last)
        else { return bytes }
        return rest
    }

    private static func withoutMarks(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let byte = text[index]
            index += 1
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "}"): break
            case UInt8(ascii: "\\"):
                guard let end = end(UInt8(ascii: "\\"), text, index) else { break }
                while let last = result.last, isSpace(last) { result.removeLast() }
                index = end + 1
            case UInt8(ascii: "["):
                if let end = end(UInt8(ascii: "]"), text, index),
                    let replacement = replacement(
                        String(decoding: text[index..<end], as: UTF8.self))
                {
                    result += replacement.utf8
                    index = end + 1
                } else {
                    result.append(byte)
                }
            default: result.append(byte)
            }
        }
        return result
    }

    private static func end(_ mark: UInt8, _ text: [UInt8], _ start: Int) -> Int? {
        text[start..<min(text.count, start + longestMark)].firstIndex(of: mark)
    }

    /// What is put for brackets around `content`; nil when they stay.
    private static func replacement(_ content: String) -> String? {
        if let letter = letters[content] { return letter }
        if tags.contains(content) || tagPrefixes.contains(where: content.hasPrefix) { return "" }
        guard content.utf8.count == 2, let first = content.first, let last = content.last else {
            return nil
        }
        if let mark = marksBefore[first], last.isLetter {
            return "\(last)\(mark)".precomposedStringWithCanonicalMapping
        }
        // The breve stands behind its letter.
        return first.isLetter && last == "^"
            ? "\(first)\u{306}".precomposedStringWithCanonicalMapping : nil
    }
}
