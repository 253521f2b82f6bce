/// Text to token ids and back, as Hugging Face's `tokenizers` and SentencePiece do it.
///
/// Read from tokenizer.json (byte-pair encodings of the Llama-2, Llama-3, GPT-2 and Qwen2 kinds) or from a
/// SentencePiece tokenizer.model of type BPE. What a file asks for and this reader does not know is an error, never a guess.
///
/// `truncation` and `padding` of a tokenizer.json are not applied: they are settings of a batch, not of a text.
///
/// Encode a prompt and its continuation together, then cut the ids: with a Llama-2 tokenizer ` A` is two
/// tokens alone and one behind `Answer:`.
public final class Tokenizer: Sendable {
    /// Special tokens around a text, such as `<s>` before it.
    struct Template: Sendable {
        var before: [Int] = []
        var after: [Int] = []
    }

    let model: BytePairModel
    let normalizer: TextNormalizer
    let preTokenizer: PreTokenizer
    let decoder: PieceDecoder
    let template: Template
    let rawMatcher: AddedTokenMatcher
    let normalizedMatcher: AddedTokenMatcher
    private let addedTokens: [AddedToken]
    /// Their contents, in the same order.
    private let addedContents: ByteStringTable
    /// By id: which added token it is, its text that decoding sees, and whether decoding may skip it.
    private let addedSurfaces: [Int: (index: Int, text: [UInt8], isSpecial: Bool)]

    init(
        model: BytePairModel, normalizer: TextNormalizer, preTokenizer: PreTokenizer,
        decoder: PieceDecoder, template: Template, addedTokens: [AddedToken],
        specialIDs: [Int], ends: (beginning: Int?, end: Int?)
    ) {
        self.model = model
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.decoder = decoder
        self.template = template
        self.specialIDs = specialIDs
        (beginningID, endID) = ends
        self.addedTokens = addedTokens
        let raw = addedTokens.filter { !$0.isNormalized }
        let normalized = addedTokens.filter(\.isNormalized)
        let patterns = normalized.map { normalizer.apply($0.content) }
        rawMatcher = AddedTokenMatcher(raw, patterns: raw.map(\.content))
        normalizedMatcher = AddedTokenMatcher(normalized, patterns: patterns)
        var table = ByteStringTable(capacity: addedTokens.count)
        for token in addedTokens { _ = table.insert(token.content, 0, token.content.count) }
        addedContents = table
        addedSurfaces = Self.surfaces(addedTokens, normalizer)
    }

    /// The library decodes a normalized token as its normal form, and skips by comparing that form.
    private static func surfaces(
        _ tokens: [AddedToken], _ normalizer: TextNormalizer
    ) -> [Int: (index: Int, text: [UInt8], isSpecial: Bool)] {
        let special = Set(tokens.filter(\.isSpecial).map(\.content))
        var surfaces: [Int: (index: Int, text: [UInt8], isSpecial: Bool)] = [:]
        for (index, token) in tokens.enumerated() {
            let text = token.isNormalized ? normalizer.apply(token.content) : token.content
            surfaces[token.id] = (index, text, special.contains(text))
        }
        return surfaces
    }

    /// The added token with these contents.
    func addedToken(_ content: [UInt8]) -> AddedToken? {
        let entry = addedContents.find(content)
        return entry < 0 ? nil : addedTokens[entry]
    }

    /// Whether `id` is that of an added token.
    func isAdded(_ id: Int) -> Bool { addedSurfaces[id] != nil }

    // MARK: Vocabulary

    /// The largest id + 1: the least number of rows of an embedding that serves this tokenizer.
    public var vocabularySize: Int {
        max(pieceCount, (addedSurfaces.keys.max() ?? -1) + 1)
    }

    /// The largest id of a piece of the vocabulary itself + 1; added tokens may have larger ones.
    public var pieceCount: Int { model.vocabulary.size }

    /// Ids of the special tokens (of a tokenizer.model: its control pieces too), ascending.
    public let specialIDs: [Int]

    /// The id of the beginning of a sequence (BOS), such as that of `<s>`.
    ///
    /// The `bos_token` that the files beside the tokenizer name; else what the tokenizer's own file puts in front of a text,
    /// of a tokenizer.model its `bos_piece`; else the token that has a usual name (`<s>`, `<|begin_of_text|>`). Nil when
    /// there is none.
    public let beginningID: Int?

    /// The id of the end of a sequence (EOS), such as that of `</s>`.
    ///
    /// Found as ``beginningID`` is; usual names are `</s>`, `<|end_of_text|>` and `<|endoftext|>`.
    public let endID: Int?

    /// The id of a piece as files spell it (`▁the`, `Ġthe`, `<0x0A>`, `</s>`); nil when there is none.
    public func id(of piece: String) -> Int? {
        let bytes = Array(piece.utf8)
        if let token = addedToken(bytes) { return token.id }
        let id = model.vocabulary.id(bytes)
        return id < 0 ? nil : Int(id)
    }

    /// The piece with `id` as files spell it; nil for an id that names none.
    public func piece(_ id: Int) -> String? {
        if let index = addedSurfaces[id]?.index {
            return String(decoding: addedTokens[index].content, as: UTF8.self)
        }
        return model.vocabulary.piece(id).map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Encoding and decoding

    /// The ids of `text`.
    ///
    /// Added tokens that stand in the text become their ids wherever they stand, so text of others can hold an
    /// end of sequence, unless it is encoded literally.
    ///
    /// - Parameters:
    ///   - tokens: which tokens of the file's post-processor, such as `<s>` in front, are put around.
    ///   - literally: whether text that spells a special token is text. Other added tokens, which are words of the
    ///     vocabulary, are still found.
    public func encode(
        _ text: String, adding tokens: SurroundingTokens = .all, literally: Bool = false
    ) -> [Int] {
        var encoder = makeEncoder()
        return encoder.encode(text, adding: tokens, literally: literally)
    }

    /// An encoder for many texts.
    public func makeEncoder() -> TokenEncoder { TokenEncoder(self) }

    /// The text of `ids`; bytes that are not UTF-8 become U+FFFD, ids that name no piece become nothing.
    ///
    /// - Parameter skippingSpecialTokens: whether special tokens are left out. Control pieces of a tokenizer.model always
    ///   are, unless the files beside it name them.
    public func decode(_ ids: [Int], skippingSpecialTokens: Bool = true) -> String {
        var stream = makeStreamingDecoder(skippingSpecialTokens: skippingSpecialTokens)
        return String(decoding: stream.decode(ids), as: UTF8.self)
    }

    /// A decoder that takes one id at a time.
    ///
    /// - Parameters:
    ///   - prompt: ids that came before and whose text is known: the stream is what the text of all ids has behind it.
    ///     Without it the first id is the beginning of a text, where a space that the tokenizer put in front goes.
    ///   - skippingSpecialTokens: see ``decode(_:skippingSpecialTokens:)``.
    public func makeStreamingDecoder(
        after prompt: [Int] = [], skippingSpecialTokens: Bool = true
    ) -> StreamingDecoder {
        var decoder = StreamingDecoder(self, skippingSpecialTokens: skippingSpecialTokens)
        for id in prompt { _ = decoder.append(id) }
        return decoder
    }

    /// What the decoder sees of `id`: the piece, as bytes where it stands for bytes; nil when it is left out.
    func decodedPiece(_ id: Int, _ skipsSpecialTokens: Bool) -> [UInt8]? {
        let piece: ArraySlice<UInt8>
        if let surface = addedSurfaces[id] {
            if skipsSpecialTokens && surface.isSpecial { return nil }
            piece = surface.text[...]
        } else if let found = model.vocabulary.piece(id) {
            piece = found
        } else {
            return nil
        }
        guard case .byteLevel = decoder else { return Array(piece) }
        var raw: [UInt8] = []
        return ByteLevelAlphabet.append(piece, to: &raw) ? raw : Array(piece)
    }
}
