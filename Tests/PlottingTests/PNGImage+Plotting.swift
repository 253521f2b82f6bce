import TestSupport

@testable import Plotting

extension PNGImage.Pixel {
    /// Largest difference of a channel.
    func distance(to other: PlotColor) -> Int {
        let color = other.components
        return max(
            abs(Int(red) - Int(color.red)), abs(Int(green) - Int(color.green)),
            abs(Int(blue) - Int(color.blue)))
    }
}

extension PNGImage.Pixel {
    /// Whether this is exactly that colour.
    func isColor(_ ink: Ink) -> Bool {
        Int32(red) == ink.red && Int32(green) == ink.green && Int32(blue) == ink.blue
    }
}

extension PNGImage {
    /// The pixels of a rectangle given in fractions of the page, with `inset` pixels left out
    /// at each edge.
    func pixels(in area: PlotRectangle, inset: Int = 0) -> [Pixel] {
        let columns =
            Int(area.minX * Double(width)) + inset..<Int(area.maxX * Double(width)) - inset
        let rows =
            Int((1 - area.maxY) * Double(height)) + inset..<Int((1 - area.minY) * Double(height))
            - inset
        return rows.flatMap { row in columns.map { pixels[row * width + $0] } }
    }
}
