import Foundation
import TestSupport
import Testing

@testable import Plotting

@Suite struct HeatMapTests {
    private static let page = PlotRectangle(minX: 0, minY: 0, maxX: 1, maxY: 1)

    private func map(
        _ values: [[Double?]], scale: AxisScale = .linear, range: ClosedRange<Double>? = nil,
        detail: String? = nil
    ) -> HeatMap {
        let columns = values.first?.count ?? 0
        return HeatMap(
            title: "each model under each layout", subtitle: "3 seeds",
            rowCaption: "trained under", columnCaption: "evaluated under",
            rows: values.indices.map { "row-\($0)" },
            columns: (0..<columns).map { "layout-reversed-\($0)" },
            cells: values.map { $0.map { HeatMapCell($0, detail: detail) } },
            valueLabel: "squared error", scale: scale, range: range)
    }

    private func square(_ side: Int) -> [[Double?]] {
        (0..<side).map { row in (0..<side).map { Double(1 + row * side + $0) } }
    }

    /// The pixel that most of a rectangle has.
    private func ground(_ image: PNGImage, _ area: PlotRectangle) throws -> PNGImage.Pixel {
        var counts: [PNGImage.Pixel: Int] = [:]
        for pixel in image.pixels(in: area, inset: 3) { counts[pixel, default: 0] += 1 }
        return try #require(counts.max { $0.value < $1.value }).key
    }

    @Test func cellsHaveTheColoursOfTheirValues() throws {
        let (data, layout) = try map([[1, 2], [3, 5]]).rendered(as: .png)
        let image = try PNGImage(data)
        for (area, fraction) in zip(layout.cells.joined(), [0, 0.25, 0.5, 1]) {
            #expect(try ground(image, area).isColor(ColorMap.ink(at: fraction)))
        }
        // Equal ratios are equal steps on a logarithmic scale; zero is below all of them.
        let ratios = map([[1, 10], [100, 0]], scale: .log10)
        let (logData, logLayout) = try ratios.rendered(as: .png)
        let logImage = try PNGImage(logData)
        for (area, fraction) in zip(logLayout.cells.joined(), [0, 0.5, 1, 0]) {
            #expect(try ground(logImage, area).isColor(ColorMap.ink(at: fraction)))
        }
    }

    /// The frame has the colour of the number and lies within its cell.
    @Test func aFrameSetsACellApart() throws {
        let plain = map([[1, 5]])
        var cells = plain.cells
        cells[0][0].isFramed = true
        let framed = HeatMap(
            title: plain.title, subtitle: plain.subtitle, rowCaption: plain.rowCaption,
            columnCaption: plain.columnCaption, rows: plain.rows, columns: plain.columns,
            cells: cells, valueLabel: plain.valueLabel)
        func inked(_ map: HeatMap) throws -> [Int] {
            let (data, layout) = try map.rendered(as: .png)
            let image = try PNGImage(data)
            return try layout.cells[0].map { area in
                let ground = try ground(image, area)
                return image.pixels(in: area, inset: 3).count { $0 != ground }
            }
        }
        let (before, after) = (try inked(plain), try inked(framed))
        #expect(after[0] > before[0] + 2000 && after[1] == before[1])
    }

    @Test func aGivenRangeCutsColours() throws {
        let (data, layout) = try map([[-9, 0, 5, 99]], range: 0...10).rendered(as: .png)
        let image = try PNGImage(data)
        for (area, fraction) in zip(layout.cells[0], [0, 0, 0.5, 1]) {
            #expect(try ground(image, area).isColor(ColorMap.ink(at: fraction)))
        }
    }

    @Test(arguments: [1, 3, 8])
    func cellsAndBarDoNotOverlap(side: Int) throws {
        let figure = map(square(side), detail: "[26.9, 31.3]")
        for format in FigureFormat.allCases {
            let layout = try figure.rendered(as: format).layout
            let cells = layout.cells.flatMap { $0 }
            #expect(cells.count == side * side)
            #expect(Self.page.contains(layout.colorBar))
            for (index, area) in cells.enumerated() {
                #expect(Self.page.contains(area) && !area.overlaps(layout.colorBar))
                #expect(area.width > 0.06 && area.height > 0.06)
                for other in cells[..<index] { #expect(!area.overlaps(other)) }
            }
            for row in layout.cells.indices.dropFirst() {
                #expect(layout.cells[row][0].maxY < layout.cells[row - 1][0].minY)
            }
            #expect(layout.colorBar.minX > (cells.map(\.maxX).max() ?? 1))
        }
        let image = try PNGImage(figure.rendered(as: .png).data)
        #expect(image.width == 1600 && image.height == figure.height)
    }

    @Test func textStaysInItsCellAndNothingOnThePagesEdge() throws {
        var long = map(square(8), detail: "[0.0269, 0.0313]")
        long.rowCaption = String(repeating: "trained under ", count: 30)
        long.columnCaption = String(repeating: "evaluated under ", count: 30)
        long.valueLabel = String(repeating: "squared error ", count: 30)
        let (data, layout) = try long.rendered(as: .png)
        let image = try PNGImage(data)
        for cells in layout.cells {
            for (left, right) in zip(cells, cells.dropFirst()) {
                let gap = PlotRectangle(
                    minX: left.maxX + 0.0005, minY: left.minY, maxX: right.minX,
                    maxY: left.maxY)
                // A cell's rim may tint the pixel beside it by a trace.
                #expect(
                    image.pixels(in: gap).allSatisfy {
                        min($0.red, $0.green, $0.blue) >= 240
                    })
                #expect(!image.pixels(in: gap).isEmpty)
            }
        }
        for edge in [
            PlotRectangle(minX: 0, minY: 0, maxX: 1, maxY: 0.01),
            PlotRectangle(minX: 0, minY: 0.99, maxX: 1, maxY: 1),
            PlotRectangle(minX: 0, minY: 0, maxX: 0.01, maxY: 1),
            PlotRectangle(minX: 0.99, minY: 0, maxX: 1, maxY: 1),
        ] {
            #expect(image.pixels(in: edge).allSatisfy { $0 == .white })
        }
    }

    @Test func theBarRunsFromLightBelowToDarkAbove() throws {
        let (data, layout) = try map(square(3)).rendered(as: .png)
        let bar = layout.colorBar
        let image = try PNGImage(data)
        func luminance(at share: Double) -> Double {
            let y = bar.minY + share * bar.height
            let line = PlotRectangle(
                minX: bar.minX, minY: y - 0.004, maxX: bar.maxX, maxY: y + 0.004)
            let pixels = image.pixels(in: line, inset: 2)
            return pixels.map {
                Ink(red: Int32($0.red), green: Int32($0.green), blue: Int32($0.blue)).luminance
            }.reduce(0, +) / Double(pixels.count)
        }
        let shares = stride(from: 0.02, through: 0.98, by: 0.06).map(luminance)
        #expect(zip(shares, shares.dropFirst()).allSatisfy { $0 > $1 })
        #expect(shares[0] > 0.7 && shares[shares.count - 1] < 0.03)
    }

    @Test func aMissingValueIsHatchedGray() throws {
        let (data, layout) = try map([[1, nil], [.nan, 2]]).rendered(as: .png)
        let image = try PNGImage(data)
        for (area, isMissing) in zip(layout.cells.joined(), [false, true, true, false]) {
            let pixels = image.pixels(in: area, inset: 3)
            let hatched = pixels.count { $0.isColor(.hatch) }
            #expect(try ground(image, area).isColor(.missing) == isMissing)
            #expect((hatched > 100) == isMissing, "\(hatched) pixels")
        }
    }

    @Test func numbersHaveThreeSignificantDigits() {
        let expected: [(Double, String)] = [
            (26.94, "26.9"), (0.03124, "0.0312"), (9.996, "10.0"), (0, "0"), (-1.5, "−1.50"),
            (12_345, "12,300"), (1234, "1230"), (4.567e-7, "4.57·10⁻⁷"), (1e9, "1.00·10⁹"),
            (0.000123, "0.000123"), (-2e-6, "−2.00·10⁻⁶"), (.infinity, "–"), (999.6, "1000"),
        ]
        for (value, text) in expected { #expect(HeatMapCell.number(value) == text) }
        #expect(HeatMapCell(29, low: 26.94, high: 31.3).detail == "[26.9, 31.3]")
        #expect(HeatMapCell(.nan).text == "–" && HeatMapCell(nil).text == "–")
    }

    @Test func colourStepsAreEven() {
        // CIE 1976 L*a*b* with the white point D65.
        func lab(_ ink: Ink) -> SIMD3<Double> {
            let rgb = [ink.red, ink.green, ink.blue].map { component -> Double in
                let share = Double(component) / 255
                return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
            }
            func f(_ r: Double, _ g: Double, _ b: Double, _ white: Double) -> Double {
                let t = (r * rgb[0] + g * rgb[1] + b * rgb[2]) / white
                return t > 0.008856 ? cbrt(t) : 7.787 * t + 16.0 / 116
            }
            let x = f(0.4124, 0.3576, 0.1805, 0.9505)
            let y = f(0.2126, 0.7152, 0.0722, 1)
            let z = f(0.0193, 0.1192, 0.9505, 1.089)
            return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
        }
        let lightness = (0...20).map { lab(ColorMap.ink(at: Double($0) / 20)).x }
        let steps = zip(lightness, lightness.dropFirst()).map { $0 - $1 }
        let mean = steps.reduce(0, +) / Double(steps.count)
        #expect(mean > 3.5)
        #expect(steps.allSatisfy { $0 > 0.6 * mean && $0 < 1.4 * mean }, "\(steps)")
        #expect(ColorMap.ink(at: -1).red == ColorMap.ink(at: 0).red)
        #expect(ColorMap.ink(at: -.infinity).red == 253 && ColorMap.ink(at: 7).red == 68)
    }

    @Test func textIsReadableOnEveryColour() {
        for step in 0...100 {
            let ink = ColorMap.ink(at: Double(step) / 100)
            let text = ink.readableText.luminance
            let lighter = max(text, ink.luminance) + 0.05
            #expect(lighter / (min(text, ink.luminance) + 0.05) >= 4.5)
        }
        #expect(Ink.white.readableText.red == 0 && Ink.black.readableText.red == 255)
    }

    @Test func whatCannotBeDrawnIsRefused() {
        func problem(_ map: HeatMap) -> String {
            do {
                _ = try map.rendered(as: .png)
                return "none"
            } catch { return "\(error)" }
        }
        #expect(problem(map([])).contains("it has no cell"))
        #expect(problem(map([[]])).contains("it has no cell"))
        #expect(problem(map([[nil, .nan]])).contains("no finite value"))
        #expect(problem(map([[0, -1]], scale: .log10)).contains("no finite positive value"))
        #expect(problem(map([[1]], range: 2...2)).contains("the range 2.0...2.0"))
        #expect(problem(map([[1]], scale: .log10, range: 0...2)).contains("on a log10 scale"))
        var flat = map(square(3))
        flat.height = 100
        #expect(problem(flat).contains("is not a page"))
        flat.height = 250
        #expect(problem(flat).contains("no room for its cells"))
        #expect(problem(map([[3, 3]])) == "none")
    }

    @Test(arguments: FigureFormat.allCases)
    func itIsWrittenWholeAndLeavesNothingElse(format: FigureFormat) throws {
        let folder = try SampleFigures.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("map.\(format.rawValue)").path
        let layout = try map(square(3)).write(to: path, format: format)
        #expect(layout == (try map(square(3)).rendered(as: format).layout))
        let written = try #require(FileManager.default.contents(atPath: path))
        #expect(format.isWhole([UInt8](written)))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
        #expect(throws: PlotError.self) {
            try map(square(3)).write(to: path + "/below.png", format: format)
        }
    }
}
