/// Learns a byte-pair vocabulary with byte fallback from text, as Llama-2's was.
///
/// Text is cut into words before pairs are counted: at spaces (a word keeps the `▁` of the space before it), at line ends, which are
/// never learned, between letters and other characters, between digits, and every 256 characters. Characters that are
/// rare stay outside the vocabulary and are encoded as bytes.
///
/// Then the most frequent pair of neighbours becomes a piece, again and again. Between pairs of equal frequency the
/// one with the smaller left id goes first, then the one with the smaller right id; ids follow from
/// the text alone, so the same text gives the same vocabulary.
///
/// Source: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units" (ACL 2016).
public struct BytePairTrainer: Sendable {
    /// Pieces to learn, special tokens, bytes and characters among them.
    public let vocabularySize: Int
    /// Share of the text's characters that get a piece of their own.
    public let characterCoverage: Double

    private var counter = WordCounter()

    /// The pieces before the first character: `<unk>`, `<s>`, `</s>` and 256 bytes.
    static let reservedCount = 259

    /// - Parameters:
    ///   - vocabularySize: see ``vocabularySize``; at least 260.
    ///   - characterCoverage: see ``characterCoverage``; from 0 to 1.
    public init(vocabularySize: Int, characterCoverage: Double = 0.9995) throws {
        guard (Self.reservedCount + 1...1 << 20).contains(vocabularySize) else {
            throw TokenizerError(
                "a vocabulary of \(vocabularySize) pieces cannot be learned; "
                    + "260 (special tokens, 256 bytes and one more) to 1048576 are supported.")
        }
        guard (0...1).contains(characterCoverage) else {
            throw TokenizerError(
                "the character coverage \(characterCoverage) is not between 0 and 1; 0.9995 is usual."
            )
        }
        self.vocabularySize = vocabularySize
        self.characterCoverage = characterCoverage
    }

    /// Counts the words of `text`.
    ///
    /// - Parameter continues: whether `text` goes on where the last one ended, behind a line end. Pieces that are cut there
    ///   count as one text.
    public mutating func add(_ text: String, continues: Bool = false) {
        counter.add(Array(text.utf8), continues: continues)
    }

    /// Learns the vocabulary of everything that was added.
    ///
    /// It has fewer than ``vocabularySize`` pieces when the text has no pair left that occurs twice.
    ///
    /// - Throws: ``TokenizerError`` when nothing was added or its characters alone fill the vocabulary.
    public func train() throws -> LearnedVocabulary {
        let characters = counter.characters(coverage: characterCoverage)
        guard !characters.isEmpty else {
            throw TokenizerError(
                "there is no text to learn a vocabulary from; name files that are not empty.")
        }
        guard Self.reservedCount + characters.count <= vocabularySize else {
            throw TokenizerError(
                "the text has \(characters.count) characters to cover, which with \(Self.reservedCount) special "
                    + "tokens and bytes exceeds the vocabulary size \(vocabularySize); "
                    + "raise the size or lower the character coverage.")
        }
        var pieces = Self.reservedPieces + characters
        var learner = PairLearner(counter: counter, pieces: pieces)
        var merges: [(left: Int, right: Int)] = []
        while pieces.count < vocabularySize, let pair = learner.mergeNext(into: pieces.count) {
            merges.append(pair)
            pieces.append(pieces[pair.left] + pieces[pair.right])
        }
        return LearnedVocabulary(pieces: pieces, merges: merges)
    }

    private static var reservedPieces: [[UInt8]] {
        ["<unk>", "<s>", "</s>"].map { Array($0.utf8) } + ByteToken.pieces
    }
}

/// Words of a corpus and how often each occurs.
struct WordCounter: Sendable {
    private(set) var words = ByteStringTable()
    private(set) var counts: [Int] = []

    /// Longer words are cut: a merge reads whole words, and a text without spaces is one word.
    static let maximumLength = 256

    /// What a cut depends on.
    private enum Kind {
        case letter, digit, other, mark
    }

    /// Counts the words of `text`, valid UTF-8, the first of which stands behind a space unless it `continues` a text.
    mutating func add(_ text: [UInt8], continues: Bool = false) {
        guard !text.isEmpty else { return }
        let spaces = TextNormalizer.Step.replace(
            [UInt8(ascii: " ")], by: BytePairModel.spaceMark)
        let steps = continues ? [spaces] : [.prepend(BytePairModel.spaceMark), spaces]
        let text = TextNormalizer(steps: steps).apply(text)
        let classes = CharacterClass.all
        var start = 0
        var position = 0
        var length = 0
        var last: Kind?
        while position < text.count {
            let scalar = ScalarAt(text, position)
            if text[position] == 0x0A || text[position] == 0x0D {
                count(text, start, position)
                start = position + 1
                length = 0
                last = nil
            } else {
                let kind = Self.kind(scalar.value, classes, after: last)
                // A ▁ opens a word; what follows belongs to it, whatever it is.
                let cuts =
                    kind == .mark
                    ? last != .mark : last != .mark && (kind != last || kind == .digit)
                if cuts || length == Self.maximumLength, position > start {
                    count(text, start, position)
                    start = position
                    length = 0
                }
                length += 1
                last = kind
            }
            position += scalar.length
        }
        count(text, start, text.count)
    }

    private static func kind(
        _ scalar: Int, _ classes: [CharacterClass], after last: Kind?
    ) -> Kind {
        if scalar == 0x2581 { return .mark }
        switch classes[scalar] {
        case .letter: return .letter
        case .number: return .digit
        // Beyond ASCII most others are marks and joiners, which belong to the letters before them.
        default: return scalar >= 0x300 && last == .letter ? .letter : .other
        }
    }

    private mutating func count(_ text: [UInt8], _ start: Int, _ end: Int) {
        guard start < end else { return }
        let (entry, isNew) = words.insert(text, start, end)
        if isNew { counts.append(0) }
        counts[entry] += 1
    }

    /// The most frequent characters that make up `coverage` of the text, the most frequent first; `▁` always.
    func characters(coverage: Double) -> [[UInt8]] {
        var frequency: [UInt32: Int] = [:]
        var total = 0
        for entry in 0..<words.count {
            for scalar in String(decoding: words[entry], as: UTF8.self).unicodeScalars {
                frequency[scalar.value, default: 0] += counts[entry]
                total += counts[entry]
            }
        }
        let order = frequency.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        var characters: [[UInt8]] = []
        var covered = 0
        for (scalar, count) in order {
            let isMark = scalar == 0x2581
            guard isMark || Double(covered) < coverage * Double(total) else { continue }
            covered += count
            guard let scalar = Unicode.Scalar(scalar) else { continue }
            characters.append(Array(String(scalar).utf8))
        }
        return characters
    }
}
