import Foundation
import TestSupport
import Testing
import Tokenizers

/// Tokenizing for other programs.
@Suite struct LineProtocolTests {
    @Test func answersLineByLine() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/stories260K.json"))
        var lines = LineProtocol(tokenizer)
        let answers = try [
            #""""#, #""Once\u0020upon""#, "[1,403,407]", "[]", " \"a\\nb\" \r",
        ].map { try lines.answer($0.utf8) }
        #expect(answers == ["[1]", "[1,403,407]", #""<s> Once upon""#, #""""#, "[1,261,13,430]"])
        var options = LineProtocol.Options()
        options.addsSpecialTokens = false
        var plain = LineProtocol(tokenizer, options)
        #expect(try plain.answer("\"Once upon\"".utf8) == "[403,407]")
        #expect(try plain.answer("[1,403,407]".utf8) == "\"Once upon\"")
    }

    /// Ids one at a time, and text that spells a special token as text.
    @Test func streamsAndTakesTextLiterally() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/stories260K.json"))
        var options = LineProtocol.Options()
        options.addsSpecialTokens = false
        options.streams = true
        options.isLiteral = true
        var lines = LineProtocol(tokenizer, options)
        #expect(try lines.answer("[1,403,407]".utf8) == #"["","Once"," upon",""]"#)
        #expect(try lines.answer("[]".utf8) == #"[""]"#)
        let ids = tokenizer.encode("</s>", adding: .none, literally: true)
        #expect(
            try lines.answer("\"</s>\"".utf8) == "[\(ids.map(String.init).joined(separator: ","))]")
    }

    @Test func otherLinesAreNamed() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/stories260K.json"))
        var lines = LineProtocol(tokenizer)
        _ = try lines.answer("\"x\"".utf8)
        let cases: [([UInt8], String)] = [
            (Array("hello".utf8), "it is not valid JSON at its byte 0: a value is expected."),
            (Array("{}".utf8), "it is something else."),
            (
                Array("[-1]".utf8),
                "[0] is -1, where a whole number from 0 to 2147483647 is expected."
            ),
            (
                Array("[\"a\"]".utf8),
                "[0] is 'a', where a whole number from 0 to 2147483647 is expected."
            ),
            ([], "it is not valid JSON at its byte 0: a value is expected."),
            (Array("\r".utf8), "it is not valid JSON at its byte 1: a value is expected."),
            (
                Array("\"\\ud800\"".utf8),
                "it is not valid JSON at its byte 7: half of a surrogate pair."
            ),
            ([0x22, 0xFF, 0x22], "it is not valid UTF-8."),
        ]
        for (number, (line, problem)) in cases.enumerated() {
            let error = #expect(throws: TokenizerError.self) { try lines.answer(line) }
            #expect(
                error?.description
                    == "line \(number + 2): a JSON string or a JSON list of ids is expected, but \(problem)"
            )
        }
    }
}
