import Foundation
import Platform
import TestSupport
import Testing

@Suite struct InputFileTests {
    /// Lines are bytes: carriage returns, empty lines and what is no UTF-8 stay.
    @Test func linesAreBytes() throws {
        let folder = try TemporaryDirectory()
        try folder.write([0x61, 0x0D, 0x0A, 0x0A, 0xFF, 0x0A, 0x62], to: "lines")
        var lines: [Data] = []
        try InputFile(folder.file("lines")).forEachLine { lines.append($0) }
        #expect(lines == [Data([0x61, 0x0D]), Data(), Data([0xFF]), Data([0x62])])
    }

    @Test func whatIsTooLongIsSaid() throws {
        let folder = try TemporaryDirectory()
        try folder.write([UInt8](repeating: 0x61, count: 200_000), to: "a")
        let line = #expect(throws: SystemError.self) {
            try InputFile(folder.file("a")).forEachLine(maximumBytes: 70_000) { _ in }
        }
        #expect(
            line?.code == EFBIG && line?.description.contains("longer than 70000 bytes") == true)
        let whole = #expect(throws: SystemError.self) {
            try InputFile(folder.file("a")).whole(maximumBytes: 199_999)
        }
        #expect(whole?.code == EFBIG)
        #expect(try InputFile(folder.file("a")).whole(maximumBytes: 200_000).count == 200_000)
        #expect(throws: SystemError.self) { try InputFile(folder.file("none")) }
    }
}
