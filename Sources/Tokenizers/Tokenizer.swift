import Foundation
import Platform

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
    /// A part of what is encoded.
    enum TemplatePart: Sendable {
        case token(Int)
        case text
    }

    let model: BytePairModel
    let normalizer: TextNormalizer
    let preTokenizer: PreTokenizer
    let decoder: PieceDecoder
    /// Special tokens around the text, such as `<s>` before it.
    let template: [TemplatePart]
    let rawMatcher: AddedTokenMatcher
    let normalizedMatcher: AddedTokenMatcher
    private let addedTokens: [Int: AddedToken]
    private let addedIDs: ByteStringTable
    private let addedIDByEntry: [Int]
    /// Text of added tokens that decoding sees, and whether it may skip them.
    private let addedSurfaces: [Int: (text: [UInt8], isSpecial: Bool)]

    init(
        model: BytePairModel, normalizer: TextNormalizer, preTokenizer: PreTokenizer,
        decoder: PieceDecoder, template: [TemplatePart], addedTokens: [AddedToken],
        specialIDs: [Int]
    ) {
        self.model = model
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.decoder = decoder
        self.template = template
        self.specialIDs = specialIDs
        let raw = addedTokens.filter { !$0.isNormalized }
        let normalized = addedTokens.filter(\.isNormalized)
        let patterns = normalized.map { normalizer.apply($0.content) }
        rawMatcher = AddedTokenMatcher(raw, patterns: raw.map(\.content))
        normalizedMatcher = AddedTokenMatcher(normalized, patterns: patterns)
        var byID: [Int: AddedToken] = [:]
        var table = ByteStringTable()
        var ids: [Int] = []
        for token in addedTokens {
            byID[token.id] = token
            if table.insert(token.content, 0, token.content.count).isNew { ids.append(token.id) }
        }
        self.addedTokens = byID
        addedIDs = table
        addedIDByEntry = ids
        addedSurfaces = Self.surfaces(addedTokens, normalizer)
    }

    /// The library decodes a normalized token as its normal form, and skips by comparing that form.
    private static func surfaces(
        _ tokens: [AddedToken], _ normalizer: TextNormalizer
    ) -> [Int: (text: [UInt8], isSpecial: Bool)] {
        let special = Set(tokens.filter(\.isSpecial).map(\.content))
        var surfaces: [Int: (text: [UInt8], isSpecial: Bool)] = [:]
        for token in tokens {
            let text = token.isNormalized ? normalizer.apply(token.content) : token.content
            surfaces[token.id] = (text, special.contains(text))
        }
        return surfaces
    }

    // MARK: Vocabulary

    /// The largest id + 1: the least number of rows of an embedding that serves this tokenizer.
    public var vocabularySize: Int {
        max(model.vocabulary.size, (addedTokens.keys.max() ?? -1) + 1)
    }

    /// Ids of the special tokens (of a tokenizer.model: its control pieces), ascending.
    public let specialIDs: [Int]

    /// The id of a piece as files spell it (`▁the`, `Ġthe`, `<0x0A>`, `</s>`); nil when there is none.
    public func id(of piece: String) -> Int? {
        let bytes = Array(piece.utf8)
        let entry = addedIDs.find(bytes)
        if entry >= 0 { return addedIDByEntry[entry] }
        let id = model.vocabulary.id(bytes)
        return id < 0 ? nil : Int(id)
    }

    /// The piece with `id` as files spell it; nil for an id that names none.
    public func piece(_ id: Int) -> String? {
        if let token = addedTokens[id] { return String(decoding: token.content, as: UTF8.self) }
        return model.vocabulary.piece(id).map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: Encoding and decoding

    /// The ids of `text`.
    ///
    /// Added tokens that stand in the text become their ids wherever they stand, so text of others can hold an
    /// end of sequence.
    ///
    /// - Parameter addingSpecialTokens: whether the tokens of the file's post-processor, such as `<s>` in front, are put
    ///   around.
    public func encode(_ text: String, addingSpecialTokens: Bool = true) -> [Int] {
        var encoder = makeEncoder()
        return encoder.encode(text, addingSpecialTokens: addingSpecialTokens)
    }

    /// An encoder for many texts.
    public func makeEncoder() -> TokenEncoder { TokenEncoder(self) }

    /// The text of `ids`; bytes that are not UTF-8 become U+FFFD, ids that name no piece become nothing.
    ///
    /// - Parameter skippingSpecialTokens: whether special tokens are left out. Those of a tokenizer.model (its control
    ///   pieces) always are.
    public func decode(_ ids: [Int], skippingSpecialTokens: Bool = true) -> String {
        var stream = makeStreamingDecoder(skippingSpecialTokens: skippingSpecialTokens)
        return String(decoding: stream.decode(ids), as: UTF8.self)
    }

    /// A decoder that takes one id at a time.
    public func makeStreamingDecoder(skippingSpecialTokens: Bool = true) -> StreamingDecoder {
        StreamingDecoder(self, skippingSpecialTokens: skippingSpecialTokens)
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
