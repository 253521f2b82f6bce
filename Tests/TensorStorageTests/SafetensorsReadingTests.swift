import Foundation
import Kernels
import TensorStorage
import TestSupport
import Testing

/// Files written by the safetensors library itself.
@Suite struct SafetensorsReadingTests {
    @Test func readsWhatTheLibraryWrote() throws {
        let file = try Fixture.tensors("safetensors/plain.safetensors")
        #expect(file.metadata == ["made_by": "safetensors"])
        #expect(file.tensors.map(\.name) == ["a", "b", "thirds", "values"])
        #expect(try file.floats("a", shape: [2, 3]) == [1, 2, 3, 4, 5, 6])
        #expect(try file.floats("b") == [0.5])
        let info = try file.tensor(named: "a")
        #expect(info.elementType == .float32 && info.byteRange == 0..<24 && info.elementCount == 6)
    }

    @Test func convertsEveryFloatType() throws {
        let file = try Fixture.tensors("safetensors/types.safetensors")
        let exact = try file.floats("float32", shape: [3, 4])
        #expect(
            exact == (try Fixture.tensors("safetensors/plain.safetensors").floats("values")),
            "the same generator wrote both files")
        let half = try file.floats("float16", shape: [3, 4])
        #expect(half == exact.map { Float(Float16($0)) })
        let brain = try file.floats("bfloat16", shape: [3, 4])
        let halfCloseness = closeness(brain, exact, relative: 0x1p-8)
        #expect(halfCloseness.isWithin && brain != exact, "\(halfCloseness)")
        #expect(brain.allSatisfy { $0.bitPattern & 0xFFFF == 0 })
        #expect(
            try file.floats("float64")
                == Fixture.tensors("safetensors/plain.safetensors").floats("thirds"))
        #expect(try file.floats("scalar", shape: []) == [4.5])
        #expect(try file.floats("empty", shape: [0, 3]) == [])
    }

    @Test func matrixTypesAreThoseThatProductsRead() {
        let names: [StoredElement: String] = [
            .float32: "F32", .float16: "F16", .bfloat16: "BF16",
        ]
        for type in TensorElementType.allCases {
            let element = StoredElement(type)
            #expect(element.flatMap { names[$0] } == (element == nil ? nil : type.rawValue))
        }
        #expect(StoredElement.allCases.map { names[$0] } == ["F32", "F16", "BF16"])
        #expect(StoredElement.allCases.allSatisfy { StoredElement($0.elementType) == $0 })
    }

    @Test func tensorsAreComparedByTypeShapeAndBytes() throws {
        let directory = try TemporaryDirectory()
        let a = RawTensor("a", shape: [2, 2], [1, 2, 3, .nan])
        var (flat, half, other) = (a, a, a)
        (flat.name, flat.shape) = ("flat", [4])
        (half.name, half.dtype, half.shape) = ("half", "F16", [2, 4])
        other.name = "other"
        other.bytes[7] ^= 0x80
        var same = a
        same.name = "same"
        try directory.write(
            rawSafetensors([
                a, flat, half, other, RawTensor("none", shape: [0], []),
                RawTensor("nothing", shape: [0], []),
            ]), to: "one")
        try directory.write(rawSafetensors([same]), to: "two")
        let one = try SafetensorsFile(path: directory.file("one"))
        let two = try SafetensorsFile(path: directory.file("two"))
        // NaN equals itself: bytes are compared.
        #expect(try two.tensor("same", equals: "a", of: one))
        #expect(try one.tensor("none", equals: "nothing", of: one))
        for name in ["flat", "half", "other", "none"] {
            #expect(try !two.tensor("same", equals: name, of: one), "\(name)")
        }
        #expect(throws: TensorStorageError.self) { try one.tensor("a", equals: "a", of: two) }
    }

    @Test func keepsSpecialValues() throws {
        let file = try Fixture.tensors("safetensors/types.safetensors")
        let half = try file.floats("special.float16")
        #expect(half.prefix(5) == [0, 0, 1, -2.5, 65504])
        #expect(half[1].sign == .minus && half[5] == 0x1p-24)
        #expect(half.suffix(2) == [.infinity, -.infinity])
        let brain = try file.floats("special.bfloat16")
        #expect(brain[4] == 65536 && brain[1].sign == .minus && brain[6] == .infinity)
    }

    @Test func readsIntegers() throws {
        let file = try Fixture.tensors("safetensors/types.safetensors")
        #expect(
            try file.integers("int64", shape: [2, 3]) == [.min, -1, 0, 1, 1 << 40, .max])
        #expect(try file.integers("int32") == [Int64(Int32.min), Int64(Int32.max)])
        #expect(try file.integers("int16") == [-32768, 32767])
        #expect(try file.integers("int8") == [-128, 127])
        #expect(try file.integers("uint8") == [0, 255])
        #expect(try file.integers("bool") == [1, 0, 1])
    }

    @Test func readsEscapedNames() throws {
        let file = try Fixture.tensors("safetensors/types.safetensors")
        #expect(try file.floats("name \"quoted\" ä中😀\n") == [1])
        #expect(file.metadata["note"] == "a \"quoted\" line\nand ä")
    }

    @Test func refusesWrongTypesShapesAndNames() throws {
        let path = Fixture.path("safetensors/types.safetensors")
        let file = try SafetensorsFile(path: path)
        func message(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(
            message { _ = try file.floats("int32") }
                == "\(path): tensor \"int32\" has the dtype I32; F32, F16, BF16 or F64 is expected."
        )
        #expect(
            message { _ = try file.integers("float32") }
                == "\(path): tensor \"float32\" has the dtype F32; "
                + "I64, I32, I16, I8, U32, U16, U8 or BOOL is expected.")
        #expect(
            message { _ = try file.floats("float32", shape: [4, 3]) }
                == "\(path): tensor \"float32\" has the shape [3, 4]; [4, 3] is expected.")
        #expect(
            message { try file.readFloats("float32", into: FloatView(zeros: 5)) }
                == "\(path): tensor \"float32\" has the shape [3, 4]; 5 elements are expected.")
        #expect(
            message { _ = try file.integers("int8", shape: [1, 2]) }
                == "\(path): tensor \"int8\" has the shape [2]; [1, 2] is expected.")
        let missing = message { _ = try file.floats("flaot32") }
        #expect(missing.hasPrefix("\(path): tensor \"flaot32\" is missing; the file has \""))
        #expect(missing.hasSuffix(" and 7 more."))
    }

    @Test func readsIntoALayout() throws {
        let layout = TensorLayout([("b", [1]), ("a", [2, 3])])
        let buffer = FloatBuffer(count: layout.count)
        let file = try Fixture.tensors("safetensors/plain.safetensors")
        try file.readFloats(into: layout.tensors(in: buffer.view))
        #expect(layout.view("a", in: buffer.view).array == [1, 2, 3, 4, 5, 6])
        #expect(layout.view("b", in: buffer.view).array == [0.5])
        #expect(throws: TensorStorageError.self) {
            let other = TensorLayout([("a", [3, 2])])
            try file.readFloats(
                into: other.tensors(in: FloatBuffer(count: other.count).view))
        }
    }
}
