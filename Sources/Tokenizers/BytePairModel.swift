/// Byte-pair encoding of one word: characters or bytes become symbols, which ``MergeTable`` merges.
///
/// Source: Sennrich, Haddow and Birch, "Neural Machine Translation of Rare Words with Subword Units" (ACL 2016);
/// byte fallback and frozen symbols after Kudo and Richardson, "SentencePiece" (EMNLP 2018).
struct BytePairModel: Sendable {
    /// What becomes of a character without a symbol.
    enum UnknownRule: Sendable {
        /// As Hugging Face: before merging; without an unknown token the character is dropped.
        case huggingFace(fuses: Bool)
        /// As SentencePiece: neighbouring unknowns are one token, found after merging.
        case sentencePiece
    }

    /// `▁`, U+2581, which stands for a space.
    static let spaceMark: [UInt8] = [0xE2, 0x96, 0x81]

    /// Whether ``spaceMark`` stands in `text` at `position`.
    @inline(__always)
    static func isSpaceMark(_ text: [UInt8], _ position: Int) -> Bool {
        text[position] == 0xE2 && position + 2 < text.count && text[position + 1] == 0x96
            && text[position + 2] == 0x81
    }

    /// The pieces as the file spells them.
    let vocabulary: Vocabulary
    /// The pieces that a character of the text can be.
    private let characters: Vocabulary
    var merges: MergeTable
    var unknownRule: UnknownRule
    /// Id of the unknown token; −1 when there is none.
    var unknownID: Int32 = -1
    /// Ids of `<0x00>` to `<0xFF>`, −1 where one is missing; nil without byte fallback.
    var byteFallback: [Int32]?
    /// Whether a word that is a piece is that piece, whatever the merges say.
    var ignoresMerges = false

    /// Byte-level models: the bytes that pieces stand for, by id.
    var rawVocabulary: Vocabulary?
    /// Byte-level models: id of each byte, −1 where it has none.
    var byteSymbols: [Int32] = []

    /// SentencePiece's user-defined symbols, which never merge.
    var frozen = ByteTrie()
    /// SentencePiece: characters that occur in pieces but are none; the i-th is the symbol `firstVirtual` + i.
    var virtualSymbols = ByteStringTable()
    var firstVirtual: Int32 = .max

    /// Whether no merge makes `▁` follow another character, so that text may be cut before such a `▁`.
    var cutsAtSpaceMarks = false

    /// Id of each ASCII character, −1 where it is no piece.
    private var asciiSymbols: [Int32] = []

    /// - Parameter characters: the pieces that a character of the text can be; nil for all of them.
    init(
        vocabulary: Vocabulary, characters: Vocabulary? = nil, merges: MergeTable,
        unknownRule: UnknownRule
    ) {
        self.vocabulary = vocabulary
        self.characters = characters ?? vocabulary
        self.merges = merges
        self.unknownRule = unknownRule
        asciiSymbols = (0..<128).map { self.characters.id([$0]) }
    }

    /// Appends the ids of the word `bytes[start..<end]`, which is not empty.
    func encode(
        _ bytes: [UInt8], _ start: Int, _ end: Int, _ workspace: inout MergeWorkspace,
        into ids: inout [Int32]
    ) {
        if ignoresMerges {
            let id = (rawVocabulary ?? vocabulary).id(bytes, start, end)
            if id >= 0 { return ids.append(id) }
        }
        workspace.symbols.removeAll(keepingCapacity: true)
        if rawVocabulary != nil {
            appendByteSymbols(bytes, start, end, to: &workspace.symbols)
        } else if case .sentencePiece = unknownRule {
            appendFrozenSymbols(bytes, start, end, to: &workspace.symbols)
        } else {
            appendCharacterSymbols(bytes, start, end, to: &workspace.symbols)
        }
        workspace.merge(merges)
        if case .sentencePiece = unknownRule {
            appendKnown(workspace.symbols, to: &ids)
        } else {
            ids.append(contentsOf: workspace.symbols)
        }
    }

    /// Whether `piece` has a `▁` behind another character.
    static func crossesSpaceMark(_ piece: ArraySlice<UInt8>) -> Bool {
        let bytes = Array(piece)
        var isAfterMark = true
        var position = 0
        while position < bytes.count {
            let isMark = isSpaceMark(bytes, position)
            if isMark && !isAfterMark { return true }
            isAfterMark = isMark
            position += characterLength(bytes[position])
        }
        return false
    }

    // MARK: Hugging Face

    private func appendByteSymbols(
        _ bytes: [UInt8], _ start: Int, _ end: Int, to symbols: inout [Int32]
    ) {
        var hasUnknown = false
        for i in start..<end {
            let symbol = byteSymbols[Int(bytes[i])]
            if symbol >= 0 {
                appendKnown(symbol, after: &hasUnknown, to: &symbols)
            } else {
                appendUnknown(after: &hasUnknown, to: &symbols)
            }
        }
        if hasUnknown { symbols.append(unknownID) }
    }

    private func appendCharacterSymbols(
        _ bytes: [UInt8], _ start: Int, _ end: Int, to symbols: inout [Int32]
    ) {
        var hasUnknown = false
        var position = start
        while position < end {
            let first = bytes[position]
            let length = characterLength(first)
            let symbol =
                length == 1
                ? asciiSymbols[Int(first)] : characters.id(bytes, position, position + length)
            if symbol >= 0 {
                appendKnown(symbol, after: &hasUnknown, to: &symbols)
            } else if !appendBytes(bytes, position, position + length, to: &symbols) {
                appendUnknown(after: &hasUnknown, to: &symbols)
            }
            position += length
        }
        if hasUnknown { symbols.append(unknownID) }
    }

    @inline(__always)
    private func appendKnown(
        _ symbol: Int32, after hasUnknown: inout Bool, to symbols: inout [Int32]
    ) {
        if hasUnknown { symbols.append(unknownID) }
        hasUnknown = false
        symbols.append(symbol)
    }

    /// The library keeps an unknown back until a known character or the end follows, behind bytes in between.
    private func appendUnknown(after hasUnknown: inout Bool, to symbols: inout [Int32]) {
        guard unknownID >= 0 else { return }
        if case .huggingFace(fuses: false) = unknownRule, hasUnknown { symbols.append(unknownID) }
        hasUnknown = true
    }

    /// Appends a character's byte tokens; false when there is no byte fallback or one of them is missing.
    private func appendBytes(
        _ bytes: [UInt8], _ start: Int, _ end: Int, to symbols: inout [Int32]
    ) -> Bool {
        guard let byteFallback else { return false }
        for i in start..<end where byteFallback[Int(bytes[i])] < 0 { return false }
        for i in start..<end { symbols.append(byteFallback[Int(bytes[i])]) }
        return true
    }

    // MARK: SentencePiece

    private func appendFrozenSymbols(
        _ bytes: [UInt8], _ start: Int, _ end: Int, to symbols: inout [Int32]
    ) {
        var position = start
        while position < end {
            if let match = frozen.longest(bytes, position), position + match.length <= end {
                symbols.append(match.value)
                position += match.length
                continue
            }
            let first = bytes[position]
            let after = position + characterLength(first)
            let symbol =
                first < 0x80 ? asciiSymbols[Int(first)] : characters.id(bytes, position, after)
            if symbol >= 0 {
                symbols.append(symbol)
            } else {
                let virtual = virtualSymbols.find(bytes, position, after)
                if virtual >= 0 {
                    symbols.append(firstVirtual + Int32(virtual))
                } else if !appendBytes(bytes, position, after, to: &symbols) {
                    symbols.append(unknownID)
                }
            }
            position = after
        }
    }

    /// Appends merged symbols: what is still virtual is unknown, and a run of unknowns is one.
    private func appendKnown(_ symbols: [Int32], to ids: inout [Int32]) {
        var wasUnknown = false
        for symbol in symbols {
            var isUnknown = symbol == unknownID
            if symbol >= firstVirtual {
                let text = Array(virtualSymbols[Int(symbol - firstVirtual)])
                isUnknown = !appendBytes(text, 0, text.count, to: &ids)
            } else if !isUnknown {
                ids.append(symbol)
            }
            if isUnknown && !wasUnknown { ids.append(unknownID) }
            wasUnknown = isUnknown
        }
    }
}
