/// What cuts text into words, inside which the model merges.
struct PreTokenizer: Sendable {
    enum Step: Sendable {
        /// One of the known expressions, every match a word.
        case pattern(WordPattern)
        /// Digits (Nd, Nl, No) apart from the rest, alone or in runs.
        case digits(individual: Bool)
        /// A space before words that do not start with one.
        case prefixSpace
        /// Spaces become `replacement`, a character; it may be put in front, and starts a word.
        case metaspace(replacement: [UInt8], scheme: PrependScheme, splits: Bool)
    }

    /// Where `Metaspace` puts its character in front.
    enum PrependScheme: String, Sendable {
        /// Before the text's first stretch only.
        case first
        /// Before every stretch between added tokens.
        case always
        /// Nowhere.
        case never
    }

    var steps: [Step] = []
    /// Whether the model's characters are bytes.
    var isByteLevel = false

    /// Cuts `text` into words: the (changed) text and where each word ends.
    ///
    /// - Parameter isFirst: whether the text starts where the whole input starts.
    func apply(_ text: inout [UInt8], isFirst: Bool, ends: inout [Int]) {
        ends.removeAll(keepingCapacity: true)
        if text.isEmpty { return }
        ends.append(text.count)
        for step in steps {
            switch step {
            case .pattern(let pattern): cut(&ends) { pattern.cut(text, $0, $1, into: &$2) }
            case .digits(let individual):
                cut(&ends) { Self.cutDigits(text, $0, $1, individual, into: &$2) }
            case .prefixSpace: Self.prefix([UInt8(ascii: " ")], &text, &ends) { _ in true }
            case .metaspace(let replacement, let scheme, let splits):
                Self.replaceSpaces(by: replacement, &text, &ends)
                switch scheme {
                case .first: Self.prefix(replacement, &text, &ends) { isFirst && $0 == 0 }
                case .always: Self.prefix(replacement, &text, &ends) { _ in true }
                case .never: break
                }
                if splits { cut(&ends) { Self.cutBefore(replacement, text, $0, $1, into: &$2) } }
            }
        }
    }

    /// Cuts every word further.
    private func cut(_ ends: inout [Int], _ body: (Int, Int, inout [Int]) -> Void) {
        var finer: [Int] = []
        finer.reserveCapacity(ends.count)
        var start = 0
        for end in ends {
            body(start, end, &finer)
            start = end
        }
        ends = finer
    }

    private static func cutDigits(
        _ text: [UInt8], _ start: Int, _ end: Int, _ individual: Bool, into ends: inout [Int]
    ) {
        let classes = CharacterClass.all
        var position = start
        var wasDigit = false
        while position < end {
            let scalar = ScalarAt(text, position)
            let isDigit = classes[scalar.value] == .number
            if position > start, isDigit != wasDigit || (isDigit && individual) {
                ends.append(position)
            }
            wasDigit = isDigit
            position += scalar.length
        }
        ends.append(end)
    }

    private static func cutBefore(
        _ mark: [UInt8], _ text: [UInt8], _ start: Int, _ end: Int, into ends: inout [Int]
    ) {
        var position = start
        while position < end {
            if position > start, text[position] == mark[0], matches(mark, text, position) {
                ends.append(position)
            }
            position += characterLength(text[position])
        }
        ends.append(end)
    }

    /// Puts `prefix` before the words that lack it and for which `applies` holds, by their index.
    private static func prefix(
        _ prefix: [UInt8], _ text: inout [UInt8], _ ends: inout [Int], applies: (Int) -> Bool
    ) {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + prefix.count * ends.count)
        var start = 0
        for (index, end) in ends.enumerated() {
            if applies(index), !text[start..<end].starts(with: prefix) { result += prefix }
            result += text[start..<end]
            start = end
            ends[index] = result.count
        }
        text = result
    }

    private static func replaceSpaces(
        by replacement: [UInt8], _ text: inout [UInt8], _ ends: inout [Int]
    ) {
        let space = [UInt8(ascii: " ")]
        guard ends.count > 1 else {
            text = TextNormalizer.replacing(space, by: replacement, in: text)
            ends = [text.count]
            return
        }
        var result: [UInt8] = []
        var start = 0
        for (index, end) in ends.enumerated() {
            result += TextNormalizer.replacing(space, by: replacement, in: Array(text[start..<end]))
            start = end
            ends[index] = result.count
        }
        text = result
    }
}
