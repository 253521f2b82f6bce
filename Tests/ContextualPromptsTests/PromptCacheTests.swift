import Experiments
import Foundation
import Platform
import Synchronization
import TestSupport
import Testing

@testable import ContextualPrompts

@Suite struct PromptCacheTests {
    /// A server whose answers differ from request to request.
    private func countingServer() throws -> TestServer {
        try TestServer { index, _ in .content("prompt \(index)") }
    }

    @Test func asksNothingTwice() throws {
        let server = try countingServer()
        let bench = try PromptBench(server)
        let first = try bench.prompts("1", "2", "3")
        #expect(server.requests.count == 3)
        #expect(try bench.prompts("1", "2", "3") == first)
        #expect(try bench.prompts("3", "1") == [first[2], first[0]])
        #expect(server.requests.count == 3)
        // A new document costs one request.
        #expect(try bench.prompts("1", "4", "3") == [first[0], "prompt 3", first[2]])
        #expect(server.requests.count == 4)
        #expect(try bench.cacheText().split(separator: "\n").count == 4)
    }

    @Test func needsNeitherServerNorKeyWhenAllIsThere() throws {
        var bench = try PromptBench(try countingServer())
        let first = try bench.prompts("1", "2")
        bench.options.url = "http://127.0.0.1:9"
        bench.options.keyVariable = "NOT_SET"
        #expect(try bench.prompts("1", "2") == first)
    }

    @Test func asksAnewForWhatDiffers() throws {
        let server = try countingServer()
        var bench = try PromptBench(server)
        _ = try bench.prompts("1")
        let changes: [(inout PromptGeneratorOptions) -> Void] = [
            { $0.model = "large" }, { $0.temperature = 0.5 }, { $0.maximumTokens = 9 },
        ]
        for (index, change) in changes.enumerated() {
            change(&bench.options)
            #expect(try bench.prompts("1") == ["prompt \(index + 1)"])
        }
        // Where, how patiently and with which seed it is asked makes no other question.
        bench.options.seed = 5
        bench.options.retries = 9
        bench.options.url += "/chat/completions"
        #expect(try bench.prompts("1") == ["prompt 3"])
        #expect(server.requests.count == 4)
    }

    @Test func namesItsKeysByHash() throws {
        let bench = try PromptBench(try countingServer())
        _ = try bench.prompts("1")
        let digest = sha256Hex(Data("1".utf8))
        let question =
            #"{"document":"\#(digest)","instruction":"\#(PromptGenerator.instruction)","max_tokens":200,"#
            + #""model":"tiny","temperature":0.7}"#
        let key = sha256Hex(Data(question.utf8))
        #expect(
            try bench.cacheText()
                == #"{"document":"\#(digest)","key":"\#(key)","model":"tiny","prompt":"prompt 0"}"#
                + "\n")
    }

    @Test(arguments: [1, 30, 90])
    func losesNoMoreThanTheLineThatAKillCut(cut: Int) throws {
        let server = try countingServer()
        let bench = try PromptBench(server)
        let first = try bench.prompts("1", "2", "3")
        let text = try bench.cacheText()
        try bench.folder.write(String(text.dropLast(cut)), to: "prompts.jsonl")
        // What is whole is read without a request, and without touching the file.
        #expect(try bench.prompts("2", "1") == [first[1], first[0]])
        #expect(server.requests.count == 3)
        #expect(try bench.prompts("1", "2", "3") == [first[0], first[1], "prompt 3"])
        #expect(server.requests.count == 4)
        #expect(
            try bench.cacheText() == text.replacingOccurrences(of: "prompt 2", with: "prompt 3"))
    }

    @Test func keepsWhatCameBeforeAFailure() throws {
        let server = try TestServer { index, _ in
            index == 2 ? .status(400) : .content("prompt \(index)")
        }
        let bench = try PromptBench(server)
        #expect(throws: SystemError.self) { try bench.prompts("1", "2", "3") }
        #expect(try bench.prompts("1", "2", "3") == ["prompt 0", "prompt 1", "prompt 3"])
        #expect(server.requests.count == 4)
    }

    @Test(arguments: [
        ("{\"key\": \"k\"", "not a valid record: not valid JSON"),
        ("{\"key\": \"k\"}", "not a valid record: the key 'prompt' is missing"),
        ("{\"key\": \"k\", \"prompt\": 3}", "not a valid record: prompt: expected a text"),
        (
            "{\"key\": \"k\", \"prompt\": \"\"}",
            "not a valid record: prompt: not a value that this program writes"
        ),
    ])
    func namesADamagedLine(line: String, complaint: String) throws {
        let server = try countingServer()
        let bench = try PromptBench(server)
        _ = try bench.prompts("1", "2")
        let lines = try bench.cacheText().split(separator: "\n")
        try bench.folder.write("\(lines[0])\n\(line)\n\(lines[1])\n", to: "prompts.jsonl")
        #expect(
            bench.message()
                == "prompts.jsonl:2: \(complaint); delete that line, and its prompt is asked for again"
        )
        #expect(server.requests.count == 2)
    }

    /// Locks are per open file, so that two threads are to each other as two processes are.
    @Test func sharesTheFileWithOthers() throws {
        let server = try TestServer { index, _ in
            Thread.sleep(forTimeInterval: 0.02)
            return .content("prompt \(index)")
        }
        let bench = try PromptBench(server)
        let (options, path) = (bench.options, bench.cachePath)
        let results = Mutex<[[String]]>([])
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            let generator = try? PromptGenerator(options: options, cachePath: path)
            let prompts = try? generator?.prompts(for: (0..<6).map { document("\($0)") })
            results.withLock { $0.append(prompts ?? []) }
        }
        let expected = (0..<6).map { "prompt \($0)" }
        #expect(results.withLock(\.self) == Array(repeating: expected, count: 4))
        #expect(server.requests.count == 6)
        #expect(try bench.cacheText().split(separator: "\n").count == 6)
    }

    @Test func waitsForTheFileUntilASignal() throws {
        let server = try countingServer()
        var bench = try PromptBench(server)
        let lock = try FileLock.tryLock(bench.cachePath + ".lock")
        let start = ContinuousClock.now
        bench.isInterrupted = { ContinuousClock.now - start > .milliseconds(300) }
        #expect(throws: PromptsInterrupted.self) { try bench.prompts("1") }
        #expect(server.requests.isEmpty)
        lock?.release()
        bench.isInterrupted = { false }
        #expect(try bench.prompts("1") == ["prompt 0"])
    }

    @Test func namesAFolderThatIsMissing() throws {
        let server = try countingServer()
        let bench = try PromptBench(server)
        let path = bench.folder.file("nowhere/prompts.jsonl")
        let generator = try PromptGenerator(options: bench.options, cachePath: path)
        let error = #expect(throws: SystemError.self) {
            try generator.prompts(for: [document("1")])
        }
        #expect(
            error?.description.contains("create the folder '\(bench.folder.file("nowhere"))'")
                == true)
        #expect(server.requests.isEmpty)
    }
}
