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

/// The heading of a page.
struct PageHeading {
    let title: TextBlock
    let subtitle: TextBlock

    init(
        title: String, subtitle: String?, within room: Double, metrics: PageMetrics, page: PlotPage
    ) {
        self.title = page.block(
            title, size: metrics.titleSize, within: room, lines: 2, bold: true)
        self.subtitle = page.block(
            subtitle ?? "", size: metrics.subtitleSize, within: room, lines: 2)
    }

    /// Where the page below the heading begins, on a page of that height.
    func bottom(height: Double, metrics: PageMetrics) -> Double {
        let bottom = height - metrics.margin - title.height - subtitle.height
        return bottom - (title.lines.isEmpty && subtitle.lines.isEmpty ? 0 : metrics.gap)
    }

    /// Writes the heading at the top of the page.
    func draw(on page: PlotPage, metrics: PageMetrics) {
        var y = page.height - metrics.margin
        for (block, color, bold) in [
            (title, Ink.text, true), (subtitle, Ink.faintText, false),
        ] {
            for line in block.lines {
                page.text(
                    line, at: PagePoint(metrics.margin, y - block.lineHeight / 2),
                    size: block.size, color: color, bold: bold)
                y -= block.lineHeight
            }
        }
    }
}

extension PlotPage {
    /// Writes the lines of a text one below the other, each centred, around `center`.
    func text(
        _ block: TextBlock, centered center: PagePoint, color: Ink, bold: Bool = false,
        upward: Bool = false
    ) {
        for (index, line) in block.lines.enumerated() {
            let shift = block.height / 2 - (Double(index) + 0.5) * block.lineHeight
            text(
                line, at: center + (upward ? PagePoint(-shift, 0) : PagePoint(0, shift)),
                size: block.size, color: color, alignment: .center, bold: bold, upward: upward)
        }
    }

    /// Breaks a text at spaces (a single word too long: anywhere) into lines no wider than
    /// `limit`; what does not fit in `lines` lines ends in an ellipsis. An empty text has none.
    func block(
        _ text: String, size: Double, within limit: Double, lines most: Int, bold: Bool = false
    ) -> TextBlock {
        func width(_ line: String) -> Double {
            measuredWidth(line, size: size, bold: bold)
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
