import Foundation

/// The pixels of a PNG as cairo writes it: eight bits a channel, RGB or RGBA, not interlaced.
public struct PNGImage: Sendable {
    /// A file that is not such a PNG, or not a whole one.
    public struct Damaged: Error {
        /// What is wrong with it.
        public let reason: String
    }

    /// A pixel's colour; what an alpha channel says is left out.
    public struct Pixel: Hashable, Sendable {
        /// Red.
        public var red: UInt8
        /// Green.
        public var green: UInt8
        /// Blue.
        public var blue: UInt8

        /// White.
        public static let white = Pixel(red: 255, green: 255, blue: 255)
    }

    /// Pixels in a row.
    public let width: Int
    /// Rows.
    public let height: Int
    /// The pixels, row by row from the top.
    public let pixels: [Pixel]

    /// Decodes `file`.
    ///
    /// - Throws: ``Damaged`` when signature, chunks or image data are not those of a whole PNG.
    public init(_ file: Data) throws {
        let bytes = [UInt8](file)
        guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
            bytes.suffix(8).elementsEqual([0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
        else { throw Damaged(reason: "no PNG signature, or no IEND at the end") }
        func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 << 8 | Int(bytes[at + $1]) } }
        var compressed: [UInt8] = []
        var at = 8
        while at + 12 <= bytes.count {
            let length = word(at)
            guard at + 12 + length <= bytes.count else { throw Damaged(reason: "cut chunk") }
            if bytes[at + 4..<at + 8].elementsEqual("IDAT".utf8) {
                compressed += bytes[at + 8..<at + 8 + length]
            }
            at += 12 + length
        }
        guard at == bytes.count else { throw Damaged(reason: "bytes after the last chunk") }
        width = word(16)
        height = word(20)
        guard bytes[24] == 8, bytes[25] == 2 || bytes[25] == 6, bytes[28] == 0 else {
            throw Damaged(reason: "colour type \(bytes[25]), depth \(bytes[24])")
        }
        let channels = bytes[25] == 2 ? 3 : 4
        let stride = width * channels
        let data = try PNGImage.inflate(compressed, count: height * (stride + 1))
        pixels = try PNGImage.unfilter(data, rows: height, stride: stride, channels: channels)
    }

    /// zlib from the system, where cairo's PNG code needs it too.
    private static func inflate(_ compressed: [UInt8], count: Int) throws -> [UInt8] {
        typealias Uncompress =
            @convention(c) (
                UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt>, UnsafePointer<UInt8>, UInt
            ) -> Int32
        guard let library = dlopen("libz.so.1", RTLD_NOW),
            let symbol = dlsym(library, "uncompress")
        else { throw Damaged(reason: "no libz.so.1 to decode with") }
        let uncompress = unsafeBitCast(symbol, to: Uncompress.self)
        var output = [UInt8](repeating: 0, count: count)
        var written = UInt(count)
        guard uncompress(&output, &written, compressed, UInt(compressed.count)) == 0,
            written == UInt(count)
        else { throw Damaged(reason: "image data does not inflate to \(count) bytes") }
        return output
    }

    private static func unfilter(
        _ data: [UInt8], rows: Int, stride: Int, channels: Int
    ) throws -> [Pixel] {
        var pixels: [Pixel] = []
        pixels.reserveCapacity(rows * stride / channels)
        var above = [UInt8](repeating: 0, count: stride)
        for row in 0..<rows {
            let start = row * (stride + 1)
            var line = Array(data[start + 1..<start + 1 + stride])
            for index in 0..<stride {
                let left = index >= channels ? Int(line[index - channels]) : 0
                let up = Int(above[index])
                let corner = index >= channels ? Int(above[index - channels]) : 0
                let guess: Int
                switch data[start] {
                case 0: guess = 0
                case 1: guess = left
                case 2: guess = up
                case 3: guess = (left + up) / 2
                case 4:
                    let (a, b, c) = (
                        abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
                    )
                    guess = a <= b && a <= c ? left : b <= c ? up : corner
                default: throw Damaged(reason: "filter \(data[start])")
                }
                line[index] = line[index] &+ UInt8(guess)
            }
            for column in Swift.stride(from: 0, to: stride, by: channels) {
                pixels.append(
                    Pixel(red: line[column], green: line[column + 1], blue: line[column + 2]))
            }
            above = line
        }
        return pixels
    }
}
