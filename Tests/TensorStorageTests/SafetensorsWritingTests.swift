import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing

@Suite struct SafetensorsWritingTests {
    /// The safetensors library orders tensors by name; in that order our file is byte for byte the same.
    @Test func writesTheBytesTheLibraryWrites() throws {
        let golden = try Fixture.tensors("safetensors/plain.safetensors")
        let directory = try TemporaryDirectory()
        let path = directory.file("ours.safetensors")
        let contents = try golden.tensors.map {
            SafetensorsContent.floats(
                $0.name, shape: $0.shape, FloatView(try golden.floats($0.name)))
        }
        try writeSafetensors(contents, metadata: golden.metadata, to: path)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: path))
                == Fixture.data("safetensors/plain.safetensors"))
        #expect(try directory.names() == ["ours.safetensors"])
    }

    @Test func headerIsExact() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("exact.safetensors")
        try writeSafetensors(
            [
                .integers("n", shape: [], [-2]),
                .floats("é\"\\", shape: [1, 2], FloatView([1, -2])),
            ], metadata: ["b": "2", "a": "line\n\u{1}"], to: path)
        let header =
            #"{"__metadata__":{"a":"line\n\u0001","b":"2"},"#
            + #""n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
            + #""é\"\\":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}"#
        let padding = (8 - header.utf8.count % 8) % 8
        var expected: [UInt8] = [UInt8(header.utf8.count + padding), 0, 0, 0, 0, 0, 0, 0]
        expected += Array(header.utf8) + [UInt8](repeating: 0x20, count: padding)
        expected += [0xFE, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
        #expect(Array(try Data(contentsOf: URL(fileURLWithPath: path))) == expected)
    }

    /// Elements made while the file is written give the file that memory full of them gives.
    @Test func piecesAreWrittenAsTheyAreMade() throws {
        let directory = try TemporaryDirectory()
        let numbers = (0..<10).map { Float($0) }
        let sum = FloatView(zeros: 1)
        let contents = [
            SafetensorsContent.floats("n", shape: [2, 5]) { write in
                for range in [0..<3, 3..<3, 3..<10] {
                    try write(FloatView(Array(numbers[range])))
                    sum[0] += numbers[range].reduce(0, +)
                }
            }, .floats("sum", shape: [1], sum),
        ]
        #expect(sum[0] == 0)
        try writeSafetensors(contents, to: directory.file("pieces"))
        try writeSafetensors(
            [
                .floats("n", shape: [2, 5], FloatView(numbers)),
                .floats("sum", shape: [1], FloatView([45])),
            ], to: directory.file("whole"))
        let whole = try Data(contentsOf: URL(fileURLWithPath: directory.file("whole")))
        #expect(try Data(contentsOf: URL(fileURLWithPath: directory.file("pieces"))) == whole)
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try writeSafetensors(
                [
                    .floats("n", shape: [2]) { write in
                        try write(FloatView([1]))
                        throw Stop()
                    }
                ], to: directory.file("none"))
        }
        #expect(try directory.names() == ["pieces", "whole"])
    }

    @Test func roundTripKeepsEveryBit() throws {
        var generator = TestGenerator(seed: 1)
        let layout = TensorLayout([("w", [17, 31]), ("b", [31]), ("none", [0, 4]), ("s", [])])
        let buffer = FloatBuffer(count: layout.count)
        for tensor in layout.tensors(in: buffer.view) {
            tensor.view.copy(from: generator.normals(tensor.view.count))
        }
        let nan = Float(bitPattern: 0x7FC1_2345)
        layout.view("b", in: buffer.view).copy(
            from: [nan, -0.0, .infinity, .leastNonzeroMagnitude] + generator.normals(27))
        let directory = try TemporaryDirectory()
        let path = directory.file("round.safetensors")
        try writeSafetensors(layout.tensors(in: buffer.view).map { .floats($0) }, to: path)

        let file = try SafetensorsFile(path: path)
        #expect(file.tensors.map(\.name).sorted() == ["b", "none", "s", "w"])
        #expect(file.metadata.isEmpty)
        let copy = FloatBuffer(count: layout.count)
        try file.readFloats(into: layout.tensors(in: copy.view))
        #expect(copy.view.array.map(\.bitPattern) == buffer.view.array.map(\.bitPattern))
    }

    @Test func replacesAFileThatIsMapped() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("model.safetensors")
        try writeSafetensors([.floats("x", shape: [3], FloatView([1, 2, 3]))], to: path)
        let old = try SafetensorsFile(path: path)
        try writeSafetensors([.floats("x", shape: [1], FloatView([9]))], to: path)
        #expect(try old.floats("x") == [1, 2, 3], "the mapped file keeps its bytes")
        #expect(try SafetensorsFile(path: path).floats("x") == [9])
        #expect(try directory.names() == ["model.safetensors"])
    }

    @Test func writesToARelativePath() throws {
        let name = "safetensors-writing-test-\(ProcessInfo.processInfo.processIdentifier).tmp"
        defer { try? FileManager.default.removeItem(atPath: name) }
        try writeSafetensors([.integers("x", shape: [1], [3])], to: name)
        #expect(try SafetensorsFile(path: name).integers("x") == [3])
    }

    @Test func failuresLeaveNothingBehind() throws {
        let directory = try TemporaryDirectory()
        let content = SafetensorsContent.floats("x", shape: [1], FloatView([1]))
        let missing = directory.file("missing/model.safetensors")
        #expect(
            throws: TensorStorageError(
                path: missing,
                "cannot be created: No such file or directory; create the folder '\(directory.file("missing"))' or "
                    + "name another.")
        ) { try writeSafetensors([content], to: missing) }
        let occupied = directory.file("occupied")
        try FileManager.default.createDirectory(
            atPath: occupied, withIntermediateDirectories: false)
        #expect(
            throws: TensorStorageError(
                path: occupied,
                "cannot be put in its place: Is a directory; it is a folder: name a file, or move it away if it stands "
                    + "in a file's place."
            )
        ) { try writeSafetensors([content], to: occupied) }
        #expect(try directory.names() == ["occupied"])
    }

    /// As root a rename would put a file in the place of /dev/full or a pipe.
    @Test func writesThroughPipesAndFollowsLinks() throws {
        let directory = try TemporaryDirectory()
        let content = SafetensorsContent.floats("x", shape: [1], FloatView([1]))
        let pipe = directory.file("pipe")
        try #require(mkfifo(pipe, 0o600) == 0)
        // Open for both, so that neither side waits for the other.
        let reader = open(pipe, O_RDWR)
        defer { close(reader) }
        try writeSafetensors([content], to: pipe)
        var status = stat()
        #expect(lstat(pipe, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
        let file = directory.file("file")
        try writeSafetensors([content], to: file)
        let expected = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
        var found = [UInt8](repeating: 0, count: expected.count)
        #expect(read(reader, &found, found.count) == expected.count)
        #expect(found == expected)

        let link = directory.file("link")
        try FileManager.default.createSymbolicLink(
            atPath: link, withDestinationPath: "file")
        try writeSafetensors([.floats("y", shape: [1], FloatView([2]))], to: link)
        #expect(lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        #expect(try SafetensorsFile(path: file).floats("y") == [2])
        #expect(try directory.names() == ["file", "link", "pipe"])
    }
}
