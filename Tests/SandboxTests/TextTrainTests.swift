import Experiments
import Foundation
import TestSupport
import Testing

/// `sandbox text train` and text sweeps as a user meets them, on a small trained model.
@Suite struct TextTrainTests {
    @Test(arguments: [
        ("cpt", "texts.jsonl"), ("cft", "texts.jsonl"), ("neg-cft", "texts.jsonl"),
        ("text-adapt-cft", "texts.jsonl"), ("reading-comprehension", "texts.jsonl"),
        ("ift", "questions.jsonl"), ("dpo", "preferences.jsonl"),
    ])
    func everyRecipeTrainsAndLeavesAModel(objective: String, corpus: String) throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let outcome = try Program.run(
            TextTraining.arguments(objective, corpus: corpus), in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.output.contains("eval/loss"))
        let run = try TextTraining.run("runs/\(objective)", in: folder)
        #expect(try run.metadata()?.status == .finished)
        let records = try RecordReader.read(run.metricsPath, as: JSONValue.self)
        #expect(records.compactMap { $0["step"]?.integerValue } == [0, 2, 3, 4, 6])
        #expect(
            records.filter { $0["eval/loss"]?.doubleValue != nil }.compactMap {
                $0["step"]?.integerValue
            } == [0, 3, 6])
        for name in ["model", "best"] {
            let forward = try Program.run(
                [
                    "text", "generate", "--model", "\(run.path)/\(name)", "--greedy",
                    "--max-tokens", "3",
                ], in: folder.path)
            #expect(forward.exitCode == 0, "\(name): \(forward)")
        }
        // What is there is not trained again.
        let again = try Program.run(
            TextTraining.arguments(objective, corpus: corpus), in: folder.path)
        #expect(again.exitCode == 0 && !again.errors.contains("step 6/6"), "\(again)")
        #expect(again.output == outcome.output)
    }

    /// formats.md, section 8: killed and interrupted at any moment, the bits are those of an undisturbed run; other workers
    /// change none.
    @Test(arguments: [
        ("cft", "texts.jsonl", "full"), ("dpo", "preferences.jsonl", "full"),
        ("cft", "texts.jsonl", "lora"), ("ift", "questions.jsonl", "bf16"),
    ])
    func aKilledRunContinuesBitForBit(objective: String, corpus: String, method: String) throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        func arguments(_ runs: String, _ workers: Int) -> [String] {
            TextTraining.arguments(
                objective, corpus: corpus, "training.steps=40",
                method == "bf16" ? "training.precision=bf16" : "training.method=\(method)",
                "training.lora.dropout=0.1", "training.checkpoint_seconds=0.05",
                "evaluate.every=10", "--runs", runs, "--workers", "\(workers)")
        }
        let steady = try Program.run(arguments("steady", 1), in: folder.path)
        #expect(steady.exitCode == 0, "\(steady)")
        for signal in [SIGKILL, SIGINT] {
            let child = try Program.start(arguments("broken", 2), in: folder.path)
            let sweep = "broken/\(objective)"
            let before = try TextTraining.find(sweep, in: folder)?.latestCheckpointStep() ?? 0
            try child.wait(timeout: 300) { _ in
                let step = try? TextTraining.find(sweep, in: folder)?.latestCheckpointStep()
                return step ?? 0 > before + 3
            }
            child.send(signal: signal)
            let outcome = try child.wait(timeout: 300)
            #expect(
                signal == SIGKILL ? outcome.signal == SIGKILL : outcome.exitCode == 75,
                "\(outcome)")
        }
        let last = try Program.run(arguments("broken", 2), in: folder.path)
        #expect(last.exitCode == 0, "\(last)")
        let (one, other) = (
            try TextTraining.run("steady/\(objective)", in: folder),
            try TextTraining.run("broken/\(objective)", in: folder)
        )
        for file in ["checkpoints/latest/model.safetensors"]
            + (method != "lora"
                ? ["model/model.safetensors", "best/model.safetensors"]
                : ["adapter/adapter_model.safetensors", "best/adapter_model.safetensors"])
        {
            #expect(
                try bytes("\(one.path)/\(file)") == bytes("\(other.path)/\(file)"), "\(file)")
        }
        #expect(
            try recordsWithoutTimes(one.metricsPath) == recordsWithoutTimes(other.metricsPath))
    }

    /// Every chunk of a long document has BOS and the contextual prompt, and no loss on either.
    @Test func showsTokensWithTheirLossFlags() throws {
        let folder = try TemporaryDirectory()
        let text = (0..<80).map { "Line \($0) of a long text about a cat." }.joined(separator: " ")
        try folder.write("{\"text\": \"\(text)\"}\n{\"text\": \"Short.\"}\n", to: "texts.jsonl")
        let outcome = try Program.run(
            TextTraining.arguments("cft", "corpus.held_out=0", "--show-masks", "50"),
            in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        var examples: [[[Substring]]] = []
        for line in outcome.output.split(separator: "\n") {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
            if columns.count < 5 {
                examples.append([])
            } else if columns[0] != "position" {
                examples[examples.count - 1].append(columns)
            }
        }
        #expect(examples.count > 5)
        let pool = try String(
            contentsOfFile: "\(Program.package)/sweeps/text/prompts/contextual.yaml",
            encoding: .utf8)
        for rows in examples {
            #expect(rows.count { $0[3] == "<s>" } == 1 && rows[0][3] == "<s>")
            let masked = rows.prefix { $0[2] == "0" }
            #expect(rows.dropFirst(masked.count).allSatisfy { $0[2] == "1" })
            let prompt = masked.dropFirst().map { $0[4] }.joined()
                .replacing("\\n", with: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(prompt.count > 40 && pool.contains(prompt.prefix(30)), "\(prompt)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.file("runs")))
    }

    @Test func aSweepTrainsAllObjectivesAndSeeds() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        try folder.write(
            """
            inherit: [\(Program.package)/sweeps/text/base.yaml]
            name: mine
            seeds: [0, 1]
            parameters:
              objective:
                values: [{name: cpt}, {name: text-adapt-cft, field: contextual_prompt}]
            """, to: "mine.yaml")
        let values = TextTraining.arguments("cpt").dropFirst(3)
        let outcome = try Program.run(["sweep", "-f", "mine.yaml"] + values, in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let summary = try String(
            contentsOfFile: folder.file("runs/mine/summary.csv"), encoding: .utf8)
        for (objective, seed) in [
            ("cpt", 0), ("cpt", 1), ("text-adapt-cft", 0), ("text-adapt-cft", 1),
        ] {
            #expect(summary.contains(",\(objective),\(seed),6,eval/text_loss,"), "\(summary)")
        }
        for name in ["cpt-s0-", "cpt-s1-", "text-adapt-cft-s0-", "text-adapt-cft-s1-"] {
            #expect(summary.contains("\n\(name)"), "\(summary)")
        }
        let listed = try Program.run(["runs", "ls"], in: folder.path)
        #expect(listed.exitCode == 0 && listed.output.contains("text-adapt-cft"), "\(listed)")
    }

    /// Side by side in processes of their own: the same weights.
    @Test func runsSideBySideAreTheSame() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let arguments =
            ["sweep", "-f", TextTraining.recipe("cpt"), "--seeds", "2"]
            + TextTraining.arguments("cpt").dropFirst(3)
        for (runs, jobs) in [("one", "1"), ("two", "2")] {
            let outcome = try Program.run(
                arguments + ["--runs", runs, "--jobs", jobs], in: folder.path)
            #expect(outcome.exitCode == 0, "\(outcome)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.file("one/cpt"))
            .filter { $0.hasPrefix("cpt-s") }
        #expect(names.count == 2)
        for name in names {
            let file = "cpt/\(name)/model/model.safetensors"
            #expect(try bytes(folder.file("one/\(file)")) == bytes(folder.file("two/\(file)")))
        }
    }

    /// A run's own config.yaml finds it done, and does not narrow what its sweep asks for.
    @Test func aRunsOwnConfigurationLeavesItsSweepAlone() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let sweep = try Program.run(
            ["sweep", "-f", TextTraining.recipe("cpt"), "--seeds", "2"]
                + TextTraining.arguments("cpt").dropFirst(3), in: folder.path)
        #expect(sweep.exitCode == 0, "\(sweep)")
        let before = try bytes(folder.file("runs/cpt/manifest.json"))
        let table = try bytes(folder.file("runs/cpt/summary.csv"))
        let run = try TextTraining.run("runs/cpt", in: folder)
        let again = try Program.run(["text", "train", run.configurationPath], in: folder.path)
        #expect(again.exitCode == 0 && !again.errors.contains("step"), "\(again)")
        #expect(try bytes(folder.file("runs/cpt/manifest.json")) == before)
        #expect(try bytes(folder.file("runs/cpt/summary.csv")) == table)
    }

    /// One request for each document, whatever asks again: the same command, the run's own file, another seed.
    @Test func aGeneratorIsAskedOnce() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let server = try TestServer { index, _ in .content("Mind text number \(index).") }
        let own = [
            "objective.field=null", "corpus.limit=5",
            "objective.generator={url: '\(server.url)', model: m, key_variable: TEST_KEY}",
        ]
        func train(_ arguments: [String], key: String? = "sk-secret-of-the-test") throws {
            let outcome = try Program.run(
                arguments + ["--quiet"], in: folder.path, environment: ["TEST_KEY": key])
            #expect(outcome.exitCode == 0, "\(outcome)")
        }
        let arguments = TextTraining.arguments("text-adapt-cft", "training.steps=2") + own
        try train(arguments)
        #expect(server.requests.count == 5)
        #expect(
            server.requests.allSatisfy {
                $0.headers["authorization"] == "Bearer sk-secret-of-the-test"
            })
        let run = try TextTraining.run("runs/text-adapt-cft", in: folder)
        // With all answers kept, neither key nor server is needed.
        try train(arguments + ["seeds=[1]"], key: nil)
        try train(["text", "train", run.configurationPath, "--runs", "elsewhere"], key: nil)
        #expect(server.requests.count == 5)
        // Another model is another question.
        try train(
            arguments.map { $0.replacing("model: m,", with: "model: n,") })
        #expect(server.requests.count == 10)
        let files =
            FileManager.default.enumerator(atPath: folder.path)?.allObjects
            .compactMap { $0 as? String } ?? []
        for file in files {
            guard let data = FileManager.default.contents(atPath: folder.file(file)) else {
                continue
            }
            #expect(data.range(of: Data("sk-secret".utf8)) == nil, "\(file) has the key")
        }
    }

    @Test func anUpdateThatMemoryCannotHoldIsRefused() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let outcome = try Program.run(
            TextTraining.arguments(
                "cpt", "training.sequence_length=512", "training.batch_size=4096",
                "training.micro_batch_size=4096"), in: folder.path, limits: "ulimit -v 4000000")
        #expect(outcome.exitCode == 1, "\(outcome)")
        #expect(
            outcome.errors.contains("free; lower training.micro_batch_size"), "\(outcome)")
        let bench = try Program.run(
            [
                "bench", "tune", "--model", TextTraining.stories, "--batch", "1048576",
                "--micro-batch", "1048576", "--lora", "65536",
            ], in: folder.path)
        #expect(bench.exitCode == 1, "\(bench)")
        #expect(bench.errors.contains("free; lower --micro-batch"), "\(bench)")
    }

    @Test func otherVerbsKnowRunsOnText() throws {
        let folder = try TemporaryDirectory()
        try TextTraining.write(folder)
        let trained = try Program.run(TextTraining.arguments("cpt"), in: folder.path)
        #expect(trained.exitCode == 0, "\(trained)")
        let run = try TextTraining.run("runs/cpt", in: folder)
        for arguments in [
            ["runs", "show", run.path], ["validate", run.path],
            ["validate", "\(run.path)/checkpoints/latest"], ["validate", "runs/cpt"],
            ["validate", "\(run.path)/config.yaml"],
            ["export", "csv", "cpt"], ["runs", "diff", run.path, run.path],
        ] {
            let outcome = try Program.run(arguments, in: folder.path)
            #expect(outcome.exitCode == 0 && outcome.errors == "", "\(arguments): \(outcome)")
        }
        let pool = "\(Program.package)/sweeps/text/prompts/contextual.yaml"
        let prompts = try Program.run(["validate", pool], in: folder.path)
        #expect(prompts.output == "\(pool): ok, 10 contextual prompts\n", "\(prompts)")
        try folder.write("version: 1\nprompts:\n  - {name: a, txt: b}\n", to: "pool.yaml")
        let misspelt = try Program.run(["validate", "pool.yaml"], in: folder.path)
        #expect(misspelt.exitCode == 64, "\(misspelt)")
        #expect(
            misspelt.errors.contains("pool.yaml:3") && misspelt.errors.contains("txt"),
            "\(misspelt)")
        for name in ["objectives", "paper"] {
            let recipe = "\(Program.package)/sweeps/text/\(name).yaml"
            let sound = try Program.run(["validate", recipe], in: Program.package)
            #expect(sound.exitCode == 0 && sound.errors == "", "\(name): \(sound)")
            let lost = try Program.run(["validate", recipe], in: folder.path)
            #expect(lost.exitCode == 64, "\(name): \(lost)")
            #expect(
                lost.errors.contains("\(name).yaml: objective.prompts: "), "\(name): \(lost)")
            #expect(lost.errors.contains("this pool of objective.prompts is neither"), "\(lost)")
        }
        for arguments in [
            ["plot", "cpt"], ["report", "cpt"], ["claims", "cpt"], ["eval", run.path],
        ] {
            let outcome = try Program.run(arguments, in: folder.path)
            #expect(outcome.exitCode == 1, "\(arguments): \(outcome)")
            #expect(outcome.errors.contains("summary.csv"), "\(arguments): \(outcome)")
        }
        // A sweep of language models is no reason for the claims to fail.
        let claims = try Program.run(
            ["claims", "--plots", "\(Program.package)/plots"], in: folder.path)
        #expect(claims.exitCode == 0, "\(claims)")
        // Damage is found in what a run on text leaves and keeps, too.
        let model = "\(run.path)/model/model.safetensors"
        let whole = try bytes(model)
        for (damage, words) in [
            (whole.prefix(5000), "model.safetensors: is damaged; remove the folder"),
            (nil, "model: is missing"),
        ] {
            if let damage {
                try damage.write(to: URL(fileURLWithPath: model))
            } else {
                try FileManager.default.removeItem(atPath: "\(run.path)/model")
            }
            let outcome = try Program.run(["validate", run.path], in: folder.path)
            #expect(outcome.exitCode == 1, "\(outcome)")
            #expect(outcome.errors.contains(words), "\(outcome)")
        }
        let mended = try Program.run(TextTraining.arguments("cpt"), in: folder.path)
        #expect(mended.exitCode == 0, "\(mended)")
        #expect(try bytes(model) == whole)
        let path = "\(run.path)/checkpoints/latest/model.safetensors"
        var data = try bytes(path)
        data[data.count - 1] ^= 1
        try data.write(to: URL(fileURLWithPath: path))
        let damaged = try Program.run(["validate", run.path], in: folder.path)
        #expect(damaged.exitCode == 1 && damaged.errors.contains("SHA-256"), "\(damaged)")
        let removed = try Program.run(["runs", "rm", run.path, "--yes"], in: folder.path)
        #expect(removed.exitCode == 0, "\(removed)")
    }
}
