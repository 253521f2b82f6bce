/// Turns ids into text one at a time: text comes out as soon as it is whole.
///
/// Half a character is kept back until its last byte arrives, so every returned string is valid. Together the strings
/// are ``Tokenizer/decode(_:skippingSpecialTokens:)`` of all ids, but for runs of byte tokens that are not UTF-8: decode
/// sees the whole run, and with a Hugging Face `ByteFallback` decoder makes each of its bytes a U+FFFD; a stream has
/// returned the run's whole characters by then.
public struct StreamingDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipsSpecialTokens: Bool
    private var partial = PartialUTF8()
    private var isFirst = true
    /// Times each strip rule may still apply.
    private var strips: [PieceDecoder.StripRule] = []
    // SentencePiece: whether a first ▁ may still come, and whether one was taken.
    private var expectsMark = true
    private var tookMark = false
    private var hasText = false

    init(_ tokenizer: Tokenizer, skippingSpecialTokens: Bool) {
        self.tokenizer = tokenizer
        skipsSpecialTokens = skippingSpecialTokens
        if case .steps(_, _, let stripped) = tokenizer.decoder { strips = stripped }
    }

    /// The text that `id` completes; empty while a character is incomplete, and for ids without a piece.
    public mutating func append(_ id: Int) -> String {
        var text: [UInt8] = []
        append(id, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// What is left at the end: U+FFFD for bytes that never became a character, else nothing.
    public mutating func finish() -> String {
        var text: [UInt8] = []
        switch tokenizer.decoder {
        case .byteLevel: text = partial.takeAll()
        default: flush(to: &text)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func append(_ id: Int, to text: inout [UInt8]) {
        guard let piece = tokenizer.decodedPiece(id, skipsSpecialTokens) else { return }
        switch tokenizer.decoder {
        case .joined:
            if !isFirst { text.append(UInt8(ascii: " ")) }
            text += piece
        case .byteLevel:
            partial.append(piece)
            text += partial.takeWhole()
        case .steps(let steps, let byteFallback, _):
            let piece = PieceDecoder.apply(steps, piece, isFirst: isFirst)
            if byteFallback, let byte = ByteToken.byte(of: piece) {
                appendByte(byte, to: &text)
            } else {
                flush(to: &text)
                emit(piece, to: &text)
            }
        case .sentencePiece(let rules):
            if tokenizer.isAdded(id) {
                flush(to: &text)
                emit(piece, to: &text)
                expectsMark = rules.restartsBehindAddedTokens
                (tookMark, hasText) = (false, false)
            } else if rules.kinds[id] == .byte, let byte = ByteToken.byte(of: piece) {
                appendByte(byte, to: &text)
            } else {
                flush(to: &text)
                emit(surface(of: piece, rules.kinds[id], rules), to: &text)
            }
        }
        isFirst = false
    }

    private mutating func appendByte(_ byte: UInt8, to text: inout [UInt8]) {
        partial.append([byte])
        emit(PartialUTF8.replacingEachByte(partial.takeWhole()), to: &text)
    }

    private mutating func flush(to text: inout [UInt8]) {
        emit(PartialUTF8.replacingEachByte(partial.takeAll()), to: &text)
    }

    /// Appends `piece`, without what is still to be cut from the front of the whole text.
    private mutating func emit(_ piece: [UInt8], to text: inout [UInt8]) {
        var piece = piece
        for i in strips.indices {
            guard strips[i].count > 0 else { continue }
            let character = strips[i].character
            var cut = 0
            while strips[i].count > 0, matches(character, piece, cut) {
                cut += character.count
                strips[i].count -= 1
            }
            if cut < piece.count { strips[i].count = 0 }
            piece.removeFirst(cut)
        }
        hasText = hasText || !piece.isEmpty
        text += piece
    }

    private mutating func surface(
        of piece: [UInt8], _ kind: SentencePieceDecoder.Kind, _ rules: SentencePieceDecoder
    ) -> [UInt8] {
        if tookMark || hasText { expectsMark = false }
        tookMark = false
        switch kind {
        case .control: return []
        case .unknown: return rules.unknownSurface
        case .text, .byte: break
        }
        var piece = piece
        if expectsMark, rules.consumesFirstMark, piece.starts(with: BytePairModel.spaceMark) {
            piece.removeFirst(BytePairModel.spaceMark.count)
            tookMark = !rules.consumesAllMarks
        }
        return TextNormalizer.replacing(
            BytePairModel.spaceMark, by: [UInt8(ascii: " ")], in: piece)
    }

    /// The text of all `ids` at once; see the type's comment for the one difference.
    mutating func decode(_ ids: [Int]) -> [UInt8] {
        var text: [UInt8] = []
        guard case .steps(let steps, true, _) = tokenizer.decoder else {
            for id in ids { append(id, to: &text) }
            text += finish().utf8
            return text
        }
        var run: [UInt8] = []
        for id in ids {
            guard let piece = tokenizer.decodedPiece(id, skipsSpecialTokens) else { continue }
            let changed = PieceDecoder.apply(steps, piece, isFirst: isFirst)
            isFirst = false
            if let byte = ByteToken.byte(of: changed) {
                run.append(byte)
            } else {
                emitRun(&run, to: &text)
                emit(changed, to: &text)
            }
        }
        emitRun(&run, to: &text)
        return text
    }

    /// A run of byte tokens as the library's `ByteFallback` has it: text, or a U+FFFD for every byte.
    private mutating func emitRun(_ run: inout [UInt8], to text: inout [UInt8]) {
        if run.isEmpty { return }
        let isText = String(validating: run, as: UTF8.self) != nil
        emit(
            isText ? run : run.flatMap { _ in PieceDecoder.replacementCharacter }, to: &text)
        run = []
    }
}
