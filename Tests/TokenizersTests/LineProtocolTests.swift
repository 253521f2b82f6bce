import Foundation
import TestSupport
import Testing
import Tokenizers

/// Tokenizing for other programs.
@Suite struct LineProtocolTests {
    @Test func answersLineByLine() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/stories260K.json"))
        var lines = LineProtocol(tokenizer, addingSpecialTokens: true)
        var answers: [String] = []
        try lines.run([#""""#, #""Once\u0020upon""#, "[1,403,407]", "[]", #" "a\nb" "#]) {
            answers.append($0)
        }
        #expect(answers == ["[1]", "[1,403,407]", #""<s> Once upon""#, #""""#, "[1,261,13,430]"])
        var plain = LineProtocol(tokenizer, addingSpecialTokens: false)
        #expect(try plain.answer("\"Once upon\"") == "[403,407]")
        #expect(try plain.answer("[1,403,407]") == "\"Once upon\"")
    }

    @Test func otherLinesAreNamed() throws {
        let tokenizer = try Tokenizer(path: Fixture.path("tokenizers/stories260K.json"))
        var lines = LineProtocol(tokenizer, addingSpecialTokens: true)
        _ = try lines.answer("\"x\"")
        for (number, line) in ["hello", "{}", "[-1]", "[\"a\"]", "[1.5]", "", "\"\\ud800\""]
            .enumerated()
        {
            let error = #expect(throws: TokenizerError.self) { try lines.answer(line) }
            #expect(error?.description.hasPrefix("line \(number + 2): ") == true)
            #expect(
                error?.description.hasSuffix("A JSON string or a JSON list of ids is expected.")
                    == true)
        }
    }
}
