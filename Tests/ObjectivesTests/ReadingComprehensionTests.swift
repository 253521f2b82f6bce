import Objectives
import Randomness
import TestSupport
import Testing

/// Exercises from texts; all expectations are derived by reading the texts.
@Suite struct ReadingComprehensionTests {
    @Test func titlesDefinitionsCausesAndConsequences() {
        let text = """
            Oak trees

            An oak is a tree of the beech family. Oaks grow slowly because their timber is dense.
            Therefore, a forest of oaks is old.
            """
        #expect(
            ExerciseMiner.findings(in: text) == [
                Finding(.summarization, "Oak trees"),
                Finding(.definition, "oak", "A tree of the beech family."),
                Finding(.cause, "Oaks grow slowly.", "Their timber is dense."),
                Finding(
                    .completion, "An oak is a tree of the beech family.",
                    "Oaks grow slowly because their timber is dense."),
                Finding(
                    .entailment, "Oaks grow slowly because their timber is dense.",
                    "A forest of oaks is old."),
            ])
    }

    @Test func contradictionsParaphrasesAndWords() {
        let text = """
            title: Learning with prompts
            Learners remember more, so prompts help. However, some of them mislead. In other words, instructions matter.
            """
        let first = "Learners remember more, so prompts help."
        #expect(
            ExerciseMiner.findings(in: text) == [
                Finding(.summarization, "Learning with prompts"),
                Finding(.cause, "Prompts help.", "Learners remember more."),
                Finding(.wordToText, "“Learners”, “remember” and “prompts”", first),
                Finding(.contradiction, first, "Some of them mislead."),
                Finding(
                    .paraphrase, "However, some of them mislead.", "Instructions matter."),
            ])
    }

    @Test func entriesDefineTheirTerm() {
        #expect(
            ExerciseMiner.findings(in: "leaf abscission: The shedding of a leaf by a plant.") == [
                Finding(
                    .definition, "leaf abscission", "The shedding of a leaf by a plant.")
            ])
        #expect(
            ExerciseMiner.findings(in: "# Leaves\nThey fall.").first
                == Finding(.summarization, "Leaves"))
    }

    /// Pronouns are no terms, `because of` has no cause that is a sentence, abbreviations end none.
    @Test(arguments: [
        "It is a tree.", "We left because of rain.", "He left, so that we stay.", "Hello world",
        "Dr. J. Smith met Mr. Jones", "", " \n\n ", "…", "Go: left.", "模型学习。",
    ])
    func otherTextsHaveNone(_ text: String) {
        #expect(ExerciseMiner.findings(in: text) == [])
        let key = RandomKey(seed: 1, stream: .exerciseChoice)
        #expect(ReadingComprehension.text(of: text, key: key) == text)
    }

    @Test func wordsAndOrderAreDrawn() {
        let text = "We stayed home because it rained."
        let expected: Set = [
            "\(text)\n\nQuestion: What is the reason for this? We stayed home.\nAnswer: It rained.",
            "\(text)\n\nQuestion: What does this lead to? It rained.\nAnswer: We stayed home.",
        ]
        let drawn = (0..<20).map { epoch in
            ReadingComprehension.text(
                of: text + "\n", key: RandomKey(seed: 5, stream: .exerciseChoice, step: epoch))
        }
        #expect(Set(drawn) == expected)
    }

    /// What a text says is put in as it stands, even when it looks like a place for something.
    @Test func textsThatLookLikePlacesStay() {
        let text = "The {2} is a {1} place."
        let expected: Set = [
            "Question: What is meant by “{2}”?\nAnswer: A {1} place.",
            "Question: Define “{2}”.\nAnswer: A {1} place.",
            "Question: Which term is defined here? A {1} place.\nAnswer: {2}",
        ]
        let drawn = (0..<40).map { document in
            ReadingComprehension.text(
                of: text, key: RandomKey(seed: 5, stream: .exerciseChoice, example: document))
        }
        #expect(Set(drawn) == Set(expected.map { "\(text)\n\n\($0)" }))
    }

    /// One exercise of each skill at most, in a fixed order, and nothing left unfilled.
    @Test func skillsComeOnce() {
        let sentences = (1...6).map {
            "Plant \($0) is a tree that grows because rain number \($0) fell."
        }
        let text = sentences.joined(separator: " ")
        for epoch in 0..<20 {
            let exercises = ReadingComprehension.text(
                of: text, key: RandomKey(seed: 9, stream: .exerciseChoice, step: epoch)
            ).split(separator: "\n").dropFirst().filter { !$0.isEmpty }
            #expect(exercises.count == 6, "definition, cause and completion, two lines each")
            #expect(exercises.allSatisfy { !$0.contains("{") })
        }
    }

    /// What is asked of ASCII by bytes is what Swift says of characters, of several scalars too.
    @Test func textsAreSplitAsSwiftSplitsThem() {
        let pieces = [
            " ", "\n", "\r\n", "\r", "\t", "a", "B7", ".", "\u{301}", "é", "e\u{301}", "\u{600}",
            "\u{A0}", "\u{2028}", "模", "👩‍👩‍👧", "\u{200D}", "\u{0}", "\u{FE0F}", "ß", "’",
        ]
        var generator = TestGenerator(seed: 41)
        for _ in 0..<3000 {
            let count = Int.random(in: 0...12, using: &generator)
            let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }
                .joined()
            #expect(CharacterTest.whiteSpace.split(text) == text.split { $0.isWhitespace })
            #expect(CharacterTest.noLetter.split(text) == text.split { !$0.isLetter })
            #expect(
                CharacterTest.lineEnd.split(text, omittingEmptySubsequences: false)
                    == text.split(separator: "\n", omittingEmptySubsequences: false))
        }
    }
}
