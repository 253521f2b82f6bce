import Foundation

/// Whole lines out of bytes that come in pieces, which may end within a line or within a character.
public struct LineSplitter: Sendable {
    private var rest = Data()

    /// Begins with nothing.
    public init() {}

    /// The lines that end with `piece`, without their line ends; what follows the last of them is kept.
    public mutating func lines(endingWith piece: Data) -> [String] {
        rest.append(piece)
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let whole = rest[..<end]
        rest = Data(rest[(end + 1)...])
        return whole.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    /// What was said behind the last line end, once nothing more comes; nil when there is nothing.
    public mutating func remainder() -> String? {
        defer { rest = Data() }
        return rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self)
    }
}
