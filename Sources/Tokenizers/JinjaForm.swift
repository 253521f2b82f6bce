/// A Jinja template without what does not matter to its result, to see whether two templates are the same.
///
/// Variables get numbers for names, `a['b']` is `a.b`, `x | trim` is `x.strip()`, neighbouring output is one, guards that
/// only raise errors or define `add_generation_prompt` go. Nothing is evaluated.
struct JinjaForm: Equatable {
    private enum Lexeme: Equatable {
        case name(String)
        case literal(String)
        case symbol(String)
    }

    /// A tag, or text between tags as the output of a literal.
    private struct Statement: Equatable {
        var isOutput: Bool
        var lexemes: [Lexeme]
    }

    private var statements: [Statement] = []

    /// Longer sources are none of the known templates, and reading them takes too long.
    private static let maximumLength = 1 << 14

    /// Nil when the source cannot be read.
    init?(_ source: String) {
        guard source.utf8.count <= Self.maximumLength,
            let parts = Self.parts(Array(source.unicodeScalars))
        else { return nil }
        for part in parts {
            if part.isOutput, let last = statements.last, last.isOutput {
                statements[statements.count - 1].lexemes += [.symbol("+")] + part.lexemes
            } else {
                statements.append(part)
            }
        }
        for i in statements.indices {
            statements[i].lexemes = Self.simplified(statements[i].lexemes)
        }
        dropGuards()
        numberVariables()
    }

    // MARK: Reading

    /// Tags and the text between them; trimmed as `trim_blocks` and `lstrip_blocks` ask, which templates of tokenizers are
    /// rendered with.
    private static func parts(_ source: [Unicode.Scalar]) -> [Statement]? {
        var parts: [Statement] = []
        var text: [Unicode.Scalar] = []
        var trimsNext = false
        var position = 0
        func flush(trimming: Bool) {
            if trimming {
                while let last = text.last, last.properties.isWhitespace { text.removeLast() }
            }
            if !text.isEmpty {
                let literal = String(String.UnicodeScalarView(text))
                parts.append(Statement(isOutput: true, lexemes: [.literal(literal)]))
            }
            text = []
        }
        while position < source.count {
            guard source[position] == "{", position + 1 < source.count,
                let close = ["{": "}", "%": "%", "#": "#"][source[position + 1]] as Unicode.Scalar?
            else {
                if !(trimsNext && source[position].properties.isWhitespace) {
                    trimsNext = false
                    text.append(source[position])
                }
                position += 1
                continue
            }
            let kind = source[position + 1]
            position += 2
            guard let tag = tag(source, &position, close: close) else { return nil }
            if kind != "{" { removeIndentation(&text, isFirst: parts.isEmpty) }
            flush(trimming: tag.trimsBefore)
            trimsNext = tag.trimsAfter
            if kind != "{", position < source.count, source[position] == "\n" { position += 1 }
            if kind != "#" { parts.append(Statement(isOutput: kind == "{", lexemes: tag.lexemes)) }
        }
        flush(trimming: false)
        return parts
    }

    /// Blanks between a line's start and a block tag are no output.
    private static func removeIndentation(_ text: inout [Unicode.Scalar], isFirst: Bool) {
        var rest = text
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        if rest.last == "\n" || (rest.isEmpty && isFirst) { text = rest }
    }

    private struct Tag {
        var lexemes: [Lexeme] = []
        var trimsBefore = false
        var trimsAfter = false
    }

    private static func tag(
        _ source: [Unicode.Scalar], _ position: inout Int, close: Unicode.Scalar
    ) -> Tag? {
        var tag = Tag()
        if position < source.count, source[position] == "-" {
            tag.trimsBefore = true
            position += 1
        }
        while position + 1 < source.count {
            if source[position] == close, source[position + 1] == "}" {
                position += 2
                if tag.lexemes.last == .symbol("-") {
                    tag.lexemes.removeLast()
                    tag.trimsAfter = true
                }
                return tag
            }
            guard let lexeme = lexeme(source, &position, isComment: close == "#") else {
                return nil
            }
            if let lexeme { tag.lexemes.append(lexeme) }
        }
        return nil
    }

    /// The next lexeme; inside nil for blanks, nil for a string without end.
    private static func lexeme(
        _ source: [Unicode.Scalar], _ position: inout Int, isComment: Bool
    ) -> Lexeme?? {
        let first = source[position]
        position += 1
        if first.properties.isWhitespace { return .some(nil) }
        if !isComment, first == "'" || first == "\"" {
            var text = String.UnicodeScalarView()
            while position < source.count, source[position] != first {
                if source[position] == "\\", position + 1 < source.count {
                    position += 1
                    let escapes: [Unicode.Scalar: Unicode.Scalar] = [
                        "n": "\n", "t": "\t", "r": "\r",
                    ]
                    text.append(escapes[source[position]] ?? source[position])
                } else {
                    text.append(source[position])
                }
                position += 1
            }
            guard position < source.count else { return nil }
            position += 1
            return .literal(String(text))
        }
        func isWord(_ scalar: Unicode.Scalar) -> Bool {
            scalar == "_" || scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        }
        guard isWord(first) else { return .symbol(String(first)) }
        var name = String.UnicodeScalarView([first])
        while position < source.count, isWord(source[position]) {
            name.append(source[position])
            position += 1
        }
        return .name(String(name))
    }

    // MARK: Simplifying

    private static func simplified(_ lexemes: [Lexeme]) -> [Lexeme] {
        var result: [Lexeme] = []
        for lexeme in lexemes {
            result.append(lexeme)
            let end = result.count
            if end >= 4, case .literal(let key) = result[end - 2], result[end - 3] == .symbol("["),
                result[end - 1] == .symbol("]")
            {
                result.replaceSubrange(end - 3..<end, with: [.symbol("."), .name(key)])
            } else if end >= 2, result[end - 2] == .symbol("|"), result[end - 1] == .name("trim") {
                let call: [Lexeme] = [.symbol("."), .name("strip"), .symbol("("), .symbol(")")]
                result.replaceSubrange(end - 2..<end, with: call)
            } else if end >= 3, case .literal(let a) = result[end - 3],
                case .literal(let b) = result[end - 1], result[end - 2] == .symbol("+")
            {
                result.replaceSubrange(end - 3..<end, with: [.literal(a + b)])
            }
        }
        return result
    }

    /// Removes conditions that only raise an error, and the one that defines `add_generation_prompt`.
    private mutating func dropGuards() {
        let definition: [Lexeme] = [
            .name("set"), .name("add_generation_prompt"), .symbol("="), .name("false"),
        ]
        var i = 0
        while i + 2 < statements.count {
            let body = statements[i + 1]
            let isGuard =
                body.isOutput
                ? body.lexemes.first == .name("raise_exception") : body.lexemes == definition
            if statements[i].lexemes.first == .name("if"), isGuard,
                statements[i + 2].lexemes == [.name("endif")]
            {
                statements.removeSubrange(i...i + 2)
            } else {
                i += 1
            }
        }
    }

    private mutating func numberVariables() {
        var numbers: [String: String] = [:]
        for statement in statements where !statement.isOutput && statement.lexemes.count > 1 {
            guard [.name("set"), .name("for")].contains(statement.lexemes[0]),
                case .name(let name) = statement.lexemes[1]
            else { continue }
            numbers[name] = numbers[name] ?? "variable \(numbers.count)"
        }
        for i in statements.indices {
            for j in statements[i].lexemes.indices {
                // A member's name is no variable.
                if j > 0, statements[i].lexemes[j - 1] == .symbol(".") { continue }
                if case .name(let name) = statements[i].lexemes[j], let number = numbers[name] {
                    statements[i].lexemes[j] = .name(number)
                }
            }
        }
    }
}
