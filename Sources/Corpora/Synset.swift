/// A synset of WordNet: words that mean the same, and what they mean.
///
/// A line is `offset file type word_count word lex_id … pointer_count pointer … | gloss`; source: wndb(5WN).
struct Synset {
    /// The lexicographer files by their numbers; source: lexnames(5WN).
    static let files = [
        "adj.all", "adj.pert", "adv.all", "noun.Tops", "noun.act", "noun.animal", "noun.artifact",
        "noun.attribute", "noun.body", "noun.cognition", "noun.communication", "noun.event",
        "noun.feeling", "noun.food", "noun.group", "noun.location", "noun.motive", "noun.object",
        "noun.person", "noun.phenomenon", "noun.plant", "noun.possession", "noun.process",
        "noun.quantity", "noun.relation", "noun.shape", "noun.state", "noun.substance",
        "noun.time", "verb.body", "verb.change", "verb.cognition", "verb.communication",
        "verb.competition", "verb.consumption", "verb.contact", "verb.creation", "verb.emotion",
        "verb.motion", "verb.perception", "verb.possession", "verb.social", "verb.stative",
        "verb.weather", "adj.ppl",
    ]
    /// `s` is an adjective that is near in meaning to another.
    private static let partsOfSpeech = [
        "n": "noun", "v": "verb", "a": "adjective", "s": "adjective", "r": "adverb",
    ]
    /// Where an adjective may stand: in front of its noun alone, behind the verb alone, right behind its noun.
    private static let adjectiveMarks = ["(a)", "(p)", "(ip)"]

    /// Its lexicographer file, such as `noun.animal`.
    let file: String
    private let words: [String]
    private let partOfSpeech: String
    private let gloss: String

    /// The synset of a line; nil when it is none.
    init?(line: [UInt8]) {
        let halves = line.split(separator: UInt8(ascii: "|"), maxSplits: 1)
        guard halves.count == 2, String(validating: line, as: UTF8.self) != nil else { return nil }
        // The pointers behind the words are most of a line, and nothing is asked of them.
        let columns = halves[0].split(separator: UInt8(ascii: " "), maxSplits: 4)
        guard columns.count == 5, columns[0].count == 8, Int(Self.text(columns[0])) != nil,
            let file = Int(Self.text(columns[1])), Self.files.indices.contains(file),
            let partOfSpeech = Self.partsOfSpeech[Self.text(columns[2])],
            let count = Int(Self.text(columns[3]), radix: 16), count >= 1
        else { return nil }
        let words = columns[4].split(separator: UInt8(ascii: " "), maxSplits: 2 * count)
        gloss = withSingleSpaces(Self.text(halves[1]))
        guard words.count > 2 * count, !gloss.isEmpty else { return nil }
        self.file = Self.files[file]
        self.partOfSpeech = partOfSpeech
        self.words = (0..<count).map { Self.word(words[2 * $0]) }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> String {
        let word = text(bytes).replacing("_", with: " ")
        let mark = adjectiveMarks.first { word.hasSuffix($0) }
        return String(word.dropLast(mark?.count ?? 0))
    }

    /// Its first word and what it means.
    var entry: DictionaryEntry {
        DictionaryEntry(term: words[0], definition: gloss, domain: file)
    }

    /// All of it, as a dictionary has it.
    var text: String { "\(words.joined(separator: ", ")) (\(partOfSpeech)): \(gloss)" }
}
