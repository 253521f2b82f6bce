import Experiments
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
        #expect(
            outcome.errors.contains("pool.yaml, prompt 'long': the contextual prompt takes"),
            "\(outcome)")
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

    /// An endpoint may cost money: it is asked when the runs are known to have a place.
    @Test func anEndpointIsNotAskedForRunsThatCannotBeWritten() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let server = try TestServer { _, _ in .content("Mind it.") }
        let arguments = TextTraining.arguments(
            "text-adapt-cft", "training.steps=1", "objective.field=null",
            "objective.generator={url: '\(server.url)', model: m}")
        let first = try Program.run(arguments, in: folder.path)
        #expect(first.exitCode == 0, "\(first)")
        let asked = server.requests.count
        let run = try TextTraining.run("runs/text-adapt-cft", in: folder)
        try FileManager.default.removeItem(atPath: folder.file("texts.jsonl.prompts.jsonl"))
        try FileManager.default.removeItem(atPath: run.path)
        try FileManager.default.createSymbolicLink(
            atPath: run.path, withDestinationPath: "nowhere")
        let refused = try Program.run(arguments, in: folder.path)
        #expect(refused.exitCode == 1, "\(refused)")
        #expect(refused.errors.contains("cannot create the folder"), "\(refused)")
        #expect(asked > 0 && server.requests.count == asked)
    }

    /// A pool that was found beside the sweep files stands in the run's own file where it was found.
    @Test func aRunsOwnFileFindsItsPool() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        try FileManager.default.createDirectory(
            atPath: folder.file("sweeps/text"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: "\(Program.package)/sweeps/text/prompts",
            toPath: folder.file("sweeps/text/prompts"))
        let arguments = TextTraining.arguments("cft").filter { !$0.hasPrefix("objective.prompts") }
        let first = try Program.run(arguments, in: folder.path)
        #expect(first.exitCode == 0, "\(first)")
        let run = try TextTraining.run("runs/cft", in: folder)
        let again = try Program.run(
            ["text", "train", run.configurationPath, "--runs", folder.file("elsewhere")], in: "/")
        #expect(again.exitCode == 0, "\(again)")
        let other = try TextTraining.run("elsewhere/cft", in: folder)
        #expect(
            try bytes("\(run.path)/model/model.safetensors")
                == bytes("\(other.path)/model/model.safetensors"))
    }

    /// Half a run under other prompts would be neither the one nor the other.
    @Test func aRunDoesNotGoOnWithOtherPrompts() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let server = try TestServer { _, _ in .content("Mind it.") }
        let arguments = TextTraining.arguments(
            "text-adapt-cft", "training.steps=200", "training.checkpoint_seconds=0.02",
            "objective.field=null", "objective.generator={url: '\(server.url)', model: m}")
        let child = try Program.start(arguments, in: folder.path)
        try child.wait(timeout: 300) { _ in
            let run = TextTraining.find("runs/text-adapt-cft", in: folder)
            return (try? run?.latestCheckpointStep()) ?? 0 > 3
        }
        child.send(signal: SIGINT)
        #expect(try child.wait(timeout: 300).exitCode == 75)
        let cache = try String(
            contentsOfFile: folder.file("texts.jsonl.prompts.jsonl"), encoding: .utf8)
        try folder.write(
            cache.replacing("Mind it.", with: "Look."), to: "texts.jsonl.prompts.jsonl")
        let refused = try Program.run(arguments, in: folder.path)
        #expect(refused.exitCode == 1, "\(refused)")
        #expect(
            refused.errors.contains("texts.jsonl.prompts.jsonl: holds other prompts"), "\(refused)")
        try folder.write(cache, to: "texts.jsonl.prompts.jsonl")
        let last = try Program.run(arguments, in: folder.path)
        #expect(last.exitCode == 0, "\(last)")
    }

    /// The reference of many pairs takes long: a signal ends it, and what is computed is kept.
    @Test func aReferenceIsInterruptedAndGoesOn() throws {
        let folder = try TemporaryDirectory()
        let lines = (0..<4000).map {
            "{\"prompt\": \"Where is cat \($0)?\", \"chosen\": \"It sat on mat \($0).\", \"rejected\": \"No.\"}\n"
        }
        try folder.write(lines.joined(), to: "pairs.jsonl")
        let arguments =
            TextTraining.arguments("dpo", corpus: "pairs.jsonl").filter { $0 != "training.steps=6" }
            + ["training.steps=2000", "evaluate.documents=2"]
        let child = try Program.start(arguments, in: folder.path)
        try child.wait(timeout: 300) {
            $0.errors.contains("reference of dpo  pairs ")
        }
        let start = ContinuousClock.now
        child.send(signal: SIGINT)
        let outcome = try child.wait(timeout: 300)
        #expect(outcome.exitCode == 75, "\(outcome)")
        #expect(ContinuousClock.now - start < .seconds(10))
        let run = try TextTraining.run("runs/dpo", in: folder)
        #expect(FileManager.default.fileExists(atPath: "\(run.path)/analysis/reference.json"))
        #expect(try run.metadata()?.status == .interrupted)
        let pairs = try JSONDecoder().decode(
            [JSONValue].self, from: bytes("\(run.path)/analysis/reference.json"))
        let known = pairs.count { $0 != .null }
        #expect(known > 0 && known < pairs.count)
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
