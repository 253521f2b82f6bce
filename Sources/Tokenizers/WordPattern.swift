/// The regular expressions that cut text into words, by hand instead of by an engine.
///
/// Every one of them matches at every position, so a text is cut by matching again where the last match
/// ended. Any other expression is refused when the file is read.
enum WordPattern: Sendable {
    /// GPT-2's, which `ByteLevel` with `use_regex` implies.
    case gpt2
    /// Llama-3's, which is GPT-4's (cl100k): numbers in groups of three.
    case llama3
    /// Qwen2's: as Llama-3's, every digit alone.
    case qwen2

    /// The expressions as tokenizer.json spells them.
    private static let spellings: [(String, WordPattern)] = [
        (#"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#, .gpt2),
        (spelling(numbers: #"\p{N}{1,3}"#), .llama3),
        (spelling(numbers: #"\p{N}"#), .qwen2),
    ]

    private static func spelling(numbers: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The pattern that is spelled `regex`; nil for any other expression.
    init?(regex: String) {
        guard let found = Self.spellings.first(where: { $0.0.utf8.elementsEqual(regex.utf8) })
        else { return nil }
        self = found.1
    }

    /// Appends the ends of the words in `bytes[start..<end]`, valid UTF-8, to `ends`.
    func cut(_ bytes: [UInt8], _ start: Int, _ end: Int, into ends: inout [Int]) {
        let scanner = WordScanner(bytes: bytes, classes: CharacterClass.all, end: end)
        var position = start
        while position < end {
            switch self {
            case .gpt2: position = scanner.gpt2Word(position)
            case .llama3: position = scanner.llama3Word(position, digits: 3)
            case .qwen2: position = scanner.llama3Word(position, digits: 1)
            }
            ends.append(position)
        }
    }
}

/// Matches one alternative after the other, as the expressions order them.
private struct WordScanner {
    let bytes: [UInt8]
    let classes: [CharacterClass]
    let end: Int

    /// The class at `position`, which lies before the end, and the position behind it.
    @inline(__always)
    private func look(_ position: Int) -> (kind: CharacterClass, after: Int) {
        let scalar = ScalarAt(bytes, position)
        return (classes[scalar.value], position + scalar.length)
    }

    /// The end of the run of `kind` that goes on at `position`, after at most `limit` characters.
    @inline(__always)
    private func run(of kind: CharacterClass, _ position: Int, limit: Int = .max) -> Int {
        var position = position
        var count = 0
        while position < end, count < limit {
            let (found, after) = look(position)
            if found != kind { break }
            position = after
            count += 1
        }
        return position
    }

    func gpt2Word(_ start: Int) -> Int {
        if let after = contraction(start, ignoringCase: false) { return after }
        let hasSpace = bytes[start] == UInt8(ascii: " ") && start + 1 < end
        let (kind, after) = look(hasSpace ? start + 1 : start)
        if !kind.isSpace { return run(of: kind, after) }
        return spaces(start, stopsAtLineEnd: false)
    }

    func llama3Word(_ start: Int, digits: Int) -> Int {
        if let after = contraction(start, ignoringCase: true) { return after }
        let (kind, after) = look(start)
        switch kind {
        case .letter: return run(of: .letter, after)
        case .number: return run(of: .number, after, limit: digits - 1)
        case .other, .space:
            if after < end, look(after).kind == .letter { return run(of: .letter, after) }
            let symbols = kind == .other ? start : bytes[start] == UInt8(ascii: " ") ? after : end
            let symbolsEnd = run(of: .other, symbols)
            if symbolsEnd > symbols { return run(of: .lineEnd, symbolsEnd) }
            return spaces(start, stopsAtLineEnd: true)
        case .lineEnd: return spaces(start, stopsAtLineEnd: true)
        }
    }

    /// `\s*[\r\n]+` where asked for, then `\s+(?!\S)`, then `\s+`.
    private func spaces(_ start: Int, stopsAtLineEnd: Bool) -> Int {
        var position = start
        var lastStart = start
        var afterLineEnd = start
        while position < end {
            let (kind, after) = look(position)
            if !kind.isSpace { break }
            if kind == .lineEnd { afterLineEnd = after }
            lastStart = position
            position = after
        }
        if stopsAtLineEnd, afterLineEnd > start { return afterLineEnd }
        // Before a word the last space is left over for it.
        return position == end || lastStart == start ? position : lastStart
    }

    /// `'s|'t|'re|'ve|'m|'ll|'d`; ignoring case, `ſ` is an s.
    private func contraction(_ start: Int, ignoringCase: Bool) -> Int? {
        guard bytes[start] == UInt8(ascii: "'"), start + 1 < end else { return nil }
        let fold: UInt8 = ignoringCase ? 0x20 : 0
        let first = folded(bytes[start + 1], fold)
        switch first {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"), UInt8(ascii: "l"):
            guard start + 2 < end else { return nil }
            let second = folded(bytes[start + 2], fold)
            let expected = first == UInt8(ascii: "l") ? first : UInt8(ascii: "e")
            return second == expected ? start + 3 : nil
        case 0xC5 where ignoringCase && start + 2 < end && bytes[start + 2] == 0xBF:
            return start + 3
        default: return nil
        }
    }

    /// An ASCII letter in lower case when `fold` is 0x20; other bytes stay.
    private func folded(_ byte: UInt8, _ fold: UInt8) -> UInt8 {
        byte < 0x80 && byte >= 0x40 ? byte | fold : byte
    }
}
