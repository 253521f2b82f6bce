import Experiments
import Foundation
import TestSupport
import Testing

/// A tiny sweep of one test's own, and the verbs that look at it.
private struct TrainedSweep {
    let folder: TemporaryDirectory
    let cpt: String
    let cft: String
    let base: String

    init() throws {
        folder = try finishedTinyFolder()
        let manifest = try #require(try SweepDirectory(path: folder.file("runs/tiny")).manifest())
        cpt = manifest.trials[0].run
        cft = manifest.trials[1].run
        base = try #require(manifest.trials[0].base)
    }

    func run(_ arguments: String...) throws -> ChildProcess.Outcome {
        try Program.run(arguments, in: folder.path)
    }

    func output(_ arguments: String...) throws -> String {
        let outcome = try Program.run(arguments, in: folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        return outcome.output
    }

    /// Puts `new` for `old` in one of the sweep's files.
    func change(_ path: String, _ old: String, _ new: String) throws {
        let text = try String(contentsOfFile: folder.file(path), encoding: .utf8)
        #expect(text.contains(old))
        try folder.write(text.replacingOccurrences(of: old, with: new), to: path)
    }
}

@Suite(.finishedSweep) struct RunsTests {
    @Test func listShowsEveryRun() throws {
        let sweep = try TrainedSweep()
        let lines = try sweep.output("runs", "ls").split(separator: "\n")
        #expect(lines.count == 4 && lines[0].hasPrefix("run "))
        #expect(lines[1].hasPrefix("bases/\(sweep.base)  finished  40    linear_regression"))
        #expect(lines[2].hasPrefix("tiny/\(sweep.cft)"))
        #expect(lines[3].hasPrefix("tiny/\(sweep.cpt)") && lines[3].contains(" UTC "))
        let listed = try json(sweep.output("runs", "ls", "tiny", "--json")).arrayValue ?? []
        #expect(listed.map { $0["name"]?.stringValue } == [sweep.cft, sweep.cpt])
        for row in listed {
            #expect(row["status"] == "finished" && row["step"] == 30 && row["problem"] == .null)
            #expect((row["train_loss"]?.doubleValue ?? -1) > 0)
            #expect((row["squared_error"]?.doubleValue ?? -1) > 0)
        }

        // A process that died, and a folder that nobody can read.
        try sweep.change("runs/tiny/\(sweep.cpt)/metadata.json", "\"finished\",", "\"running\",")
        try sweep.folder.write("{", to: "runs/tiny/\(sweep.cft)/metadata.json")
        let interrupted = try sweep.output("runs", "ls", "--status", "interrupted")
        #expect(interrupted.split(separator: "\n").count == 2)
        #expect(interrupted.contains("tiny/\(sweep.cpt)"))
        let damaged = try sweep.output("runs", "ls", "--status", "damaged")
        #expect(
            damaged.contains(
                "\ntiny/\(sweep.cft): cannot read 'runs/tiny/\(sweep.cft)/metadata.json'"))
        #expect(try sweep.output("runs", "ls", "--status", "queued") == "no runs\n")
    }

    @Test func listRefusesWhatItDoesNotKnow() throws {
        let folder = try TemporaryDirectory()
        for (arguments, message) in [
            (
                ["ls"],
                "error: command line: --runs runs: there is no folder 'runs'; give the folder"
            ),
            (
                ["ls", "x"],
                "error: command line: x: 'x' cannot be found: there is no folder 'runs'"
            ),
            (
                ["ls", "--status", "finishd"],
                "Error: unknown status 'finishd'; did you mean 'finished'?"
            ),
            (["ls", "--runs", ""], "Error: --runs is empty; name a folder, such as runs"),
            (["show", "x"], "error: command line: x: 'x' cannot be found"),
            (["rm", "x", "--yes"], "error: command line: x: 'x' cannot be found"),
        ] {
            let outcome = try Program.run(["runs"] + arguments, in: folder.path)
            #expect(outcome.exitCode == 64 && outcome.output == "", "\(outcome)")
            #expect(outcome.errors.hasPrefix(message), "\(outcome)")
        }
    }

    @Test func showTellsEverything() throws {
        let sweep = try TrainedSweep()
        let hash = String(sweep.cft.suffix(8))
        let text = try sweep.output("runs", "show", hash)
        for part in [
            "tiny/\(sweep.cft)\n", "status       finished", "base         bases/\(sweep.base)",
            "checkpoints  30 (latest)", "  layout: cft", "32 prompts after step 30",
            "metrics.jsonl",
        ] { #expect(text.contains(part), "\(part) in \(text)") }
        let shown = try json(sweep.output("runs", "show", "tiny/\(sweep.cft)", "--json"))
        #expect(shown["configuration"]?["layout"] == "cft")
        #expect(shown["metadata"]?["status"] == "finished" && shown["checkpoints"] == [30])
        let evaluations = try #require(shown["evaluations"]?.arrayValue)
        #expect(evaluations.map { $0["layout"]?.stringValue } == ["cpt", "cft", "neg-cft"])
        #expect(evaluations.allSatisfy { $0["means"]?.arrayValue?.count == 5 })
        let files = try #require(shown["files"]?.arrayValue)
        let sizes = files.compactMap { $0["bytes"]?.integerValue }
        #expect(sizes.count == files.count && shown["bytes"]?.integerValue == sizes.reduce(0, +))
        #expect(try json(sweep.output("runs", "show", sweep.base, "--json"))["base"] == .null)
    }

    @Test func diffFindsWhatDiffers() throws {
        let sweep = try TrainedSweep()
        let same = try sweep.output("runs", "diff", sweep.cpt, "tiny/\(sweep.cpt)")
        #expect(same.hasSuffix("\n\nno difference, weights bit-identical\n"))
        let text = try sweep.output("runs", "diff", sweep.cpt, sweep.cft)
        #expect(text.contains("  layout       cpt  cft\n") && text.contains("(paired, 32 prompts)"))
        #expect(
            text.contains("\nprovenance: no difference\n") && text.contains("weights: different"))

        let found = try json(sweep.output("runs", "diff", sweep.cpt, sweep.cft, "--json"))
        #expect(found["equal"] == false && found["weights"]?["bit_identical"] == false)
        #expect(found["configuration"] == ["layout": ["a": "cpt", "b": "cft"]])
        let result = try #require(found["results"]?["eval/cft/squared_error"])
        let difference = try #require(result["difference"]?.doubleValue)
        let paired = try #require(result["paired"]?["mean"]?.doubleValue)
        #expect(abs(difference - paired) < 1e-4 * max(1, abs(difference)))
        #expect((result["paired"]?["standard_error"]?.doubleValue ?? 0) > 0)
        // A base is measured on another class: the errors stand side by side and are not paired.
        let base = try json(sweep.output("runs", "diff", sweep.base, sweep.cpt, "--json"))
        #expect(base["results"]?["eval/cpt/squared_error"]?["paired"] == .null)
        #expect(base["results"]?["eval/cft/squared_error"]?["a"] == .null)

        try sweep.folder.write("x", to: "runs/tiny/\(sweep.cft)/config.yaml")
        let damaged = try sweep.run("runs", "diff", sweep.cpt, sweep.cft)
        #expect(damaged.exitCode == 1 && damaged.errors.contains("\(sweep.cft)/config.yaml:1:1: "))
    }

    @Test func removedRunsAreMadeAgain() throws {
        let sweep = try TrainedSweep()
        let model = "runs/tiny/\(sweep.cft)/checkpoints/latest/model.safetensors"
        let before = try bytes(sweep.folder.file(model))
        let dry = try sweep.output("runs", "rm", sweep.cft, "--dry-run")
        #expect(dry == "would remove runs/tiny/\(sweep.cft)\n")
        let unasked = try sweep.run("runs", "rm", sweep.cft)
        #expect(unasked.exitCode == 64 && unasked.output == "")
        #expect(unasked.errors.contains("nobody can be asked here: give --yes to remove 1 run, "))
        let needed = try sweep.run("runs", "rm", "bases", "--yes")
        #expect(
            needed.exitCode == 1 && needed.errors.contains("were trained from it; remove those"))
        #expect(FileManager.default.fileExists(atPath: sweep.folder.file(model)))

        let removed = try json(sweep.output("runs", "rm", sweep.cft, "--yes", "--json"))
        #expect(removed["removed"] == [.string("runs/tiny/\(sweep.cft)")])
        #expect(removed["dry_run"] == false && (removed["bytes"]?.integerValue ?? 0) > before.count)
        #expect(
            !FileManager.default.fileExists(atPath: sweep.folder.file("runs/tiny/\(sweep.cft)")))
        let manifest = try SweepDirectory(path: sweep.folder.file("runs/tiny")).manifest()
        #expect(manifest?.trials.map(\.status) == [.finished, .queued])
        #expect(try sweep.run("sweep", "-f", "tiny.yaml", "--quiet").exitCode == 0)
        #expect(try bytes(sweep.folder.file(model)) == before)
        _ = try sweep.output("runs", "rm", "tiny", "bases", "--yes")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: sweep.folder.file("runs"))
                == ["references"])
    }

    @Test func onATerminalItAsks() throws {
        let sweep = try TrainedSweep()
        let declined = try Program.onATerminal(
            ["runs", "rm", sweep.cft], in: sweep.folder.path)
        #expect(declined.exitCode == 0, "\(declined)")
        #expect(declined.output.contains("Remove 1 run, ") && declined.output.contains("[y/N]"))
        #expect(declined.output.contains("nothing was removed"))
        #expect(try sweep.output("runs", "ls", "tiny").contains(sweep.cft))
    }
}

@Suite struct ExportTests {
    /// The rows of one run are those of its sweep's table, to the last digit.
    @Test func theTableOfARunIsThatOfTheSweep() throws {
        let sweep = try TrainedSweep()
        let all = try sweep.output("export", "csv", "tiny")
        #expect(
            try all
                == String(
                    contentsOfFile: sweep.folder.file("runs/tiny/summary.csv"), encoding: .utf8))
        let lines = all.split(separator: "\n")
        // A run's own table has its errors and losses; what a sweep computes beside them stays there.
        let own = lines.filter {
            $0.hasPrefix("tiny,\(sweep.cft),")
                && ($0.contains(",squared_error,") || $0.contains(",train_loss,"))
        }
        #expect(own.count == 3 * 5 + 3)
        let of = try sweep.output("export", "csv", sweep.cft).split(separator: "\n")
        // The last column, which the sweep's table does not have, tells prompts apart.
        #expect(of.map { $0[..<($0.lastIndex(of: ",") ?? $0.endIndex)] } == [lines[0]] + own)
        let base = try sweep.output("export", "csv", sweep.base).split(separator: "\n")
        #expect(
            base.contains {
                $0.hasPrefix("bases,\(sweep.base),\(sweep.base),0,40,linear,base,cpt,")
            })

        #expect(try sweep.output("export", "csv", "tiny", "--output", "t.csv") == "wrote t.csv\n")
        #expect(try bytes(sweep.folder.file("t.csv")) == Data(all.utf8))
        try FileManager.default.removeItem(atPath: sweep.folder.file("runs/tiny/summary.csv"))
        let missing = try sweep.run("export", "csv", "tiny")
        #expect(missing.exitCode == 1)
        #expect(
            missing.errors
                == "error: 'runs/tiny/summary.csv' is missing; 'sandbox sweep -f tiny.yaml' writes it when the sweep "
                + "is finished\n")
    }

    @Test func metricsHaveThePublicForm() throws {
        let sweep = try TrainedSweep()
        let metrics = try json(sweep.output("export", "metrics-json", sweep.cft))
        let model = "gpt2_embd=16_layer=1_head=2"
        for evaluation in ["standard", "standard-cpt", "standard-neg-cft"] {
            for name in [model, "OLS_driver=None", "zero"] {
                let values = try #require(metrics[evaluation]?[name], "\(evaluation) \(name)")
                for key in ["mean", "std", "bootstrap_low", "bootstrap_high"] {
                    #expect(values[key]?.arrayValue?.compactMap(\.doubleValue).count == 5)
                }
            }
        }
        let shown = try json(sweep.output("runs", "show", sweep.cft, "--json"))
        let own = shown["evaluations"]?.arrayValue?.first { $0["layout"] == "cft" }
        let means = try #require(own?["means"]?.arrayValue).compactMap(\.doubleValue)
        let exported = try #require(metrics["standard"]?[model]?["mean"]?.arrayValue)
            .compactMap(\.doubleValue)
        #expect(zip(means, exported).allSatisfy { abs($0 - $1) < 1e-9 * max(1, abs($0)) })

        let both = try json(
            sweep.output("export", "metrics-json", sweep.cft, sweep.cpt, "--output", "m.json")
                == "wrote m.json\n"
                ? String(contentsOfFile: sweep.folder.file("m.json"), encoding: .utf8) : "null")
        #expect(both["standard"]?["\(model)_\(sweep.cft)"] == metrics["standard"]?[model])
        #expect(both["standard"]?["\(model)_\(sweep.cpt)"] != nil)
        #expect(both["standard"]?["zero"] != nil && both["standard"]?["zero_\(sweep.cpt)"] == nil)
    }

    @Test func pathsAreJSONWhenAskedFor() throws {
        let sweep = try TrainedSweep()
        let run = "runs/tiny/\(sweep.cft)"
        #expect(
            try sweep.output("export", "garg", run, "--output", "out", "--json")
                == "{\"path\":\"out\"}\n")
        // By name below --runs too.
        _ = try sweep.output("export", "garg", sweep.cft.suffix(8).uppercased(), "--output", "two")
        _ = try sweep.output(
            "export", "garg", "tiny/\(sweep.cft)", "--output", "three", "--runs",
            sweep.folder.file("runs"))
        for other in ["two", "three"] {
            #expect(
                try bytes(sweep.folder.file("\(other)/model.safetensors"))
                    == bytes(sweep.folder.file("out/model.safetensors")))
        }
        let unknown = try sweep.run("export", "garg", "cft-s9", "--output", "four")
        #expect(
            unknown.exitCode == 64 && unknown.errors.contains("'cft-s9' is no run under 'runs'"))
        let imported = try json(sweep.output("import", "garg", "out", "--json"))
        #expect(imported["path"]?.stringValue?.hasPrefix("runs/bases/imported-") == true)
    }
}

@Suite(.finishedSweep) struct ValidateTests {
    @Test func soundFilesAreOk() throws {
        let sweep = try TrainedSweep()
        let run = "runs/tiny/\(sweep.cft)"
        let latest = "\(run)/checkpoints/latest"
        let output = try sweep.output(
            "validate", "tiny.yaml", run, "runs/tiny", "runs/bases/\(sweep.base)",
            "\(run)/config.yaml", latest, "\(latest)/model.safetensors", "\(latest)/state.json",
            "\(run)/metrics.jsonl")
        #expect(
            output == """
                tiny.yaml: ok, 2 runs on 1 base
                \(run): ok, run, finished at step 30
                runs/tiny: ok, 2 runs
                runs/bases/\(sweep.base): ok, run, finished at step 40
                \(run)/config.yaml: ok, configuration of a run, polynomial under cft, 1 layers, 2 heads, width 16, d = 2
                \(latest): ok, checkpoint at step 30, 1 layers, 2 heads, width 16, d = 2
                \(latest)/model.safetensors: ok, 19 tensors, 14788 bytes
                \(latest)/state.json: ok, checkpoint state, step 30
                \(run)/metrics.jsonl: ok, 3 records

                """)
        let found = try json(sweep.output("validate", "--json", run)).arrayValue ?? []
        #expect(found.count == 1 && found[0]["ok"] == true && found[0]["problems"] == [])
    }

    /// A file of the run, what is put in place of what, and the sentence.
    @Test(arguments: [
        ("metadata.json", "\"finished\",", "\"done\",", "metadata.json'"),
        (
            "metadata.json", "\"format_version\" : ", "\"format_version\" : 9",
            "has format version 9"
        ),
        ("config.yaml", "layout: cft", "layout: ctf", "did you mean 'cft'?"),
        ("config.yaml", "layout: cft", "layout: cpt", "describes a run whose name ends in"),
        ("config.yaml", "n_embd: 16", "n_embd: 32", "has the shape"),
        (
            "metrics.jsonl", "\"step\":20", "\"step\":5",
            "metrics.jsonl:2: step 5 comes after step 10"
        ),
        ("metrics.jsonl", "{", "[", "metrics.jsonl:1: not a JSON object; restore"),
        ("metrics.jsonl", "\n", "", "metrics.jsonl"),
        (
            "evaluations.jsonl", "\"hash\"", "\"hush\"",
            "evaluations.jsonl:1: hash is missing or no text"
        ),
        ("checkpoints/latest/state.json", "}", "", "state.json is not JSON"),
        ("checkpoints/latest/state.json", "\"step\"", "\"stop\"", "state.json lacks a value"),
    ])
    func damageIsNamed(_ file: String, _ old: String, _ new: String, message: String) throws {
        let sweep = try TrainedSweep()
        let run = "runs/tiny/\(sweep.cft)"
        try sweep.change("\(run)/\(file)", old, new)
        let outcome = try sweep.run("validate", run)
        #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
        #expect(outcome.errors.contains(message), "\(outcome)")
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.allSatisfy { $0.contains(run) }, "\(outcome)")
        let found = try json(try sweep.run("validate", run, "--json").output).arrayValue?[0]
        #expect(found?["ok"] == false && found?["problems"]?.arrayValue?[0]["kind"] == "damage")
    }

    @Test(arguments: [
        "checkpoints/latest/model.safetensors", "checkpoints/latest/optimizer.safetensors",
        "evaluations/step_30/cft.standard.safetensors",
    ])
    func cutTensorsAreNamed(_ file: String) throws {
        let sweep = try TrainedSweep()
        let run = "runs/tiny/\(sweep.cft)"
        let whole = try bytes(sweep.folder.file("\(run)/\(file)"))
        try sweep.folder.write(whole.dropLast(3), to: "\(run)/\(file)")
        for path in [run, "\(run)/\(file)"] {
            let outcome = try sweep.run("validate", path)
            #expect(outcome.exitCode == 1 && outcome.errors.contains(".safetensors"), "\(outcome)")
            #expect(outcome.errors.contains(";"), "\(outcome)")
        }
    }

    @Test func badConfigurationsExitWith64() throws {
        let folder = try tinyFolder("steps: 30", "stpes: 30")
        let outcome = try Program.run(["validate", "tiny.yaml", "nope"], in: folder.path)
        #expect(outcome.exitCode == 64 && outcome.output == "", "\(outcome)")
        #expect(
            outcome.errors == """
                tiny.yaml:10:3: training.steps is missing; expected an integer, 0 to 1000000000 (is 'stpes' at \
                tiny.yaml:11:3 meant?)
                'nope' is missing; name a file or folder that is there

                """)
        try folder.write("x", to: "x.safetensors")
        let mixed = try Program.run(["validate", "tiny.yaml", "x.safetensors"], in: folder.path)
        #expect(mixed.exitCode == 1, "\(mixed)")
        let none = try Program.run(["validate", "."], in: folder.path)
        #expect(none.exitCode == 64 && none.errors.hasPrefix("'.' holds neither a run"), "\(none)")
    }
}
