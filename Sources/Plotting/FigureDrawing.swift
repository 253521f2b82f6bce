import Foundation

/// Draws a planned page.
struct PageDrawing {
    let figure: Figure
    let plan: PagePlan
    let page: PlotPage

    private var metrics: PageMetrics { plan.panelMetrics }

    /// Draws everything, the data over grid and axes, text last.
    func draw() {
        for (panel, panelPlan) in zip(figure.panels, plan.panels) {
            drawGrid(panelPlan)
            page.clip(to: panelPlan.viewport)
            for series in panel.series { drawBand(series, in: panelPlan) }
            // Faint raw curves lie under every full one, whatever their order.
            for series in panel.series where series.style.opacity < 1 {
                drawLine(series, in: panelPlan)
            }
            for series in panel.series where series.style.opacity >= 1 {
                drawLine(series, in: panelPlan)
            }
            page.unclip()
            drawAxes(panelPlan)
            for (index, series) in panel.series.enumerated() {
                drawMarkers(series, number: index, of: panel.series.count, in: panelPlan)
            }
            drawLabels(panelPlan)
        }
        if let legend = plan.legend { draw(legend) }
        for caption in plan.captions {
            page.text(
                caption.block, centered: caption.center, color: .text, upward: caption.isUpward)
        }
        plan.heading.draw(on: page, metrics: plan.metrics)
    }

    // MARK: Data

    private func drawBand(_ series: Series, in plan: PanelPlan) {
        guard let low = series.low, let high = series.high else { return }
        let color = Ink(series.style.color, opacity: 0.18 * series.style.opacity)
        // A lower edge that a logarithmic axis has no place for falls to its bottom; an upper
        // edge there leaves nothing to fill.
        let upper = runs(series.x, high, in: plan)
        let lowerAll = points(series.x, low, in: plan)
        for run in upper {
            var start = run.startIndex
            // A missing lower edge ends the area too.
            for index in run.indices + [run.endIndex] {
                if index < run.endIndex, lowerAll[run[index].index] != nil { continue }
                let piece = run[start..<index]
                let bottom = piece.compactMap { lowerAll[$0.index] }
                let top = piece.map(\.point)
                page.polygon(
                    columnExtremes(top) + columnExtremes(bottom).reversed(), color: color)
                start = index + 1
            }
        }
    }

    private func drawLine(_ series: Series, in plan: PanelPlan) {
        let style = series.style
        guard style.line != .none else { return }
        let width = style.width * metrics.scale
        let color = Ink(style.color, opacity: style.opacity)
        for run in runs(series.x, series.y, in: plan) {
            stroke(
                columnExtremes(run.map(\.point)), style: style.line, color: color, width: width)
        }
    }

    private func drawMarkers(_ series: Series, number: Int, of count: Int, in plan: PanelPlan) {
        guard let marker = series.style.marker else { return }
        let places = points(series.x, series.y, in: plan).compactMap { $0 }
        // With many points a marker every so often tells the curves apart; the series start at
        // different points, so that markers of close curves do not hide one another.
        let some = self.plan.grid.markers
        let most = some * 25 / 16
        let every = places.count > most ? (places.count + some - 1) / some : 1
        let first = every * number / max(count, 1)
        for index in stride(from: first, to: places.count, by: every) {
            let point = places[index]
            guard
                point.x >= plan.viewport.minX - 1, point.x <= plan.viewport.maxX + 1,
                point.y >= plan.viewport.minY - 1, point.y <= plan.viewport.maxY + 1
            else { continue }
            draw(marker, at: point, style: series.style, radius: metrics.markerRadius)
        }
    }

    private func draw(_ marker: Marker, at center: PagePoint, style: SeriesStyle, radius: Double) {
        // A white rim keeps markers apart where they touch.
        let rim = radius + 2.5 * metrics.scale
        page.polygon(marker.outline(center: center, radius: rim), color: .white)
        page.polygon(
            marker.outline(center: center, radius: radius),
            color: Ink(style.color, opacity: style.opacity))
    }

    private func stroke(_ points: [PagePoint], style: LineStyle, color: Ink, width: Double) {
        switch style {
        case .none: break
        case .solid: page.polyline(points, color: color, width: width)
        case .dashed, .dotted:
            let on = style == .dashed ? 4.5 * width : 1.2 * width
            let off = style == .dashed ? 2.5 * width : 1.8 * width
            for dash in dashes(points, on: on, off: off) {
                page.polyline(dash, color: color, width: width)
            }
        }
    }

    // MARK: From values to points

    /// The place of each value on the page; nil at gaps. Values far outside the axis are brought
    /// nearer, still outside, because PLplot counts in whole numbers.
    private func points(_ x: [Double], _ y: [Double?], in plan: PanelPlan) -> [PagePoint?] {
        let viewport = plan.viewport
        return zip(x, y).map { (x, y) -> PagePoint? in
            let across = plan.xAxis.fraction(x)
            guard let y, y.isFinite, across.isFinite else { return nil }
            let up = plan.yAxis.fraction(y)
            return PagePoint(
                viewport.minX + max(-20, min(20, across)) * viewport.width,
                viewport.minY + max(-20, min(20, up)) * viewport.height)
        }
    }

    /// The stretches of points without a gap, each point with its index in the series.
    private func runs(
        _ x: [Double], _ y: [Double?], in plan: PanelPlan
    ) -> [[(index: Int, point: PagePoint)]] {
        var runs: [[(index: Int, point: PagePoint)]] = [[]]
        for (index, point) in points(x, y, in: plan).enumerated() {
            if let point {
                runs[runs.count - 1].append((index, point))
            } else if runs[runs.count - 1].isEmpty == false {
                runs.append([])
            }
        }
        return runs.filter { !$0.isEmpty }
    }

    /// The first, lowest, highest and last point of each pixel column: draws the same picture
    /// from a few points a pixel. Short lines, and lines that turn back, stay as they are.
    private func columnExtremes(_ points: [PagePoint]) -> [PagePoint] {
        guard points.count > 2000, zip(points, points.dropFirst()).allSatisfy({ $0.x <= $1.x })
        else { return points }
        var kept: [PagePoint] = []
        var start = 0
        while start < points.count {
            let column = points[start].x.rounded(.down)
            var end = start
            while end < points.count, points[end].x.rounded(.down) == column { end += 1 }
            let indices = start..<end
            let lowest = indices.min { points[$0].y < points[$1].y } ?? start
            let highest = indices.max { points[$0].y < points[$1].y } ?? start
            for index in Set([start, lowest, highest, end - 1]).sorted() {
                kept.append(points[index])
            }
            start = end
        }
        return kept
    }

    /// Cuts a line into dashes, measured along it.
    private func dashes(_ points: [PagePoint], on: Double, off: Double) -> [[PagePoint]] {
        guard var position = points.first else { return [] }
        var result: [[PagePoint]] = []
        var dash = [position]
        var drawing = true
        var left = on
        for next in points.dropFirst() {
            var distance = ((next - position) * (next - position)).sum().squareRoot()
            while distance > left {
                position += (next - position) * (left / distance)
                distance -= left
                if drawing { result.append(dash + [position]) }
                drawing.toggle()
                dash = [position]
                left = drawing ? on : off
            }
            left -= distance
            position = next
            if drawing { dash.append(next) }
        }
        if drawing, dash.count > 1 { result.append(dash) }
        return result
    }

    // MARK: Axes and text

    private func drawGrid(_ plan: PanelPlan) {
        let area = plan.viewport
        for tick in plan.xTicks {
            let x = (area.minX + plan.xAxis.fraction(tick.value) * area.width).rounded()
            page.polyline(
                [PagePoint(x, area.minY), PagePoint(x, area.maxY)], color: .grid,
                width: 2 * metrics.scale)
        }
        for tick in plan.yTicks {
            let y = (area.minY + plan.yAxis.fraction(tick.value) * area.height).rounded()
            page.polyline(
                [PagePoint(area.minX, y), PagePoint(area.maxX, y)], color: .grid,
                width: 2 * metrics.scale)
        }
    }

    private func drawAxes(_ plan: PanelPlan) {
        let area = plan.viewport
        let width = 2.5 * metrics.scale
        page.polyline(
            [
                PagePoint(area.minX, area.maxY), PagePoint(area.minX, area.minY),
                PagePoint(area.maxX, area.minY),
            ], color: .axis, width: width)
        func xTick(_ value: Double, _ length: Double) {
            let x = (area.minX + plan.xAxis.fraction(value) * area.width).rounded()
            page.polyline(
                [PagePoint(x, area.minY), PagePoint(x, area.minY - length)], color: .axis,
                width: width)
        }
        func yTick(_ value: Double, _ length: Double) {
            let y = (area.minY + plan.yAxis.fraction(value) * area.height).rounded()
            page.polyline(
                [PagePoint(area.minX, y), PagePoint(area.minX - length, y)], color: .axis,
                width: width)
        }
        for tick in plan.xTicks { xTick(tick.value, metrics.tickLength) }
        for tick in plan.yTicks { yTick(tick.value, metrics.tickLength) }
        for value in plan.xAxis.minorTicks() { xTick(value, 0.55 * metrics.tickLength) }
        for value in plan.yAxis.minorTicks() { yTick(value, 0.55 * metrics.tickLength) }
    }

    private func drawLabels(_ plan: PanelPlan) {
        let area = plan.viewport
        let below = area.minY - metrics.tickLength - metrics.gap - metrics.tickSize / 2
        for tick in plan.xTicks {
            let x = area.minX + plan.xAxis.fraction(tick.value) * area.width
            page.text(
                tick.label, at: PagePoint(x, below), size: metrics.tickSize, color: .text,
                alignment: .center)
        }
        for tick in plan.yTicks {
            let y = area.minY + plan.yAxis.fraction(tick.value) * area.height
            page.text(
                tick.label,
                at: PagePoint(area.minX - metrics.tickLength - metrics.gap, y),
                size: metrics.tickSize, color: .text, alignment: .trailing)
        }
        let middle = (area.minX + area.maxX) / 2
        var y = below - metrics.tickSize / 2 - metrics.gap
        for line in plan.xLabel.lines {
            page.text(
                line, at: PagePoint(middle, y - plan.xLabel.lineHeight / 2),
                size: plan.xLabel.size, color: .text, alignment: .center)
            y -= plan.xLabel.lineHeight
        }
        var x = area.minX - plan.yLabelOffset - plan.yLabel.height / 2
        for line in plan.yLabel.lines {
            page.text(
                line,
                at: PagePoint(x + plan.yLabel.lineHeight / 2, (area.minY + area.maxY) / 2),
                size: plan.yLabel.size, color: .text, alignment: .center, upward: true)
            x += plan.yLabel.lineHeight
        }
        y = area.maxY + metrics.tickSize / 2 + plan.title.height
        for line in plan.title.lines {
            page.text(
                line, at: PagePoint(middle, y - plan.title.lineHeight / 2),
                size: plan.title.size, color: .text, alignment: .center, bold: true)
            y -= plan.title.lineHeight
        }
    }

    private func draw(_ legend: Legend) {
        for entry in legend.entries {
            draw(
                entry, left: legend.area.minX + entry.origin.x * legend.scale,
                top: legend.area.maxY + entry.origin.y * legend.scale, scale: legend.scale)
        }
    }

    private func draw(_ entry: LegendEntry, left: Double, top: Double, scale: Double) {
        let lineHeight = entry.text.lineHeight * scale
        let swatch = plan.legendMetrics.swatch * scale
        // The sample stands beside the first line of the name.
        let y = top - (0.5 + LegendEntry.spacing / 2) * lineHeight
        let right = left + swatch
        if entry.hasBand {
            let half = 0.36 * lineHeight
            page.polygon(
                [
                    PagePoint(left, y - half), PagePoint(right, y - half),
                    PagePoint(right, y + half), PagePoint(left, y + half),
                ], color: Ink(entry.style.color, opacity: 0.18 * entry.style.opacity))
        }
        stroke(
            [PagePoint(left, y), PagePoint(right, y)], style: entry.style.line,
            color: Ink(entry.style.color, opacity: entry.style.opacity),
            width: entry.style.width * plan.legendMetrics.scale)
        if let marker = entry.style.marker {
            draw(
                marker, at: PagePoint(left + swatch / 2, y), style: entry.style,
                radius: plan.legendMetrics.markerRadius * scale)
        }
        for (index, line) in entry.text.lines.enumerated() {
            page.text(
                line,
                at: PagePoint(
                    right + plan.legendMetrics.gap * scale, y - Double(index) * lineHeight),
                size: entry.text.size * scale, color: .text)
        }
    }
}

extension Marker {
    /// The corners of the shape; all shapes look about equally large at one radius.
    func outline(center: PagePoint, radius: Double) -> [PagePoint] {
        switch self {
        case .circle: polygon(center, radius: radius, corners: 32, turn: 0)
        case .square: polygon(center, radius: 1.25 * radius, corners: 4, turn: .pi / 4)
        case .diamond: polygon(center, radius: 1.3 * radius, corners: 4, turn: 0)
        case .triangle: polygon(center, radius: 1.35 * radius, corners: 3, turn: .pi / 2)
        case .invertedTriangle: polygon(center, radius: 1.35 * radius, corners: 3, turn: -.pi / 2)
        case .star:
            (0..<10).map { index in
                let angle = .pi / 2 + Double(index) * .pi / 5
                let reach = radius * (index % 2 == 0 ? 1.45 : 0.65)
                return center + reach * PagePoint(cos(angle), sin(angle))
            }
        case .plus: bars(center, radius: radius, turn: 0)
        case .cross: bars(center, radius: radius, turn: .pi / 4)
        }
    }

    private func polygon(
        _ center: PagePoint, radius: Double, corners: Int, turn: Double
    ) -> [PagePoint] {
        (0..<corners).map { index in
            let angle = turn + 2 * .pi * Double(index) / Double(corners)
            return center + radius * PagePoint(cos(angle), sin(angle))
        }
    }

    /// Two crossed bars as one polygon of twelve corners.
    private func bars(_ center: PagePoint, radius: Double, turn: Double) -> [PagePoint] {
        let reach = 1.25 * radius
        let half = 0.36 * radius
        let quarter = [
            PagePoint(reach, -half), PagePoint(reach, half), PagePoint(half, half),
        ]
        return (0..<4).flatMap { index in
            let angle = turn + Double(index) * .pi / 2
            return quarter.map { corner in
                center
                    + PagePoint(
                        corner.x * cos(angle) - corner.y * sin(angle),
                        corner.x * sin(angle) + corner.y * cos(angle))
            }
        }
    }
}
