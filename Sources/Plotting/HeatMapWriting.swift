import Foundation

extension HeatMap {
    /// Draws the heat map and returns the file's bytes and where things stand.
    ///
    /// One picture is drawn at a time however many threads ask. The same heat map gives the same
    /// PNG bytes on one machine (SVG carries identifiers that count on, PDF the time).
    /// - Throws: `PlotError`, and nothing else.
    public func rendered(as format: FigureFormat) throws -> (data: Data, layout: HeatMapLayout) {
        let axis = try checkedAxis()
        let (data, plan) = try format.picture(
            width: width, height: height,
            plan: { HeatMapPlanner(map: self, page: $0).plan(axis: axis) },
            check: { plan in
                let least = 30 * plan.metrics.scale
                guard
                    plan.cells.joined().allSatisfy({ $0.width > least && $0.height > least })
                else {
                    throw problem("\(width) × \(height) pixels leave no room for its cells")
                }
            },
            draw: { HeatMapDrawing(map: self, plan: $1, page: $0).draw() })
        let layout = HeatMapLayout(
            cells: plan.cells.map { $0.map(normalized) }, colorBar: normalized(plan.bar))
        return (data, layout)
    }

    /// Draws the heat map into a file: whole or not at all, because it is drawn in memory,
    /// written beside `path` and renamed. An existing file is replaced.
    /// - Returns: where cells and colour bar stand on the page.
    /// - Throws: `PlotError`, and nothing else.
    @discardableResult
    public func write(to path: String, format: FigureFormat) throws -> HeatMapLayout {
        try PictureFile.write(to: path) { try rendered(as: format) }
    }

    // MARK: Checks

    private func problem(_ text: String) -> PlotError { .figure(title: title, problem: text) }

    private func normalized(_ area: PlotRectangle) -> PlotRectangle {
        area.normalized(width: Double(width), height: Double(height))
    }

    /// The axis of the colour bar, or the reason why there is none.
    private func checkedAxis() throws -> Axis {
        guard !rows.isEmpty, !columns.isEmpty else { throw problem("it has no cell") }
        if let reason = PictureFile.pageProblem(width: width, height: height) {
            throw problem(reason)
        }
        if let range {
            guard range.lowerBound < range.upperBound, range.lowerBound.isFinite,
                range.upperBound.isFinite, scale == .linear || range.lowerBound > 0
            else { throw problem("it has the range \(range) on a \(scale.rawValue) scale") }
        }
        let values = cells.joined().compactMap(\.finiteValue).filter(scale.shows)
        // A given range does not make values where there are none.
        guard !values.isEmpty,
            let axis = Axis(scale: scale, range: range, fitting: values, margin: 0)
        else {
            throw problem("it has no finite\(scale == .log10 ? " positive" : "") value to draw")
        }
        return axis
    }
}
