import Foundation
import Testing

@testable import Experiments

@Suite struct ScalarValueTests {
    @Test(arguments: [
        ("", ScalarValue.null), ("~", .null), ("null", .null), ("Null", .string("Null")),
        ("true", .boolean(true)), ("false", .boolean(false)),
        ("yes", .string("yes")), ("no", .string("no")), ("on", .string("on")),
        ("True", .string("True")),
        ("0", .integer(0)), ("-0", .integer(0)), ("42", .integer(42)), ("-7", .integer(-7)),
        ("010", .string("010")), ("-01", .string("-01")), ("00", .string("00")),
        ("+3", .string("+3")), ("0x10", .string("0x10")), ("0o7", .string("0o7")),
        ("0b1", .string("0b1")), ("1_000", .string("1_000")), ("1,000", .string("1,000")),
        ("1:30", .string("1:30")), ("١", .string("١")),
        ("9223372036854775807", .integer(.max)),
        ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("1.5", .number(1.5)), ("-1.5e-3", .number(-0.0015)), ("1.0e-4", .number(1e-4)),
        ("1e-4", .number(1e-4)), ("1E+2", .number(100)), (".5", .number(0.5)), ("5.", .number(5)),
        ("01.5", .string("01.5")), (".", .string(".")), ("-", .string("-")), ("e3", .string("e3")),
        ("1e", .string("1e")), ("1e400", .string("1e400")), (".inf", .string(".inf")),
        (".nan", .string(".nan")), ("nan", .string("nan")), ("inf", .string("inf")),
        ("1.2.3", .string("1.2.3")), ("cft", .string("cft")),
    ])
    func readsTexts(text: String, value: ScalarValue) {
        #expect(ScalarValue(text) == value)
    }
}

@Suite struct YAMLTests {
    @Test func marksEveryValue() throws {
        let text = "a: 1\nb:\n  - {c: \"010\"}\n  - x # comment\n"
        let node = try ConfigurationNode.parse(document: text, source: "f.yaml")
        #expect(node["a"]?.mark.description == "f.yaml:1:4")
        #expect(node.entries?[1].keyMark.description == "f.yaml:2:1")
        let inner = try #require(node["b"]?.elements?[0]["c"])
        #expect(inner.mark.description == "f.yaml:3:9")
        #expect(inner.scalarValue == .string("010"))
        #expect(node["b"]?.elements?[1].scalarValue == .string("x"))
        #expect(node.value(at: "b.c") == nil)
    }

    @Test(arguments: ["", "# only a comment\n", "---\n", "{}\n"])
    func emptyFilesAreEmptyMappings(text: String) throws {
        #expect(
            try ConfigurationNode.parse(document: text, source: "f").entries?.isEmpty == true)
    }

    /// Every kind of ill-formed document, with the one sentence it is refused with.
    @Test(arguments: [
        ("a: 1\nb: 2\na: 3\n", "f:1:1: the same mapping has the key 'a' more than once; keep one"),
        ("a: &x 1\n", "f:1:4: anchors (&name) and aliases (*name) are not accepted; use inherit"),
        (
            "a: &x {b: 1}\nc: *x\n",
            "f:1:4: anchors (&name) and aliases (*name) are not accepted; use inherit"
        ),
        ("c: *x\n", "f:1:4: not valid YAML: found undefined alias"),
        (
            "a: !!int \"3\"\n",
            "f:1:4: the tag 'tag:yaml.org,2002:int' is not accepted; write a plain value"
        ),
        (
            "a: !!str 3\n",
            "f:1:4: the tag 'tag:yaml.org,2002:str' is not accepted; write a plain value"
        ),
        ("a: !thing {b: 1}\n", "f:1:4: the tag '!thing' is not accepted; write a plain value"),
        ("- 1\n- 2\n", "f:1:1: the file holds a list; expected a mapping (key: value)"),
        ("just text\n", "f:1:1: the file holds 'just text'; expected a mapping (key: value)"),
        ("[a, b]: 1\n", "f:1:1: a key must be a plain text"),
        (
            "a: [1, 2\nb: 3\n",
            "f:2:2: not valid YAML: did not find expected ',' or ']' (while parsing a flow sequence that begins at line 1)"
        ),
        (
            "a: 1\n\tb: 2\n",
            "f:2:1: not valid YAML: found a tab character that violates indentation (while scanning a plain scalar that begins at line 1)"
        ),
        ("a: 1\n b: 2\n", "f:2:3: not valid YAML: mapping values are not allowed in this context"),
        (
            "a: \"open\n",
            "f:2:1: not valid YAML: found unexpected end of stream (while scanning a quoted scalar that begins at line 1)"
        ),
        ("a: 1\n---\nb: 2\n", "f:2:1: not valid YAML: but found another document"),
        ("a: b\u{1}c\n", "f:1:5: not valid YAML: control characters are not allowed"),
    ])
    func refusesWithOneSentence(text: String, message: String) throws {
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationNode.parse(document: text, source: "f")
        }
        #expect(error?.description == message)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func refusesAnAliasBombAtOnce() throws {
        var text = "a0: &a0 [x, x]\n"
        for i in 1..<40 { text += "a\(i): &a\(i) [*a\(i - 1), *a\(i - 1)]\n" }
        // As a key, the bomb would go off while the library compares the mapping's keys.
        for bomb in [text, text + "? *a39\n: 1\n"] {
            let error = #expect(throws: ConfigurationError.self) {
                try ConfigurationNode.parse(document: bomb, source: "f")
            }
            #expect(error?.mark.line == 2)
        }
        // Sixteen of what only looks like aliases are read; one more is refused unread.
        let comments = String(repeating: "# *note\n", count: 16) + "a: \"*b\"\n"
        #expect(throws: ConfigurationError.self) {
            try ConfigurationNode.parse(document: comments, source: "f")
        }
        let fewer = String(comments.dropFirst("# *note\n".count))
        #expect(try ConfigurationNode.parse(document: fewer, source: "f")["a"]?.isNull == false)
    }

    @Test func refusesDeepNesting() throws {
        let text = "a: " + String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        let error = #expect(throws: ConfigurationError.self) {
            try ConfigurationNode.parse(document: text, source: "f")
        }
        #expect(error?.message == "nested more than 64 deep; is this a configuration?")
        let deeper = String(repeating: "[", count: 100_000)
        let library = #expect(throws: ConfigurationError.self) {
            try ConfigurationNode.parse(document: deeper, source: "f")
        }
        #expect(library?.message == error?.message)
    }

    @Test func refusesFilesThatAreNone() throws {
        let folder = try TemporaryFolder()
        let long = "a: " + String(repeating: "x", count: 2_000_000)
        try folder.write(long, to: "long.yaml")
        try Data([0x61, 0x3A, 0x20, 0xFF, 0xFE]).write(
            to: URL(fileURLWithPath: folder.file("bytes.yaml")))
        func message(_ name: String) -> String {
            folder.message { try ConfigurationNode.read(path: folder.file(name)) }
        }
        #expect(
            message("none.yaml")
                == "none.yaml: cannot be read: No such file or directory")
        #expect(
            message("long.yaml")
                == "long.yaml: cannot be read: longer than 1000000 bytes; a configuration "
                + "is written by a person: is this the right file?")
        #expect(
            message("bytes.yaml")
                == "bytes.yaml: the file is not UTF-8 text; save it as UTF-8, or is this the right file?"
        )
        #expect(message("").contains("Is a directory; it is a folder: name a file, or "))
    }

    @Test func printsWhatItReads() throws {
        let text = """
            name: é
            list: [1, 2.50, "010", 'yes', no, "", ~]
            nested:
              - {a: 1.0e-4}
              - [[x], []]
            empty: {}
            line: "a\\nb: #"
            "odd key: #": "true"
            """
        let node = try ConfigurationNode.parse(document: text, source: "f")
        let printed = try node.yaml()
        let again = try ConfigurationNode.parse(document: printed, source: "g")
        #expect(again.json == node.json)
        #expect(try again.yaml() == printed)
        #expect(printed.contains("2.50") && printed.contains("1.0e-4"))
        #expect(printed.hasPrefix("name: é\nlist: [1, 2.50, \"010\""))
    }

    @Test func comesFromEncodableValues() throws {
        struct Inner: Encodable {
            var rate = 1e-5
            var names = ["cft", "yes", "1.5", "", "a b"]
            var note: String?
        }
        struct Outer: Encodable {
            var steps = 3
            var inner = Inner()
            var flag = true
        }
        let node = try ConfigurationNode(encoding: Outer(), source: "code")
        #expect(
            try node.yaml() == """
                flag: true
                inner:
                  names: [cft, "yes", "1.5", "", "a b"]
                  rate: 1.0e-05
                steps: 3

                """)
        let again = try ConfigurationNode.parse(document: try node.yaml(), source: "g")
        #expect(again.json == node.json)
    }
}
