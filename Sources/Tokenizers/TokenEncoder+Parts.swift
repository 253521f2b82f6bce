extension TokenEncoder {
    /// The ids of parts, see ``Tokenizer/encode(parts:adding:)``.
    public mutating func encode(
        parts: [EncodingPart], adding tokens: SurroundingTokens = .none
    ) throws -> (ids: [Int], ends: [Int]) {
        var ids = tokens == .none ? [] : tokenizer.template.before
        var ends: [Int] = []
        ends.reserveCapacity(parts.count)
        var index = 0
        var previous: AddedToken?
        while index < parts.count {
            if case .special(let spelling) = parts[index] {
                let token = try tokenizer.specialToken(spelling)
                ids.append(token.id)
                ends.append(ids.count)
                previous = token
                index += 1
                continue
            }
            let isFirst = index == 0
            var run: [UInt8] = []
            var bounds: [Int] = []
            while index < parts.count, case .literal(let text) = parts[index] {
                run += text.utf8
                bounds.append(run.count)
                index += 1
            }
            var next: AddedToken?
            if index < parts.count { next = try tokenizer.specialToken(parts[index].text) }
            // As in a text, special tokens take the white space beside them when the file says so.
            let start = previous?.stripsRight == true ? whiteSpaceEnd(from: 0, run) : 0
            let end =
                next?.stripsLeft == true
                ? whiteSpaceStart(before: run.count, run, limit: start) : run.count
            appendRun(
                Array(run[start..<end]), isFirst: isFirst,
                bounds: bounds.map { min(max($0, start), end) - start }, &ids, &ends)
        }
        if tokens == .all { ids += tokenizer.template.after }
        if !ends.isEmpty { ends[ends.count - 1] = ids.count }
        return (ids, ends)
    }

    /// Encodes neighbouring parts as one text, and appends for each of their ends how many ids lie before it.
    ///
    /// Those are the ids that the text up to that end has too: a token that reaches over it belongs to the next part.
    private mutating func appendRun(
        _ run: [UInt8], isFirst: Bool, bounds: [Int], _ ids: inout [Int], _ ends: inout [Int]
    ) {
        let first = ids.count
        let whole = encode(run, isFirst: isFirst, literally: true)
        ids += whole.map { Int($0) }
        var last = 0
        for bound in bounds {
            if bound == run.count {
                last = whole.count
            } else if bound > 0 {
                let part = encode(Array(run[..<bound]), isFirst: isFirst, literally: true)
                last = max(last, zip(part, whole).prefix { $0 == $1 }.count)
            }
            ends.append(first + last)
        }
    }
}
