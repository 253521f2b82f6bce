/// Reads a SentencePiece model of type BPE.
///
/// Source: the message `ModelProto` of google/sentencepiece.
enum SentencePieceReader {
    struct Parts {
        var model: BytePairModel
        var normalizer: TextNormalizer
        var decoder: PieceDecoder
        var template: [Tokenizer.TemplatePart]
        var controlIDs: [Int]
    }

    enum PieceType: UInt64 {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    struct Piece {
        var text: Range<Int> = 0..<0
        var score: Float = 0
        var type = PieceType.normal
    }

    /// Normal pieces longer than this are refused; finding their halves costs the square of their length.
    private static let maximumPieceLength = 256

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
        _ bytes: [UInt8], addsBeginning: Bool, addsEnd: Bool
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
        return try build(file, bytes, addsBeginning: addsBeginning, addsEnd: addsEnd)
    }

    // MARK: Messages

    private static func piece(
        _ bytes: [UInt8], _ range: Range<Int>, index: Int
    ) throws(FileProblem) -> Piece {
        var piece = Piece()
        var reader = ProtobufReader(bytes, range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let text)): piece.text = text
            case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
            case (3, .varint(let number)):
                guard let type = PieceType(rawValue: number) else {
                    throw FileProblem("its piece \(index) has the unknown type \(number).")
                }
                piece.type = type
            default: break
            }
        }
        let text = bytes[piece.text]
        guard !text.isEmpty, text.count <= maximumPieceLength || piece.type != .normal else {
            throw FileProblem(
                "its piece \(index) has \(text.count) bytes; 1 to \(maximumPieceLength) are supported."
            )
        }
        guard String(validating: text, as: UTF8.self) != nil else {
            throw FileProblem("its piece \(index) is not valid UTF-8.")
        }
        guard !piece.score.isNaN else {
            throw FileProblem("the score of its piece \(index) is not a number.")
        }
        guard piece.type != .unused else {
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
        _ file: File, _ bytes: [UInt8], addsBeginning: Bool, addsEnd: Bool
    ) throws(FileProblem) -> Parts {
        var builder = SentencePieceBuilder(bytes: bytes, pieces: file.pieces)
        var model = try builder.model(byteFallback: file.byteFallback)
        var normalizer = file.normalizer
        normalizer.symbols = builder.symbols
        model.frozen = builder.symbols
        let decoder = SentencePieceDecoder(
            kinds: file.pieces.map(kind), unknownSurface: file.unknownSurface,
            consumesFirstMark: normalizer.addsDummyPrefix || normalizer.removesExtraSpaces,
            consumesAllMarks: normalizer.removesExtraSpaces)
        let controls = file.pieces.indices.filter { file.pieces[$0].type == .control }
        func control(_ name: [UInt8]) -> Tokenizer.TemplatePart? {
            controls.first { bytes[file.pieces[$0].text].elementsEqual(name) }.map { .token($0) }
        }
        let template = [
            addsBeginning ? control(file.beginning) : nil, .text,
            addsEnd ? control(file.end) : nil,
        ]
        return Parts(
            model: model, normalizer: TextNormalizer(steps: [.sentencePiece(normalizer)]),
            decoder: .sentencePiece(decoder), template: template.compactMap { $0 },
            controlIDs: controls)
    }

    private static func kind(_ piece: Piece) -> SentencePieceDecoder.Kind {
        switch piece.type {
        case .control: .control
        case .unknown: .unknown
        case .byte: .byte
        case .normal, .userDefined, .unused: .text
        }
    }
}
