import Testing

@testable import Experiments

@Suite struct ConfigurationReaderTests {
    private struct Model: Equatable {
        var width: Int
        var rate: Double
        var family: String
        var isTied: Bool
        var optimizer: String
        var layouts: [String]
        var note: String?
    }

    private func model(_ yaml: String) throws -> Model {
        let node = try ConfigurationNode.parse(document: yaml, source: "f")
        let top = try ConfigurationReader(node)
        let model = try top.section("model") { reader in
            Model(
                width: try reader.integer("n_embd", default: 64, in: 1...4096),
                rate: try reader.double("rate", default: 0.1, in: 0..<1),
                family: try reader.choice("family", default: "gpt2", among: ["gpt2", "llama"]),
                isTied: try reader.boolean("tied", default: false),
                optimizer: try reader.section("optimizer") {
                    try $0.string("name", default: "adam")
                },
                layouts: try reader.choices("layouts", default: [], accepted: ["cpt", "cft"]) {
                    ["cpt": "cpt", "uft": "cpt", "cft": "cft"][$0]
                },
                note: try reader.stringIfPresent("note"))
        }
        try top.finish()
        return model
    }

    @Test func readsValuesAndDefaults() throws {
        let standard = Model(
            width: 64, rate: 0.1, family: "gpt2", isTied: false, optimizer: "adam", layouts: [])
        #expect(try model("") == standard)
        #expect(try model("model:\n") == standard)
        #expect(try model("model: {n_embd: ~, optimizer: null}") == standard)
        let full = try model(
            "model: {n_embd: 8, rate: 0, family: llama, tied: true, optimizer: {name: \"1\"}, "
                + "layouts: [uft, cft], note: x}")
        #expect(
            full
                == Model(
                    width: 8, rate: 0, family: "llama", isTied: true, optimizer: "1",
                    layouts: ["cpt", "cft"], note: "x"))
        #expect(try model("model: {layouts: cft}").layouts == ["cft"])
    }

    @Test(arguments: [
        (
            "model: {n_emb: 3}",
            "f:1:9: unknown key 'n_emb' in model; did you mean 'n_embd'? "
                + "(accepted: n_embd, rate, family, tied, optimizer, layouts, note)"
        ),
        (
            "modle: {}",
            "f:1:1: unknown key 'modle' at the top level; did you mean 'model'? (accepted: model)"
        ),
        (
            "model: {}\nzzzzzzzz: 1",
            "f:2:1: unknown key 'zzzzzzzz' at the top level (accepted: model)"
        ),
        (
            "model:\n  optimizer: {nmae: x}",
            "f:2:15: unknown key 'nmae' in model.optimizer; did you mean 'name'? (accepted: name)"
        ),
        ("model: {n_embd: x}", "f:1:17: model.n_embd is 'x'; expected an integer, 1 to 4096"),
        ("model: {n_embd: 010}", "f:1:17: model.n_embd is '010'; expected an integer, 1 to 4096"),
        ("model: {n_embd: \"8\"}", "f:1:17: model.n_embd is '8'; expected an integer, 1 to 4096"),
        ("model: {n_embd: 1.0}", "f:1:17: model.n_embd is 1.0; expected an integer, 1 to 4096"),
        ("model: {n_embd: 0}", "f:1:17: model.n_embd is 0; expected an integer, 1 to 4096"),
        ("model: {n_embd: [1]}", "f:1:17: model.n_embd is a list; expected an integer, 1 to 4096"),
        (
            "model: {rate: 1.0}",
            "f:1:15: model.rate is 1.0; expected a number, at least 0.0 and below 1.0"
        ),
        (
            "model: {rate: 1:30}",
            "f:1:15: model.rate is '1:30'; expected a number, at least 0.0 and below 1.0"
        ),
        ("model: {tied: yes}", "f:1:15: model.tied is 'yes'; expected true or false"),
        ("model: {tied: 1}", "f:1:15: model.tied is 1; expected true or false"),
        ("model: {note: 5}", "f:1:15: model.note is 5; expected a text"),
        ("model: {note: {a: 1}}", "f:1:15: model.note is a mapping; expected a text"),
        (
            "model: {family: gtp2}",
            "f:1:17: model.family is 'gtp2'; did you mean 'gpt2'? (accepted: gpt2, llama)"
        ),
        (
            "model: {family: 2}",
            "f:1:17: model.family is 2; expected a name (accepted: gpt2, llama)"
        ),
        (
            "model: {layouts: [cft, cfd]}",
            "f:1:24: model.layouts[1] is 'cfd'; did you mean 'cft'? (accepted: cpt, cft)"
        ),
        ("model: 3", "f:1:8: model is 3; expected a mapping (key: value)"),
        ("model: [a]", "f:1:8: model is a list; expected a mapping (key: value)"),
    ])
    func refuses(yaml: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try model(yaml) }
        #expect(error?.description == message)
    }

    @Test func requiresWhatHasNoDefault() throws {
        func read(_ yaml: String) throws -> Int {
            let node = try ConfigurationNode.parse(document: yaml, source: "f")
            let reader = try ConfigurationReader(node)
            return try reader.section("a") { reader in
                try reader.integer("steps", in: 1...)
            }
        }
        #expect(try read("a: {steps: 3}") == 3)
        #expect(
            message { try read("a: {}") }
                == "f:1:4: a.steps is missing; expected an integer, at least 1")
        #expect(
            message { try read("a: {step: 3}") }
                == "f:1:4: a.steps is missing; expected an integer, at least 1 (is 'step' at f:1:5 "
                + "meant?)")
    }

    @Test func readsListsAndOptionals() throws {
        let node = try ConfigurationNode.parse(
            document: "a: [1, 2]\nb: 3\nc: [0.5, 1]\nd: [x, 'y']\ne: [1, x]\nf: 7\n", source: "f")
        let reader = try ConfigurationReader(node)
        #expect(try reader.integers("a") == [1, 2])
        #expect(try reader.integers("b") == [3])
        #expect(try reader.doubles("c") == [0.5, 1])
        #expect(try reader.strings("d") == ["x", "y"])
        #expect(
            message { try reader.integers("e", in: 0...9) }
                == "f:5:8: e[1] is 'x'; expected an integer, 0 to 9")
        #expect(try reader.doubleIfPresent("f", in: ...7) == 7)
        #expect(try reader.doubleIfPresent("g") == nil)
        #expect(
            message { try reader.doubleIfPresent("f", in: ..<7) }
                == "f:6:4: f is 7; expected a number, below 7.0")
        #expect(reader.contains("a") && !reader.contains("h"))
        #expect(reader.error("a", "is too long").description == "f:1:4: a is too long")
        try reader.finish()
    }

    @Test(arguments: [
        ("n_emb", "n_embd"), ("layuot", "layout"), ("LAYOUT", "layout"), ("x", nil),
        ("embedding", nil), ("steps", "steps"),
    ])
    func findsTheNearestName(word: String, expected: String?) {
        #expect(Spelling.nearest(to: word, among: ["layout", "n_embd", "steps"]) == expected)
    }

    @Test(arguments: [("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 1)])
    func measuresEditDistance(first: String, second: String, distance: Int) {
        #expect(Spelling.editDistance(first, second) == distance)
    }

    private func message<Value>(_ body: () throws -> Value) -> String {
        do {
            _ = try body()
            return "no error"
        } catch { return "\(error)" }
    }
}
