/// What a text says that an exercise can ask for.
package struct Finding: Hashable, Sendable {
    let skill: ReadingSkill
    /// A title, term, premise, effect, or what comes first.
    let first: String
    /// What is said of it; empty for a title.
    let second: String

    package init(_ skill: ReadingSkill, _ first: String, _ second: String = "") {
        self.skill = skill
        self.first = first
        self.second = second
    }
}

/// Finds what exercises can ask for, by the marks that English texts leave: titles, definitions, connectives.
package enum ExerciseMiner {
    /// Every finding, in the order of the text for each rule.
    package static func findings(in text: String) -> [Finding] {
        let lines = CharacterTest.lineEnd.split(text, omittingEmptySubsequences: false)
            .map { trimmed($0) }
        var body = lines[...]
        var findings: [Finding] = []
        body = body.drop { $0.isEmpty }
        if let title = title(of: body) {
            findings.append(Finding(.summarization, title))
            body = body.dropFirst()
        } else if let entry = body.first.flatMap(entry) {
            findings.append(entry)
        }
        for paragraph in body.split(whereSeparator: \.isEmpty) {
            let sentences = Sentences.split(paragraph.joined(separator: " "))
            for sentence in sentences {
                if let definition = definition(sentence) { findings.append(definition) }
                if let cause = cause(sentence) { findings.append(cause) }
                if let words = words(sentence) { findings.append(words) }
            }
            for (first, second) in zip(sentences, sentences.dropFirst()) {
                findings.append(pair(first, second))
            }
        }
        return findings
    }

    // MARK: First lines

    /// A first line that is a title: `Title: …`, `# …`, or a short line without an end that more follows.
    private static func title(of lines: ArraySlice<String>) -> String? {
        guard let line = lines.first else { return nil }
        let (label, rest) = halves(line, at: ": ")
        if label.lowercased() == "title", let rest { return rest }
        if line.hasPrefix("#") { return nonEmpty(trimmed(line.drop { $0 == "#" })) }
        let isShort = wordCount(line) <= 12 && line.last?.isPunctuation == false
        return isShort && rest == nil && lines.dropFirst().contains { !$0.isEmpty } ? line : nil
    }

    /// A first line `term: what it means`.
    private static func entry(_ line: String) -> Finding? {
        let (term, meaning) = halves(line, at: ": ")
        guard let meaning, wordCount(term) <= 8, wordCount(meaning) >= 3,
            !term.contains(where: { ".!?;".contains($0) })
        else { return nil }
        return Finding(.definition, term, meaning)
    }

    // MARK: Sentences

    private static let pronouns: Set<String> = [
        "he", "i", "it", "she", "that", "there", "these", "they", "this", "those", "we", "what",
        "which", "who", "you",
    ]

    /// `Term is a …`, of a subject that a person could look up.
    private static func definition(_ sentence: String) -> Finding? {
        for verb: StaticString in [" is a ", " is an ", " is the "] {
            let (subject, rest) = halves(sentence, at: verb)
            guard let rest else { continue }
            let words = subject.split(separator: " ")
            guard words.count <= 5, !subject.contains(","), let first = words.first,
                !pronouns.contains(first.lowercased())
            else { return nil }
            let articles = ["A", "An", "The"]
            let term =
                articles.contains(String(first)) && words.count > 1
                ? words.dropFirst().joined(separator: " ") : subject
            return Finding(.definition, term, capitalized("\(verb)".dropFirst(4) + rest))
        }
        return nil
    }

    /// `effect because cause`, and `cause, so effect`.
    private static func cause(_ sentence: String) -> Finding? {
        if case (let effect, let cause?) = halves(sentence, at: " because "),
            !cause.hasPrefix("of "), wordCount(effect) >= 2
        {
            return Finding(.cause, effect + ".", capitalized(cause))
        }
        if case (let cause, let effect?) = halves(sentence, at: ", so "),
            !effect.hasPrefix("that "), wordCount(cause) >= 2
        {
            return Finding(.cause, capitalized(effect), cause + ".")
        }
        return nil
    }

    /// The three longest words of a sentence, of seven letters or more: words of its subject more than of the language.
    private static func words(_ sentence: String) -> Finding? {
        var seen: Set<String> = []
        let long = CharacterTest.noLetter.split(sentence).filter { $0.utf8.count >= 7 }
            .map { (word: String($0), length: $0.count) }
            .filter { $0.length >= 7 && seen.insert($0.word.lowercased()).inserted }
        guard long.count >= 3 else { return nil }
        let chosen = long.indices.sorted { (-long[$0].length, $0) < (-long[$1].length, $1) }
            .prefix(3).sorted().map { "“\(long[$0].word)”" }
        return Finding(.wordToText, "\(chosen[0]), \(chosen[1]) and \(chosen[2])", sentence)
    }

    // MARK: Neighbours

    private static let connectives: [(skill: ReadingSkill, words: [String])] = [
        (.entailment, ["Therefore, ", "Thus, ", "Hence, ", "Consequently, ", "As a result, "]),
        (.contradiction, ["However, ", "In contrast, ", "On the contrary, ", "Nevertheless, "]),
        (.paraphrase, ["In other words, ", "That is, ", "Similarly, ", "Likewise, "]),
    ]

    /// What a sentence that begins with a connective says about the one before; without one, how the text goes on.
    private static func pair(_ first: String, _ second: String) -> Finding {
        guard second.hasBytes(of: ", ") else { return Finding(.completion, first, second) }
        for (skill, words) in connectives {
            for word in words where second.hasPrefix(word) {
                let rest = capitalized(String(second.dropFirst(word.count)))
                return Finding(skill, first, rest)
            }
        }
        return Finding(.completion, first, second)
    }

    // MARK: Strings

    private static func halves(_ text: String, at mark: StaticString) -> (String, String?) {
        guard text.hasBytes(of: mark), let range = text.firstRange(of: "\(mark)") else {
            return (text, nil)
        }
        return (
            trimmed(text[..<range.lowerBound]), nonEmpty(trimmed(text[range.upperBound...]))
        )
    }

    private static func nonEmpty(_ text: String) -> String? { text.isEmpty ? nil : text }

    private static func wordCount(_ text: String) -> Int { text.split(separator: " ").count }

    private static func capitalized(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }

    private static func trimmed(_ text: Substring) -> String {
        // Most texts need no look at their characters, which is slow.
        if let first = text.utf8.first, let last = text.utf8.last, isMark(first), isMark(last) {
            return String(text)
        }
        let front = text.drop(while: \.isWhitespace)
        guard let last = front.lastIndex(where: { !$0.isWhitespace }) else { return "" }
        return String(front[...last])
    }

    /// Whether an ASCII byte is printed, so that no white space begins or ends with it.
    private static func isMark(_ byte: UInt8) -> Bool { (0x21..<0x7F).contains(byte) }
}
