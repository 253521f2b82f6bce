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
        .replacingOccurrences(of: "steps: 300", with: "steps: 800")
        .replacingOccurrences(
            of: "[cpt, cft, neg-cft]", with: "[cpt, cft, neg-cft, cft-no-query]"
        )
        .replacingOccurrences(
            of: "evaluate: {examples: 1024}",
            with: "evaluate: {examples: 4096, dynamics: {examples: 256, alignment_examples: 64}, "
                + "probes: {examples: 512}}")

    /// d + 2d(d + 2): the Bayes error of f + f² at k = 0, d = 2, without knowledge of f.
    private static let bayesAtZero = 18.0

    @Test func whatIsCertainHolds() throws {
        let folder = try TemporaryDirectory()
        try folder.write(Self.text, to: "miniature.yaml")
        let sweep = try Program.run(["sweep", "-f", "miniature.yaml"], in: folder.path)
        #expect(sweep.exitCode == 0, "\(sweep.errors)")
        let outcome = try Program.run(
            ["claims", "miniature", "--json", "--along-steps"], in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome.errors)")
        let claims = try #require(try json(outcome.output).arrayValue)
        func claim(_ id: String, steps: Int = 800) throws -> JSONValue {
            try #require(
                claims.first {
                    $0["id"]?.stringValue == id
                        && (id == "base" || $0["steps"]?.integerValue == steps)
                }, "\(id)")
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
        // The base follows least squares.
        #expect(try claim("base")["verdict"]?.stringValue == "supported")
        // With f of every point in the prompt the error falls far below that of a model without it.
        let curve = try #require(try claim("curve")["comparisons"]?.arrayValue)
        for comparison in curve {
            #expect(try #require(comparison["effect"]?.doubleValue) > 1, "\(comparison)")
        }
        let rows = try rows(folder)
        func error(_ layout: String, k: Int) throws -> (mean: Double, standardError: Double) {
            let means = try rows.filter {
                $0["train_layout"] == layout && $0["eval_layout"] == layout && $0["k"] == "\(k)"
                    && $0["metric"] == "squared_error" && $0["prompt"] == "standard"
            }.map {
                (
                    try #require(Double($0["mean"] ?? "")),
                    try #require(Double($0["standard_error"] ?? ""))
                )
            }
            #expect(means.count == 2)
            return (
                means.reduce(0) { $0 + $1.0 } / 2, means.map(\.1).max() ?? .infinity
            )
        }
        // CFT's information advantage: at k = 0 it is better than anybody can be who does not read f(x_1).
        let informed = try error("cft", k: 0)
        #expect(informed.mean + 4 * informed.standardError < Self.bayesAtZero, "\(informed)")
        // NEG-CFT's prefix carries none, and without the query's own label the leak is closed.
        for layout in ["cpt", "neg-cft", "cft-no-query"] {
            let blind = try error(layout, k: 0)
            #expect(blind.mean + 4 * blind.standardError > Self.bayesAtZero, "\(layout): \(blind)")
        }
        // Of the gap under cft at k = 0 nothing is left.
        let gap = try error("cpt", k: 0).mean - informed.mean
        let left = try error("cpt", k: 0).mean - error("cft-no-query", k: 0).mean
        #expect(left < 0.5 * gap, "\(left) of \(gap)")
        // Verdicts against steps are there for 1, 2, 5, …, 500.
        let steps = Set(claims.compactMap { $0["steps"]?.integerValue })
        #expect(steps.isSuperset(of: [1, 2, 5, 10, 20, 50, 100, 200, 500, 800]))
        try checkAgain(folder, outcome.output)
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
            try #require(try json(text).arrayValue).map { value in
                guard case .object(var members) = value else { return value }
                members["source"] = nil
                return .object(members)
            }
        }
        #expect(try withoutSource(table.output) == withoutSource(recomputed))
    }
}
