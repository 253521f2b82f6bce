import Foundation
import TestSupport
import Testing

/// What a user of the text path is told, and what is refused before anything is written.
@Suite struct TextNoticeTests {
    private func train(
        _ objective: String, _ texts: [String], _ changes: String...
    ) throws -> ChildProcess.Outcome {
        let folder = try TemporaryDirectory()
        try folder.write(
            texts.map { "{\"text\": \"\($0)\"}\n" }.joined(), to: "corpus.jsonl")
        return try Program.run(
            [
                "text", "train", "\(Program.package)/sweeps/text/\(objective).yaml",
                "model.path=\(TextTraining.stories)", "corpus.path=corpus.jsonl",
                "training.steps=1",
            ] + changes, in: folder.path)
    }

    @Test func textsInWhichNoRuleFindsAnythingAreCounted() throws {
        let outcome = try train(
            "reading-comprehension", ["The cat sat on the mat.", "A cat is a small animal."],
            "corpus.held_out=0")
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errors.contains("1 of the first 2 texts get no exercises"), "\(outcome)")
        let all = try train(
            "reading-comprehension", ["A mat is a carpet.", "A cat is a small animal."],
            "corpus.held_out=0")
        #expect(all.exitCode == 0 && !all.errors.contains("exercises"), "\(all)")
    }

    @Test func aHeldOutPartOfNothingIsTold() throws {
        let outcome = try train("cpt", ["The cat sat on the mat."], "corpus.held_out=1e-9")
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errors.contains("0 of 1 documents to evaluate on"), "\(outcome)")
        // One update has one loss, and no way from a first to a last.
        let line = outcome.output.split(separator: "\n").last
        #expect(line?.contains("train/loss") == true && line?.contains("→") == false, "\(outcome)")
        let none = try train("cpt", ["The cat sat on the mat."], "corpus.held_out=0")
        #expect(none.exitCode == 0 && !none.errors.contains("evaluate"), "\(none)")
    }

    /// One objective of a sweep that cannot read the corpus keeps all of them from beginning.
    @Test func aSweepIsRefusedBeforeItsFirstRun() throws {
        let folder = try TemporaryDirectory()
        try folder.write("{\"text\": \"The cat sat.\"}\n", to: "corpus.jsonl")
        try folder.write(
            """
            version: 1
            name: mixed
            model: {path: \(TextTraining.stories)}
            corpus: {path: corpus.jsonl, held_out: 0}
            training: {steps: 1, optimizer: {learning_rate: 1.0e-3}}
            parameters:
              objective: {values: [{name: cpt}, {name: text-adapt-cft, field: hint}]}
            """, to: "mixed.yaml")
        let outcome = try Program.run(
            ["sweep", "-f", "mixed.yaml", "--jobs", "2"], in: folder.path)
        #expect(outcome.exitCode == 1 && outcome.errors.contains("'hint'"), "\(outcome)")
        #expect(try folder.names() == ["corpus.jsonl", "mixed.yaml"], "\(outcome)")
    }

    /// Other passes draw other prompts: all of a pool are looked at before the first one is drawn.
    @Test func aPromptThatLeavesNoRoomIsRefusedAtOnce() throws {
        let folder = try TemporaryDirectory()
        try folder.write("{\"text\": \"The cat sat.\"}\n", to: "corpus.jsonl")
        let short = (0..<40).map { "  - {name: short \($0), text: Mind number \($0).}\n" }.joined()
        let long = Array(repeating: "mind it", count: 200).joined(separator: " ")
        try folder.write(
            "version: 1\nprompts:\n" + short + "  - {name: long, text: \(long)}\n", to: "pool.yaml")
        let outcome = try Program.run(
            [
                "text", "train", "\(Program.package)/sweeps/text/cft.yaml",
                "model.path=\(TextTraining.stories)", "corpus.path=corpus.jsonl",
                "corpus.held_out=0", "objective.prompts=pool.yaml", "training.steps=1",
            ], in: folder.path)
        #expect(outcome.exitCode == 1, "\(outcome)")
        #expect(outcome.errors.contains("the contextual prompt takes"), "\(outcome)")
        #expect(try folder.names() == ["corpus.jsonl", "pool.yaml"], "\(outcome)")
    }

    /// An endpoint takes its time: how far it has come is shown, without those whose prompt is there already.
    @Test func promptsThatAreAskedForAreCounted() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let server = try TestServer { _, _ in .content("Mind it.") }
        func train(_ limit: Int) throws -> String {
            let outcome = try Program.run(
                TextTraining.arguments(
                    "text-adapt-cft", "training.steps=1", "corpus.limit=\(limit)",
                    "objective.field=null", "objective.generator={url: '\(server.url)', model: m}"),
                in: folder.path)
            #expect(outcome.exitCode == 0, "\(outcome)")
            return outcome.errors
        }
        let first = try train(4)
        #expect(first.contains("contextual prompts  documents 1/4"), "\(first)")
        #expect(first.contains("contextual prompts  documents 4/4"), "\(first)")
        let second = try train(7)
        #expect(!second.contains("documents 4/7"), "\(second)")
        #expect(second.contains("documents 5/7") && second.contains("documents 7/7"), "\(second)")
        #expect(server.requests.count == 7)
    }

    @Test func argumentsAreTakenAsTheyAreMeant() throws {
        let folder = try TemporaryDirectory()
        let generate = ["text", "generate", "--model", TextTraining.stories]
        let negative = try Program.run(generate + ["--seed", "-1"], in: folder.path)
        #expect(negative.exitCode == 64, "\(negative)")
        #expect(negative.errors.contains("'-1' is invalid for '--seed"), "\(negative)")
        let broken = try TestSupport.run(
            "bash",
            ["-c", "exec \"$0\" \"$@\" $'\\377'", try builtProgram()] + generate + ["--prompt"],
            workingDirectory: folder.path)
        #expect(broken.exitCode == 64, "\(broken)")
        #expect(
            broken.errors.contains("argument 6, ") && broken.errors.contains("UTF-8"), "\(broken)")
    }
}
