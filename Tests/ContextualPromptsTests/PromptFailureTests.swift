import Experiments
import Foundation
import Platform
import TestSupport
import Testing

@testable import ContextualPrompts

@Suite struct PromptFailureTests {
    private static let key = "sk-test-0123456789"

    /// What stands in a message behind `what` came.
    private func sentence(_ server: TestServer, _ what: String, cure: String) -> String {
        "no contextual prompt for corpus.jsonl:1: \(server.url)/chat/completions \(what); \(cure) (no prompt has "
            + "come so far, and the same command asks again)"
    }

    @Test func waitsAsLongAsTheServerSays() throws {
        let server = try TestServer { index, _ in
            index == 0 ? .status(429, headers: ["Retry-After": "1"]) : .content("x")
        }
        let bench = try PromptBench(server)
        #expect(try bench.prompts("1") == ["x"])
        let times = server.requests.map(\.time)
        #expect(times.count == 2)
        let pause = times[1] - times[0]
        #expect(pause > .milliseconds(950) && pause < .seconds(3), "\(pause)")
    }

    @Test func doesNotWaitForHours() throws {
        let server = try TestServer { _, _ in .status(429, headers: ["Retry-After": "7200"]) }
        let expected = sentence(
            server, "answered HTTP 429", cure: "it wants a pause of 7200 s: try again later")
        #expect(try PromptBench(server).message() == expected)
        #expect(server.requests.count == 1)
    }

    @Test(arguments: [
        ("3", 3.0), (" 0.5 ", 0.5), ("-3", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 37.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0), ("soon", nil), ("", nil), ("inf", nil), ("nan", nil),
    ])
    func readsRetryAfter(header: String, seconds: Double?) {
        // Sun, 06 Nov 1994 08:49:00 GMT: 9,075 days after 1970 began, and 8 h 49 min.
        let now = Date(timeIntervalSince1970: Double(9075 * 86400 + 8 * 3600 + 49 * 60))
        #expect(PromptOutcome.seconds(header, now) == seconds)
    }

    @Test func triesAgainAfterAServersFailure() throws {
        let server = try TestServer { index, _ in index < 3 ? .status(500) : .content("x") }
        var bench = try PromptBench(server)
        bench.options.firstWait = 0.1
        #expect(try bench.prompts("1") == ["x"])
        let times = server.requests.map(\.time)
        let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
        // 0.1, 0.2 and 0.4 seconds.
        #expect(gaps.count == 3)
        for (gap, least) in zip(gaps, [90, 190, 390]) {
            #expect(gap > .milliseconds(least), "\(gaps)")
        }
        #expect(gaps[0] < .seconds(1))
    }

    @Test func givesUpAfterTheRetries() throws {
        let server = try TestServer { _, _ in
            .status(500, body: "{\"error\": {\"message\": \"out of\\nmemory\"}}")
        }
        var bench = try PromptBench(server)
        bench.options.retries = 2
        let expected = sentence(
            server, "answered HTTP 500, 'out of memory' (attempt 3)", cure: "look after the server")
        #expect(bench.message() == expected)
        #expect(server.requests.count == 3)
    }

    @Test func saysWhyItAsksAgain() throws {
        let server = try TestServer { index, _ in
            index == 0 ? .status(500, body: "") : .content("x")
        }
        let bench = try PromptBench(server)
        var told: [String] = []
        let generator = try PromptGenerator(
            options: bench.options, cachePath: bench.cachePath, notice: { told.append($0) })
        #expect(try generator.prompts(for: [document("1")]) == ["x"])
        #expect(
            told == [
                "corpus.jsonl:1: \(server.url)/chat/completions answered HTTP 500; attempt 2 of 4 in 0.01 s"
            ])
    }

    @Test func givesUpOnSilence() throws {
        let server = try TestServer { _, _ in .silence }
        var bench = try PromptBench(server)
        bench.options.timeout = 0.3
        bench.options.retries = 1
        let start = ContinuousClock.now
        let expected = sentence(
            server, "did not answer within 0.3 s (attempt 2)", cure: "look after the server")
        #expect(bench.message() == expected)
        #expect(server.requests.count == 2)
        #expect(ContinuousClock.now - start < .seconds(3))
    }

    @Test func triesAgainAfterABrokenConnection() throws {
        // Nothing, half a body, and another protocol.
        let broken: [TestServer.Reply] = [
            .hangUp, .raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"choices\":"),
            .raw("SSH-2.0-server\r\n"),
        ]
        let server = try TestServer { index, _ in index < 3 ? broken[index] : .content("x") }
        #expect(try PromptBench(server).prompts("1") == ["x"])
        #expect(server.requests.count == 4)
    }

    @Test func namesAServerThatIsNotThere() throws {
        // A port that was just free.
        let port = try TestServer(content: "").port
        var bench = try PromptBench(url: "http://127.0.0.1:\(port)")
        bench.options.retries = 1
        let message = bench.message()
        #expect(
            message.hasPrefix(
                "no contextual prompt for corpus.jsonl:1: http://127.0.0.1:\(port)/chat/completions could not be "
                    + "reached ("), "\(message)")
        #expect(message.contains("(attempt 2); look after the server"), "\(message)")
    }

    @Test(arguments: [
        ("<!DOCTYPE html><html>Log in</html>", "sent an HTML page instead of JSON"),
        ("\n <HTML></HTML>", "sent an HTML page instead of JSON"),
        ("Service is\tstarting\u{1}", "sent no JSON but 'Service is starting\\u{01}'"),
        ("", "sent an empty answer"),
        ("{\"choices\": []}", "sent JSON without choices[0].message.content: '{\"choices\":[]}'"),
        ("[1]", "sent JSON without choices[0].message.content: '[1]'"),
        (
            "{\"choices\": [{\"message\": {\"content\": null}}]}",
            "sent JSON without choices[0].message.content: '{\"choices\":[{\"message\":{\"content\":null}}]}'"
        ),
        ("{\"choices\": [{\"message\": {\"content\": \" \\\"\\\" \"}}]}", "sent an empty prompt"),
        (
            "{\"choices\": [{\"message\": {\"content\": \"<html><body>x</body></html>\"}}]}",
            "sent an HTML page as the prompt"
        ),
    ])
    func refusesGarbage(body: String, complaint: String) throws {
        let server = try TestServer { _, _ in .status(200, body: body) }
        var bench = try PromptBench(server)
        bench.options.retries = 1
        let expected = sentence(server, complaint + " (attempt 2)", cure: "look after the server")
        #expect(bench.message() == expected)
        #expect(server.requests.count == 2)
        // Nothing of it is kept, nor a file for it.
        #expect(try bench.folder.names() == [])
    }

    @Test func refusesWhatIsTooLong() throws {
        let server = try TestServer { index, _ in
            switch index {
            case 0: .content(String(repeating: "é", count: 2001))
            case 1: .status(200, body: String(repeating: " ", count: 3_000_000))
            default: .content(String(repeating: "é", count: 2000))
            }
        }
        var bench = try PromptBench(server)
        bench.options.retries = 0
        #expect(bench.message().contains(" sent a prompt of 2001 characters, more than 2000; "))
        #expect(bench.message().contains(" sent more than 1000000 bytes; "))
        #expect(try bench.prompts("1").map(\.count) == [2000])
    }

    @Test func endsAtOnceWhereAnotherAttemptWouldNotHelp() throws {
        let long = String(repeating: "x", count: 300)
        let answers: [(TestServer.Reply, what: String, cure: String)] = [
            (
                .status(401, body: "{\"error\": {\"message\": \"no such key: \(Self.key)\"}}"),
                "answered HTTP 401, 'no such key: [key]'",
                "check the key and the variable that holds it"
            ),
            (
                .status(404, body: "{\"detail\": \"Not Found\"}"), "answered HTTP 404, 'Not Found'",
                "check the model's name and the address, which often ends in /v1"
            ),
            (
                .status(400, body: long), "answered HTTP 400, '\(long.prefix(200))…'",
                "change the document or the options as it says"
            ),
            (
                .status(400, body: String(repeating: "x", count: 190) + Self.key),
                "answered HTTP 400, '\(long.prefix(190))[key]'",
                "change the document or the options as it says"
            ),
            (
                .status(501), "answered HTTP 501",
                "check the model's name and the address, which often ends in /v1"
            ),
            (
                .status(403, body: "<html>no</html>"), "answered HTTP 403 with an HTML page",
                "check the key and the variable that holds it"
            ),
            (
                .status(302, headers: ["Location": "http://127.0.0.1:9/x"]),
                "answered HTTP 302, which leads to 'http://127.0.0.1:9/x'",
                "name the address at which the endpoint is"
            ),
        ]
        for answer in answers {
            let server = try TestServer { _, _ in answer.0 }
            var bench = try PromptBench(server)
            bench.options.keyVariable = "PROMPT_KEY"
            bench.environment = ["PROMPT_KEY": Self.key]
            #expect(bench.message() == sentence(server, answer.what, cure: answer.cure))
            #expect(server.requests.count == 1)
        }
    }

    @Test func saysWhereThePromptsAreThatHaveCome() throws {
        let server = try TestServer { index, _ in index == 0 ? .content("x") : .status(400) }
        let bench = try PromptBench(server)
        _ = try bench.prompts("1")
        #expect(
            bench.message("2").hasSuffix(
                "(the prompts so far are in 'prompts.jsonl', and the same command asks for the rest)"
            ))
        #expect(try bench.folder.names() == ["prompts.jsonl"])
    }

    @Test func writesTheKeyNowhere() throws {
        // An endpoint that says back what it was sent, header included.
        let server = try TestServer { index, request in
            let header = request.headers["authorization"] ?? ""
            return index == 0
                ? .content("A prompt.") : index == 1 ? .content(header) : .status(500, body: header)
        }
        var bench = try PromptBench(server)
        bench.options.keyVariable = "PROMPT_KEY"
        bench.options.retries = 0
        bench.environment = ["PROMPT_KEY": Self.key]
        #expect(try bench.prompts("1") == ["A prompt."])
        let messages = [bench.message("2"), bench.message("3")]
        #expect(messages[0].contains("sent the key back as the prompt"), "\(messages[0])")
        #expect(messages[1].contains("answered HTTP 500, 'Bearer [key]'"), "\(messages[1])")
        let files = try bench.folder.names().map {
            try String(contentsOfFile: bench.folder.file($0), encoding: .utf8)
        }
        #expect(files.count == 1)
        let key = try #require(try EndpointKey(variable: "K", in: ["K": Self.key]))
        var dumped = "\(key) \(String(reflecting: key))"
        dump(key, to: &dumped)
        for text in messages + files + [dumped] { #expect(!text.contains("0123456789"), "\(text)") }
        #expect(key.authorization == "Bearer \(Self.key)")
        #expect(
            server.requests.map { $0.headers["authorization"] }
                == Array(repeating: "Bearer \(Self.key)", count: 3))
    }

    @Test(arguments: [
        (nil, "is not set; set it, or name no variable for an endpoint without keys"),
        (" \n", "is empty; set it, or name no variable for an endpoint without keys"),
        (
            "sk-se\ncret",
            "holds spaces, line ends or letters beyond ASCII; set it to the endpoint's key alone"
        ),
    ])
    func needsTheVariableThatIsNamed(value: String?, complaint: String) throws {
        let server = try TestServer(content: "x")
        var bench = try PromptBench(server)
        bench.options.keyVariable = "PROMPT_KEY"
        bench.environment["PROMPT_KEY"] = value
        let message = bench.message()
        #expect(message.hasPrefix("the environment variable 'PROMPT_KEY'"))
        #expect(message.hasSuffix(complaint), "\(message)")
        #expect(server.requests.isEmpty)
    }
}
