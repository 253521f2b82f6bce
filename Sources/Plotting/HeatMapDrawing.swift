import Foundation

/// Draws a planned heat map.
struct HeatMapDrawing {
    let map: HeatMap
    let plan: HeatMapPlan
    let page: PlotPage

    private var metrics: PageMetrics { plan.metrics }

    /// Draws everything, text last.
    func draw() {
        for row in map.cells.indices {
            for column in map.cells[row].indices {
                draw(
                    map.cells[row][column], detail: plan.details[row][column],
                    in: plan.cells[row][column])
            }
        }
        drawBar()
        drawLabels()
        plan.heading.draw(on: page, metrics: metrics)
    }

    // MARK: Cells

    private func draw(_ cell: HeatMapCell, detail: TextBlock, in area: PlotRectangle) {
        let color = cell.finiteValue.map { ColorMap.ink(at: plan.axis.fraction($0)) }
        fill(area, color: color ?? .missing)
        if color == nil { hatch(area) }
        let ink = color?.readableText ?? .faintText
        if cell.isFramed { frame(area, color: ink) }
        // Number and detail together are centred; a detail's lines are spaced as in any block.
        let center = PagePoint((area.minX + area.maxX) / 2, (area.minY + area.maxY) / 2)
        let rise = detail.height / 2
        page.text(
            cell.text, at: center + PagePoint(0, rise), size: plan.numberSize, color: ink,
            alignment: .center)
        page.text(
            detail, centered: center - PagePoint(0, plan.numberSize * 0.62), color: ink)
    }

    private func fill(_ area: PlotRectangle, color: Ink) {
        page.polygon(
            [
                PagePoint(area.minX, area.minY), PagePoint(area.maxX, area.minY),
                PagePoint(area.maxX, area.maxY), PagePoint(area.minX, area.maxY),
            ], color: color)
    }

    /// A frame within the cell, in the colour of its number, so that it is seen on every ground.
    private func frame(_ area: PlotRectangle, color: Ink) {
        let inset = 9 * metrics.scale
        let (left, right) = (area.minX + inset, area.maxX - inset)
        let (bottom, top) = (area.minY + inset, area.maxY - inset)
        page.polyline(
            [
                PagePoint(left, bottom), PagePoint(right, bottom), PagePoint(right, top),
                PagePoint(left, top), PagePoint(left, bottom),
            ], color: color, width: 3.5 * metrics.scale)
    }

    /// Lines from lower left to upper right, broken around the middle where the dash stands.
    private func hatch(_ area: PlotRectangle) {
        page.clip(to: area)
        let step = 18 * metrics.scale
        for shift in stride(from: -area.height, through: area.width, by: step) {
            page.polyline(
                [
                    PagePoint(area.minX + shift, area.minY),
                    PagePoint(area.minX + shift + area.height, area.maxY),
                ], color: .hatch, width: 1.5 * metrics.scale)
        }
        page.unclip()
        let center = PagePoint((area.minX + area.maxX) / 2, (area.minY + area.maxY) / 2)
        let half = PagePoint(0.9, 0.6) * plan.numberSize
        fill(
            PlotRectangle(
                minX: center.x - half.x, minY: center.y - half.y, maxX: center.x + half.x,
                maxY: center.y + half.y), color: .missing)
    }

    // MARK: Colour bar

    private func drawBar() {
        let bar = plan.bar
        let steps = max(1, Int(bar.height))
        for step in 0..<steps {
            let bottom = bar.minY + bar.height * Double(step) / Double(steps)
            // Each stripe reaches under the next, so that no white shows between two.
            let top = min(bar.maxY, bottom + 2 * bar.height / Double(steps))
            fill(
                PlotRectangle(minX: bar.minX, minY: bottom, maxX: bar.maxX, maxY: top),
                color: ColorMap.ink(at: (Double(step) + 0.5) / Double(steps)))
        }
        for tick in plan.ticks {
            let y = bar.minY + plan.axis.fraction(tick.value) * bar.height
            page.polyline(
                [PagePoint(bar.maxX, y), PagePoint(bar.maxX + metrics.tickLength, y)],
                color: .axis, width: 2.5 * metrics.scale)
            page.text(
                tick.label, at: PagePoint(bar.maxX + metrics.tickLength + metrics.gap, y),
                size: metrics.tickSize, color: .text)
        }
        page.text(
            plan.valueLabel,
            centered: PagePoint(plan.valueLabelX, (bar.minY + bar.maxY) / 2), color: .text,
            upward: true)
    }

    // MARK: Labels

    private func drawLabels() {
        let matrix = plan.matrix
        for (label, areas) in zip(plan.rowLabels, plan.cells) {
            guard let area = areas.first else { continue }
            var y = (area.minY + area.maxY) / 2 + (label.height - label.lineHeight) / 2
            for line in label.lines {
                page.text(
                    line, at: PagePoint(matrix.minX - metrics.gap, y), size: label.size,
                    color: .text, alignment: .trailing)
                y -= label.lineHeight
            }
        }
        for (label, area) in zip(plan.columnLabels, plan.cells.first ?? []) {
            page.text(
                label,
                centered: PagePoint(
                    (area.minX + area.maxX) / 2,
                    matrix.maxY + metrics.gap / 2 + label.height / 2), color: .text)
        }
        let highest = plan.columnLabels.map(\.height).max() ?? 0
        page.text(
            plan.columnCaption,
            centered: PagePoint(
                (matrix.minX + matrix.maxX) / 2,
                matrix.maxY + metrics.gap + highest + plan.columnCaption.height / 2),
            color: .text, bold: true)
        page.text(
            plan.rowCaption,
            centered: PagePoint(
                metrics.margin + plan.rowCaption.height / 2, (matrix.minY + matrix.maxY) / 2),
            color: .text, bold: true, upward: true)
    }
}
