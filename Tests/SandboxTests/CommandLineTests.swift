import Experiments
import Foundation
import TestSupport
import Testing

/// What the command line accepts and refuses, and with which exit status.
@Suite struct CommandLineTests {
    /// Runs a refused command in a fresh folder with `tiny.yaml`; nothing may be written.
    private func refusal(
        _ arguments: [String], old: String = "", new: String = "", status: Int32 = 64
    ) throws -> String {
        let folder = try tinyFolder(old, new)
        let outcome = try Program.run(arguments, in: folder.path)
        #expect(outcome.exitCode == status && outcome.output == "", "\(outcome)")
        #expect(try folder.names() == ["tiny.yaml"])
        return outcome.errors
    }

    @Test(arguments: [
        (
            ["sweep", "-f", "tiny.yaml", "training.stps=3"],
            "command line: training.stps=3: unknown key 'stps' in training; did you mean 'steps'? (accepted: n_points, steps, batch_size, optimizer, schedule, precision, log_every, checkpoint_seconds, snapshots)"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "trainig.steps=3"],
            "command line: trainig.steps=3: unknown key 'trainig' at the top level; did you mean 'training'? (accepted: version, name, method, count, sweep_seed, seeds, parameters, exclude, evaluate, model, pretraining, training, task, layout)"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "training.steps=x"],
            "command line: training.steps=x: training.steps is 'x'; expected an integer, 0 to 1000000000"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "training.steps"],
            "command line: training.steps: expected key=value, such as training.steps=100"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "--layouts", "cpt,ctf"],
            "command line: layout=[cpt,ctf]: layout is 'ctf'; did you mean 'cft'? (accepted: cpt, uft, cft, neg-cft, cft-shuffled, cft-disjoint, cpt-shifted, cft-no-query, cft-prefix-M)"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "--seeds", "0"],
            "command line: seeds=0: seeds is 0; expected an integer, 1 to 10000"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "task.function_class=polynomal"],
            "command line: task.function_class=polynomal: task.function_class is 'polynomal'; did you mean 'polynomial'? (accepted: linear, linear_regression, polynomial, multilinear, sumdot, relu, relu_2nn_regression, sigmoid, tanh, proddot, sparse_linear, sparse_linear_regression, noisy_linear, noisy_linear_regression, quadratic, quadratic_regression, two_layer_relu, decision_tree)"
        ),
        (
            ["sweep", "--class", "polynomal"],
            "command line: --class polynomal: unknown function class 'polynomal': the nearest is 'polynomial' (accepted: linear, linear_regression, polynomial, multilinear, sumdot, relu, relu_2nn_regression, sigmoid, tanh, proddot, sparse_linear, sparse_linear_regression, noisy_linear, noisy_linear_regression, quadratic, quadratic_regression, two_layer_relu, decision_tree)"
        ),
        (
            ["sweep", "--class", "foo"],
            "command line: --class foo: unknown function class 'foo' (accepted: linear, linear_regression, polynomial, multilinear, sumdot, relu, relu_2nn_regression, sigmoid, tanh, proddot, sparse_linear, sparse_linear_regression, noisy_linear, noisy_linear_regression, quadratic, quadratic_regression, two_layer_relu, decision_tree)"
        ),
        (
            ["sweep", "-f", "tiy.yaml"],
            "tiy.yaml: there is no such file; did you mean 'tiny.yaml'? (sweep files: tiny.yaml)"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "model.n_head=5"],
            "command line: model.n_head=5: model.n_embd is 16, not a multiple of n_head = 5; choose n_embd = n_head × head size"
        ),
        (
            ["sweep", "-f", "nowhere.yaml"],
            "nowhere.yaml: there is no such file (sweep files: tiny.yaml)"
        ),
    ])
    func refusesWithOneSentence(arguments: [String], message: String) throws {
        let errors = try refusal(arguments)
        #expect(errors == "error: \(message)\n")
    }

    @Test(arguments: [
        (
            "n_head: 2", "n_heads: 2",
            "3:8: model.n_head is missing; expected an integer, 1 to 65536 (is 'n_heads' at tiny.yaml:3:61 meant?)"
        ),
        (
            "steps: 30", "stpes: 30",
            "10:3: training.steps is missing; expected an integer, 0 to 1000000000 (is 'stpes' at tiny.yaml:11:3 meant?)"
        ),
        (
            "value: polynomial", "value: polynomal",
            "15:47: task.function_class is 'polynomal'; did you mean 'polynomial'? (accepted: linear, linear_regression, polynomial, multilinear, sumdot, relu, relu_2nn_regression, sigmoid, tanh, proddot, sparse_linear, sparse_linear_regression, noisy_linear, noisy_linear_regression, quadratic, quadratic_regression, two_layer_relu, decision_tree)"
        ),
        (
            "values: [cpt, cft]", "values: [cpt, ctf]",
            "16:26: layout is 'ctf'; did you mean 'cft'? (accepted: cpt, uft, cft, neg-cft, cft-shuffled, cft-disjoint, cpt-shifted, cft-no-query, cft-prefix-M)"
        ),
        (
            "evaluate:", "evaluation:",
            "17:1: unknown key 'evaluation' at the top level; did you mean 'evaluate'? (accepted: version, name, method, count, sweep_seed, seeds, parameters, exclude, evaluate, model, pretraining, training, task, layout)"
        ),
        (
            "steps: 30", "steps: 30\n  steps: 40",
            "11:3: the same mapping has the key 'steps' more than once; keep one"
        ),
        (
            "name: tiny", "name: [tiny",
            "3:6: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence that begins at line 2)"
        ),
    ])
    func pointsAtLineAndColumn(old: String, new: String, message: String) throws {
        let errors = try refusal(["sweep", "-f", "tiny.yaml"], old: old, new: new)
        #expect(errors == "error: tiny.yaml:\(message)\n")
    }

    @Test func unknownPresetsNameTheNearest() throws {
        let outcome = try Program.run(
            ["sweep", "--class", "linear", "--preset", "quik", "--dry-run"], in: Program.package)
        #expect(outcome.exitCode == 64)
        #expect(
            outcome.errors
                == "error: command line: --preset quik: unknown preset 'quik'; did you mean 'quick'? "
                + "(accepted: paper, quick, small)\n")
    }

    @Test(arguments: [
        (
            ["swep"],
            "unknown verb 'swep'; did you mean 'sweep'? (accepted: sweep, train, eval, plot, claims, report, runs, validate, forward, import, export, "
                + "text, bench)"
        ),
        (
            ["tiny.yaml"],
            "unknown verb 'tiny.yaml' (accepted: sweep, train, eval, plot, claims, report, runs, validate, forward, import, export, "
                + "text, bench)"
        ),
        (["sweep", "--clas", "x"], "Unknown option '--clas'. Did you mean '--class'?"),
        (["sweep"], "give either --class NAME or --file PATH"),
        (
            ["sweep", "--class", "linear", "-f", "tiny.yaml"],
            "give either --class NAME or --file PATH"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "--format", "jpg"],
            "unknown format 'jpg'; did you mean 'png'? (accepted: png, svg, pdf)"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "--format", ""],
            "--format names at least one of png, svg, pdf"
        ),
        (
            ["sweep", "-f", "tiny.yaml", "--workers", "0"],
            "--workers is from 1 to 64; more than the cores do not help"
        ),
        (["forward", "--input", "x"], "Missing expected argument '--checkpoint <checkpoint>'"),
    ])
    func wrongUsageExitsWith64(arguments: [String], message: String) throws {
        let errors = try refusal(arguments)
        #expect(errors.hasPrefix("Error: \(message)\n"), "\(errors)")
    }

    @Test func failedRunsExitWith1() throws {
        let folder = try tinyFolder()
        let outcome = try Program.run(
            ["sweep", "-f", "tiny.yaml", "--quiet", "training.optimizer.learning_rate=1.0e30"],
            in: folder.path)
        #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
        #expect(outcome.errors.hasPrefix("error: 2 runs failed, the first: runs/tiny/cpt-s0-"))
        #expect(outcome.errors.contains("at step ") && outcome.errors.hasSuffix("is kept)\n"))
    }

    // MARK: Looking without running

    @Test func dryRunListsAndWritesNothing() throws {
        let folder = try tinyFolder()
        let arguments = ["sweep", "-f", "tiny.yaml", "--seeds", "2", "--dry-run"]
        let outcome = try Program.run(arguments, in: folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        #expect(try folder.names() == ["tiny.yaml"])
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 8, "\(outcome)")
        #expect(lines[1].hasPrefix("bases/linear-s0-"))
        let labels = ["cpt-s0", "cpt-s1", "cft-s0", "cft-s1"]
        for (line, label) in zip(lines[2...], labels) {
            #expect(line.hasPrefix("tiny/\(label)-") && line.contains("queued"), "\(line)")
            #expect(line.contains("MiB"))
        }
        #expect(lines[6].hasPrefix("total, 5 runs"))
        let listed = try json(try Program.run(arguments + ["--json"], in: folder.path).output)
        let rows = try #require(listed.arrayValue)
        #expect(rows.count == 5)
        for row in rows {
            #expect((row["seconds"]?.doubleValue ?? -1) >= 0)
            #expect((row["memory_bytes"]?.doubleValue ?? 0) > 10_000)
            #expect((row["disk_bytes"]?.doubleValue ?? 0) > 10_000)
        }

        #expect(
            try Program.run(["sweep", "-f", "tiny.yaml", "--quiet"], in: folder.path).exitCode == 0)
        let after = try Program.run(arguments, in: folder.path).output.split(separator: "\n")
        #expect(after.filter { $0.contains("  finished  ") }.count == 3, "\(after)")
        #expect(after.filter { $0.contains("  queued  ") }.count == 2, "\(after)")
    }

    @Test func printedConfigurationIsTheWholeSweep() throws {
        let folder = try tinyFolder()
        let outcome = try Program.run(
            [
                "sweep", "-f", "tiny.yaml", "--print-config", "--seeds", "3", "--layouts", "cft",
                "training.steps=77",
            ], in: folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        #expect(try folder.names() == ["tiny.yaml"])
        #expect(outcome.output.contains("steps: 77") && outcome.output.contains("seeds: 3"))
        // What is printed is a sweep file again, the very same one.
        try folder.write(outcome.output, to: "again.yaml")
        let again = try Program.run(
            ["sweep", "-f", "again.yaml", "--print-config"], in: folder.path)
        #expect(again.output == outcome.output)
        let inherited = try Program.run(
            ["sweep", "--class", "polynomial", "--preset", "paper", "--print-config"],
            in: Program.package)
        #expect(inherited.output.contains("n_dims: 20") && inherited.output.contains("n_embd: 256"))
        #expect(!inherited.output.contains("inherit"))
    }

    @Test(
        arguments: [("linear", 12), ("polynomial", 12), ("multilinear", 12), ("decision_tree", 6)],
        ["quick", "small", "paper"])
    func everyClassGoesWithEveryPreset(_ named: (name: String, runs: Int), _ preset: String) throws
    {
        let name = named.name
        let folder = try TemporaryDirectory()
        let outcome = try Program.run(
            [
                "sweep", "--class", name, "--preset", preset, "--dry-run", "--json", "--runs",
                folder.path,
            ], in: Program.package)
        #expect(outcome.exitCode == 0, "\(outcome)")
        // The base beside the runs.
        #expect(try json(outcome.output).arrayValue?.count == named.runs + 1)
    }

    // MARK: Progress

    @Test func withoutATerminalProgressIsLines() throws {
        let folder = try tinyFolder()
        let outcome = try Program.run(["sweep", "-f", "tiny.yaml"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(!outcome.errors.contains("\u{1B}") && !outcome.errors.contains("\r"))
        let lines = outcome.errors.split(separator: "\n")
        // The second step and each tenth of all, for the base and two runs.
        let pattern =
            /^(pretraining linear|polynomial cpt|polynomial cft)-s0-[0-9a-f]{8}  step \d+\/(40|30)  loss .*/
        #expect(lines.count == 33, "\(outcome)")
        #expect(lines.allSatisfy { $0.wholeMatch(of: pattern) != nil }, "\(outcome)")
        #expect(lines[10].contains("step 40/40") && lines[32].contains("step 30/30"))
        #expect(lines[4].contains("steps/s") && lines[4].contains("ETA"))
    }

    @Test func quietSaysNothing() throws {
        let folder = try tinyFolder()
        let outcome = try Program.run(
            ["sweep", "-f", "tiny.yaml", "--quiet"], in: folder.path,
            environment: ["OPENBLAS_L2_SIZE": "512"])
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        #expect(outcome.output.contains("wrote runs/tiny/summary.csv"))
    }

    @Test(arguments: [nil, "", "1"]) func colorIsForTerminalsThatWantIt(_ noColor: String?) throws {
        let folder = try tinyFolder()
        let outcome = try Program.onATerminal(
            ["sweep", "-f", "tiny.yaml"], in: folder.path, environment: ["NO_COLOR": noColor])
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.output.contains("\r") && outcome.output.contains("\u{1B}[K"))
        #expect(outcome.output.contains("\u{1B}[1mpretraining") == (noColor != "1"), "\(outcome)")
    }
}
