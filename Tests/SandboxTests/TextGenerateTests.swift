import Experiments
import Foundation
import TestSupport
import Testing

/// `sandbox text generate` as a user meets it.
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

    @Test func aModelWhoseLogitsAreNoNumbersIsSaid() throws {
        let folder = try TemporaryDirectory()
        try StoriesModel.write(to: folder) { $0["model.norm.weight"]?[3] = .nan }
        for flags in [["--greedy"], [], ["--top-k", "3", "--ids"]] {
            let outcome = try Program.run(
                ["text", "generate", "--model", "model"] + flags, in: folder.path)
            #expect(outcome.exitCode == 1 && outcome.output == "", "\(outcome)")
            #expect(
                outcome.errors.hasPrefix(
                    "error: model: the logits are not numbers after token 1; the weights are damaged"
                ),
                "\(outcome)")
        }
    }

    /// `<pad>` is often the first id beyond the model's; a text that does not hold it can be continued.
    @Test func anAddedTokenBeyondTheModelIsRefusedInAPromptAlone() throws {
        let folder = try TemporaryDirectory()
        try StoriesModel.write(to: folder)
        let text = String(decoding: try bytes(folder.file("model/tokenizer.json")), as: UTF8.self)
        let start = try #require(text.firstRange(of: /"added_tokens"\s*:\s*\[/))
        let pad = "{\"id\": 512, \"content\": \"<pad>\", \"special\": true},"
        try folder.write(
            text.replacingCharacters(in: start, with: text[start] + pad),
            to: "model/tokenizer.json")
        func run(_ prompt: String) throws -> ChildProcess.Outcome {
            try Program.run(
                [
                    "text", "generate", "--model", "model", "--greedy", "--max-tokens", "5",
                    "--prompt", prompt,
                ], in: folder.path)
        }
        let fine = try run("Once")
        #expect(fine.exitCode == 0 && fine.output.hasPrefix("Once upon a"), "\(fine)")
        let refused = try run("Once <pad>")
        #expect(refused.exitCode == 1 && refused.output == "", "\(refused)")
        #expect(
            refused.errors
                == "error: model: the text has the token '<pad>' with the id 512, and the model knows the ids 0 to 511 "
                + "(vocab_size); leave the token out.\n")
    }

    @Test func onlyWhoNeedsTheEndReadsWhereItStands() throws {
        let folder = try TemporaryDirectory()
        try StoriesModel.write(to: folder)
        try folder.write("{", to: "model/generation_config.json")
        try folder.write("[[1, 2]]", to: "ids.json")
        let generate = ["text", "generate", "--model", "model", "--max-tokens", "2"]
        let refused = try Program.run(generate, in: folder.path)
        #expect(refused.exitCode == 1 && refused.output == "", "\(refused)")
        #expect(refused.errors.hasPrefix("error: model/generation_config.json: it is not valid"))
        for arguments in [
            generate + ["--ignore-end"],
            ["text", "forward", "--model", "model", "--ids", "ids.json", "--output", "out"],
            ["text", "tokenize", "ids.json", "--tokenizer", "model"],
        ] {
            let outcome = try Program.run(arguments, in: folder.path)
            #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
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
}
