import Foundation

/// Everything about a heat map's page that is decided before anything is drawn.
struct HeatMapPlan {
    var metrics: PageMetrics
    var heading: PageHeading
    var axis: Axis
    var ticks: [AxisTick]
    /// The cells' rectangles in pixels, row by row.
    var cells: [[PlotRectangle]]
    var matrix: PlotRectangle
    var bar: PlotRectangle
    var rowCaption: TextBlock
    var columnCaption: TextBlock
    var rowLabels: [TextBlock]
    var columnLabels: [TextBlock]
    var valueLabel: TextBlock
    /// Where the colour bar's label is centred from left to right.
    var valueLabelX: Double
    /// Em of the numbers, the same in all cells.
    var numberSize: Double
    /// The lines under the numbers, row by row, all of one size.
    var details: [[TextBlock]]
}

/// Decides where the parts of a heat map stand, measuring texts on a scrap page.
struct HeatMapPlanner {
    let map: HeatMap
    let page: PlotPage
    let metrics: PageMetrics

    init(map: HeatMap, page: PlotPage) {
        self.map = map
        self.page = page
        // A map of few rows is a flat page and no reason for small type.
        metrics = PageMetrics(width: Double(map.width), height: Double(map.width) / 1.6)
    }

    /// The plan for a colour bar along `axis`.
    func plan(axis: Axis) -> HeatMapPlan {
        let width = Double(map.width)
        let inner = width - 2 * metrics.margin
        let heading = PageHeading(
            title: map.title, subtitle: map.subtitle, within: inner, metrics: metrics, page: page)
        var matrix = PlotRectangle(
            minX: metrics.margin, minY: metrics.margin, maxX: width - metrics.margin,
            maxY: heading.bottom(height: Double(map.height), metrics: metrics))
        // A tick label at the lower end of the bar hangs half below it.
        matrix.minY += metrics.tickSize / 2
        let ticks = axis.ticks(about: 6)
        let valueLabel = label(map.valueLabel, within: 0.8 * matrix.height, lines: 2)
        let valueLabelX = matrix.maxX - valueLabel.height / 2
        let widest =
            ticks.map { page.measuredWidth($0.label, size: metrics.tickSize) }.max() ?? 0
        matrix.maxX -=
            valueLabel.height + 2 * metrics.gap + widest + metrics.tickLength + barWidth
            + barGap
        let rowCaption = label(map.rowCaption, within: 0.8 * matrix.height, bold: true)
        let rowLabels = map.rows.map { tickText($0, within: 0.2 * width) }
        matrix.minX +=
            rowCaption.height + (rowCaption.lines.isEmpty ? 0 : metrics.gap)
            + (rowLabels.map(\.width).max() ?? 0) + metrics.gap
        let columnCaption = label(map.columnCaption, within: matrix.width, bold: true)
        let columns = Double(max(map.columns.count, 1))
        let columnLabels = columnLabels(within: 0.94 * matrix.width / columns)
        matrix.maxY -=
            columnCaption.height + (columnCaption.lines.isEmpty ? 0 : metrics.gap / 2)
            + (columnLabels.map(\.height).max() ?? 0) + metrics.gap / 2
        let cells = cells(in: matrix)
        let cell = cells.first?.first ?? matrix
        let numberSize = numberSize(in: cell)
        return HeatMapPlan(
            metrics: metrics, heading: heading, axis: axis, ticks: ticks, cells: cells,
            matrix: matrix, bar: bar(beside: matrix), rowCaption: rowCaption,
            columnCaption: columnCaption, rowLabels: rowLabels, columnLabels: columnLabels,
            valueLabel: valueLabel, valueLabelX: valueLabelX, numberSize: numberSize,
            details: details(in: cell, under: numberSize))
    }

    private var barWidth: Double { 40 * metrics.scale }
    private var barGap: Double { 40 * metrics.scale }

    private func label(
        _ text: String, within room: Double, lines: Int = 1, bold: Bool = false
    ) -> TextBlock {
        page.block(text, size: metrics.labelSize, within: room, lines: lines, bold: bold)
    }

    private func tickText(_ text: String, within room: Double) -> TextBlock {
        page.block(text, size: metrics.tickSize, within: room, lines: 3)
    }

    /// Labels broken at spaces and after hyphens. Those with a part too wide for its column are
    /// set smaller, all of them, down to seven tenths; only then are words broken.
    private func columnLabels(within room: Double) -> [TextBlock] {
        let parts = map.columns.map { label in
            label.split(whereSeparator: \.isWhitespace).flatMap { word -> [String] in
                let pieces = word.split(separator: "-", omittingEmptySubsequences: false)
                return pieces.indices.map { index in
                    pieces[index] + (index < pieces.endIndex - 1 ? "-" : " ")
                }
            }
        }
        func width(_ text: String, _ size: Double) -> Double {
            page.measuredWidth(text.trimmingCharacters(in: .whitespaces), size: size)
        }
        let widest = parts.joined().map { width($0, metrics.tickSize) }.max() ?? 0
        let size = metrics.tickSize * max(0.7, min(1, room / max(widest, 1)))
        return zip(map.columns, parts).map { label, parts in
            var lines: [String] = []
            for part in parts {
                if let last = lines.last, width(last + part, size) <= room {
                    lines[lines.count - 1] = last + part
                } else {
                    lines.append(part)
                }
            }
            let block = page.block(label, size: size, within: room, lines: 3)
            guard lines.count <= 3, lines.allSatisfy({ width($0, size) <= room * 1.02 }) else {
                return block
            }
            let trimmed = lines.map { $0.trimmingCharacters(in: .whitespaces) }
            return TextBlock(lines: trimmed, size: size, width: room)
        }
    }

    /// Equal cells with whole pixels at their edges, so that none has a blurred rim.
    private func cells(in matrix: PlotRectangle) -> [[PlotRectangle]] {
        func edge(_ index: Int, of count: Int, from start: Double, length: Double) -> Double {
            (start + length * Double(index) / Double(count)).rounded()
        }
        let gap = max(1, (2 * metrics.scale).rounded())
        let (rows, columns) = (map.rows.count, map.columns.count)
        return (0..<rows).map { row in
            (0..<columns).map { column in
                PlotRectangle(
                    minX: edge(column, of: columns, from: matrix.minX, length: matrix.width)
                        + gap,
                    minY: edge(rows - row - 1, of: rows, from: matrix.minY, length: matrix.height)
                        + gap,
                    maxX: edge(column + 1, of: columns, from: matrix.minX, length: matrix.width)
                        - gap,
                    maxY: edge(rows - row, of: rows, from: matrix.minY, length: matrix.height)
                        - gap)
            }
        }
    }

    private func bar(beside matrix: PlotRectangle) -> PlotRectangle {
        let left = (matrix.maxX + barGap).rounded()
        return PlotRectangle(
            minX: left, minY: matrix.minY.rounded(), maxX: left + barWidth.rounded(),
            maxY: matrix.maxY.rounded())
    }

    /// The largest type at which every number fits into its cell.
    private func numberSize(in cell: PlotRectangle) -> Double {
        let all = map.cells.joined()
        let share = all.contains { $0.detail?.isEmpty == false } ? 0.34 : 0.5
        // A page that is too flat leaves no cell; it is refused when everything is placed.
        let most = max(1, min(34 * metrics.scale, share * cell.height))
        return size(fitting: all.map(\.text), in: 0.84 * cell.width, most: most)
    }

    /// The lines under the numbers: in one line if that leaves them readable, otherwise all of
    /// them broken at their spaces into two.
    private func details(in cell: PlotRectangle, under number: Double) -> [[TextBlock]] {
        let texts = map.cells.map { $0.map { $0.detail ?? "" } }
        let room = 0.9 * cell.width
        let most = 0.68 * number
        var lines = texts.map { $0.map { [$0] } }
        var size = size(fitting: Array(texts.joined()), in: room, most: most)
        if size < 0.8 * most {
            lines = texts.map { $0.map(twoLines) }
            size = self.size(fitting: lines.flatMap { $0.flatMap { $0 } }, in: room, most: most)
            size = max(1, min(size, 0.19 * cell.height))
        }
        return lines.map { row in
            row.map { lines in
                let shown = lines.filter { !$0.isEmpty }
                return TextBlock(lines: shown, size: size, width: room)
            }
        }
    }

    /// The text broken at the space nearest to its middle.
    private func twoLines(_ text: String) -> [String] {
        let spaces = text.indices.filter { text[$0] == " " }
        func distance(_ index: String.Index) -> Int {
            abs(2 * text.distance(from: text.startIndex, to: index) - text.count)
        }
        guard let middle = spaces.min(by: { distance($0) < distance($1) }) else { return [text] }
        return [String(text[..<middle]), String(text[text.index(after: middle)...])]
    }

    private func size(fitting texts: [String], in room: Double, most: Double) -> Double {
        let widest = texts.map { page.measuredWidth($0, size: most) }.max() ?? 0
        return widest > room ? most * room / widest : most
    }
}

extension HeatMapCell {
    /// The value, unless it is none that can be drawn.
    var finiteValue: Double? { value.flatMap { $0.isFinite ? $0 : nil } }

    /// What is written in the cell.
    var text: String { finiteValue.map(HeatMapCell.number) ?? "–" }
}
