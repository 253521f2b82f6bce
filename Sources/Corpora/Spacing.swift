/// Whether `byte` is white space of ASCII.
func isSpace(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || (0x09...0x0D).contains(byte)
}

/// Whether `text` is nothing but white space.
func isBlank(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy(\.properties.isWhitespace)
}

/// `bytes` with every run of white space as one space, and none at the ends.
///
/// - Parameter keepingParagraphs: whether a run with an empty line in it becomes a line feed.
func withSingleSpaces(
    _ bytes: some Collection<UInt8>, keepingParagraphs: Bool = false
) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var isGap = false
    var lineFeeds = 0
    for byte in bytes {
        if isSpace(byte) {
            isGap = true
            if byte == UInt8(ascii: "\n") { lineFeeds += 1 }
            continue
        }
        if isGap && !result.isEmpty {
            let isBreak = keepingParagraphs && lineFeeds > 1
            result.append(UInt8(ascii: isBreak ? "\n" : " "))
        }
        (isGap, lineFeeds) = (false, 0)
        result.append(byte)
    }
    return result
}

/// `text` with every run of white space as one space, and none at the ends.
func withSingleSpaces(_ text: String) -> String {
    String(decoding: withSingleSpaces(text.utf8), as: UTF8.self)
}
