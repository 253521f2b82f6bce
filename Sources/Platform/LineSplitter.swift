import Foundation

/// Whole lines out of bytes that come in pieces, which may end within a line or within a character.
public struct LineSplitter: Sendable {
    private var rest = Data()

    /// Begins with nothing.
    public init() {}

    /// Bytes of the line that is not whole yet.
    public var pendingCount: Int { rest.count }

    /// The lines that end with `piece`, without their line feeds; what follows the last of them is kept.
    public mutating func lines(endingWith piece: Data) -> [Data] {
        // What is kept holds no line feed, so that a long line is searched once and not with every piece.
        var lines = piece.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let last = lines.removeLast()
        guard !lines.isEmpty else {
            rest.append(last)
            return []
        }
        lines[0] = rest + lines[0]
        rest = Data(last)
        return lines
    }

    /// What was said behind the last line end, once nothing more comes; nil when there is nothing.
    public mutating func remainder() -> Data? {
        defer { rest = Data() }
        return rest.isEmpty ? nil : rest
    }
}
