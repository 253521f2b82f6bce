import Experiments
import Foundation
import Kernels
import TestSupport
import Testing

/// `bench step`, `bench kernels`, `bench eval` and `bench tokenize`: every field is there and the figures agree with each other.
@Suite struct BenchTests {
    private func report(_ arguments: [String]) throws -> JSONValue {
        let outcome = try Program.run(
            ["bench"] + arguments + ["--json"], in: NSTemporaryDirectory())
        let notice = arguments.contains("bf16") ? ProductPrecision.missingBF16Notice : nil
        let errors = notice.map { $0 + "\n" } ?? ""
        #expect(outcome.exitCode == 0 && outcome.errors == errors, "\(outcome)")
        return try JSONDecoder().decode(JSONValue.self, from: Data(outcome.output.utf8))
    }

    /// 72 · L · C² · B · T + 12 · L · C · T² · B operations, for L = 3 and C = 64.
    @Test(arguments: [("linear", 10), ("cpt", 10), ("cft", 20)])
    func stepCountsByTheConvention(layout: String, tokens: Int) throws {
        let report = try report([
            "step", "--model", "tiny", "--layout", layout, "--batch", "4", "--dims", "3",
            "--points", "5", "--workers", "1", "--steps", "4", "--warmup", "1",
        ])
        for (key, value) in [
            ("batch", 4), ("n_dims", 3), ("points", 5), ("tokens", tokens), ("workers", 1),
            ("steps", 4),
        ] {
            #expect(report[key]?.integerValue == value, "\(key): \(report)")
        }
        #expect(report["model"] == "tiny" && report["precision"] == "fp32")
        #expect(report["layout"] == .string(layout))
        let times = try ["p10_ms", "median_ms", "p90_ms"].map {
            try #require(report[$0]?.doubleValue)
        }
        #expect(times[0] > 0 && times == times.sorted())
        let (C, T) = (64, tokens)
        let operations = Double(72 * 3 * C * C * 4 * T + 12 * 3 * C * T * T * 4)
        let rate = try #require(report["gflops"]?.doubleValue)
        #expect(closeness([rate * times[1] * 1e6], [operations], relative: 0.05).isWithin)
        let tokenRate = try #require(report["tokens_per_second"]?.doubleValue)
        #expect(
            closeness([tokenRate * times[1]], [Double(4 * T) * 1e3], relative: 1e-2).isWithin)
        #expect((report["peak_gflops"]?.doubleValue ?? 0) > 1)
        #expect((report["peak_rss_bytes"]?.integerValue ?? 0) > 1 << 20)
        let phases = try #require(report["phases"])
        let sum = try [
            "sampling", "forward", "backward", "packing", "reduction", "update", "waiting",
        ]
        .reduce(0.0) { try $0 + #require(phases[$1]?.doubleValue) }
        // Medians of parts do not add up to the median of the whole, but nearly.
        #expect(sum > 0.5 * times[1] && sum < 2 * times[1], "\(report)")
    }

    @Test func bf16IsTimedAndSaysWhatThisCPULacks() throws {
        let outcome = try Program.run(
            [
                "bench", "step", "--model", "tiny", "--precision", "bf16", "--batch", "4", "--dims",
                "3",
                "--points", "5", "--steps", "2", "--json",
            ], in: NSTemporaryDirectory())
        #expect(outcome.exitCode == 0)
        #expect(try json(outcome.output)["precision"] == "bf16")
        let notice = ProductPrecision.missingBF16Notice.map { $0 + "\n" } ?? ""
        #expect(outcome.errors == notice)
    }

    @Test func kernelsAreThoseOfAStep() throws {
        let report = try report(["kernels", "--model", "tiny"])
        let kernels = try #require(report["kernels"]?.arrayValue)
        let names = Set(kernels.compactMap { $0["name"]?.stringValue })
        #expect(
            names == [
                "linear", "linear + residual", "linear + GELU, linear", "attention", "layer norm",
                "row selection", "projection", "Adam",
            ])
        for kernel in kernels {
            #expect((kernel["forward_us"]?.doubleValue ?? 0) > 0, "\(kernel)")
            #expect((kernel["backward_us"]?.doubleValue ?? 0) > 0 || kernel["name"] == "Adam")
        }
        let text = try Program.run(
            ["bench", "kernels", "--model", "tiny", "--layout", "cft"], in: NSTemporaryDirectory())
        #expect(text.exitCode == 0 && text.output.contains("2 × 164 (41 asked for)"), "\(text)")
    }

    @Test func evaluationIsTimed() throws {
        let report = try report([
            "eval", "--examples", "64", "--dims", "3", "--points", "5", "--rounds", "3",
        ])
        let forward = try #require(report["evaluation_ms"]?.doubleValue)
        let alignment = try #require(report["alignment_ms"]?.doubleValue)
        #expect(forward > 0 && alignment > forward)
        let refused = try Program.run(
            ["bench", "eval", "--examples", "0"], in: NSTemporaryDirectory())
        #expect(refused.exitCode == 64 && refused.errors.contains("--examples is 0"))
    }

    @Test func tokenizersAreTimed() throws {
        let (corpus, stories) = (
            Fixture.path("tokenizers/corpus.txt"), Fixture.path("tokenizers/stories260K.json")
        )
        let bytes = try Data(contentsOf: URL(fileURLWithPath: corpus)).count
        let used = try report(["tokenize", corpus, "--tokenizer", stories, "--rounds", "3"])
        #expect(used["bytes"]?.integerValue == bytes && used["rounds"]?.integerValue == 3)
        #expect((used["tokens"]?.integerValue ?? 0) > 100)
        for what in ["load", "encode", "decode"] {
            let times = try ["p10", "median", "p90"].map {
                try #require(used["\(what)_\($0)_ms"]?.doubleValue)
            }
            #expect(times[0] > 0 && times == times.sorted(), "\(what)")
        }
        #expect((used["encode_mb_per_second"]?.doubleValue ?? 0) > 0)
        let learned = try report(["tokenize", corpus, "--learn", "600", "--rounds", "1"])
        #expect(learned["tokens"]?.integerValue == 600)
        #expect((learned["learn_median_ms"]?.doubleValue ?? 0) > 0)
        for arguments in [[], ["--tokenizer", stories, "--learn", "600"]] {
            let refused = try Program.run(
                ["bench", "tokenize", corpus] + arguments, in: NSTemporaryDirectory())
            #expect(refused.exitCode == 64 && refused.errors.contains("--learn"))
        }
    }

    /// 6 · (L · maps + V · C) + 12 · L · T · H·K operations a token, 4 with frozen weights.
    @Test(arguments: [false, true])
    func updatesOfALanguageModelAreCountedByTheConvention(isFrozen: Bool) throws {
        let stories = Fixture.path("stories260K")
        let report = try report(
            [
                "tune", "--model", stories, "--batch", "2", "--micro-batch", "1", "--length", "24",
                "--masked", "8", "--steps", "3", "--workers", "1", "--precision", "bf16",
            ] + (isFrozen ? ["--lora", "2", "--activation-checkpointing"] : []))
        #expect(report["precision"] == "bf16")
        for (key, value) in [("tokens", 48), ("workers", 1), ("steps", 3)] {
            #expect(report[key]?.integerValue == value, "\(key): \(report)")
        }
        let times = try ["p10_ms", "median_ms", "p90_ms"].map {
            try #require(report[$0]?.doubleValue)
        }
        #expect(times[0] > 0 && times == times.sorted())
        // 64 wide, F = 172, L = 5, eight heads of 8, four of keys, V = 512.
        let maps = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 172
        let weights = 5 * maps + 512 * 64
        let operations = Double(48 * ((isFrozen ? 4 : 6) * weights + 12 * 5 * 24 * 64))
        let rate = try #require(report["gflops"]?.doubleValue)
        #expect(closeness([rate * times[1] * 1e6], [operations], relative: 0.05).isWithin)
        let tokenRate = try #require(report["tokens_per_second"]?.doubleValue)
        #expect(closeness([tokenRate * times[1]], [48e3], relative: 1e-2).isWithin)
        #expect((report["peak_gflops"]?.doubleValue ?? 0) > 1)
    }
}
