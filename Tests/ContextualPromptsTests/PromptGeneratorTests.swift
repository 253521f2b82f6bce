import Experiments
import Foundation
import Platform
import TestSupport
import Testing

@testable import ContextualPrompts

@Suite struct PromptGeneratorTests {
    @Test func asksAsTheInterfaceSays() throws {
        let server = try TestServer(content: "Look for the main idea.")
        var bench = try PromptBench(server)
        bench.options.temperature = 0.25
        bench.options.maximumTokens = 77
        bench.options.seed = 12
        bench.options.keyVariable = "PROMPT_KEY"
        bench.environment = ["PROMPT_KEY": "sk-test-0123456789\n"]
        #expect(try bench.prompts("ä \"x\"") == ["Look for the main idea."])
        let request = try #require(server.requests.first)
        #expect(server.requests.count == 1)
        #expect(request.line == "POST /v1/chat/completions HTTP/1.1")
        #expect(request.headers["authorization"] == "Bearer sk-test-0123456789")
        #expect(request.headers["content-type"] == "application/json")
        let content =
            "Given the following text, generate a contextual prompt that encourages a reader to focus on the main "
            + "ideas and themes presented. The contextual prompt should be concise and help the reader engage deeply "
            + "with the content.\n\nA text about ä \"x\"."
        #expect(
            try request.json() == [
                "model": "tiny", "messages": [["role": "user", "content": .string(content)]],
                "temperature": 0.25, "max_tokens": 77, "seed": 12,
            ])
    }

    @Test func asksWithoutAKeyWhereNoneIsNamed() throws {
        let server = try TestServer(content: "x")
        _ = try PromptBench(server).prompts("1")
        #expect(server.requests.map { $0.headers["authorization"] } == [nil])
    }

    @Test(arguments: [
        ("http://h:1", "http://h:1/chat/completions"),
        ("http://h:1/", "http://h:1/chat/completions"),
        ("https://h/v1", "https://h/v1/chat/completions"),
        ("http://h/v1//", "http://h/v1/chat/completions"),
        ("http://h/v1/chat/completions", "http://h/v1/chat/completions"),
        ("http://h/v1/chat/completions/", "http://h/v1/chat/completions"),
        ("http://h/a%20b?version=1", "http://h/a%20b/chat/completions?version=1"),
    ])
    func findsTheEndpoint(given: String, expected: String) throws {
        #expect(try PromptEndpoint(given).url.absoluteString == expected)
    }

    @Test func showsNoSecretOfAnAddress() throws {
        let endpoint = try PromptEndpoint("https://me:secret@h:8/v1?key=secret")
        #expect(endpoint.shown == "https://h:8/v1/chat/completions")
        for text in ["ftp://me:secret@h", "me:secret@h/v1", "h?key=secret"] {
            let error = #expect(throws: SystemError.self) { try PromptEndpoint(text) }
            #expect(error.map { !"\($0)".contains("secret") } == true)
        }
    }

    @Test(arguments: [
        ("  Text. \n", "Text."), ("\"Text.\"", "Text."), ("“Text.”", "Text."),
        ("'The author's.'", "The author's."),
        (" \"'Text.'\" ", "Text."), ("\"A\" and \"B\"", "\"A\" and \"B\""), ("„Text.“", "Text."),
        ("\"Text.", "\"Text."), ("\"", "\""), ("\"\"", ""), ("A \"b\"", "A \"b\""), ("`x`", "x"),
    ])
    func stripsWhatSurroundsAnAnswer(answer: String, prompt: String) throws {
        #expect(withoutQuotes(answer) == prompt)
    }

    @Test func givesEachDocumentItsOwnPromptInOrder() throws {
        let server = try TestServer { _, request in
            let content = try? request.json()["messages"]?.arrayValue?.first?["content"]?
                .stringValue
            return .content("\"About \((content ?? "").suffix(2))\"\n")
        }
        let bench = try PromptBench(server)
        var calls: [[Int]] = []
        let prompts = try bench.prompts("3", "1", "3", "2") { calls.append([$0, $1]) }
        #expect(prompts == ["About 3.", "About 1.", "About 3.", "About 2."])
        #expect(calls == [[1, 4], [2, 4], [3, 4], [4, 4]])
        // The document that comes twice is asked for once.
        #expect(server.requests.count == 3)
    }

    @Test func sendsLongDocuments() throws {
        let server = try TestServer(content: "x")
        let bench = try PromptBench(server)
        let generator = try PromptGenerator(options: bench.options, cachePath: bench.cachePath)
        let text = String(repeating: "wörter ", count: 300_000)
        let start = ContinuousClock.now
        #expect(try generator.prompts(for: [(digest: "d", text: text, place: "p")]) == ["x"])
        let request = try #require(server.requests.first)
        #expect(request.body.count > 2_400_000)
        #expect(
            try request.json()["messages"]?.arrayValue?.first?["content"]?.stringValue
                == PromptGenerator.instruction + "\n\n" + text)
        // Not held up by a server that says no "100 Continue".
        #expect(ContinuousClock.now - start < .seconds(3))
    }

    @Test func keepsTheRate() throws {
        let server = try TestServer { index, _ in index == 1 ? .status(500) : .content("x") }
        var bench = try PromptBench(server)
        bench.options.requestsPerMinute = 600
        bench.options.firstWait = 0
        _ = try bench.prompts("1", "2", "3", "4", "5")
        let times = server.requests.map(\.time)
        // One retry among six requests, a tenth of a second apart; on a busy machine one of them may be seen late.
        #expect(times.count == 6)
        let whole = times[5] - times[0]
        #expect(whole > .milliseconds(420) && whole < .seconds(5), "\(whole)")
        for (earlier, later) in zip(times, times.dropFirst()) {
            #expect(later - earlier > .milliseconds(30), "\(later - earlier)")
        }
    }

    @Test func stopsBetweenRequestsAndKeepsWhatHasCome() throws {
        let server = try TestServer(content: "x")
        var bench = try PromptBench(server)
        var isInterrupted = false
        bench.isInterrupted = { isInterrupted }
        let error = #expect(throws: PromptsInterrupted.self) {
            try bench.prompts("1", "2", "3") { done, _ in isInterrupted = done == 2 }
        }
        #expect("\(try #require(error))".contains("'\(bench.cachePath)'"))
        #expect(server.requests.count == 2)
        isInterrupted = false
        _ = try bench.prompts("1", "2", "3")
        #expect(server.requests.count == 3)
    }

    @Test func stopsWhileARequestWaits() throws {
        let server = try TestServer { _, _ in .silence }
        var bench = try PromptBench(server)
        bench.options.timeout = 60
        let start = ContinuousClock.now
        bench.isInterrupted = { ContinuousClock.now - start > .milliseconds(200) }
        #expect(throws: PromptsInterrupted.self) { try bench.prompts("1") }
        #expect(ContinuousClock.now - start < .seconds(2))
    }

    @Test func refusesOptions() throws {
        let cases: [(change: (inout PromptGeneratorOptions) -> Void, complaint: String)] = [
            ({ $0.model = "" }, "model is ''; expected the name of a model"),
            ({ $0.temperature = -1 }, "temperature is '-1.0'; expected 0 or more"),
            ({ $0.maximumTokens = 0 }, "number of tokens is '0'; expected 1 or more"),
            ({ $0.timeout = 0 }, "time-out is '0.0'; expected seconds, 86400 at most"),
            ({ $0.retries = -1 }, "number of retries is '-1'; expected 0 to 100"),
            ({ $0.firstWait = .nan }, "first wait is 'nan'; expected seconds, 60 at most"),
            ({ $0.requestsPerMinute = 0 }, "requests per minute is '0.0'; expected more than 0"),
            (
                { $0.url = "localhost:8080" },
                "address is 'localhost:8080'; expected one such as http://127.0.0.1:8080/v1"
            ),
        ]
        for (change, complaint) in cases {
            var bench = try PromptBench(url: "http://127.0.0.1:9")
            change(&bench.options)
            #expect(bench.message() == "the prompt generator's \(complaint)")
        }
    }
}
