import Foundation
import TensorStorage
import TestSupport
import Testing

/// The bytes of a safetensors file with any header, right or wrong.
private func file(
    _ header: String, data: Int = 0, length: UInt64? = nil
) -> [UInt8] {
    let length = length ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
        + [UInt8](repeating: 0x3F, count: data)
}

private func entry(
    _ name: String, _ shape: String = "[2]", _ offsets: String = "[0,8]", type: String = "F32"
) -> String {
    "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
}

/// A damaged file and what the sentence about it says after the path.
struct MalformedFile: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let message: String

    init(_ description: String, _ bytes: [UInt8], _ message: String) {
        testDescription = description
        self.bytes = bytes
        self.message = message
    }

    static let length: [MalformedFile] = [
        .init(
            "empty", [], "has 0 bytes; a safetensors file begins with a header length of 8 bytes."),
        .init(
            "seven bytes", [0, 0, 0, 0, 0, 0, 0],
            "has 7 bytes; a safetensors file begins with a header length of 8 bytes."),
        .init(
            "header beyond the limit", file("{}", length: 100_000_001),
            "claims a header of 100000001 bytes; more than 100000000 is refused "
                + "(is this a safetensors file?)."),
        .init(
            "largest possible header length", file("{}", length: .max),
            "claims a header of 18446744073709551615 bytes; more than 100000000 is refused "
                + "(is this a safetensors file?)."),
        .init(
            "header beyond the file", file("{}", length: 3),
            "claims a header of 3 bytes but has only 2 after the length; "
                + "it is truncated or not a safetensors file."),
        .init(
            "no header", file(""),
            "has a header that does not begin with {; it is not a safetensors file."),
        .init(
            "leading space", file(" {}"),
            "has a header that does not begin with {; it is not a safetensors file."),
        .init(
            "truncated data", file("{\(entry("x"))}", data: 7),
            "tensor \"x\" ends at byte 8 but the file has only 7 bytes of data; it is truncated."),
        .init(
            "too much data", file("{\(entry("x"))}", data: 10),
            "the tensors end at byte 8 but the file has 10 bytes of data; 2 too many."),
        .init(
            "data without tensors", file("{}", data: 1),
            "the tensors end at byte 0 but the file has 1 bytes of data; 1 too many."),
    ]

    static let entries: [MalformedFile] = [
        .init(
            "duplicate name", file("{\(entry("x")),\(entry("x", "[2]", "[8,16]"))}", data: 16),
            "tensor \"x\" is in the header twice."),
        .init(
            "duplicate name, one escaped",
            file("{\(entry("x")),\(entry("\\u0078", "[2]", "[8,16]"))}", data: 16),
            "tensor \"x\" is in the header twice."),
        .init(
            "unknown dtype", file("{\(entry("x", type: "F31"))}", data: 8),
            "tensor \"x\" has the unknown dtype \"F31\"; known are BOOL, U8, I8, F8_E5M2, F8_E4M3, "
                + "F8_E8M0, U16, I16, F16, BF16, U32, I32, F32, U64, I64, F64, C64."),
        .init(
            "wrong size", file("{\(entry("x", "[3]"))}", data: 8),
            "tensor \"x\" has 8 bytes, but F32 of shape [3] takes 12."),
        .init(
            "wrong dtype for the size", file("{\(entry("x", type: "F64"))}", data: 8),
            "tensor \"x\" has 8 bytes, but F64 of shape [2] takes 16."),
        .init(
            "offsets the wrong way round", file("{\(entry("x", "[2]", "[8,0]"))}", data: 8),
            "tensor \"x\" has data_offsets that end (0) before they begin (8)."),
        .init(
            "overlap",
            file("{\(entry("x")),\(entry("y", "[2]", "[4,12]"))}", data: 12),
            "tensor \"y\" begins at byte 4, inside tensor \"x\"."),
        .init(
            "the same bytes twice", file("{\(entry("x")),\(entry("y"))}", data: 8),
            "tensor \"y\" begins at byte 0, inside tensor \"x\"."),
        .init(
            "hole", file("{\(entry("x")),\(entry("y", "[1]", "[12,16]"))}", data: 16),
            "tensor \"y\" begins at byte 12 and leaves a hole from byte 8."),
        .init(
            "hole at the start", file("{\(entry("x", "[1]", "[4,8]"))}", data: 8),
            "tensor \"x\" begins at byte 4 and leaves a hole from byte 0."),
        .init(
            "negative extent", file("{\(entry("x", "[-2]"))}", data: 8),
            "tensor \"x\" has the negative number -2 in shape."),
        .init(
            "negative offset", file("{\(entry("x", "[2]", "[-8,0]"))}", data: 8),
            "tensor \"x\" has the negative number -8 in data_offsets."),
        .init(
            "overflowing shape", file("{\(entry("x", "[4294967296,4294967296]"))}", data: 8),
            "tensor \"x\" has the shape [4294967296, 4294967296], beyond any file's size."),
        .init(
            "overflowing byte count", file("{\(entry("x", "[4611686018427387904]"))}", data: 8),
            "tensor \"x\" has the shape [4611686018427387904], beyond any file's size."),
        .init(
            "number beyond 64 bits", file("{\(entry("x", "[2]", "[0,99999999999999999999]"))}"),
            "tensor \"x\" has a number of 20 digits in data_offsets, beyond any file's size."),
        .init(
            "end beyond the file",
            file("{\(entry("x", "[1]", "[9223372036854775803,9223372036854775807]"))}", data: 8),
            "tensor \"x\" ends at byte 9223372036854775807 but the file has only 8 bytes of data; "
                + "it is truncated."),
        .init(
            "fraction", file("{\(entry("x", "[2.0]"))}", data: 8),
            "tensor \"x\" has \"2.0\" in shape, where a whole number is expected."),
        .init(
            "leading zero", file("{\(entry("x", "[02]"))}", data: 8),
            "tensor \"x\" has \"02\" in shape, where a whole number is expected."),
        .init(
            "one offset", file("{\(entry("x", "[2]", "[8]"))}", data: 8),
            "tensor \"x\" has 1 data_offsets; [begin, end] is expected."),
        .init(
            "no dtype", file("{\"x\":{\"shape\":[2],\"data_offsets\":[0,8]}}", data: 8),
            "tensor \"x\" lacks dtype."),
        .init(
            "shape twice",
            file(
                "{\"x\":{\"shape\":[2],\"shape\":[2],\"dtype\":\"F32\",\"data_offsets\":[0,8]}}",
                data: 8),
            "tensor \"x\" has the key \"shape\" twice."),
        .init(
            "unknown key",
            file("{\"x\":{\"shape\":[2],\"stride\":[1]}}", data: 8),
            "tensor \"x\" has the key \"stride\"; only dtype, shape and data_offsets are known."),
    ]

    static let json: [MalformedFile] = [
        .init(
            "no JSON", file("{abc"),
            "the header is not valid JSON at its byte 1: \" is expected."),
        .init(
            "header cut", file("{\"x\":{\"dtype\":\"F3"),
            "the header is not valid JSON at its byte 17: a string does not end."),
        .init(
            "something after the header", file("{} x"),
            "the header is not valid JSON at its byte 3: something after the closing brace."),
        .init(
            "zero padding", file("{}\0\0"),
            "the header is not valid JSON at its byte 2: something after the closing brace."),
        .init(
            "trailing comma", file("{\(entry("x")),}", data: 8),
            "the header is not valid JSON at its byte 54: \" is expected."),
        .init(
            "a tensor that is no object", file("{\"x\":[]}"),
            "the header is not valid JSON at its byte 5: { is expected."),
        .init(
            "invalid UTF-8", [4, 0, 0, 0, 0, 0, 0, 0] + [0x7B, 0x22, 0xFF, 0x22],
            "the header is not valid JSON at its byte 4: a string is not valid UTF-8."),
        .init(
            "control character", file("{\"a\nb\":1}"),
            "the header is not valid JSON at its byte 4: a string has an unescaped control character."
        ),
        .init(
            "half a surrogate pair", file("{\"\\ud83d\":1}"),
            "the header is not valid JSON at its byte 8: half of a surrogate pair."),
        .init(
            "unknown escape", file("{\"\\x\":1}"),
            "the header is not valid JSON at its byte 4: an unknown escape in a string."),
        .init(
            "metadata that is no object", file("{\"__metadata__\":3}"),
            "the header is not valid JSON at its byte 16: { is expected."),
        .init(
            "metadata that is no string", file("{\"__metadata__\":{\"a\":3}}"),
            "__metadata__ has a value for \"a\" that is not a string."),
        .init(
            "metadata key twice", file("{\"__metadata__\":{\"a\":\"\",\"a\":\"\"}}"),
            "__metadata__ has the key \"a\" twice."),
        .init(
            "metadata twice", file("{\"__metadata__\":{},\"__metadata__\":{}}"),
            "the header has __metadata__ twice."),
        .init(
            "deep nesting", file(String(repeating: "{\"x\":", count: 100_000)),
            "tensor \"x\" has the key \"x\"; only dtype, shape and data_offsets are known."),
    ]
}

@Suite struct SafetensorsMalformedTests {
    @Test(arguments: MalformedFile.length + MalformedFile.entries + MalformedFile.json)
    func isRefusedInOneSentence(_ malformed: MalformedFile) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(malformed.bytes, to: "damaged.safetensors")
        #expect(throws: TensorStorageError(path: path, malformed.message)) {
            _ = try SafetensorsFile(path: path)
        }
    }

    @Test func filesThatCannotBeMappedAreRefused() throws {
        let directory = try TemporaryDirectory()
        let missing = directory.file("missing.safetensors")
        #expect(
            throws: TensorStorageError(
                path: missing, "cannot be opened: No such file or directory.")
        ) { _ = try SafetensorsFile(path: missing) }
        #expect(throws: TensorStorageError(path: directory.path, "is not a regular file.")) {
            _ = try SafetensorsFile(path: directory.path)
        }
        let pipe = directory.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(throws: TensorStorageError(path: pipe, "is not a regular file.")) {
            _ = try SafetensorsFile(path: pipe)
        }
    }

    @Test func oddButValidHeadersAreRead() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            file(
                "{ \"y\" : {\"data_offsets\":[8,8],\"dtype\":\"U8\",\"shape\":[0, 7]} ,\n\t"
                    + "\(entry("x")), \"__metadata__\":{}}  \r\n", data: 8), to: "odd.safetensors")
        let read = try SafetensorsFile(path: path)
        #expect(read.tensors.map(\.name) == ["x", "y"])
        #expect(read["y"]?.shape == [0, 7] && read["y"]?.elementCount == 0)
        #expect(read["z"] == nil && read.metadata.isEmpty)
        let empty = try directory.write(file("{}"), to: "empty.safetensors")
        #expect(try SafetensorsFile(path: empty).tensors.isEmpty)
    }

    /// Thousands of random damages: every file is refused or is whole, and reading never leaves its bytes.
    @Test func randomDamageNeverCrashes() throws {
        let directory = try TemporaryDirectory()
        let originals = try ["plain", "types"].map {
            Array(try Fixture.data("safetensors/\($0).safetensors"))
        }
        let pieces = [
            "9223372036854775807", "18446744073709551616", "-1", "0", "1e9", "[", "]", "{", "}",
            "\"", ",", ":", "\\u", "F64", "BOOL", "[0,0]", "__metadata__", "\u{0}",
        ].map { Array($0.utf8) }
        var generator = TestGenerator(seed: 3)
        var refused = 0
        var read = 0
        for trial in 0..<2500 {
            var bytes = originals[trial % 2]
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                damage(&bytes, pieces, &generator)
            }
            let path = try directory.write(bytes, to: "damaged.safetensors")
            do {
                let file = try SafetensorsFile(path: path)
                let end = file.tensors.last?.byteRange.upperBound ?? 0
                #expect(end <= bytes.count - 8)
                for tensor in file.tensors {
                    _ = try? file.floats(tensor.name)
                    _ = try? file.integers(tensor.name)
                }
                read += 1
            } catch {
                #expect(!"\(error)".contains("\n") && "\(error)".hasSuffix("."))
                refused += 1
            }
        }
        #expect(refused > 1250, "\(refused) refused, \(read) read")
        #expect(read > 100, "\(refused) refused, \(read) read")
    }

    private func damage(
        _ bytes: inout [UInt8], _ pieces: [[UInt8]], _ generator: inout TestGenerator
    ) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        // The header is the interesting part, and its length most of all.
        let early = Int.random(in: 0..<min(bytes.count, 400), using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
        case 1: bytes[early] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.removeLast(bytes.count - place)
        case 3: bytes.append(contentsOf: bytes[place...])
        case 4:
            let piece = pieces.randomElement(using: &generator) ?? []
            let end = min(bytes.count, early + piece.count)
            bytes.replaceSubrange(early..<end, with: piece.prefix(end - early))
        default:
            bytes.replaceSubrange(0..<min(8, bytes.count), with: [UInt8(early & 255), 1, 0, 0])
        }
    }
}
