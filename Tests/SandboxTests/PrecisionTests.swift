import Experiments
import Foundation
import Kernels
import TestSupport
import Testing

/// `precision: bf16` in a phase reaches the training of that phase, and of no other.
@Suite struct PrecisionTests {
    /// The losses of every run of a tiny sweep by its folder's name without the hash, and what was said.
    private func losses(_ overrides: String...) throws -> (values: [String: [Double]], said: String)
    {
        let folder = try TemporaryDirectory()
        try Data(tinySweep.utf8).write(to: URL(fileURLWithPath: folder.path + "/tiny.yaml"))
        let outcome = try Program.run(
            ["sweep", "-f", "tiny.yaml"] + overrides, in: folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        var values: [String: [Double]] = [:]
        for kind in ["bases", "tiny"] {
            let path = folder.path + "/runs/" + kind
            for run in try FileManager.default.contentsOfDirectory(atPath: path) {
                let metrics = path + "/" + run + "/metrics.jsonl"
                guard let text = try? String(contentsOfFile: metrics, encoding: .utf8) else {
                    continue
                }
                let name = run.split(separator: "-").dropLast().joined(separator: "-")
                values[name] = try text.split(separator: "\n").compactMap {
                    try json(String($0))["train/loss"]?.doubleValue
                }
            }
        }
        return (values, outcome.output + outcome.errors)
    }

    @Test func roundsThePhaseThatAsksForIt() throws {
        let exact = try losses()
        let tuned = try losses("training.precision=bf16")
        let both = try losses("training.precision=bf16", "pretraining.precision=bf16")
        #expect(exact.values.count == 3 && exact.values.values.allSatisfy { !$0.isEmpty })
        #expect(tuned.values["linear-s0"] == exact.values["linear-s0"])
        #expect(both.values["linear-s0"] != exact.values["linear-s0"])
        for run in ["cpt-s0", "cft-s0"] {
            #expect(tuned.values[run] != exact.values[run], "\(run)")
            #expect(both.values[run] != tuned.values[run], "\(run)")
            let (a, b) = (try #require(exact.values[run]), try #require(tuned.values[run]))
            #expect(closeness(b, a, relative: 0.05).isWithin, "\(run)")
        }
        if let notice = ProductPrecision.missingBF16Notice {
            #expect(tuned.said.contains(notice) && !exact.said.contains(notice))
        }
    }
}
