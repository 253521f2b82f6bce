import Foundation
import Testing

@testable import Experiments

@Suite struct CanonicalJSONTests {
    @Test(
        arguments: [
            (nil, "null"), (true, "true"), (3, "3"), (-0.0, "0"), (1.0, "1"), (0.1, "0.1"),
            (1e18, "1000000000000000000"), (1e19, "1e+19"),
            (1e-5, "1e-05"), (1e22, "1e+22"), (1.5e300, "1.5e+300"),
            (.number(.leastNonzeroMagnitude), "5e-324"),
            (.number(.nan), "null"), (.number(-.infinity), "null"),
            (.number(9_007_199_254_740_994), "9007199254740994"),
            (.integer(.max), "9223372036854775807"),
            (JSONValue(Float(0.1)), "0.1"),
            ("a/b\"\\\n\t\r\u{1}é\u{1F600}", #""a/b\"\\\n\t\r\u0001é😀""#),
            ([1, [], [:]], "[1,[],{}]"),
            (
                ["b": 1, "B": 2, "a": 3, "é": 4, "aa": 5, "1": 6],
                #"{"1":6,"B":2,"a":3,"aa":5,"b":1,"é":4}"#
            ),
        ] as [(JSONValue, String)])
    func hasOneSpelling(value: JSONValue, text: String) throws {
        #expect(CanonicalJSON.text(of: value) == text)
        let read = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        #expect(CanonicalJSON.text(of: read) == text)
    }

    private struct Settings: Encodable {
        var steps = 1500
        var rate = 1.0e-4
        var width: Float = 0.1
        var layout = "neg-cft"
        var flags = ["b": true, "a": false]
        var note: String?
    }

    @Test func hashesAreStable() throws {
        let text =
            #"{"flags":{"a":false,"b":true},"layout":"neg-cft","rate":0.0001,"steps":1500,"width":0.1}"#
        #expect(try CanonicalJSON.text(Settings()) == text)
        // Golden, from `printf %s '<the text above>' | sha256sum`: run ids hang on it.
        #expect(
            try CanonicalJSON.hash(Settings())
                == "ad67978ea7cbfcec1b785ce2eb9529d2cf36ed64499b6ea55aadb9ebafad3349")
        var other = Settings()
        other.rate = other.rate.nextUp
        #expect(try CanonicalJSON.hash(other) != CanonicalJSON.hash(Settings()))
    }

    @Test func refusesToHashNaN() {
        #expect(throws: EncodingError.self) { try CanonicalJSON.hash([Double.nan]) }
        #expect(throws: EncodingError.self) { try CanonicalJSON.hash(["a": Float.infinity]) }
    }

    /// FIPS 180-4's examples, and the empty text.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func sha256MatchesTheStandard(text: String, digest: String) {
        #expect(sha256Hex(Data(text.utf8)) == digest)
    }

    @Test func valuesAreReachable() throws {
        struct Record: Encodable { let loss: [Double]; let step = 3 }
        let value = try JSONValue(encoding: Record(loss: [0.5, .nan, -.infinity]))
        #expect(value == ["loss": [0.5, nil, nil], "step": 3])
        #expect(value["step"]?.integerValue == 3 && value["step"]?.doubleValue == 3)
        #expect(value["loss"]?.arrayValue?[0].doubleValue == 0.5)
        #expect(value["none"] == nil && JSONValue.string("x").stringValue == "x")
        #expect(JSONValue([1.5, 2]) == [1.5, .number(2)])
    }
}

@Suite struct RecordTests {
    @Test func writesSortedLinesAndReadsThemBack() throws {
        struct Metric: Codable, Equatable { var step: Int; var loss: Double? }
        let folder = try TemporaryFolder()
        let writer = try RecordWriter(path: folder.file("m.jsonl"))
        try writer.append(["step": 1, "loss": 0.25, "a": "x"])
        try writer.append(["step": 2, "loss": .number(.nan)])
        try writer.append(["step": 3, "loss": .number(.infinity)])
        try writer.synchronize()
        let text =
            "{\"a\":\"x\",\"loss\":0.25,\"step\":1}\n{\"loss\":null,\"step\":2}\n{\"loss\":null,\"step\":3}\n"
        #expect(try folder.text("m.jsonl") == text)
        #expect(try writer.byteLength == text.utf8.count)
        #expect(
            try RecordReader.read(writer.path, as: Metric.self)
                == [Metric(step: 1, loss: 0.25), Metric(step: 2), Metric(step: 3)])
        let untyped = try RecordReader.read(writer.path)
        #expect(untyped.map { $0["step"] } == [1, 2, 3])
    }

    @Test func resumeEqualsAnUndisturbedRun() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("m.jsonl")
        let length: Int
        do {
            let writer = try RecordWriter(path: path)
            for step in 1...3 { try writer.append(["step": .integer(step)]) }
            length = try writer.byteLength
            for step in 4...6 { try writer.append(["step": .integer(step)]) }
        }
        // A killed process can leave half a line.
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("{\"step\":7,\"lo".utf8))
        try handle.close()
        #expect(try RecordReader.read(path).count == 6)
        let writer = try RecordWriter(path: path)
        #expect(try RecordReader.read(path).count == 6)
        #expect(try folder.text("m.jsonl").hasSuffix("6}\n"))
        try writer.truncate(toByteLength: length)
        try writer.append(["step": 4])
        #expect(try RecordReader.read(path).map { $0["step"] } == [1, 2, 3, 4])
    }

    @Test func aCutWithinALineDropsTheLine() throws {
        let folder = try TemporaryFolder()
        let writer = try RecordWriter(path: folder.file("m.jsonl"))
        try writer.append(["a": 1])
        try writer.append(["a": 2])
        try writer.truncate(toByteLength: try writer.byteLength - 1)
        #expect(try folder.text("m.jsonl") == "{\"a\":1}\n")
    }

    @Test func aShorterFileThanTheCheckpointIsRefused() throws {
        let folder = try TemporaryFolder()
        let writer = try RecordWriter(path: folder.file("m.jsonl"))
        try writer.append(["a": 1])
        #expect(
            folder.message { try writer.truncate(toByteLength: 100) }.hasPrefix(
                "'m.jsonl' has 8 bytes, but its checkpoint was written at 100; the file was cut or "
                    + "replaced: restore it, or delete the folder '"))
    }

    @Test func brokenLinesAreNamed() throws {
        struct Metric: Codable { var step: Int }
        let folder = try TemporaryFolder()
        let path = try folder.write("{\"step\":1}\n\n{\"step\":\"x\"}\n", to: "m.jsonl")
        #expect(
            folder.message { try RecordReader.read(path, as: Metric.self) }
                == "m.jsonl:3: not a valid record: step: expected a whole number")
        let broken = try folder.write("{\"step\":1\n", to: "b.jsonl")
        #expect(
            folder.message { try RecordReader.read(broken) }
                == "b.jsonl:1: not a valid record: not valid JSON")
    }

    @Test(arguments: [
        (#"{"status":"done"}"#, "status: 'done' is not one of the accepted values"),
        (#"{"time":"noon"}"#, "expected a time such as 2026-01-31T12:00:00Z"),
        (#"{"names":1}"#, "names: expected a list"), (#"{"map":[]}"#, "map: expected an object"),
        (#"{"flag":1}"#, "flag: expected true or false"),
        ("[]", "expected an object"),
    ])
    func wrongValuesAreToldInTheFilesWords(record: String, message: String) throws {
        struct Record: Codable {
            var status: RunStatus?
            var time: Date?
            var names: [String]?
            var map: [String: Int]?
            var flag: Bool?
        }
        let folder = try TemporaryFolder()
        let path = try folder.write(record + "\n", to: "m.jsonl")
        #expect(
            folder.message { try RecordReader.read(path, as: Record.self) }
                == "m.jsonl:1: not a valid record: \(message)")
    }
}

@Suite struct CSVTests {
    @Test func quotesWhatNeedsIt() throws {
        let folder = try TemporaryFolder()
        var table = CSVTable(header: ["name", "a,b"])
        table.append(["plain", ""])
        table.append(["say \"hi\"", "two\nlines\r\nthree"])
        table.append(["é, ü", CSVTable.cell(0.1)])
        table.append([CSVTable.cell(nil), CSVTable.cell(.nan)])
        try table.write(to: folder.file("t.csv"))
        #expect(
            try folder.text("t.csv")
                == "name,\"a,b\"\nplain,\n\"say \"\"hi\"\"\",\"two\nlines\r\nthree\"\n\"é, ü\",0.1\n,\n"
        )
        let again = try CSVTable.read(folder.file("t.csv"))
        #expect(again == table)
        #expect(again.column("a,b") == ["", "two\nlines\r\nthree", "0.1", ""])
        #expect(again.column("none") == nil)
    }

    @Test func readsOtherProgramsFiles() throws {
        let table = try CSVTable(text: "a,b\r\n1,\"2\"\r\n3,4", source: "t")
        #expect(table.rows == [["1", "2"], ["3", "4"]])
    }

    @Test(arguments: [
        ("", "'t' is empty; expected a line of column names"),
        ("a,b\n1\n", "t:2: 1 cells, but there are 2 columns"),
        ("a,b\n\"x\ny\",1\n1,2,3\n", "t:4: 3 cells, but there are 2 columns"),
        ("a\n\"x\n", "t:2: a quote is not closed"),
    ])
    func refuses(text: String, message: String) throws {
        let folder = try TemporaryFolder()
        #expect(folder.message { try CSVTable(text: text, source: "t") } == message)
    }
}
