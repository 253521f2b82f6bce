import Foundation
import Testing

@testable import Platform

@Suite struct LineSplitterTests {
    /// Wherever the bytes are cut, within a line, a character or an empty line, the lines are the same.
    @Test(arguments: 1...9) func linesDoNotDependOnThePieces(size: Int) {
        let bytes = Array("error: a\n\nwärning: ü\nend".utf8)
        var splitter = LineSplitter()
        var lines: [Data] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            lines += splitter.lines(
                endingWith: Data(bytes[start..<min(start + size, bytes.count)]))
        }
        #expect(lines == ["error: a", "", "wärning: ü"].map { Data($0.utf8) })
        #expect(splitter.pendingCount == 3)
        #expect(splitter.remainder() == Data("end".utf8))
        #expect(splitter.remainder() == nil)
    }
}
