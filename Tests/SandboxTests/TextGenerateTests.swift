import Experiments
import Foundation
import TensorStorage
import TestSupport
import Testing

/// `sandbox text forward` and `sandbox text generate` as a user meets them.
@Suite struct TextGenerateTests {
    private static let stories = Fixture.path("stories260K")

    private struct Reference: Decodable {
        let greedy_ids_from_bos: [Int]
    }

    private func generate(_ arguments: [String], in folder: TemporaryDirectory) throws
        -> ChildProcess.Outcome
    {
        try Program.run(["text", "generate", "--model", Self.stories] + arguments, in: folder.path)
    }

    @Test func greedyIdsFromTheFirstTokenAreTheReference() throws {
        let folder = try TemporaryDirectory()
        let expected = try Fixture.json("stories260K/greedy_reference.json", as: Reference.self)
            .greedy_ids_from_bos
        let count = String(expected.count - 1)
        let outcome = try generate(
            ["--greedy", "--ids", "--json", "--max-tokens", count], in: folder)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        let report = try JSONDecoder().decode(
            [String: Mixed].self, from: Data(outcome.output.utf8))
        #expect(report["ids"]?.ids == expected)
        #expect(report["text"]?.text?.hasPrefix("Once upon a time, there was a") == true)
        #expect(report.count == 2)
        let plain = try generate(["--greedy", "--ids", "--max-tokens", count], in: folder)
        #expect(plain.output == expected.map(String.init).joined(separator: " ") + "\n")
    }

    /// A list of ids or a text.
    private enum Mixed: Decodable {
        case ids([Int])
        case text(String)

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let ids = try? value.decode([Int].self) {
                self = .ids(ids)
            } else {
                self = .text(try value.decode(String.self))
            }
        }

        var ids: [Int]? { if case .ids(let ids) = self { ids } else { nil } }
        var text: String? { if case .text(let text) = self { text } else { nil } }
    }

    @Test func aPromptIsContinuedAndTheSeedDecides() throws {
        let folder = try TemporaryDirectory()
        func text(_ flags: String...) throws -> String {
            let outcome = try generate(
                ["--prompt", "Lily went to the park", "--max-tokens", "20"] + flags, in: folder)
            #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
            return outcome.output
        }
        let drawn = try text("--temperature", "0.8", "--top-p", "0.9", "--seed", "3")
        #expect(drawn.hasPrefix("Lily went to the park"))
        #expect(try text("--temperature", "0.8", "--top-p", "0.9", "--seed", "3") == drawn)
        #expect(try text("--temperature", "0.8", "--top-p", "0.9", "--seed", "4") != drawn)
        #expect(try text("--greedy") == text("--temperature", "0"))
        #expect(try text("--greedy") == text("--top-k", "1"))
        #expect(try text("--greedy", "--workers", "2") == text("--greedy", "--workers", "1"))
    }

    @Test func whatCannotBeContinuedIsSaid() throws {
        let folder = try TemporaryDirectory()
        func error(_ arguments: [String], status: Int32) throws -> String {
            let outcome = try Program.run(["text", "generate"] + arguments, in: folder.path)
            #expect(outcome.exitCode == status && outcome.output == "", "\(outcome)")
            return outcome.errors
        }
        #expect(try error(["--model", "nowhere"], status: 1).contains("nowhere"))
        let long = try error(
            ["--model", Self.stories, "--prompt", String(repeating: "dog ", count: 600)], status: 1)
        #expect(long.contains("512 positions (max_position_embeddings); shorten it"), "\(long)")
        let other = try error(
            ["--model", Self.stories, "--tokenizer", Fixture.path("tokenizers/llama2.json")],
            status: 1)
        #expect(other.contains("vocab_size"), "\(other)")
        for wrong in [
            ["--greedy", "--temperature", "1"], ["--greedy", "--top-k", "3"], ["--top-p", "0"],
            ["--top-p", "nan"], ["--temperature", "-1"], ["--top-k", "0"], ["--max-tokens", "0"],
        ] {
            let said = try error(["--model", Self.stories] + wrong, status: 64)
            #expect(said.contains(wrong[wrong.count - 2]), "\(wrong): \(said)")
        }
    }

    /// The text comes in pieces on a terminal, and at once elsewhere.
    @Test func aTerminalSeesTheSameTextAsAFile() throws {
        let folder = try TemporaryDirectory()
        let arguments = [
            "text", "generate", "--model", Self.stories, "--prompt", "Once", "--greedy",
            "--max-tokens", "30",
        ]
        let plain = try Program.run(arguments, in: folder.path)
        let seen = try Program.onATerminal(arguments, in: folder.path)
        #expect(seen.exitCode == 0, "\(seen)")
        #expect(seen.output.replacingOccurrences(of: "\r\n", with: "\n") == plain.output)
        #expect(plain.output.hasPrefix("Once upon a time") && plain.output.hasSuffix("\n"))
    }

    // MARK: Timing

    @Test func readingAndWritingAreTimed() throws {
        let folder = try TemporaryDirectory()
        let base = [
            "bench", "text", "--model", Self.stories, "--prompt-tokens", "8", "--tokens", "4",
        ]
        let outcome = try Program.run(base + ["--rounds", "3", "--json"], in: folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        let report = try json(outcome.output)
        #expect(report["parameters"]?.integerValue == 260_032)
        #expect(report["prompt_tokens"]?.integerValue == 8 && report["tokens"]?.integerValue == 4)
        for rate in ["prefill_tokens_per_second", "decode_tokens_per_second"] {
            let spread = try ["p10", "median", "p90"].map {
                try #require(report[rate]?[$0]?.doubleValue)
            }
            #expect(spread[0] > 0 && spread == spread.sorted(), "\(report)")
        }
        let opened = try #require(report["opened_rss_bytes"]?.integerValue)
        #expect(opened > 0 && (report["peak_rss_bytes"]?.integerValue ?? 0) >= opened)
        // A round for each line.
        let turns = try TestSupport.run(
            try builtProgram(), base + ["--turns"], workingDirectory: folder.path, input: "\n\n")
        let lines = turns.output.split(separator: "\n")
        #expect(turns.exitCode == 0 && lines.count == 3 && lines.first == "ready", "\(turns)")
        let long = try Program.run(base + ["--tokens", "600"], in: folder.path)
        #expect(long.exitCode != 0 && long.errors != "")
    }

    // MARK: Forward

    /// More rows than are in memory at a time: each sequence as if it were alone, and the mean of their losses.
    @Test func manySequencesAreReadAFewAtATime() throws {
        let folder = try TemporaryDirectory()
        let sequences = (0..<5).map { first in (0..<300).map { ($0 * 7 + first * 31) % 512 } }
        func forward(_ lists: [[Int]]) throws -> (logits: [Float], loss: Float) {
            try folder.write("\(lists)", to: "ids.json")
            let outcome = try Program.run(
                [
                    "text", "forward", "--model", Self.stories, "--ids", "ids.json", "--output",
                    "out.safetensors",
                ], in: folder.path)
            #expect(outcome.exitCode == 0, "\(outcome)")
            let file = try SafetensorsFile(path: folder.path + "/out.safetensors")
            return (
                try file.floats("logits", shape: [lists.count, 300, 512]),
                try file.floats("loss", shape: [1])[0]
            )
        }
        let all = try forward(sequences)
        var losses = 0.0
        for (index, list) in sequences.enumerated() {
            let alone = try forward([list])
            losses += Double(alone.loss) / 5
            let part = Array(all.logits[index * 300 * 512..<(index + 1) * 300 * 512])
            #expect(firstDifference(part, alone.logits) == nil, "sequence \(index)")
        }
        #expect(closeness([Double(all.loss)], [losses], relative: 1e-6).isWithin)
    }

    @Test func forwardWritesWhatTransformersComputes() throws {
        let folder = try TemporaryDirectory()
        let model = Fixture.path("llama/tied-grouped")
        let outcome = try Program.run(
            [
                "text", "forward", "--model", model, "--ids", "\(model)/ids.json", "--output",
                "out.safetensors", "--gradients",
            ], in: folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "" && outcome.output == "", "\(outcome)")
        let found = try SafetensorsFile(path: folder.path + "/out.safetensors")
        let expected = try SafetensorsFile(path: "\(model)/expected.safetensors")
        #expect(Set(found.tensors.map(\.name)) == Set(expected.tensors.map(\.name)))
        for tensor in expected.tensors {
            let close = closeness(
                try found.floats(tensor.name, shape: tensor.shape).map(Double.init),
                try expected.floats(tensor.name).map(Double.init), relative: 2e-4,
                scale: .largest)
            #expect(close.isWithin, "\(tensor.name): \(close)")
        }
    }

    @Test func idsThatTheModelCannotReadAreSaid() throws {
        let folder = try TemporaryDirectory()
        func error(_ ids: String, _ flags: [String] = [], output: String = "out.safetensors") throws
            -> String
        {
            try folder.write(ids, to: "ids.json")
            let outcome = try Program.run(
                [
                    "text", "forward", "--model", Self.stories, "--ids", "ids.json", "--output",
                    output,
                ] + flags, in: folder.path)
            #expect(outcome.exitCode != 0 && outcome.output == "", "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/out.safetensors"))
            return outcome.errors
        }
        #expect(
            try error("[[1, 2], [3, 512]]")
                == "error: ids.json: sequence 1 has the id 512 at position 1; the model knows the ids 0 to 511.\n"
        )
        #expect(try error("[[1, -1]]").contains("the id -1 at position 1"))
        #expect(try error("[[1, 1.5]]").contains("the id 1.5"))
        #expect(try error("[[1, 2], [3]]").contains("sequence 1 has 1 ids and the first one 2"))
        #expect(try error("[]").contains("there are no ids"))
        #expect(try error("{}").contains("ids.json"))
        #expect(try error("[[1").contains("ids.json"))
        #expect(try error("[[1]]", ["--gradients"]).contains("no next token"))
        let long = "[[" + Array(repeating: "1", count: 513).joined(separator: ",") + "]]"
        #expect(try error(long).contains("513 ids and the model 512 positions"))
        #expect(try error("[[1, 2]]", output: "ids.json").contains("name another file"))
        #expect(try error("[[1, 2]]", output: Self.stories + "/x").contains("name another file"))
    }
}
