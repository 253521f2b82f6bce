/// Reads a SentencePiece model of type BPE.
///
/// Source: the message `ModelProto` of google/sentencepiece.
enum SentencePieceReader {
    struct Parts {
        var model: BytePairModel
        var normalizer: TextNormalizer
        var decoder: PieceDecoder
        var template: Tokenizer.Template
        var addedTokens: [AddedToken]
        var specialIDs: [Int]
        var ends: (beginning: Int?, end: Int?)
    }

    enum PieceType: UInt64 {
        case normal = 1
        case unknown, control, userDefined
        case byte = 6
    }

    struct Piece {
        var text: Range<Int> = 0..<0
        var score: Float = 0
        var type = PieceType.normal
    }

    /// The type of pieces that are never used; models that have some are refused.
    private static let unusedType: UInt64 = 5

    /// What a file says, before anything is made of it.
    private struct File {
        var pieces: [Piece] = []
        var normalizer = SentencePieceNormalizer()
        var isBPE = false
        var modelType: UInt64 = 1
        var byteFallback = false
        var unknownSurface = Array(" \u{2047} ".utf8)
        var beginning = Array("<s>".utf8)
        var end = Array("</s>".utf8)
    }

    static func read(
        _ bytes: [UInt8], _ companions: CompanionFiles
    ) throws(FileProblem) -> Parts {
        var file = File()
        var reader = ProtobufReader(bytes, 0..<bytes.count)
        while let (field, value) = try reader.next() {
            guard case .bytes(let range) = value else { continue }
            switch field {
            case 1: file.pieces.append(try piece(bytes, range, index: file.pieces.count))
            case 2: try readTrainer(bytes, range, into: &file)
            case 3: try readNormalizer(bytes, range, into: &file)
            case 5: try refuseTable(bytes, range, "denormalizer_spec")
            default: break
            }
        }
        guard !file.pieces.isEmpty else {
            throw FileProblem("it holds no pieces, so it is no SentencePiece model.")
        }
        let names = [1: "UNIGRAM", 3: "WORD", 4: "CHAR"]
        guard file.modelType == 2 else {
            let name = names[Int(truncatingIfNeeded: file.modelType)] ?? "\(file.modelType)"
            throw FileProblem("it is a SentencePiece model of type \(name); only BPE is supported.")
        }
        try FileLimits.check(file.unknownSurface, "its unk_surface")
        return try build(file, bytes, companions)
    }

    // MARK: Messages

    private static func piece(
        _ bytes: [UInt8], _ range: Range<Int>, index: Int
    ) throws(FileProblem) -> Piece {
        var piece = Piece()
        var isUnused = false
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let text)): piece.text = text
            case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
            case (3, .varint(unusedType)): isUnused = true
            case (3, .varint(let number)):
                guard let type = PieceType(rawValue: number) else {
                    throw FileProblem("its piece \(index) has the unknown type \(number).")
                }
                piece.type = type
            default: break
            }
        }
        let text = bytes[piece.text]
        // Finding the halves of a piece costs the square of its length.
        guard (1...FileLimits.stringLength).contains(text.count) else {
            throw FileProblem(
                "its piece \(index) has \(text.count) bytes; 1 to \(FileLimits.stringLength) are supported."
            )
        }
        guard String(validating: text, as: UTF8.self) != nil else {
            throw FileProblem("its piece \(index) is not valid UTF-8.")
        }
        guard !piece.score.isNaN else {
            throw FileProblem("the score of its piece \(index) is not a number.")
        }
        guard !isUnused else {
            throw FileProblem(
                "its piece \(index), \(quoted(text)), is unused; such models are not supported.")
        }
        return piece
    }

    private static func readTrainer(
        _ bytes: [UInt8], _ range: Range<Int>, into file: inout File
    ) throws(FileProblem) {
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (3, .varint(let type)): file.modelType = type
            case (24, .varint(let flag)): file.normalizer.putsSpacesBehind = flag != 0
            case (35, .varint(let flag)): file.byteFallback = flag != 0
            case (44, .bytes(let text)): file.unknownSurface = Array(bytes[text])
            case (46, .bytes(let text)): file.beginning = Array(bytes[text])
            case (47, .bytes(let text)): file.end = Array(bytes[text])
            default: break
            }
        }
    }

    private static func readNormalizer(
        _ bytes: [UInt8], _ range: Range<Int>, into file: inout File
    ) throws(FileProblem) {
        try refuseTable(bytes, range, "normalizer_spec")
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (3, .varint(let flag)): file.normalizer.addsDummyPrefix = flag != 0
            case (4, .varint(let flag)): file.normalizer.removesExtraSpaces = flag != 0
            case (5, .varint(let flag)): file.normalizer.escapesSpaces = flag != 0
            default: break
            }
        }
    }

    private static func refuseTable(
        _ bytes: [UInt8], _ range: Range<Int>, _ place: String
    ) throws(FileProblem) {
        var name = "without a name"
        var hasTable = false
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let text)): name = quoted(bytes[text])
            case (2, .bytes(let table)): hasTable = !table.isEmpty
            default: break
            }
        }
        if hasTable {
            throw FileProblem(
                "its \(place) \(name) replaces characters by a table; only 'identity' is supported."
            )
        }
    }

    // MARK: The tokenizer

    private static func build(
        _ file: File, _ bytes: [UInt8], _ companions: CompanionFiles
    ) throws(FileProblem) -> Parts {
        var builder = SentencePieceBuilder(bytes: bytes, pieces: file.pieces)
        var model = try builder.model(byteFallback: file.byteFallback)
        var normalizer = file.normalizer
        normalizer.symbols = builder.symbols
        normalizer.prefixesEveryStretch = companions.prefixesEveryStretch
        model.frozen = builder.symbols
        let decoder = SentencePieceDecoder(
            kinds: file.pieces.map(kind), unknownSurface: file.unknownSurface,
            consumesFirstMark: normalizer.addsDummyPrefix || normalizer.removesExtraSpaces,
            consumesAllMarks: normalizer.removesExtraSpaces,
            restartsBehindAddedTokens: companions.prefixesEveryStretch)
        let added = try companions.addedTokens(model.vocabulary)
        let controls = file.pieces.indices.filter { file.pieces[$0].type == .control }
        func id(_ named: [UInt8]?, _ piece: [UInt8]) -> Int? {
            named.flatMap { name in added.first { $0.content == name }?.id }
                ?? controls.first { bytes[file.pieces[$0].text].elementsEqual(piece) }
        }
        let ends = (
            beginning: id(companions.beginning, file.beginning), end: id(companions.end, file.end)
        )
        let template = Tokenizer.Template(
            before: companions.addsBeginning ? ends.beginning.map { [$0] } ?? [] : [],
            after: companions.addsEnd ? ends.end.map { [$0] } ?? [] : [])
        let special = Set(controls).union(added.filter(\.isSpecial).map(\.id))
        return Parts(
            model: model, normalizer: TextNormalizer(steps: [.sentencePiece(normalizer)]),
            decoder: .sentencePiece(decoder), template: template, addedTokens: added,
            specialIDs: special.sorted(), ends: ends)
    }

    private static func kind(_ piece: Piece) -> SentencePieceDecoder.Kind {
        switch piece.type {
        case .control: .control
        case .unknown: .unknown
        case .byte: .byte
        case .normal, .userDefined: .text
        }
    }
}
