import Foundation
import TestSupport
import Testing

/// What is wrong with a text run's input is said in one sentence, and nothing is left behind.
@Suite struct TextTrainErrorTests {
    struct Mistake: CustomStringConvertible, Sendable {
        let name: String
        var corpus = "{\"text\": \"The cat sat on the mat.\"}\n{\"text\": \"And again.\"}\n"
        var objective = "cpt"
        var changes: [String] = []
        var status: Int32 = 1
        let sentence: [String]

        var description: String { name }
    }

    static let mistakes = [
        Mistake(
            name: "a key nobody knows", changes: ["training.stepz=3"], status: 64,
            sentence: ["stepz", "did you mean 'steps'"]),
        Mistake(
            name: "steps and epochs", changes: ["training.epochs=3"], status: 64,
            sentence: ["exactly one"]),
        Mistake(
            name: "a LoRA target that does not exist",
            changes: ["training.method=lora", "training.lora.target_modules=[c_attn]"], status: 64,
            sentence: ["c_attn", "q_proj"]),
        Mistake(
            name: "a line that is no JSON", corpus: "{\"text\": \"Good.\"}\n{\"text\": \n",
            sentence: ["corpus.jsonl:2"]),
        Mistake(
            name: "a document of nothing", corpus: "{\"text\": \"Good.\"}\n{\"text\": \"  \"}\n",
            sentence: ["corpus.jsonl:2"]),
        Mistake(
            name: "an unknown role",
            corpus: "{\"messages\": [{\"role\": \"robot\", \"content\": \"Hi\"}]}\n",
            objective: "ift", sentence: ["corpus.jsonl:1", "robot", "assistant"]),
        Mistake(
            name: "chosen and rejected alike",
            corpus: "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"b\"}\n",
            objective: "dpo", sentence: ["corpus.jsonl:1"]),
        Mistake(
            name: "texts for ift", objective: "ift",
            sentence: ["ift needs documents with prompt and completion", "corpus.jsonl:1"]),
        Mistake(
            name: "a sequence longer than the positions",
            changes: ["training.sequence_length=513"],
            sentence: ["512 positions", "max_position_embeddings", "513"]),
        Mistake(
            name: "an answer that is too long",
            corpus:
                "{\"prompt\": \"Why?\", \"completion\": \"\(String(repeating: "long ", count: 300))\"}\n",
            objective: "ift", changes: ["objective.truncate=false"], sentence: ["corpus.jsonl:1"]),
        Mistake(
            name: "a model that is none", changes: ["model.path=corpus.jsonl"],
            sentence: ["corpus.jsonl", "folder"]),
        Mistake(
            name: "a corpus that is missing", changes: ["corpus.path=nowhere.jsonl"],
            sentence: ["nowhere.jsonl"]),
        Mistake(
            name: "a pool that is missing", objective: "cft",
            changes: ["objective.prompts=nowhere.yaml"], status: 64, sentence: ["nowhere.yaml"]),
        Mistake(
            name: "no prompt of a document's own", objective: "text-adapt-cft",
            sentence: ["corpus.jsonl:", "contextual_prompt"]),
        Mistake(
            name: "a generator that nobody answers at", objective: "text-adapt-cft",
            changes: [
                "objective.field=null",
                "objective.generator={url: 'http://127.0.0.1:9/v1', model: m, retries: 0}",
            ], sentence: ["127.0.0.1:9"]),
        Mistake(
            name: "a generator's key that is not set", objective: "text-adapt-cft",
            changes: [
                "objective.field=null",
                "objective.generator={url: 'http://127.0.0.1:9/v1', model: m, key_variable: NO_SUCH_KEY}",
            ], sentence: ["NO_SUCH_KEY"]),
        Mistake(
            name: "an answer that dpo cannot cut",
            corpus:
                "{\"prompt\": \"Why?\", \"chosen\": \"\(String(repeating: "long ", count: 300))\", \"rejected\": \"No.\"}\n",
            objective: "dpo", changes: ["objective.truncate=true"],
            sentence: ["corpus.jsonl:1", "answers are not cut"]),
        Mistake(
            name: "a held-out document that is too long",
            corpus:
                "{\"prompt\": \"Why?\", \"completion\": \"Because.\"}\n"
                + "{\"prompt\": \"Why?\", \"completion\": \"\(String(repeating: "long ", count: 300))\"}\n",
            objective: "ift",
            changes: [
                "corpus.held_out=0.5", "training.sequence_length=64", "objective.truncate=false",
            ],
            sentence: ["corpus.jsonl:2", "a sequence holds 64"]),
        Mistake(
            name: "clipping to nothing", changes: ["training.optimizer.clip_norm=0"], status: 64,
            sentence: ["training.optimizer.clip_norm is 0", "null"]),
        Mistake(
            name: "messages without an answer",
            corpus: "{\"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}]}\n",
            objective: "ift", changes: ["objective.chat_template=llama-2"],
            sentence: ["corpus.jsonl:1"]),
        Mistake(
            name: "a model without a name", changes: ["model.path="], status: 64,
            sentence: ["cpt.yaml", "model.path is missing", "model.path=path/to/llama"]),
        Mistake(
            name: "a corpus without a name", changes: ["corpus.path="], status: 64,
            sentence: ["cpt.yaml", "corpus.path is missing", "corpus.path=notes.jsonl"]),
        Mistake(
            name: "everything held out", changes: ["corpus.held_out=0.999999"],
            sentence: ["held_out"]),
        Mistake(
            name: "an importer on the wrong files", changes: ["corpus.from=go"],
            sentence: ["corpus.jsonl", "r-bioc-go.db"]),
    ]

    @Test(arguments: mistakes) func isOneSentence(_ mistake: Mistake) throws {
        let folder = try TemporaryDirectory()
        try folder.write(mistake.corpus, to: "corpus.jsonl")
        let outcome = try Program.run(
            [
                "text", "train", "\(Program.package)/sweeps/text/\(mistake.objective).yaml",
                "model.path=\(Fixture.path("stories260K"))", "corpus.path=corpus.jsonl",
                "corpus.held_out=0", "training.steps=1", "--quiet",
            ] + mistake.changes, in: folder.path)
        #expect(outcome.exitCode == mistake.status, "\(outcome)")
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 1 && lines.first?.hasPrefix("error: ") == true, "\(outcome)")
        for part in mistake.sentence { #expect(outcome.errors.contains(part), "\(outcome)") }
        #expect(outcome.output == "")
        #expect(try folder.names() == ["corpus.jsonl"])
    }

    /// A model would learn another form than its own without a word.
    @Test func aTemplateThatIsNotBuiltInIsNotReplaced() throws {
        let folder = try TemporaryDirectory()
        let stories = Fixture.path("stories260K")
        try folder.write(
            "{\"prompt\": \"Why?\", \"completion\": \"Because.\"}\n", to: "corpus.jsonl")
        try folder.write(
            Array(Data(contentsOf: URL(fileURLWithPath: "\(stories)/tokenizer.json"))),
            to: "own/tokenizer.json")
        try folder.write(
            "{\"chat_template\": \"{{ messages[0]['content'] }}\"}", to: "own/tokenizer_config.json"
        )
        func train(_ objective: String, _ more: String...) throws -> ChildProcess.Outcome {
            try Program.run(
                [
                    "text", "train", "\(Program.package)/sweeps/text/\(objective).yaml",
                    "model.path=\(stories)", "model.tokenizer=own", "corpus.path=corpus.jsonl",
                    "corpus.held_out=0", "training.steps=1", "--quiet",
                ] + more, in: folder.path)
        }
        let refused = try train("ift", "objective.chat_template=null")
        #expect(refused.exitCode == 1, "\(refused)")
        #expect(
            refused.errors.contains(
                "own/tokenizer_config.json: its chat_template, '{{ messages[0]['content'] }}', is none of those built in "
                    + "(llama-2, chatml); set objective.chat_template to"), "\(refused)")
        #expect(try folder.names().sorted() == ["corpus.jsonl", "own"])
        let plain = try train("ift", "objective.chat_template=plain")
        #expect(plain.exitCode == 0, "\(plain)")
    }

    @Test func badLinesAreSkippedAndCountedWhereAskedFor() throws {
        let folder = try TemporaryDirectory()
        try folder.write(
            "{\"text\": \"The cat sat on the mat.\"}\nnothing\n{\"text\": \"And again.\"}\n",
            to: "corpus.jsonl")
        let outcome = try Program.run(
            [
                "text", "train", "\(Program.package)/sweeps/text/cpt.yaml",
                "model.path=\(Fixture.path("stories260K"))", "corpus.path=corpus.jsonl",
                "corpus.held_out=0", "training.steps=1", "--skip-bad",
            ], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(
            outcome.errors.contains("left out 1 line") && outcome.errors.contains("corpus.jsonl:2"),
            "\(outcome)")
    }
}
