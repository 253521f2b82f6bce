import Foundation
import Platform

/// What the files beside a tokenizer say of it: tokenizer_config.json, special_tokens_map.json and added_tokens.json.
///
/// They are read as Hugging Face's `transformers` (4) reads them when it makes a fast tokenizer of a tokenizer.model: `added_tokens_decoder` of the first
/// file has all added tokens with their ids; folders from before it list them in added_tokens.json and name
/// the special ones in special_tokens_map.json.
struct CompanionFiles {
    /// `add_bos_token` and `add_eos_token`.
    var addsBeginning = true
    var addsEnd = false
    /// `legacy`: whether every stretch between added tokens gets a space in front, or the first alone.
    var prefixesEveryStretch = true
    /// Contents of `bos_token` and `eos_token`.
    var beginning: [UInt8]?
    var end: [UInt8]?
    /// Added tokens with their ids.
    var added: [AddedToken] = []
    /// Special tokens by what they are for; a file gives no ids for them.
    var special: [AddedToken] = []

    /// Says nothing, as no files do.
    init() {}

    /// Reads the files in `folder`, which need not be there.
    init(folder: String) throws {
        var isListed = false
        try Self.read("\(folder)/tokenizer_config.json") { node throws(FileProblem) in
            addsBeginning = try node.member("add_bos_token")?.bool() ?? true
            addsEnd = try node.member("add_eos_token")?.bool() ?? false
            prefixesEveryStretch = try node.member("legacy")?.bool() ?? true
            try readSpecialTokens(node)
            if let list = try node.member("added_tokens_decoder") {
                isListed = true
                try readDecoder(list)
            }
        }
        if isListed { return }
        try Self.read("\(folder)/special_tokens_map.json") { node throws(FileProblem) in
            try readSpecialTokens(node)
        }
        try Self.read("\(folder)/added_tokens.json") { node throws(FileProblem) in
            let contents = Set(special.map(\.content))
            for token in try node.entries() {
                let content = Array(token.key.utf8)
                try FileLimits.check(content, token.node.place)
                added.append(
                    AddedToken(
                        id: try token.node.int(atMost: Vocabulary.maximumID), content: content,
                        isNormalized: false, isSpecial: contents.contains(content)))
            }
        }
    }

    private static func read(
        _ path: String, _ body: (JSONNode) throws(FileProblem) -> Void
    ) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let node = try TokenizerConfiguration.node(path)
        do {
            try body(node)
        } catch let problem {
            throw TokenizerError(source: path, problem.text)
        }
    }

    /// Tokens named by their use; what an earlier file named for the same use gives way.
    private mutating func readSpecialTokens(_ node: JSONNode) throws(FileProblem) {
        let uses: [StaticString] = [
            "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token",
            "mask_token",
        ]
        for use in uses {
            guard let value = try node.member(use) else { continue }
            let token = try AddedToken(special: value)
            if "\(use)" == "bos_token" { beginning = token.content }
            if "\(use)" == "eos_token" { end = token.content }
            special.append(token)
        }
        for use: StaticString in ["additional_special_tokens", "extra_special_tokens"] {
            guard let list = try node.member(use) else { continue }
            if case .object = list.value {
                for token in try list.entries() {
                    special.append(try AddedToken(special: token.node))
                }
            } else {
                for token in try list.elements() {
                    special.append(try AddedToken(special: token))
                }
            }
        }
    }

    private mutating func readDecoder(_ list: JSONNode) throws(FileProblem) {
        for token in try list.entries() {
            guard let id = Int(token.key), (0...Vocabulary.maximumID).contains(id) else {
                throw FileProblem(
                    "\(list.place) has the key \(quoted(token.key)); ids from 0 to \(Vocabulary.maximumID) are "
                        + "supported.")
            }
            var added = try AddedToken(token.node, id: id)
            added.isNormalized = false
            self.added.append(added)
        }
        added.sort { $0.id < $1.id }
    }

    // MARK: With a vocabulary

    /// The added tokens of a tokenizer whose own pieces are `vocabulary`.
    ///
    /// A special token without an id is the piece or added token with its contents; else it gets the next id.
    func addedTokens(_ vocabulary: Vocabulary) throws(FileProblem) -> [AddedToken] {
        var tokens: [AddedToken] = []
        var contents: Set<[UInt8]> = []
        var next = vocabulary.size
        for token in added + special.map({ Self.numbered($0, vocabulary) }) {
            var token = token
            let isNumbered = token.id >= 0
            if token.content.isEmpty || (!isNumbered && contents.contains(token.content)) {
                continue
            }
            if !isNumbered { token.id = next }
            if let piece = vocabulary.piece(token.id), !piece.elementsEqual(token.content) {
                throw FileProblem(
                    "a file beside it gives the added token \(quoted(token.content[...])) the id \(token.id) of the "
                        + "piece \(quoted(piece)); remove that token from tokenizer_config.json or added_tokens.json."
                )
            }
            guard contents.insert(token.content).inserted else { continue }
            next = max(next, token.id + 1)
            tokens.append(token)
        }
        try FileLimits.check(
            count: tokens.count, of: "added tokens", "the folder", atMost: FileLimits.addedTokens)
        return tokens
    }

    private static func numbered(_ token: AddedToken, _ vocabulary: Vocabulary) -> AddedToken {
        var token = token
        token.id = Int(vocabulary.id(token.content))
        return token
    }
}

extension AddedToken {
    /// A token as an object with its contents and flags.
    init(_ node: JSONNode, id: Int) throws(FileProblem) {
        self.init(id: id, content: Array(try node.required("content").bytes()))
        try FileLimits.check(content, "\(node.place).content")
        singleWord = try node.member("single_word")?.bool() ?? false
        stripsLeft = try node.member("lstrip")?.bool() ?? false
        stripsRight = try node.member("rstrip")?.bool() ?? false
        isNormalized = try node.member("normalized")?.bool() ?? true
        isSpecial = try node.member("special")?.bool() ?? false
    }

    /// A special token, as a string or an object.
    init(special node: JSONNode) throws(FileProblem) {
        if case .object = node.value {
            try self.init(node, id: -1)
        } else {
            self.init(id: -1, content: Array(try node.bytes()))
            try FileLimits.check(content, node.place)
        }
        isNormalized = false
        isSpecial = true
    }
}
