import Foundation

/// A picture that is carried in the page.
public struct ReportFigure: Sendable {
    /// The PNG file's bytes.
    public let png: Data
    /// What the picture shows, for readers who cannot see it; not empty.
    public let alternativeText: String
    /// The text below the picture, or nil.
    public var caption: String?
    /// Identifiers of the runs it was drawn from.
    public var runs: [String]
    /// Width and height in pixels, as the file states them.
    let size: (width: Int, height: Int)

    /// Makes a figure from the bytes of a PNG file.
    ///
    /// - Throws: ``ReportError`` when the bytes are not those of a PNG file from its beginning to
    ///   its end.
    public init(
        png: Data, alternativeText: String, caption: String? = nil, runs: [String] = []
    ) throws(ReportError) {
        precondition(
            alternativeText.contains { !$0.isWhitespace }, "a picture has an alternative text")
        let bytes = [UInt8](png)
        let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let end: [UInt8] = [0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]
        guard bytes.count >= 24 + end.count, bytes.starts(with: signature),
            bytes.suffix(end.count).elementsEqual(end)
        else { throw ReportError.notPNG(alternativeText: alternativeText) }
        // The size stands in the first chunk, highest byte first.
        func word(_ at: Int) -> Int { bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        size = (word(16), word(20))
        self.png = png
        self.alternativeText = alternativeText
        self.caption = caption
        self.runs = runs
    }
}

/// Why a report could not be made, in one sentence.
public enum ReportError: Error, CustomStringConvertible, Equatable {
    /// The bytes of a picture are not a PNG file, or not a whole one.
    case notPNG(alternativeText: String)

    /// The sentence.
    public var description: String {
        switch self {
        case .notPNG(let text):
            "The picture \"\(text)\" is not a whole PNG file: draw it again."
        }
    }
}
