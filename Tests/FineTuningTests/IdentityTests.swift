import Experiments
import Foundation
import LanguageModeling
import TestSupport
import Testing

@testable import FineTuning

/// What makes one run another, and what does not.
@Suite struct IdentityTests {
    private let folder: TemporaryDirectory

    /// A model's folder with its tokenizer, and a corpus.
    init() throws {
        folder = try TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: Fixture.path("stories260K"), toPath: folder.file("model"))
        // There the tokenizer is a link to one beside the folder.
        let tokenizer = folder.file("model/tokenizer.json")
        try FileManager.default.removeItem(atPath: tokenizer)
        try FileManager.default.copyItem(
            atPath: Fixture.path("tokenizers/stories260K.json"), toPath: tokenizer)
        try folder.write(
            "{\"text\": \"One.\", \"own\": \"a\"}\n{\"text\": \"Two.\", \"own\": \"b\"}\n",
            to: "corpus.jsonl")
        try folder.write(
            "version: 1\nprompts: [{name: A, text: Read this.}]\n", to: "pool.yaml")
    }

    private func hash(_ changes: String...) throws -> String {
        let configuration = try TuningFixture.configuration(
            [
                "model.path=\(folder.file("model"))", "corpus.path=\(folder.file("corpus.jsonl"))",
                "corpus.held_out=0", "objective.name=cft",
                "objective.prompts=\(folder.file("pool.yaml"))",
            ] + changes)
        let hashes = try FineTuningInputs().hashes(configuration)
        return try CanonicalJSON.hash(configuration.identity(hashes))
    }

    /// Puts `new` for `old` in a file.
    private func change(_ name: String, _ old: String, _ new: String) throws {
        let text = try String(contentsOfFile: folder.file(name), encoding: .utf8)
        try #require(text.contains(old), "\(name) has no \(old)")
        try folder.write(text.replacing(old, with: new), to: name)
    }

    @Test func valuesThatDecideWhatARunLeavesCount() throws {
        let plain = try hash()
        let changes = [
            "training.optimizer.learning_rate=0.5", "training.batch_size=5",
            "training.packing=false", "training.precision=bf16",
            "training.sequence_length=32", "training.method=lora", "training.decay=all",
            "training.save_dtype=bfloat16", "corpus.held_out=0.5", "evaluate.every=3",
            "objective.name=neg-cft",
        ]
        let hashes = try changes.map { try hash($0) }
        #expect(Set(hashes + [plain]).count == changes.count + 1)
    }

    @Test func valuesThatDecideNothingDoNotCount() throws {
        let plain = try hash()
        for change in [
            "training.log_every=1", "training.checkpoint_seconds=1",
            "training.activation_checkpointing=true", "training.lora.rank=3",
        ] {
            #expect(try hash(change) == plain, "\(change)")
        }
        try FileManager.default.moveItem(
            atPath: folder.file("pool.yaml"), toPath: folder.file("other.yaml"))
        #expect(try hash("objective.prompts=\(folder.file("other.yaml"))") == plain)
    }

    @Test(arguments: [
        ("corpus.jsonl", "Two.", "Three."), ("pool.yaml", "Read this.", "Read that."),
        ("model/config.json", "\"rope_theta\": 10000.0", "\"rope_theta\": 20000.0"),
        ("model/tokenizer_config.json", "{", "{\"x\": 1, "),
        ("model/tokenizer.json", "\"truncation\"", "\"truncation\" "),
    ])
    func whatIsReadCounts(name: String, old: String, new: String) throws {
        let before = try hash()
        try change(name, old, new)
        #expect(try hash() != before)
    }

    /// The corpus's own hash is that of what documents say.
    @Test func promptsOfTheDocumentsOwnCount() throws {
        let own = [
            "objective.name=text-adapt-cft", "objective.prompts=null", "objective.field=own",
        ]
        let before = try hash(own[0], own[1], own[2])
        try change("corpus.jsonl", "\"b\"", "\"c\"")
        #expect(try hash(own[0], own[1], own[2]) != before)
    }

    @Test(arguments: ["field=own", "generator={url: 'http://127.0.0.1:9', model: m}"])
    func promptsOfTheDocumentsOwnMeanNothingToOthers(value: String) throws {
        #expect {
            try hash("objective.\(value)")
        } throws: { "\($0)".contains("means nothing to cft") }
    }
}
