import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// The parser below tokenizer.json.
@Suite struct JSONTests {
    private func parse(_ text: String) throws -> JSONNode {
        try JSONNode(parsing: Array(text.utf8))
    }

    private func problem(_ bytes: [UInt8]) -> String? {
        do {
            _ = try JSONNode(parsing: bytes)
            return nil
        } catch {
            return error.text
        }
    }

    @Test func readsValues() throws {
        let node = try parse(
            #" {"a": [1, -2.5e+3, true, false, null, "x\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"], "b": {}, "c": []} "#
        )
        let list = try node.required("a").elements()
        #expect(list.count == 6)
        #expect(try list[0].int(atMost: 1) == 1)
        #expect(try list[2].bool())
        #expect(try list[5].string() == "x\"\\/\u{8}\u{C}\n\r\té😀é")
        #expect(try node.required("b").members().isEmpty)
        #expect(try node.required("c").elements().isEmpty)
        #expect(try parse(#"{"a": null}"#).member("a") == nil)
    }

    /// What is written is read back.
    @Test func quotingIsUndone() throws {
        let text = String(String.UnicodeScalarView((0..<0x300).compactMap(Unicode.Scalar.init)))
        let quoted = JSONText.quoted(text.utf8)
        #expect(try isSame(JSONNode(parsing: quoted).string(), text))
        #expect(try isSame(JSONDecoder().decode(String.self, from: Data(quoted)), text))
    }

    @Test(arguments: [
        "", " ", "{", "[", "]", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{1:2}",
        "[1 2]", "[1]]",
        "tru", "nulL", "01", "1.", ".5", "+1", "-", "1e", "0x10", "NaN", "\"", "\"\\", "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "[\"a\" \"b\"]",
        "{\"a\":1 \"b\":2}", "// x",
    ])
    func refusesWhatIsNoJSON(_ text: String) throws {
        let message = try #require(problem(Array(text.utf8)))
        #expect(message.hasPrefix("it is not valid JSON at its byte "), "\(message)")
        #expect(message.hasSuffix("."))
    }

    @Test func refusesBytesThatAreNoText() {
        #expect(problem([0x22, 0xFF, 0x22]) == "it is not valid UTF-8.")
    }

    /// A million brackets are a sentence, not a stack overflow.
    @Test(arguments: ["[", "{\"a\":", "[{\"a\":["])
    func deepNestingIsRefused(_ unit: String) throws {
        let text = String(repeating: unit, count: 1_000_000)
        let message = try #require(problem(Array(text.utf8)))
        #expect(message.contains("more than 100 arrays and objects inside each other"))
        let fits = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(problem(Array(fits.utf8)) == nil)
    }

    @Test func numbersOutOfRangeAreNamed() throws {
        for text in ["-1", "1.5", "1e3", "99999999999999999999999", "8"] {
            let error = #expect(throws: FileProblem.self) {
                try parse("{\"id\": \(text)}").required("id").int(atMost: 7)
            }
            #expect(error?.text == "id is \(text), where a whole number from 0 to 7 is expected.")
        }
    }

    @Test func repeatedKeysAreNamed() throws {
        let node = try parse(#"{"model": {"vocab": {}, "vocab": {}}}"#)
        let error = #expect(throws: FileProblem.self) { try node.required("model").member("vocab") }
        #expect(error?.text == "model has the key 'vocab' twice.")
    }

    /// Keys are bytes: composed and decomposed é are two.
    @Test func keysAreNotNormalized() throws {
        let members = try parse("{\"é\": 0, \"e\u{301}\": 1}").members()
        #expect(members.count == 2)
    }
}
