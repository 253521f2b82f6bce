import Experiments
import Foundation
import TestSupport
import Testing

/// `sandbox claims` and `sandbox eval baselines` as a user meets them.
@Suite struct ClaimsTests {
    /// A sweep without the runs that some claims need: what is missing is said, with the command that makes it.
    @Test func missingDataAreSaidWithTheCommand() throws {
        let folder = try tinyFolder()
        #expect(try Program.run(["sweep", "-f", "tiny.yaml"], in: folder.path).exitCode == 0)
        let outcome = try Program.run(["claims", "tiny"], in: folder.path)
        #expect(outcome.exitCode == 1)
        #expect(outcome.output.contains("polynomial, loss: no run was trained under neg-cft"))
        #expect(
            outcome.output.contains(
                "make it with: sandbox sweep -f tiny.yaml 'layout=[cpt,cft,neg-cft,cft-no-query]'"
            ))
        #expect(outcome.output.contains("conditional on one base model"))
        let printed = try Program.run(["claims", "tiny", "--json"], in: folder.path).output
        let list = try #require(try json(printed).arrayValue)
        #expect(list.count == 8)
        let loss = try #require(list.first { $0["id"]?.stringValue == "loss" })
        #expect(loss["verdict"] == .null && loss["effect"] == .null)
        #expect(loss["command"]?.stringValue != nil && loss["reason"]?.stringValue != nil)
    }

    /// A run that failed for good: the committed verdicts are shown, with its name and the command that retries it.
    @Test func aFailedRunIsNamedWhereTheCommittedFileStandsIn() throws {
        let folder = try tinyFolder()
        let sweep = try Program.run(
            ["sweep", "-f", "tiny.yaml", "--publish", "--quiet"], in: folder.path)
        #expect(sweep.exitCode == 0, "\(sweep)")
        let trials = try #require(
            try SweepDirectory(path: folder.file("runs/tiny")).manifest()?.trials)
        func become(_ status: RunStatus, _ path: String) throws {
            let run = RunDirectory(path: folder.file("runs/\(path)"))
            var metadata = try #require(try run.metadata())
            metadata.become(status, at: Date(), error: status == .failed ? "diverged" : nil)
            try run.write(metadata)
        }
        let failed = trials[1].run
        try become(.failed, "tiny/\(failed)")
        let absence =
            "1 of 2 runs in runs/tiny unfinished, as \(failed) failed; try again with: "
            + "sandbox sweep -f tiny.yaml --retry-failed"
        let shown = try Program.run(["claims", "tiny"], in: folder.path)
        #expect(
            shown.output.contains(
                "committed in plots/tiny/claims.json, not recomputed: \(absence)\n"),
            "\(shown)")
        let list = try json(Program.run(["claims", "tiny", "--json"], in: folder.path).output)
        let first = try #require(list.arrayValue?.first)
        #expect(first["source"]?.stringValue == "plots/tiny/claims.json")
        #expect(first["absent_runs"]?.stringValue == absence)
        // The sweep's folder is as good as its name, from inside it too.
        let inside = try Program.run(
            ["claims", ".", "--plots", "../../plots"], in: folder.file("runs/tiny"))
        #expect(inside.output.contains("committed in ../../plots/tiny/claims.json"), "\(inside)")
        // Without a committed file the finished runs speak, and it is said that they are not all.
        try FileManager.default.removeItem(atPath: folder.file("plots"))
        let part = try Program.run(["claims", "tiny"], in: folder.path)
        #expect(
            part.output.contains("recomputed from runs/tiny in part: \(absence)\n"), "\(part)")
        // A base that failed keeps its runs from being begun; none of them failed.
        try become(.interrupted, "tiny/\(failed)")
        try become(.interrupted, "tiny/\(trials[0].run)")
        let base = "bases/\(try #require(trials[0].base))"
        try become(.failed, base)
        let none = try Program.run(["claims", "tiny"], in: folder.path)
        #expect(none.exitCode == 1 && none.output == "")
        #expect(
            none.errors
                == "error: there is neither a finished run in 'runs/tiny' nor 'plots/tiny/claims.json': "
                + "2 of 2 runs in runs/tiny unfinished, as \(base) failed; try again with: "
                + "sandbox sweep -f tiny.yaml --retry-failed\n")
        try become(.finished, base)
        let unfinished = try Program.run(["claims", "tiny"], in: folder.path)
        #expect(unfinished.errors.contains("; finish them with: sandbox sweep -f tiny.yaml\n"))
    }

    /// What has to be known about a verdict stands under the table too, once for all classes that share it.
    @Test func theTableSaysThatLeakComparesUnequalLabels() throws {
        let outcome = try Program.run(
            ["claims", "polynomial", "tanh", "--runs", "nowhere"], in: Program.package)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let lines = outcome.output.split(separator: "\n")
        #expect(
            lines.filter { $0.contains("cft-no-query has one label of each prompt") } == [
                "polynomial, tanh, leak: at equal steps cft-no-query has one label of each prompt to learn from, cft 16"
            ], "\(outcome.output)")
    }

    /// One layout alone decides nothing: there are no steps and seeds to tell of.
    @Test func aSweepThatDecidesNothingSaysSo() throws {
        let folder = try tinyFolder("cpt, cft]", "cpt]")
        #expect(try Program.run(["sweep", "-f", "tiny.yaml"], in: folder.path).exitCode == 0)
        let outcome = try Program.run(["claims", "tiny"], in: folder.path)
        #expect(
            outcome.output.contains("polynomial: no claim about fine-tuning is decided; "),
            "\(outcome.output)")
        #expect(!outcome.output.contains("0 seeds"))
    }

    @Test func sweepsThatAreNowhereAreNamed() throws {
        let folder = try TemporaryDirectory()
        let none = try Program.run(["claims"], in: folder.path)
        #expect(none.exitCode == 1)
        #expect(
            none.errors
                == "error: there is no finished sweep in 'runs' and no claims.json in 'plots'; "
                + "make one with `sandbox sweep --class polynomial`\n")
        let named = try Program.run(["claims", "polynomial"], in: folder.path)
        #expect(named.exitCode == 1)
        #expect(
            named.errors.hasPrefix(
                "error: there is neither a finished run in 'runs/polynomial' nor "
                    + "'plots/polynomial/claims.json'; make the runs with `sandbox sweep --class polynomial`\n"
            ))
        try folder.write("{", to: "plots/broken/claims.json")
        let broken = try Program.run(["claims", "broken"], in: folder.path)
        #expect(broken.exitCode == 1 && broken.errors.contains("plots/broken/claims.json"))
    }

    /// Zero, least squares and the Bayes predictor on linear functions: d, (d − k)₊ and the same.
    @Test func baselinesAsJSON() throws {
        let folder = try TemporaryDirectory()
        let outcome = try Program.run(
            [
                "eval", "baselines", "--class", "linear", "--n-dims", "3", "--n-points", "6",
                "--examples", "4000", "--baselines", "zero,least_squares,bayes", "--json",
            ], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome.errors)")
        let report = try json(outcome.output)
        #expect(report["class"]?.stringValue == "linear")
        #expect(report["prompts"]?.stringValue == "standard")
        #expect(report["n_dims"]?.integerValue == 3 && report["examples"]?.integerValue == 4000)
        for (name, expected) in [
            ("zero", [3.0, 3, 3, 3, 3, 3]), ("least_squares", [3, 2, 1, 0, 0, 0]),
            ("bayes", [3, 2, 1, 0, 0, 0]),
        ] {
            let baseline = try #require(report["baselines"]?[name])
            let means = numbers(baseline["mean"])
            let lows = numbers(baseline["bootstrap_low"])
            #expect(means.count == 6 && lows.count == 6)
            for (k, (mean, value)) in zip(means, expected).enumerated() {
                #expect(abs(mean - value) < 0.35, "\(name), k = \(k): \(mean)")
                #expect(lows[k] <= mean)
            }
        }
    }

    @Test func baselinesOutOfDistributionAndKept() throws {
        let folder = try TemporaryDirectory()
        let arguments = [
            "eval", "baselines", "--class", "linear", "--prompts", "orthogonal_train_test",
            "--n-dims", "3", "--n-points", "6", "--examples", "64", "--baselines",
            "least_squares,two_layer_network", "--json",
        ]
        let first = try Program.run(arguments, in: folder.path)
        #expect(first.exitCode == 0, "\(first.errors)")
        let report = try json(first.output)
        // Defined for k < d; the examples say nothing about an orthogonal query.
        let means = numbers(report["baselines"]?["least_squares"]?["mean"])
        #expect(means.count == 3 && means.allSatisfy { $0 > 1 })
        let kept = try FileManager.default.contentsOfDirectory(
            atPath: folder.file("runs/references"))
        #expect(kept.count == 1 && kept[0].hasPrefix("baseline-linear-two_layer_network."))
        let again = try Program.run(arguments, in: folder.path)
        #expect(again.output == first.output)
    }

    @Test(arguments: [
        (["--class", "linaer"], "unknown function class 'linaer': the nearest is 'linear'"),
        (
            ["--prompts", "skewd"],
            "unknown distribution of prompts 'skewd': the nearest is 'skewed'"
        ),
        (["--baselines", "ridgee"], "unknown baseline 'ridgee': the nearest is 'ridge'"),
        (
            ["--class", "relu", "--baselines", "lasso"],
            "the baseline 'lasso' does not apply to the function class 'relu'"
        ),
    ])
    func wrongNamesAreRefused(arguments: [String], message: String) throws {
        let folder = try TemporaryDirectory()
        let outcome = try Program.run(["eval", "baselines"] + arguments, in: folder.path)
        #expect(outcome.exitCode == 64)
        #expect(outcome.errors.hasPrefix("error: command line: \(arguments[arguments.count - 2])"))
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    private func numbers(_ list: JSONValue?) -> [Double] {
        (list?.arrayValue ?? []).compactMap(\.doubleValue)
    }
}
