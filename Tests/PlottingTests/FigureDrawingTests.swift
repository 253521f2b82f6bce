import Foundation
import TestSupport
import Testing

@testable import Plotting

@Suite struct FigureDrawingTests {
    private static let page = PlotRectangle(minX: 0, minY: 0, maxX: 1, maxY: 1)

    private func draw(_ figure: Figure) throws -> (image: PNGImage, layout: FigureLayout) {
        let (data, layout) = try figure.rendered(as: .png)
        return (try PNGImage(data), layout)
    }

    private func plan(_ figure: Figure) throws -> PagePlan {
        let axis = try #require(Axis(scale: .linear, range: 0...1, fitting: [], margin: 0))
        return try PLplotDevice.exclusively {
            var result: PagePlan?
            _ = try PLplotDevice.document(format: .png, width: 100, height: 100) { page in
                result = PagePlanner(figure: figure, page: page).plan(
                    axes: figure.panels.map { _ in (axis, axis) })
            }
            return try #require(result)
        }
    }

    @Test(arguments: FigureFormat.allCases)
    func theLegendStandsOutsideTheAxesOnThePage(format: FigureFormat) throws {
        var longNames = SampleFigures.layouts()
        longNames.panels[0].series[3].name = String(repeating: "least squares on g ", count: 12)
        longNames.panels[0].series[4].name = String(repeating: "x", count: 200)
        var many = SampleFigures.layouts()
        many.panels[0].series = (0..<40).map {
            Series(name: "curve \($0)", x: [0, 1], y: [0, Double($0)], style: .curve($0))
        }
        var manyBelow = SampleFigures.twoPanels()
        manyBelow.panels[1].series = many.panels[0].series
        for figure in [
            SampleFigures.layouts(), SampleFigures.layouts(points: 41, scale: .log10),
            SampleFigures.twoPanels(), longNames, many, manyBelow,
        ] {
            let layout = try figure.rendered(as: format).layout
            let legend = try #require(layout.legend)
            #expect(Self.page.contains(legend))
            #expect(layout.viewports.count == figure.panels.count)
            for (index, viewport) in layout.viewports.enumerated() {
                #expect(Self.page.contains(viewport))
                #expect(!viewport.overlaps(legend))
                #expect(viewport.width > 0.3 && viewport.height > 0.3)
                for other in layout.viewports[..<index] { #expect(!viewport.overlaps(other)) }
            }
        }
    }

    @Test func theLayoutIsWhereThePixelsAre() throws {
        let (image, layout) = try draw(SampleFigures.layouts())
        #expect(image.width == 1600 && image.height == 1000)
        #expect(Set(image.pixels).count > 100)
        let legend = try #require(layout.legend)
        for color in [PlotColor.blue, .vermillion, .bluishGreen, .black] {
            for area in [legend, layout.viewports[0]] {
                let found = image.pixels(in: area).count { $0.distance(to: color) == 0 }
                #expect(found > 50, "\(color): \(found) pixels")
            }
        }
        // Nothing between axes and legend, nothing over the page's edge.
        let gutter = PlotRectangle(
            minX: layout.viewports[0].maxX + 0.015, minY: legend.minY, maxX: legend.minX - 0.002,
            maxY: legend.maxY)
        let edges = [
            PlotRectangle(minX: 0, minY: 0, maxX: 1, maxY: 0.01),
            PlotRectangle(minX: 0, minY: 0.99, maxX: 1, maxY: 1),
            PlotRectangle(minX: 0, minY: 0, maxX: 0.01, maxY: 1),
            PlotRectangle(minX: 0.99, minY: 0, maxX: 1, maxY: 1),
        ]
        for area in edges + [gutter] {
            #expect(image.pixels(in: area).allSatisfy { $0 == .white })
        }
    }

    @Test func panelsShareALegendEntryForTheSameCurve() throws {
        #expect(try plan(SampleFigures.twoPanels()).legend?.entries.count == 5)
        var changed = SampleFigures.twoPanels()
        changed.panels[1].series[0].style.line = .dashed
        changed.panels[1].series[1].name = ""
        #expect(try plan(changed).legend?.entries.count == 6)
    }

    @Test func aFigureWithoutNamesHasNoLegend() throws {
        let figure = SampleFigures.curve(x: [0, 1], y: [0, 1])
        #expect(try figure.rendered(as: .svg).layout.legend == nil)
    }

    @Test func textIsTakenLiterally() throws {
        let widths = try PLplotDevice.exclusively {
            var widths: [Double] = []
            _ = try PLplotDevice.document(format: .png, width: 100, height: 100) { page in
                widths = ["aub", "a#ub", "a##ub", "αβ∇", "", "<b>&", "b"].map {
                    page.measuredWidth($0, size: 40)
                }
            }
            return widths
        }
        // As an escape `#u` would make the text narrower, not wider.
        #expect(widths[1] > widths[0] + 10 && widths[2] > widths[1] + 10)
        #expect(widths[3] > 40 && widths[4] == 0 && widths[5] > widths[6] + 40)
        let plain = try SampleFigures.curve(x: [0, 1], y: [0, 1], title: "run 3").rendered(as: .png)
        let hash = try SampleFigures.curve(x: [0, 1], y: [0, 1], title: "run #3").rendered(as: .png)
        #expect(plain.data != hash.data)
    }

    @Test func controlCharactersAndEndlessTextAreHarmless() throws {
        var figure = SampleFigures.curve(x: [0, 1], y: [0, 1], title: "a\u{1}b\nc\u{0}d")
        figure.subtitle = String(repeating: "#&<", count: 4000)
        figure.panels[0].series[0].name = String(repeating: "名前", count: 2000)
        #expect(try draw(figure).image.width == 800)
    }

    @Test func aMissingValueIsAGap() throws {
        func colored(_ y: [Double?]) throws -> Int {
            let (image, layout) = try draw(SampleFigures.curve(x: [0, 1, 2, 3, 4], y: y))
            let viewport = layout.viewports[0]
            let middle = PlotRectangle(
                minX: viewport.minX + 0.4 * viewport.width, minY: viewport.minY,
                maxX: viewport.minX + 0.6 * viewport.width, maxY: viewport.maxY)
            return image.pixels(in: middle).count { $0.distance(to: .vermillion) < 60 }
        }
        #expect(try colored([1, 2, 3, 2, 1]) > 100)
        #expect(try colored([1, 2, nil, 2, 1]) == 0)
        #expect(try colored([1, 2, .nan, 2, 1]) == 0)
        #expect(try colored([1, 2, .infinity, 2, 1]) == 0)
    }

    @Test func aLogarithmicAxisTakesZerosAsBelowItsEnd() throws {
        var figure = SampleFigures.curve(
            x: [0, 1, 2, 3], y: [100, 10, 1, 0], yScale: .log10, color: .blue)
        figure.panels[0].series[0].low = [50, 5, 0, -1]
        figure.panels[0].series[0].high = [200, 20, 2, 1]
        let (image, layout) = try draw(figure)
        let viewport = layout.viewports[0]
        // The bottom right corner: the band reaches down to the axis.
        let corner = PlotRectangle(
            minX: viewport.minX + 0.75 * viewport.width, minY: viewport.minY + 0.01,
            maxX: viewport.minX + 0.95 * viewport.width, maxY: viewport.minY + 0.05)
        let pixels = image.pixels(in: corner)
        #expect(pixels.count { $0 == .white } == 0)
        // And the whole picture stays within the axes.
        let below = PlotRectangle(
            minX: viewport.minX, minY: 0, maxX: viewport.maxX, maxY: viewport.minY - 0.01)
        #expect(image.pixels(in: below).allSatisfy { $0.distance(to: .blue) > 60 })
    }

    @Test func aStepOfZeroHasNoPlaceOnALogarithmicXAxis() throws {
        let with = SampleFigures.curve(x: [0, 1, 10, 100], y: [5, 4, 2, 1], xScale: .log10)
        let without = SampleFigures.curve(x: [1, 10, 100], y: [4, 2, 1], xScale: .log10)
        #expect(try draw(with).layout.viewports == draw(without).layout.viewports)
    }

    @Test func givenRangesCutAndValuesFarOutsideAreHarmless() throws {
        var figure = SampleFigures.curve(x: [0, 1, 2, 3], y: [0, 1e300, -1e300, 0.5])
        figure.panels[0].yRange = 0...1
        figure.panels[0].xRange = 0...2.5
        let (image, layout) = try draw(figure)
        let viewport = layout.viewports[0]
        let right = PlotRectangle(
            minX: viewport.maxX + 0.005, minY: 0, maxX: 1, maxY: viewport.minY)
        #expect(image.pixels(in: viewport).contains { $0.distance(to: .vermillion) == 0 })
        #expect(image.pixels(in: right).allSatisfy { $0.distance(to: .vermillion) > 60 })
    }

    @Test func aSpikeAmongThousandsOfPointsSurvives() throws {
        let x = (0..<200_000).map(Double.init)
        var y = [Double?](repeating: 1, count: x.count)
        y[123_457] = 9
        let figure = SampleFigures.curve(x: x, y: y)
        let (image, layout) = try draw(figure)
        let viewport = layout.viewports[0]
        let top = PlotRectangle(
            minX: viewport.minX, minY: viewport.minY + 0.7 * viewport.height,
            maxX: viewport.maxX, maxY: viewport.minY + 0.8 * viewport.height)
        #expect(image.pixels(in: top).contains { $0.distance(to: .vermillion) < 100 })
        #expect(try figure.rendered(as: .svg).data.count < 400_000)
    }

    @Test func everyMarkerAndLineStyleLooksDifferent() throws {
        func picture(_ style: SeriesStyle) throws -> Data {
            var figure = SampleFigures.curve(x: [0, 1, 2], y: [0, 2, 1])
            figure.panels[0].series[0].style = style
            return try figure.rendered(as: .png).data
        }
        let markers = try Marker.allCases.map { try picture(.init(color: .blue, marker: $0)) }
        #expect(Set(markers).count == Marker.allCases.count)
        let lines = try LineStyle.allCases.map { try picture(.init(color: .blue, line: $0)) }
        #expect(Set(lines).count == LineStyle.allCases.count)
        let colors = try PlotColor.allCases.map { try picture(.init(color: $0)) }
        #expect(Set(colors).count == PlotColor.allCases.count)
    }

    @Test func stylesOfCurvesDiffer() {
        let styles = (0..<7).map(SeriesStyle.curve)
        #expect(Set(styles.map(\.color)).count == 7)
        #expect(Set(styles.compactMap(\.marker)).count == 7)
        let references = (0..<4).map(SeriesStyle.reference)
        #expect(references.allSatisfy { $0.marker == nil && $0.line != .solid })
        #expect(Set(references.map { "\($0.color) \($0.line)" }).count == 4)
    }
}
