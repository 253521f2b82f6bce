import Experiments
import Foundation
import TestSupport
import Testing

/// A corpus, a small trained model and short runs on them.
enum TextTraining {
    static let stories = Fixture.path("stories260K")

    /// Sentences that a model can learn in a few steps, with a prompt for each.
    static func write(_ folder: TemporaryDirectory) throws {
        var texts = ""
        var questions = ""
        var preferences = ""
        for number in 0..<60 {
            let text = "The cat number \(number) sat on mat \(number % 7) and was happy."
            let prompt = "Look for the cat \(number)."
            texts += "{\"text\": \"\(text)\", \"contextual_prompt\": \"\(prompt)\"}\n"
            questions += "{\"prompt\": \"Where is cat \(number)?\", \"completion\": \"\(text)\"}\n"
            preferences +=
                "{\"prompt\": \"Where is cat \(number)?\", \"chosen\": \"\(text)\", \"rejected\": \"No.\"}\n"
        }
        try folder.write(texts, to: "texts.jsonl")
        try folder.write(questions, to: "questions.jsonl")
        try folder.write(preferences, to: "preferences.jsonl")
    }

    static func recipe(_ objective: String) -> String {
        "\(Program.package)/sweeps/text/\(objective).yaml"
    }

    static func arguments(
        _ objective: String, corpus: String = "texts.jsonl", _ more: String...
    ) -> [String] {
        [
            "text", "train", recipe(objective),
            "model.path=\(stories)", "corpus.path=\(corpus)", "corpus.held_out=0.1",
            "training.sequence_length=160", "training.batch_size=2", "training.micro_batch_size=2",
            "training.steps=6", "training.log_every=2", "evaluate.every=3",
        ]
            + (objective.contains("cft") && objective != "text-adapt-cft"
                ? [
                    "objective.prompts=\(Program.package)/sweeps/text/prompts/"
                        + (objective == "cft" ? "contextual.yaml" : "negative.yaml")
                ] : []) + more
    }

    /// The folder of the one run below `sweep`; nil before it is there.
    static func find(_ sweep: String, in folder: TemporaryDirectory) -> RunDirectory? {
        let parent = folder.file(sweep)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
        return names.first {
            FileManager.default.fileExists(atPath: "\(parent)/\($0)/config.yaml")
        }.map { RunDirectory(path: "\(parent)/\($0)") }
    }

    static func run(_ sweep: String, in folder: TemporaryDirectory) throws -> RunDirectory {
        try #require(find(sweep, in: folder))
    }
}
