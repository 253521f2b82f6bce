/// Sizes of a page's parts in pixels, all in proportion to the page.
struct PageMetrics {
    let scale: Double

    /// The sizes are meant for 1600 × 1000 pixels, which at half a printed page's height gives
    /// tick labels of about nine points.
    init(width: Double, height: Double) {
        scale = min(width / 1600, height / 1000)
    }

    var margin: Double { 30 * scale }
    var titleSize: Double { 38 * scale }
    var subtitleSize: Double { 29 * scale }
    var panelTitleSize: Double { 32 * scale }
    var labelSize: Double { 34 * scale }
    var tickSize: Double { 29 * scale }
    var legendSize: Double { 29 * scale }
    var tickLength: Double { 10 * scale }
    var gap: Double { 14 * scale }
    /// The length of line a legend entry shows.
    var swatch: Double { 74 * scale }
    var panelGap: Double { 44 * scale }
    var markerRadius: Double { 11 * scale }
}

/// A text broken into lines that fit a width.
struct TextBlock {
    var lines: [String]
    var size: Double
    var width: Double

    /// Distance between two baselines.
    var lineHeight: Double { 1.3 * size }
    /// Height of all lines.
    var height: Double { Double(lines.count) * lineHeight }
}

/// One entry of the legend: a sample of the style and the name.
struct LegendEntry {
    var style: SeriesStyle
    var hasBand: Bool
    var text: TextBlock
    /// Sample, gap and text, at full size.
    var width: Double
    /// Left upper corner from the legend's left upper corner, y upwards, at full size.
    var origin = PagePoint(0, 0)

    /// Space above and below an entry together, as a share of a line.
    static let spacing = 0.35

    /// Height with the space to its neighbours, at full size.
    var height: Double { text.height + LegendEntry.spacing * text.lineHeight }
}

/// The legend: its entries, and where it stands at which size.
struct Legend {
    var entries: [LegendEntry]
    var scale: Double
    var area: PlotRectangle
}

/// One panel's axes and where they stand.
struct PanelPlan {
    var viewport: PlotRectangle
    var xAxis: Axis
    var yAxis: Axis
    var xTicks: [AxisTick]
    var yTicks: [AxisTick]
    var title: TextBlock
    var xLabel: TextBlock
    var yLabel: TextBlock
    /// Distance of the y label's centre from the viewport's left edge.
    var yLabelOffset: Double
}

/// Everything about a figure's page that is decided before anything is drawn.
struct PagePlan {
    var metrics: PageMetrics
    var title: TextBlock
    var subtitle: TextBlock
    var panels: [PanelPlan]
    var legend: Legend?
}

/// Decides where everything stands, measuring texts on a scrap page of the same driver.
struct PagePlanner {
    let figure: Figure
    let page: PlotPage
    let metrics: PageMetrics
    let width: Double
    let height: Double

    init(figure: Figure, page: PlotPage) {
        self.figure = figure
        self.page = page
        width = Double(figure.width)
        height = Double(figure.height)
        metrics = PageMetrics(width: width, height: height)
    }

    /// The plan, for axes that were found to have something to show.
    func plan(axes: [(x: Axis, y: Axis)]) -> PagePlan {
        let inner = width - 2 * metrics.margin
        let title = block(
            figure.title, size: metrics.titleSize, within: inner, lines: 2, bold: true)
        let subtitle = block(
            figure.subtitle ?? "", size: metrics.subtitleSize, within: inner, lines: 2)
        var top = height - metrics.margin - title.height - subtitle.height
        top -= title.lines.isEmpty && subtitle.lines.isEmpty ? 0 : metrics.gap
        var body = PlotRectangle(
            minX: metrics.margin, minY: metrics.margin, maxX: width - metrics.margin, maxY: top)
        let legend = placeLegend(in: &body)
        var plan = PagePlan(
            metrics: metrics, title: title, subtitle: subtitle,
            panels: placePanels(in: body, axes: axes), legend: legend)
        // A legend at the side starts where the axes start, not beside the panel's heading.
        if figure.panels.count == 1, let viewport = plan.panels.first?.viewport,
            let area = plan.legend?.area
        {
            let shift = max(0, min(area.maxY - viewport.maxY, area.minY - metrics.margin))
            plan.legend?.area.minY -= shift
            plan.legend?.area.maxY -= shift
        }
        return plan
    }

    // MARK: Panels

    private func placePanels(in body: PlotRectangle, axes: [(x: Axis, y: Axis)]) -> [PanelPlan] {
        let count = Double(figure.panels.count)
        let cell = (body.width - (count - 1) * metrics.panelGap) / count
        let titles = figure.panels.map {
            block(
                $0.title ?? "", size: metrics.panelTitleSize, within: 0.85 * cell, lines: 2,
                bold: true)
        }
        let titleHeight = titles.map(\.height).max() ?? 0
        return figure.panels.indices.map { index in
            let left = body.minX + Double(index) * (cell + metrics.panelGap)
            let area = PlotRectangle(
                minX: left, minY: body.minY, maxX: left + cell,
                maxY: body.maxY - titleHeight - (titleHeight > 0 ? metrics.gap : 0))
            return placePanel(
                figure.panels[index], title: titles[index], in: area, axes: axes[index])
        }
    }

    private func placePanel(
        _ panel: Panel, title: TextBlock, in area: PlotRectangle, axes: (x: Axis, y: Axis)
    ) -> PanelPlan {
        let xLabel = block(
            panel.xLabel, size: metrics.labelSize, within: 0.8 * area.width, lines: 2)
        let below =
            metrics.tickLength + metrics.gap + metrics.tickSize
            + (xLabel.lines.isEmpty ? 0 : metrics.gap + xLabel.height)
        let above = metrics.tickSize / 2
        let inner = area.height - below - above
        let yLabel = block(panel.yLabel, size: metrics.labelSize, within: inner, lines: 2)
        let rows = max(2, min(7, Int(inner / (3 * metrics.tickSize))))
        let yTicks = axes.y.ticks(about: rows)
        let widest = yTicks.map { tickWidth($0.label) }.max() ?? 0
        let leftOfTicks = metrics.tickLength + metrics.gap + widest
        let left =
            leftOfTicks + (yLabel.lines.isEmpty ? 0 : yLabel.height + metrics.gap)
        // The last tick label may hang over the right end of the axis.
        let right = 1.2 * metrics.tickSize
        let viewport = PlotRectangle(
            minX: area.minX + left, minY: area.minY + below, maxX: area.maxX - right,
            maxY: area.maxY - above)
        return PanelPlan(
            viewport: viewport, xAxis: axes.x, yAxis: axes.y,
            xTicks: horizontalTicks(axes.x, panel: panel, length: viewport.width),
            yTicks: yTicks, title: title, xLabel: xLabel, yLabel: yLabel,
            yLabelOffset: leftOfTicks + metrics.gap + yLabel.height / 2)
    }

    /// As many tick labels as stand side by side without crowding.
    private func horizontalTicks(_ axis: Axis, panel: Panel, length: Double) -> [AxisTick] {
        let whole = panel.series.allSatisfy { series in
            series.x.allSatisfy { !$0.isFinite || $0 == $0.rounded() }
        }
        var ticks: [AxisTick] = []
        for count in stride(from: 9, through: 2, by: -1) {
            ticks = axis.ticks(about: count, wholeNumbers: whole)
            let widths = ticks.map { tickWidth($0.label) }
            let places = ticks.map { axis.fraction($0.value) * length }
            let apart = ticks.indices.dropFirst().allSatisfy { index in
                places[index] - places[index - 1]
                    > (widths[index] + widths[index - 1]) / 2 + 1.1 * metrics.tickSize
            }
            if apart { break }
        }
        return ticks
    }

    private func tickWidth(_ label: String) -> Double {
        page.measuredWidth(label, size: metrics.tickSize)
    }

    // MARK: Legend

    /// Places the legend right of one panel or below several, and takes its room from `body`.
    private func placeLegend(in body: inout PlotRectangle) -> Legend? {
        let besides = figure.panels.count == 1
        var entries = legendEntries(within: besides ? 0.3 * width : body.width)
        guard !entries.isEmpty else { return nil }
        return besides
            ? placeBeside(&entries, body: &body) : placeBelow(&entries, body: &body)
    }

    /// One column at the right edge; many entries are set smaller, not over the page's edge.
    private func placeBeside(_ entries: inout [LegendEntry], body: inout PlotRectangle) -> Legend {
        var fullHeight = 0.0
        for index in entries.indices {
            entries[index].origin = PagePoint(0, -fullHeight)
            fullHeight += entries[index].height
        }
        let fullWidth = entries.map(\.width).max() ?? 0
        let scale = min(1, (body.height - metrics.margin) / fullHeight)
        let area = PlotRectangle(
            minX: body.maxX - fullWidth * scale, minY: body.maxY - fullHeight * scale,
            maxX: body.maxX, maxY: body.maxY)
        body.maxX = area.minX - metrics.gap
        return Legend(entries: entries, scale: scale, area: area)
    }

    /// Rows at the bottom, filled from left to right like words, centred together.
    private func placeBelow(_ entries: inout [LegendEntry], body: inout PlotRectangle) -> Legend {
        let columnGap = 3 * metrics.gap
        var corner = PagePoint(0, 0)
        var rowHeight = 0.0
        var fullWidth = 0.0
        for index in entries.indices {
            if corner.x > 0, corner.x + entries[index].width > body.width {
                corner = PagePoint(0, corner.y - rowHeight)
                rowHeight = 0
            }
            entries[index].origin = corner
            fullWidth = max(fullWidth, corner.x + entries[index].width)
            corner.x += entries[index].width + columnGap
            rowHeight = max(rowHeight, entries[index].height)
        }
        let fullHeight = rowHeight - corner.y
        let scale = min(1, 0.35 * body.height / fullHeight)
        let left = body.minX + (body.width - fullWidth * scale) / 2
        let area = PlotRectangle(
            minX: left, minY: body.minY, maxX: left + fullWidth * scale,
            maxY: body.minY + fullHeight * scale)
        body.minY = area.maxY + metrics.gap
        return Legend(entries: entries, scale: scale, area: area)
    }

    private func legendEntries(within room: Double) -> [LegendEntry] {
        let beforeText = metrics.swatch + metrics.gap
        return namedSeries().map { series in
            let text = block(
                series.name, size: metrics.legendSize, within: room - beforeText, lines: 4)
            return LegendEntry(
                style: series.style, hasBand: series.low != nil, text: text,
                width: beforeText + text.width)
        }
    }

    private func namedSeries() -> [Series] {
        var seen: [(String, SeriesStyle)] = []
        return figure.panels.flatMap(\.series).filter { series in
            guard !series.name.isEmpty,
                !seen.contains(where: { $0.0 == series.name && $0.1 == series.style })
            else { return false }
            seen.append((series.name, series.style))
            return true
        }
    }

    // MARK: Text

    /// Breaks a text at spaces (a single word too long: anywhere) into lines no wider than
    /// `limit`; what does not fit in `lines` lines ends in an ellipsis. An empty text has none.
    func block(
        _ text: String, size: Double, within limit: Double, lines most: Int, bold: Bool = false
    ) -> TextBlock {
        func width(_ line: String) -> Double {
            page.measuredWidth(line, size: size, bold: bold)
        }
        var rest = text.split(whereSeparator: \.isWhitespace).map(String.init)
        var lines: [String] = []
        while let word = rest.first, lines.count < most {
            var line = word
            rest.removeFirst()
            while let next = rest.first, width(line + " " + next) <= limit {
                line += " " + next
                rest.removeFirst()
            }
            if width(line) > limit {
                let kept = longestPrefix(of: line) { width($0) <= limit }
                rest.insert(String(line.dropFirst(kept.count)), at: 0)
                line = kept
            }
            lines.append(line)
        }
        if !rest.isEmpty, let last = lines.popLast() {
            let kept = longestPrefix(of: last) { width($0 + "…") <= limit }
            lines.append((kept.hasSuffix(" ") ? String(kept.dropLast()) : kept) + "…")
        }
        return TextBlock(lines: lines, size: size, width: lines.map(width).max() ?? 0)
    }

    /// The longest beginning (at least one character) that `fits`.
    private func longestPrefix(of text: String, fits: (String) -> Bool) -> String {
        var short = 1
        var long = text.count
        while short < long {
            let middle = (short + long + 1) / 2
            if fits(String(text.prefix(middle))) {
                short = middle
            } else {
                long = middle - 1
            }
        }
        return String(text.prefix(short))
    }
}
