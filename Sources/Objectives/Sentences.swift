/// Sentences of an English paragraph.
enum Sentences {
    private static let abbreviations: Set<Substring> = [
        "Dr.", "Fig.", "Mr.", "Mrs.", "No.", "Prof.", "St.", "cf.", "e.g.", "etc.", "i.e.", "vs.",
    ]

    private static let ends: [Character] = [".", "!", "?"]
    /// What may stand behind the end.
    private static let closing: [Character] = ["\"", "”", "’", "'", ")", "]"]
    /// Those of both that are ASCII.
    private static let marks = Array(".!?\"')]".utf8)

    /// The sentences, with single spaces between their words.
    ///
    /// One ends at a word with `.`, `!` or `?` that is no abbreviation or initial, when the next word could begin a
    /// sentence. What has no end is none and is left out.
    static func split(_ paragraph: String) -> [String] {
        let words = CharacterTest.whiteSpace.split(paragraph)
        var sentences: [String] = []
        var start = 0
        for index in words.indices where isEnd(words[index]) {
            let next = index + 1 < words.count ? words[index + 1].first : nil
            if let next, next.isLowercase { continue }
            sentences.append(words[start...index].joined(separator: " "))
            start = index + 1
        }
        return sentences
    }

    private static func isEnd(_ word: Substring) -> Bool {
        // Most words end with another byte, and characters are slow to look at.
        if let last = word.utf8.last, last < 0x80, !marks.contains(last) { return false }
        var word = word
        while let last = word.last, closing.contains(last) { word.removeLast() }
        guard let last = word.last, ends.contains(last) else { return false }
        let isInitial = word.count == 2 && word.first?.isUppercase == true
        return !isInitial && !abbreviations.contains(word)
    }
}
