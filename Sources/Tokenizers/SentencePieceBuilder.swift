/// Makes merges from scored pieces.
///
/// SentencePiece merges any two neighbours that together are a piece, the best score first. That is a table of
/// merges: one for every way to cut a piece into two, ranked by the piece's score.
struct SentencePieceBuilder {
    let bytes: [UInt8]
    let pieces: [SentencePieceReader.Piece]
    /// User-defined symbols, with their ids.
    private(set) var symbols = ByteTrie()

    /// Pieces that text can become by merging.
    private var mergeable: Vocabulary
    private var virtualSymbols = ByteStringTable()

    init(bytes: [UInt8], pieces: [SentencePieceReader.Piece]) {
        self.bytes = bytes
        self.pieces = pieces
        mergeable = Vocabulary(capacity: pieces.count)
    }

    mutating func model(byteFallback: Bool) throws(FileProblem) -> BytePairModel {
        var unknownID: Int32 = -1
        var reserved = Vocabulary(capacity: 300)
        for (id, piece) in pieces.enumerated() {
            switch piece.type {
            case .normal, .userDefined: try mergeable.insert(bytes, piece.text, id: id)
            case .control, .unknown, .byte: try reserved.insert(bytes, piece.text, id: id)
            }
            if piece.type == .userDefined {
                symbols.insert(Array(bytes[piece.text]), value: Int32(id))
            }
            if piece.type == .unknown {
                guard unknownID < 0 else { throw FileProblem("it has two unknown pieces.") }
                unknownID = Int32(id)
            }
            if piece.type == .byte, !byteFallback {
                throw FileProblem(
                    "its piece \(quoted(bytes[piece.text])) is a byte although byte_fallback is false."
                )
            }
        }
        guard unknownID >= 0 else { throw FileProblem("it has no unknown piece.") }
        let byteTokens = ModelReader.byteTokens(reserved)
        if byteFallback, byteTokens.contains(where: { $0 < 0 }) {
            throw FileProblem(
                "it lacks some of the pieces <0x00> to <0xFF> although byte_fallback is true.")
        }
        let merges = makeMerges()
        var model = BytePairModel(
            vocabulary: try allPieces(), characters: mergeable, merges: merges,
            unknownRule: .sentencePiece)
        model.unknownID = unknownID
        model.byteFallback = byteFallback ? byteTokens : nil
        model.virtualSymbols = virtualSymbols
        model.firstVirtual = Int32(pieces.count)
        model.cutsAtSpaceMarks =
            mergeable.id(BytePairModel.spaceMark) >= 0
            && !pieces.contains {
                isMergeable($0) && BytePairModel.crossesSpaceMark(bytes[$0.text])
            }
        return model
    }

    private func isMergeable(_ piece: SentencePieceReader.Piece) -> Bool {
        piece.type == .normal || piece.type == .userDefined
    }

    /// The pieces by id; a text that is two pieces (one reserved, one not) is found as the reserved one.
    private func allPieces() throws(FileProblem) -> Vocabulary {
        var vocabulary = Vocabulary(capacity: pieces.count)
        for (id, piece) in pieces.enumerated() { try vocabulary.insert(bytes, piece.text, id: id) }
        return vocabulary
    }

    private mutating func makeMerges() -> MergeTable {
        var order = pieces.indices.filter { pieces[$0].type == .normal }
        order.sort {
            let (a, b) = (pieces[$0].score, pieces[$1].score)
            return a == b ? $0 < $1 : a > b
        }
        var merges = MergeTable(capacity: pieces.count * 4)
        var rank = -1
        var score = Float.nan
        for id in order {
            let piece = pieces[id]
            if piece.score != score { rank += 1 }
            score = piece.score
            var cut = piece.text.lowerBound + characterLength(bytes[piece.text.lowerBound])
            while cut < piece.text.upperBound {
                if let left = symbol(piece.text.lowerBound..<cut),
                    let right = symbol(cut..<piece.text.upperBound)
                {
                    merges.insert(left, right, rank: rank, id: Int32(id))
                }
                cut += characterLength(bytes[cut])
            }
        }
        return merges
    }

    /// The symbol of a half: a piece, or a character that is none.
    private mutating func symbol(_ range: Range<Int>) -> Int32? {
        let id = mergeable.id(bytes, range.lowerBound, range.upperBound)
        if id >= 0 { return pieces[Int(id)].type == .userDefined ? nil : id }
        guard characterLength(bytes[range.lowerBound]) == range.count else { return nil }
        let entry = virtualSymbols.insert(bytes, range.lowerBound, range.upperBound).entry
        return Int32(pieces.count + entry)
    }
}
