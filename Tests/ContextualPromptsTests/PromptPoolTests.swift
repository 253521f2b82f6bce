import Experiments
import Foundation
import Randomness
import TestSupport
import Testing

@testable import ContextualPrompts

@Suite struct PromptPoolTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    private func committed(_ name: String) throws -> [ContextualPrompt] {
        try PromptPool.read(path: "\(Self.root)/sweeps/text/prompts/\(name).yaml").prompts
    }

    private static let strategies = [
        "Application of Knowledge", "Reflective Thinking", "Creative Interpretation",
        "Summarization and Synthesis", "Focus on Key Concepts", "Contextual Understanding",
        "In-Depth Exploration", "Question-Based Learning", "Comparative Learning",
        "Critical Analysis",
    ]

    @Test func theCommittedPoolHasThePapersStrategies() throws {
        let prompts = try committed("contextual")
        #expect(prompts.map(\.name) == Self.strategies)
        // As the authors print them.
        let verbatim = [
            "Focus on Key Concepts":
                "Concentrate on understanding the core principles and essential facts in the following text. Pay "
                + "special attention to definitions, examples, and conclusions.",
            "Application of Knowledge":
                "Think about practical applications of the information in the next text. How could this knowledge "
                + "be used in real-world situations?",
            "Comparative Learning":
                "Compare and contrast the upcoming information with what you have learned in similar topics. Look "
                + "for differences, similarities, and connections.",
        ]
        for (name, text) in verbatim {
            #expect(prompts.first { $0.name == name }?.text == text)
        }
    }

    @Test func theNegativesOpposeThemAtTheSameLength() throws {
        let positives = try committed("contextual")
        let negatives = try committed("negative")
        #expect(negatives.map(\.name) == positives.map { "Against \($0.name)" })
        func mean(_ prompts: [ContextualPrompt]) -> Double {
            Double(prompts.map(\.text.count).reduce(0, +)) / Double(prompts.count)
        }
        #expect(abs(mean(negatives) / mean(positives) - 1) <= 0.25)
        for (negative, positive) in zip(negatives, positives) {
            let ratio = Double(negative.text.count) / Double(positive.text.count)
            #expect((0.75...1.25).contains(ratio), "\(negative.name): \(ratio)")
        }
        for prompt in positives + negatives {
            let ends = prompt.text.filter { ".?".contains($0) }
            #expect(ends.count == 2, "\(prompt.name) has \(ends.count) sentences")
        }
        #expect(Set(positives.map(\.text)).isDisjoint(with: negatives.map(\.text)))
    }

    @Test func drawsFromItsOwnStream() throws {
        let pool = PromptPool((0..<7).map { ContextualPrompt(name: "\($0)", text: "text \($0)") })
        for (seed, epoch, document) in [(0, 0, 0), (3, 1, 2), (9, 40, 70000), (9, 70000, 40)] {
            // Derived by hand: the high half of the block's first word × 7; 4 words in 2³² would be redrawn.
            let word = Philox.block(
                key: UInt64(seed), counter: SIMD4(0, UInt32(document), UInt32(epoch), 65))[0]
            let index = Int((UInt64(word) * 7) >> 32)
            #expect(
                pool.prompt(seed: UInt64(seed), epoch: epoch, document: document)
                    == pool.prompts[index])
        }
    }

    @Test func drawsEveryPromptAlikeOften() throws {
        let pool = PromptPool((0..<10).map { ContextualPrompt(name: "\($0)", text: "text \($0)") })
        var counts = [String: Int]()
        var changes = 0
        for document in 0..<5000 {
            let first = pool.prompt(seed: 1, epoch: 0, document: document)
            counts[first.name, default: 0] += 1
            if pool.prompt(seed: 1, epoch: 1, document: document) != first { changes += 1 }
        }
        // χ² with 9 degrees of freedom exceeds 27.9 once in 1,000 uniform samples.
        let chiSquare = counts.values.reduce(0) { $0 + pow(Double($1) - 500, 2) / 500 }
        #expect(counts.count == 10 && chiSquare < 27.9, "\(counts)")
        // Another epoch draws anew: 4,500 ± 21 of 5,000 differ, within five deviations.
        #expect(abs(changes - 4500) < 106, "\(changes)")
    }

    @Test func readsAUsersFile() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write(
            "version: 1\nprompts:\n- {name: a, text: ' One. '}\n- name: b\n  text: |\n    Two\n    lines.\n",
            to: "p.yaml")
        #expect(
            try PromptPool.read(path: path).prompts
                == [.init(name: "a", text: "One."), .init(name: "b", text: "Two\nlines.")])
    }

    @Test(arguments: [
        (
            "prompts: [{name: a, text: b}]",
            "p.yaml:1:1: version is missing; expected an integer, at least 1"
        ),
        (
            "version: 2\nprompts: [{name: a, text: b}]",
            "p.yaml:1:10: version is 2; this program reads versions up to 1"
        ),
        (
            "version: 1\nprompts: []",
            "p.yaml:2:10: prompts needs one prompt or more; expected a list of {name, text}"
        ),
        (
            "version: 1",
            "p.yaml:1:1: prompts needs one prompt or more; expected a list of {name, text}"
        ),
        (
            "version: 1\nprompts: {name: a}",
            "p.yaml:2:10: prompts needs one prompt or more; expected a list of {name, text}"
        ),
        (
            "version: 1\nprompts: [a]",
            "p.yaml:2:11: prompts[0] is 'a'; expected a mapping (key: value)"
        ),
        (
            "version: 1\nprompts:\n- {name: a, text: ' '}",
            "p.yaml:3:19: prompts[0].text is empty; expected a text"
        ),
        (
            "version: 1\nprompts:\n- {name: '', text: a}",
            "p.yaml:3:10: prompts[0].name is empty; expected a text"
        ),
        (
            "version: 1\nprompts:\n- {name: a}",
            "p.yaml:3:3: prompts[0].text is missing; expected a text"
        ),
        (
            "version: 1\nprompts:\n- {name: a, text: b}\n- {name: 'a ', text: c}",
            "p.yaml:4:10: prompts[1].name is 'a', the name of the prompt at p.yaml:3:3 already"
        ),
        (
            "version: 1\nprompts:\n- {name: a, text: b}\n- {name: c, text: b}",
            "p.yaml:4:19: prompts[1].text is the text of the prompt at p.yaml:3:3 already, which would be drawn "
                + "twice as often"
        ),
        (
            "version: 1\nprompts: [{name: a, txt: b, text: c}]",
            "p.yaml:2:21: unknown key 'txt' in prompts[0]; did you mean 'text'? (accepted: name, text)"
        ),
        (
            "version: 1\nprompts: [{name: a, text: c}]\nseed: 3",
            "p.yaml:3:1: unknown key 'seed' at the top level (accepted: version, prompts)"
        ),
    ])
    func refuses(yaml: String, message: String) throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write(yaml, to: "p.yaml")
        let error = #expect(throws: ConfigurationError.self) { try PromptPool.read(path: path) }
        #expect(error?.description.replacingOccurrences(of: folder.path + "/", with: "") == message)
    }

    @Test func namesAFileThatIsMissing() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try PromptPool.read(path: "nowhere/p.yaml")
        }
        #expect(error?.description == "nowhere/p.yaml: cannot be read: No such file or directory")
    }
}
