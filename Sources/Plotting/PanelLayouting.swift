/// What surrounds one panel's axes, measured before any panel is placed.
private struct PanelSurroundings {
    var xLabel: TextBlock
    var yLabel: TextBlock
    var yTicks: [AxisTick]
    /// Room below the axes for tick labels and caption.
    var below: Double
    /// Room from the axes to the far end of the widest tick label.
    var leftOfTicks: Double
}

extension PagePlanner {
    /// Places the panels row by row in equal cells, and the captions that all of them share.
    func placePanels(
        in body: PlotRectangle, axes: [(x: Axis, y: Axis)]
    ) -> (panels: [PanelPlan], captions: [SharedCaption]) {
        var body = body
        let sharedX = sharedCaption(\.xLabel, within: body.width)
        let sharedY = sharedCaption(\.yLabel, within: body.height)
        if let sharedX { body.minY += sharedX.height + legendMetrics.gap }
        if let sharedY { body.minX += sharedY.height + legendMetrics.gap }
        let titles = titles(in: body)
        let areas = areas(in: body, titles: titles)
        let around = aligned(
            figure.panels.indices.map { index in
                surroundings(
                    figure.panels[index], in: areas[index], axis: axes[index].y,
                    hasXLabel: sharedX == nil, hasYLabel: sharedY == nil)
            })
        let panels = figure.panels.indices.map { index in
            place(
                figure.panels[index], title: titles[index], around[index], in: areas[index],
                axes: axes[index])
        }
        return (panels, centered(x: sharedX, y: sharedY, panels: panels))
    }

    // MARK: Cells

    private func cellWidth(in body: PlotRectangle) -> Double {
        let columns = Double(grid.columns)
        return (body.width - (columns - 1) * panelMetrics.panelGap) / columns
    }

    private func titles(in body: PlotRectangle) -> [TextBlock] {
        let room = 0.85 * cellWidth(in: body)
        return figure.panels.map {
            page.block(
                $0.title ?? "", size: panelMetrics.panelTitleSize, within: room, lines: 2,
                bold: true)
        }
    }

    /// The cells without their titles: of one size, each row below the highest of its titles.
    private func areas(in body: PlotRectangle, titles: [TextBlock]) -> [PlotRectangle] {
        let cell = cellWidth(in: body)
        let rowGap = 0.6 * panelMetrics.panelGap
        let headings = (0..<grid.rows).map { row -> Double in
            let height =
                titles.indices.filter { $0 / grid.columns == row }.map { titles[$0].height }
                .max() ?? 0
            return height + (height > 0 ? panelMetrics.gap : 0)
        }
        let free = body.height - headings.reduce(0, +) - Double(grid.rows - 1) * rowGap
        let height = free / Double(grid.rows)
        return titles.indices.map { index in
            let row = index / grid.columns
            let left =
                body.minX + Double(index % grid.columns) * (cell + panelMetrics.panelGap)
            let above = headings[0...row].reduce(0, +) + Double(row) * (height + rowGap)
            return PlotRectangle(
                minX: left, minY: body.maxY - above - height, maxX: left + cell,
                maxY: body.maxY - above)
        }
    }

    // MARK: Shared captions

    /// The caption that every panel of several rows has, or nil where they differ.
    private func sharedCaption(_ label: (Panel) -> String, within room: Double) -> TextBlock? {
        let labels = Set(figure.panels.map(label))
        guard grid.hasRows, labels.count == 1, let text = labels.first, !text.isEmpty else {
            return nil
        }
        return page.block(text, size: legendMetrics.tickSize, within: 0.8 * room, lines: 2)
    }

    private func centered(
        x: TextBlock?, y: TextBlock?, panels: [PanelPlan]
    ) -> [SharedCaption] {
        let areas = panels.map(\.viewport)
        guard let left = areas.map(\.minX).min(), let right = areas.map(\.maxX).max(),
            let bottom = areas.map(\.minY).min(), let top = areas.map(\.maxY).max()
        else { return [] }
        let below =
            panelMetrics.tickLength + panelMetrics.gap + panelMetrics.tickSize
            + legendMetrics.gap
        let across = x.map {
            SharedCaption(
                block: $0,
                center: PagePoint((left + right) / 2, bottom - below - $0.height / 2),
                isUpward: false)
        }
        let up = y.map {
            SharedCaption(
                block: $0,
                center: PagePoint(metrics.margin + $0.height / 2, (bottom + top) / 2),
                isUpward: true)
        }
        return [across, up].compactMap { $0 }
    }

    // MARK: One panel

    private func surroundings(
        _ panel: Panel, in area: PlotRectangle, axis: Axis, hasXLabel: Bool, hasYLabel: Bool
    ) -> PanelSurroundings {
        let metrics = panelMetrics
        let xLabel = page.block(
            hasXLabel ? panel.xLabel : "", size: metrics.labelSize, within: 0.8 * area.width,
            lines: 2)
        let below =
            metrics.tickLength + metrics.gap + metrics.tickSize
            + (xLabel.lines.isEmpty ? 0 : metrics.gap + xLabel.height)
        let inner = area.height - below - metrics.tickSize / 2
        let yLabel = page.block(
            hasYLabel ? panel.yLabel : "", size: metrics.labelSize, within: inner, lines: 2)
        let rows = max(2, min(7, Int(inner / (3 * metrics.tickSize))))
        let yTicks = axis.ticks(about: rows)
        let widest = yTicks.map { tickWidth($0.label) }.max() ?? 0
        return PanelSurroundings(
            xLabel: xLabel, yLabel: yLabel, yTicks: yTicks, below: below,
            leftOfTicks: metrics.tickLength + metrics.gap + widest)
    }

    /// The same room left of all axes and below all axes of a row, so that the axes line up and
    /// are equally wide. A single row keeps each panel's own.
    private func aligned(_ all: [PanelSurroundings]) -> [PanelSurroundings] {
        guard grid.hasRows else { return all }
        let left = all.map(\.leftOfTicks).max() ?? 0
        return all.indices.map { index in
            let row = all.indices.filter { $0 / grid.columns == index / grid.columns }
            var result = all[index]
            result.leftOfTicks = left
            result.below = row.map { all[$0].below }.max() ?? result.below
            return result
        }
    }

    private func place(
        _ panel: Panel, title: TextBlock, _ around: PanelSurroundings, in area: PlotRectangle,
        axes: (x: Axis, y: Axis)
    ) -> PanelPlan {
        let metrics = panelMetrics
        let yLabel = around.yLabel
        let left =
            around.leftOfTicks + (yLabel.lines.isEmpty ? 0 : yLabel.height + metrics.gap)
        // The last tick label may hang over the right end of the axis.
        let right = 1.2 * metrics.tickSize
        let viewport = PlotRectangle(
            minX: area.minX + left, minY: area.minY + around.below, maxX: area.maxX - right,
            maxY: area.maxY - metrics.tickSize / 2)
        return PanelPlan(
            viewport: viewport, xAxis: axes.x, yAxis: axes.y,
            xTicks: horizontalTicks(axes.x, panel: panel, length: viewport.width),
            yTicks: around.yTicks, title: title, xLabel: around.xLabel, yLabel: yLabel,
            yLabelOffset: around.leftOfTicks + metrics.gap + yLabel.height / 2)
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
                    > (widths[index] + widths[index - 1]) / 2 + 1.1 * panelMetrics.tickSize
            }
            if apart { break }
        }
        return ticks
    }

    private func tickWidth(_ label: String) -> Double {
        page.measuredWidth(label, size: panelMetrics.tickSize)
    }
}
