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

extension PagePlanner {
    /// Places the legend right of one panel or below several, and takes its room from `body`.
    func placeLegend(in body: inout PlotRectangle) -> Legend? {
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
        body.maxX = area.minX - legendMetrics.gap
        return Legend(entries: entries, scale: scale, area: area)
    }

    /// Rows at the bottom, filled from left to right like words, centred together.
    private func placeBelow(_ entries: inout [LegendEntry], body: inout PlotRectangle) -> Legend {
        let columnGap = 3 * legendMetrics.gap
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
        body.minY = area.maxY + legendMetrics.gap
        return Legend(entries: entries, scale: scale, area: area)
    }

    private func legendEntries(within room: Double) -> [LegendEntry] {
        let beforeText = legendMetrics.swatch + legendMetrics.gap
        return namedSeries().map { series in
            let text = page.block(
                series.name, size: legendMetrics.legendSize, within: room - beforeText, lines: 4)
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
}
