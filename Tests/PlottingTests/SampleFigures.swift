import Foundation

@testable import Plotting

/// Figures like those of a sweep, from made-up curves.
enum SampleFigures {
    /// Error against context length: three layouts with bands and two references.
    static func layouts(points: Int = 16, scale: AxisScale = .linear) -> Figure {
        Figure(
            title: "polynomial: error against context length", subtitle: "3 seeds, α = 0.05",
            panels: [panel(points: points, scale: scale)])
    }

    /// The same on two panels with different scales.
    static func twoPanels() -> Figure {
        Figure(
            title: "mean and median",
            panels: [panel(points: 41, scale: .linear), panel(points: 41, scale: .log10)])
    }

    static func panel(points: Int, scale: AxisScale) -> Panel {
        let k = (0..<points).map(Double.init)
        let curves = zip(["CPT", "CFT", "NEG-CFT"], [6.0, 0.4, 6.5]).enumerated().map {
            index, curve -> Series in
            let y = k.map { curve.1 + 12 * exp(-$0 / 5) }
            return Series(
                name: curve.0, x: k, y: y, low: y.map { $0 * 0.8 - 0.5 },
                high: y.map { $0 * 1.2 + 0.5 }, style: .curve(index))
        }
        let bayes = k.map { max(0, 20 - 4 * $0) }
        let leastSquares = k.map { $0 < 5 ? 24 - 4 * $0 : 1e-28 }
        return Panel(
            title: "d = 5", xLabel: "in-context examples k", yLabel: "squared error / d",
            yScale: scale,
            series: curves + [
                Series(name: "least squares", x: k, y: leastSquares, style: .reference(0)),
                Series(name: "Bayes, CPT prompt", x: k, y: bayes, style: .reference(1)),
            ])
    }

    /// A single curve without legend entry.
    static func curve(
        x: [Double], y: [Double?], title: String = "", xScale: AxisScale = .linear,
        yScale: AxisScale = .linear, color: PlotColor = .vermillion
    ) -> Figure {
        Figure(
            title: title, xLabel: "x", yLabel: "y", xScale: xScale, yScale: yScale,
            series: [Series(name: "", x: x, y: y, style: SeriesStyle(color: color))],
            width: 800, height: 500)
    }

    /// A new empty folder.
    static func folder() throws -> URL {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("plotting-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        return url
    }
}
