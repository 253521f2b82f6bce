import Experiments
import Foundation
import TestSupport
import Testing

/// The claims at a scale at which some of them are certain: a real base, real fine-tuning, the real program.
///
/// d = 2 and seven points. What is asserted follows from the information in the prompts: no model can be better than the
/// Bayes error of its layout, and whoever beats the Bayes error without a prefix has read the prefix.
@Suite(.serialized) struct MiniatureClaimsTests {
    private static let text = MiniatureSweep.text
        .replacingOccurrences(of: "steps: 300", with: "steps: 700")
        .replacingOccurrences(
            of: "steps: 2500\n  batch_size: 32", with: "steps: 6000\n  batch_size: 64"
        )
        .replacingOccurrences(of: "learning_rate: 3.0e-3", with: "learning_rate: 2.0e-3")
        .replacingOccurrences(
            of: "[cpt, cft, neg-cft]", with: "[cpt, cft, neg-cft, cft-no-query]"
        )
        .replacingOccurrences(
            of: "evaluate: {examples: 1024}",
            with: "evaluate: {examples: 4096, dynamics: {examples: 128, alignment_examples: 32}, "
                + "probes: {examples: 256}}")

    @Test func whatIsCertainHolds() throws {
        let folder = try TemporaryDirectory()
        try folder.write(Self.text, to: "miniature.yaml")
        let sweep = try Program.run(["sweep", "-f", "miniature.yaml"], in: folder.path)
        #expect(sweep.exitCode == 0, "\(sweep.errors)")
        let outcome = try Program.run(
            ["claims", "miniature", "--json", "--along-steps"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome.errors)")
        let claims = try #require(try json(outcome.output).arrayValue)
        func claim(_ id: String, steps: Int = 700) throws -> JSONValue {
            let found = claims.first {
                $0["id"]?.stringValue == id
                    && (id == "base" || $0["steps"]?.integerValue == steps)
            }
            return try #require(found, "\(id)")
        }
        let ids = [
            "base", "loss", "curve", "gradient", "semantics", "information", "transfer", "leak",
        ]
        for id in ids {
            let found = try claim(id)
            #expect(found["class"]?.stringValue == "polynomial")
            #expect(found["verdict"]?.stringValue != nil, "\(id): \(found)")
            #expect(found["bases"]?.integerValue == 1)
            #expect(found["runs"]?.arrayValue?.isEmpty == false)
        }
        // The base follows least squares: its mean error keeps within the rule's bounds. (The verdict asks that of the whole
        // interval, which so small a number of prompts does not promise.)
        let base = try #require(try claim("base")["comparisons"]?.arrayValue)
        #expect(base.count == 3)
        for (comparison, bound) in zip(base, [0.1, 0.15, 0.02]) {
            let effect = try #require(comparison["effect"]?.doubleValue)
            #expect(effect < bound, "\(comparison)")
        }
        // With f of every point in the prompt the error falls far below that of a model without it.
        let curve = try #require(try claim("curve")["comparisons"]?.arrayValue)
        for comparison in curve {
            let effect = try #require(comparison["effect"]?.doubleValue)
            #expect(effect > 1, "\(comparison)")
        }
        let rows = try rows(folder)
        func error(_ layout: String, _ k: Int) throws -> Double {
            let means = rows.filter {
                $0["train_layout"] == layout && $0["eval_layout"] == layout && $0["k"] == "\(k)"
                    && $0["metric"] == "squared_error" && $0["prompt"] == "standard"
            }.compactMap { Double($0["mean"] ?? "") }
            #expect(means.count == 2)
            return means.reduce(0, +) / 2
        }
        // CFT's information advantage: at k = 0 it is better than anybody can be who does not read f(x_1).
        let informed = try error("cft", 0)
        let bayes = try bayesErrorAtZero(folder)
        #expect(informed < 0.6 * bayes, "\(informed), \(bayes)")
        // NEG-CFT's prefix carries none: next to nothing is left of the gap at k = 0.
        let blind = try error("cpt", 0)
        let left = try blind - error("neg-cft", 0)
        #expect(left < 0.25 * (blind - informed), "\(left) of \(blind - informed)")
        // Without the query's own label the leak is closed: at k = 1 one label of f is known and another is asked for, which
        // nobody predicts better than (d − k)(2d + 2k + 5) = 11. A model that finds f(x_2) in its prefix does.
        #expect(try error("cft", 1) < 0.6 * 11)
        #expect(try error("cft-no-query", 1) > 0.8 * 11)
        // Verdicts against steps are there for 1, 2, 5, …, 500 and the last.
        let steps = Set(claims.compactMap { $0["steps"]?.integerValue })
        #expect(steps.isSuperset(of: [1, 2, 5, 10, 20, 50, 100, 200, 500, 700]))
        try checkAgain(folder, outcome.output)
    }

    /// The error of the predictor that knows all but f(x_1), on the very prompts of the sweep.
    private func bayesErrorAtZero(_ folder: TemporaryDirectory) throws -> Double {
        let outcome = try Program.run(
            [
                "eval", "baselines", "--class", "polynomial", "--n-dims", "2", "--n-points", "7",
                "--examples", "4096", "--baselines", "bayes", "--json",
            ], in: folder.path)
        let means = try json(outcome.output)["baselines"]?["bayes"]?["mean"]?.arrayValue
        return try #require(means?.first?.doubleValue, "\(outcome)")
    }

    private func rows(_ folder: TemporaryDirectory) throws -> [[String: String]] {
        let table = try CSVTable.read(folder.file("runs/miniature/summary.csv"))
        return table.rows.map { Dictionary(uniqueKeysWithValues: zip(table.header, $0)) }
    }

    /// The committed file says what the runs say, and stands in for them.
    private func checkAgain(_ folder: TemporaryDirectory, _ recomputed: String) throws {
        let plot = try Program.run(["plot", "miniature", "--publish"], in: folder.path)
        #expect(plot.exitCode == 0, "\(plot.errors)")
        let committed = folder.file("plots/miniature/claims.json")
        #expect(FileManager.default.fileExists(atPath: committed))
        try FileManager.default.moveItem(
            atPath: folder.file("runs"), toPath: folder.file("elsewhere"))
        let outcome = try Program.run(["claims"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("committed in plots/miniature/claims.json, not recomputed"))
        let table = try Program.run(
            ["claims", "miniature", "--json", "--along-steps"], in: folder.path)
        func withoutSource(_ text: String) throws -> [JSONValue] {
            let list = try #require(try json(text).arrayValue)
            return list.map { value in
                guard case .object(var members) = value else { return value }
                members["source"] = nil
                members["absent_runs"] = nil
                return .object(members)
            }
        }
        #expect(try withoutSource(table.output) == withoutSource(recomputed))
    }
}
