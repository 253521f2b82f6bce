import TestSupport
import Testing

@testable import Plotting

/// Figures whose panels stand in several rows.
@Suite struct FigureGridTests {
    private static let page = PlotRectangle(minX: 0, minY: 0, maxX: 1, maxY: 1)

    private func grid(_ count: Int, columns: Int?) -> Figure {
        let panels = (0..<count).map { index -> Panel in
            var panel = SampleFigures.panel(points: 41, scale: .log10)
            panel.title = index == 9 ? "a title that needs two lines of its own" : "\(index)"
            for number in panel.series.indices {
                let factor = Double([1, 1000, 0.01][index % 3])
                panel.series[number].y = panel.series[number].y.map { $0.map { $0 * factor } }
                panel.series[number].low = nil
                panel.series[number].high = nil
            }
            return panel
        }
        return Figure(
            title: "out of distribution", subtitle: "3 seeds", panels: panels, columns: columns)
    }

    @Test(arguments: [(13, 4), (13, 3), (13, 5), (4, 2), (3, 1)])
    func panelsStandInAlignedRowsAboveOneLegend(count: Int, columns: Int) throws {
        let layout = try grid(count, columns: columns).rendered(as: .png).layout
        let legend = try #require(layout.legend)
        #expect(Self.page.contains(legend))
        #expect(layout.viewports.count == count)
        let first = layout.viewports[0]
        for (index, area) in layout.viewports.enumerated() {
            #expect(Self.page.contains(area) && !area.overlaps(legend))
            #expect(area.minY > legend.maxY)
            #expect(abs(area.width - first.width) < 1e-9)
            #expect(abs(area.height - first.height) < 1e-9)
            #expect(area.width * Double(columns) > 0.5)
            for other in layout.viewports[..<index] { #expect(!area.overlaps(other)) }
            if index >= columns {
                let above = layout.viewports[index - columns]
                #expect(abs(area.minX - above.minX) < 1e-9)
                #expect(area.maxY < above.minY)
            }
            if index % columns > 0 {
                let left = layout.viewports[index - 1]
                #expect(area.minY == left.minY && area.minX > left.maxX)
            }
        }
    }

    @Test func oneRowIsTheSameWithAndWithoutColumns() throws {
        var figure = SampleFigures.twoPanels()
        let row = try figure.rendered(as: .png).data
        for columns in [2, 7] {
            figure.columns = columns
            #expect(try figure.rendered(as: .png).data == row)
        }
        #expect(grid(3, columns: nil).height == 1000 && grid(3, columns: 3).height == 1000)
        figure.columns = 1
        #expect(try figure.rendered(as: .png).data != row)
    }

    @Test func thePageGrowsWithItsRows() throws {
        let heights = [4, 8, 12, 13].map { grid($0, columns: 4).height }
        #expect(heights[0] == 1000 && heights[3] > heights[2])
        #expect(heights[3] - heights[2] == heights[2] - heights[1])
        let figure = grid(13, columns: 4)
        let image = try PNGImage(figure.rendered(as: .png).data)
        #expect(image.width == 1600 && image.height == figure.height)
    }

    @Test func everyPanelShowsItsCurvesAndTheGapsAreWhite() throws {
        let (data, layout) = try grid(13, columns: 4).rendered(as: .png)
        let image = try PNGImage(data)
        let colors = [PlotColor.blue, .vermillion, .bluishGreen]
        for viewport in layout.viewports + [try #require(layout.legend)] {
            for color in colors {
                let found = image.pixels(in: viewport).count { $0.distance(to: color) == 0 }
                #expect(found > 50, "\(color): \(found) pixels")
            }
        }
        // The three empty places of the last row.
        let empty = PlotRectangle(
            minX: layout.viewports[9].minX, minY: layout.viewports[12].minY,
            maxX: layout.viewports[11].maxX, maxY: layout.viewports[12].maxY)
        #expect(image.pixels(in: empty).allSatisfy { $0 == .white })
    }

    @Test func aCaptionOfAllPanelsIsWrittenOnce() throws {
        func plan(_ figure: Figure) throws -> PagePlan {
            let axis = try #require(Axis(scale: .linear, range: 0...1, fitting: [], margin: 0))
            let axes = figure.panels.map { _ in (x: axis, y: axis) }
            return try PLplotDevice.exclusively {
                var result: PagePlan?
                _ = try PLplotDevice.document(format: .png, width: 100, height: 100) { page in
                    result = PagePlanner(figure: figure, page: page).plan(axes: axes)
                }
                return try #require(result)
            }
        }
        var figure = grid(6, columns: 3)
        let shared = try plan(figure)
        #expect(shared.captions.map(\.isUpward) == [false, true])
        #expect(shared.panels.allSatisfy { $0.xLabel.lines.isEmpty && $0.yLabel.lines.isEmpty })
        figure.panels[5].yLabel = "another unit"
        let mixed = try plan(figure)
        #expect(mixed.captions.map(\.isUpward) == [false])
        #expect(mixed.panels.allSatisfy { $0.xLabel.lines.isEmpty && !$0.yLabel.lines.isEmpty })
        figure.columns = nil
        #expect(try plan(figure).captions.isEmpty)
    }

    @Test(arguments: [0, -1])
    func aGridNeedsAColumn(columns: Int) {
        #expect(
            throws: PlotError.figure(
                title: "out of distribution",
                problem: "\(columns) columns hold no panel; give at least one")
        ) {
            try grid(4, columns: columns).rendered(as: .png)
        }
    }
}
