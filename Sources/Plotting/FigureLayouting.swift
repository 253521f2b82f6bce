/// Sizes of a page's parts in pixels, all in proportion to the page.
struct PageMetrics {
    let scale: Double

    /// The sizes are meant for 1600 × 1000 pixels, which at half a printed page's height gives
    /// tick labels of about nine points.
    init(width: Double, height: Double) {
        scale = min(width / 1600, height / 1000)
    }

    /// The sizes of a part of a page that is set smaller than the rest.
    init(_ whole: PageMetrics, times factor: Double) { scale = whole.scale * factor }

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

/// An axis caption that stands once for all panels.
struct SharedCaption {
    var block: TextBlock
    var center: PagePoint
    var isUpward: Bool
}

/// Everything about a figure's page that is decided before anything is drawn.
struct PagePlan {
    var metrics: PageMetrics
    /// Sizes within panels: the page's, or smaller ones where panels are many.
    var panelMetrics: PageMetrics
    /// Sizes of legend and shared captions, between those of page and panels.
    var legendMetrics: PageMetrics
    var grid: PanelGrid
    var heading: PageHeading
    var panels: [PanelPlan]
    var captions: [SharedCaption]
    var legend: Legend?
}

/// Rows and columns of a figure's panels.
struct PanelGrid {
    let columns: Int
    let rows: Int

    init(panels: Int, columns: Int?) {
        self.columns = max(1, min(columns ?? panels, panels))
        rows = (panels + self.columns - 1) / self.columns
    }

    /// Several rows on a page share their axis captions and are set smaller.
    var hasRows: Bool { rows > 1 }

    /// Size of text and lines in the panels as a share of the page's: small panels would be full
    /// of text in full size, and below six tenths it could not be read in print.
    var textScale: Double { hasRows ? min(1, max(0.6, 1600 / Double(columns) / 560)) : 1 }

    /// About how many markers a curve of many points gets: fewer where they would touch.
    var markers: Int { textScale < 1 ? 8 : 16 }

    /// A page height at which the panels are a little wider than high.
    func pageHeight(width: Int) -> Int {
        guard hasRows else { return 1000 }
        let rowHeight = 110 + 0.6 * 1600 / Double(columns)
        return Int((Double(width) / 1600 * (250 + Double(rows) * rowHeight)).rounded())
    }
}

/// Decides where everything stands, measuring texts on a scrap page of the same driver.
struct PagePlanner {
    let figure: Figure
    let page: PlotPage
    let grid: PanelGrid
    let metrics: PageMetrics
    let panelMetrics: PageMetrics
    let legendMetrics: PageMetrics
    let width: Double
    let height: Double

    init(figure: Figure, page: PlotPage) {
        self.figure = figure
        self.page = page
        width = Double(figure.width)
        height = Double(figure.height)
        grid = PanelGrid(panels: figure.panels.count, columns: figure.columns)
        metrics = PageMetrics(width: width, height: height)
        panelMetrics = PageMetrics(metrics, times: grid.textScale)
        legendMetrics = PageMetrics(metrics, times: grid.textScale.squareRoot())
    }

    /// The plan, for axes that were found to have something to show.
    func plan(axes: [(x: Axis, y: Axis)]) -> PagePlan {
        let heading = PageHeading(
            title: figure.title, subtitle: figure.subtitle, within: width - 2 * metrics.margin,
            metrics: metrics, page: page)
        var body = PlotRectangle(
            minX: metrics.margin, minY: metrics.margin, maxX: width - metrics.margin,
            maxY: heading.bottom(height: height, metrics: metrics))
        let legend = placeLegend(in: &body)
        let (panels, captions) = placePanels(in: body, axes: axes)
        var plan = PagePlan(
            metrics: metrics, panelMetrics: panelMetrics, legendMetrics: legendMetrics,
            grid: grid, heading: heading, panels: panels, captions: captions, legend: legend)
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
}
