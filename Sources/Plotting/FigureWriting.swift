import Foundation

/// Why a figure was not drawn or not written, in one sentence.
public enum PlotError: Error, CustomStringConvertible, Equatable {
    /// PLplot has no driver for the format on this machine.
    case missingDriver(FigureFormat)
    /// PLplot lacks something on this machine: what, and how to get it.
    case installation(String, cure: String)
    /// The figure cannot be drawn as it is described.
    case figure(title: String, problem: String)
    /// PLplot failed.
    case drawing(String)
    /// The file could not be written.
    case file(path: String, problem: String)

    /// The sentence.
    public var description: String {
        switch self {
        case .missingDriver(let format):
            "PLplot's driver \(format.driver) is missing: install plplot-driver-cairo "
                + "(sudo apt-get install plplot-driver-cairo)."
        case .installation(let problem, let cure): "\(problem); \(cure)."
        case .figure(let title, let problem): "The figure \"\(title)\" cannot be drawn: \(problem)."
        case .drawing(let problem): "PLplot could not draw the figure: \(problem)."
        case .file(let path, let problem): "The picture \(path) cannot be written: \(problem)."
        }
    }
}

extension Figure {
    /// Draws the figure and returns the file's bytes and where things stand.
    ///
    /// One figure is drawn at a time however many threads ask. The same figure gives the same
    /// PNG bytes on one machine (SVG carries identifiers that count on, PDF the time).
    /// - Throws: `PlotError`, and nothing else.
    public func rendered(as format: FigureFormat) throws -> (data: Data, layout: FigureLayout) {
        let axes = try checkedAxes()
        let (data, plan) = try format.picture(
            width: width, height: height,
            plan: { PagePlanner(figure: self, page: $0).plan(axes: axes) },
            check: { plan in
                let least = 60 * plan.panelMetrics.scale
                guard
                    plan.panels.allSatisfy({
                        $0.viewport.width > least && $0.viewport.height > least
                    })
                else {
                    throw problem("\(width) × \(height) pixels leave no room between its labels")
                }
            },
            draw: { PageDrawing(figure: self, plan: $1, page: $0).draw() })
        let layout = FigureLayout(
            viewports: plan.panels.map { normalized($0.viewport) },
            legend: plan.legend.map { normalized($0.area) })
        return (data, layout)
    }

    /// Draws the figure into a file: whole or not at all, because it is drawn in memory, written
    /// beside `path` and renamed. An existing file is replaced.
    /// - Returns: where axes and legend stand on the page.
    /// - Throws: `PlotError`, and nothing else.
    @discardableResult
    public func write(to path: String, format: FigureFormat) throws -> FigureLayout {
        try PictureFile.write(to: path) { try rendered(as: format) }
    }

    // MARK: Checks

    private func problem(_ text: String) -> PlotError { .figure(title: title, problem: text) }

    private func normalized(_ area: PlotRectangle) -> PlotRectangle {
        area.normalized(width: Double(width), height: Double(height))
    }

    /// The axes of every panel, or the reason why one has none.
    private func checkedAxes() throws -> [(x: Axis, y: Axis)] {
        guard !panels.isEmpty else { throw problem("it has no panel") }
        if let columns, columns < 1 {
            throw problem("\(columns) columns hold no panel; give at least one")
        }
        if let reason = PictureFile.pageProblem(width: width, height: height) {
            throw problem(reason)
        }
        return try panels.enumerated().map { index, panel in
            let place = panels.count > 1 ? "panel \(index + 1) has" : "it has"
            for (range, scale, name) in [
                (panel.xRange, panel.xScale, "x"), (panel.yRange, panel.yScale, "y"),
            ] {
                guard let range else { continue }
                guard range.lowerBound < range.upperBound, range.lowerBound.isFinite,
                    range.upperBound.isFinite, scale == .linear || range.lowerBound > 0
                else {
                    throw problem(
                        "\(place) the \(name) range \(range) on a \(scale.rawValue) axis")
                }
            }
            guard let x = horizontalAxis(panel), let y = verticalAxis(panel) else {
                let positive = panel.xScale == .log10 || panel.yScale == .log10
                throw problem(
                    "\(place) no finite\(positive ? " positive" : "") point to draw")
            }
            return (x, y)
        }
    }

    private func horizontalAxis(_ panel: Panel) -> Axis? {
        let values = panel.series.flatMap { series in
            series.x.indices.filter { index in
                panel.xScale.shows(series.x[index])
                    && series.y[index].map(panel.yScale.shows) == true
            }.map { series.x[$0] }
        }
        // A given range does not make points where there are none.
        guard !values.isEmpty else { return nil }
        return Axis(scale: panel.xScale, range: panel.xRange, fitting: values, margin: 0.025)
    }

    /// Fits the values that stand somewhere along the horizontal axis.
    private func verticalAxis(_ panel: Panel) -> Axis? {
        let shaping = panel.series.filter(\.shapesRange)
        return [shaping, panel.series].lazy.compactMap { series in
            let values = series.flatMap { series in
                series.x.indices.filter { index in
                    panel.xScale.shows(series.x[index])
                        && panel.xRange?.contains(series.x[index]) != false
                }.flatMap { [series.y[$0], series.low?[$0], series.high?[$0]] }
            }
            return Axis(
                scale: panel.yScale, range: panel.yRange, fitting: values.compactMap { $0 },
                margin: 0.05)
        }.first
    }
}
