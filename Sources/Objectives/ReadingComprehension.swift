import Randomness

/// Exercises about a text, found in it by rules and put behind it: what AdaptLLM trains on.
///
/// Source: Cheng et al., "Adapting Large Language Models via Reading Comprehension" (ICLR 2024), whose skills these are,
/// definitions added; the rules and the words are this project's. The rules read English; a text in which they find
/// nothing stays as it is.
public enum ReadingComprehension {
    /// Whether no rule finds anything to ask in a text, which then stays as it is.
    public static func findsNothing(in text: String) -> Bool {
        ExerciseMiner.findings(in: text).isEmpty
    }

    /// The text with its exercises behind, to be trained on as in CPT.
    ///
    /// At most one exercise of each skill; which of those that the text allows, and in which words, is drawn.
    ///
    /// - Parameters:
    ///   - text: the document.
    ///   - key: decides; of the stream `exerciseChoice`, with the epoch as step and the document as example.
    public static func text(of text: String, key: RandomKey) -> String {
        let findings = ExerciseMiner.findings(in: text)
        var generator = CounterGenerator(key)
        var exercises: [String] = []
        for skill in ReadingSkill.allCases {
            let candidates = findings.indices.filter { findings[$0].skill == skill }
            if candidates.isEmpty { continue }
            let finding = findings[candidates[generator.integer(below: candidates.count)]]
            let wordings = skill.wordings
            let wording = wordings[generator.integer(below: wordings.count)]
            exercises.append(wording.exercise(finding.first, finding.second))
        }
        if exercises.isEmpty { return text }
        let end = text.lastIndex { !$0.isWhitespace } ?? text.startIndex
        return ([String(text[...end])] + exercises).joined(separator: "\n\n")
    }
}

/// What an exercise practises.
package enum ReadingSkill: Sendable, CaseIterable {
    case summarization, definition, wordToText, entailment, contradiction, cause, paraphrase
    case completion

    /// Questions and answers in other words.
    var wordings: [Wording] {
        switch self {
        case .summarization:
            [
                Wording("What is the text about?", "{1}"),
                Wording("Sum up the text in a few words.", "{1}"),
                Wording("Which title suits the text?", "{1}"),
            ]
        case .definition:
            [
                Wording("What is meant by “{1}”?", "{2}"),
                Wording("Define “{1}”.", "{2}"),
                Wording("Which term is defined here? {2}", "{1}"),
            ]
        case .wordToText:
            [
                Wording("Write a sentence with the words {1}.", "{2}"),
                Wording("Which sentence about this subject uses the words {1}?", "{2}"),
            ]
        case .entailment:
            [
                Wording("“{1}” Does it follow that “{2}”?", "Yes."),
                Wording(
                    "Premise: {1}\nHypothesis: {2}\nDoes the premise entail or contradict the hypothesis?",
                    "It entails it."),
            ]
        case .contradiction:
            [
                Wording("“{1}” Would one then expect that “{2}”?", "No."),
                Wording(
                    "Premise: {1}\nHypothesis: {2}\nDoes the premise entail or contradict the hypothesis?",
                    "It contradicts it."),
            ]
        case .cause:
            [
                Wording("What is the reason for this? {1}", "{2}"),
                Wording("What does this lead to? {2}", "{1}"),
            ]
        case .paraphrase:
            [
                Wording("Say this in other words: {1}", "{2}"),
                Wording("Write a sentence that supports this one: {1}", "{2}"),
            ]
        case .completion:
            [
                Wording("How does the text go on after “{1}”?", "{2}"),
                Wording("Which sentence comes next? {1}", "{2}"),
            ]
        }
    }
}

/// A question and its answer with places for what the text says.
struct Wording {
    private let question: String
    private let answer: String

    init(_ question: String, _ answer: String) {
        self.question = question
        self.answer = answer
    }

    /// The exercise with `first` for {1} and `second` for {2}.
    func exercise(_ first: String, _ second: String) -> String {
        "Question: \(filled(question, first, second))\nAnswer: \(filled(answer, first, second))"
    }

    /// Piece by piece, so that a text which says {2} itself stays as it is.
    private func filled(_ pattern: String, _ first: String, _ second: String) -> String {
        pattern.split(separator: "{", omittingEmptySubsequences: false).enumerated().map {
            index, piece in
            guard index > 0 else { return String(piece) }
            return (piece.hasPrefix("1") ? first : second) + piece.dropFirst(2)
        }.joined()
    }
}
