/// One curve: points, an optional band around them, and a look.
public struct Series: Sendable {
    /// Legend text; an empty name keeps the series out of the legend.
    public var name: String
    /// Horizontal positions, in drawing order.
    public var x: [Double]
    /// Values, one per position; nil or a non-finite number is a gap.
    public var y: [Double?]
    /// Lower edge of the band, one per position, or nil for no band.
    public var low: [Double?]?
    /// Upper edge of the band, one per position, or nil for no band.
    public var high: [Double?]?
    /// Colour, marker and line.
    public var style: SeriesStyle
    /// Whether an automatic axis range makes room for this series; false for a reference that
    /// may leave the picture (least squares at its rounding noise on a logarithmic axis).
    public var shapesRange: Bool

    /// Makes a series; `y`, `low` and `high` have one element per element of `x`, and a band has
    /// both its edges.
    public init(
        name: String, x: [Double], y: [Double?], low: [Double?]? = nil, high: [Double?]? = nil,
        style: SeriesStyle, shapesRange: Bool = true
    ) {
        precondition(y.count == x.count, "a series has one y per x")
        precondition((low == nil) == (high == nil), "a band has a lower and an upper edge")
        precondition(
            (low?.count ?? x.count) == x.count && (high?.count ?? x.count) == x.count,
            "a band has one lower and one upper value per x")
        self.name = name
        self.x = x
        self.y = y
        self.low = low
        self.high = high
        self.style = style
        self.shapesRange = shapesRange
    }
}

/// How values map to distances along an axis.
public enum AxisScale: String, Sendable, CaseIterable {
    /// Equal differences are equal distances.
    case linear
    /// Equal ratios are equal distances; a value ≤ 0 lies below the axis.
    case log10
}

/// One pair of axes with its series.
public struct Panel: Sendable {
    /// Heading above the axes, or nil.
    public var title: String?
    /// Label of the horizontal axis, with its unit.
    public var xLabel: String
    /// Label of the vertical axis, with its unit.
    public var yLabel: String
    /// Scale of the horizontal axis.
    public var xScale: AxisScale
    /// Scale of the vertical axis.
    public var yScale: AxisScale
    /// What is drawn, first series at the bottom.
    public var series: [Series]
    /// Limits of the horizontal axis, or nil to fit the data with a margin.
    public var xRange: ClosedRange<Double>?
    /// Limits of the vertical axis, or nil to fit the data with a margin. An automatic
    /// logarithmic axis shows six decades at most, counted from the largest value down.
    public var yRange: ClosedRange<Double>?

    /// Makes a panel.
    public init(
        title: String? = nil, xLabel: String, yLabel: String, xScale: AxisScale = .linear,
        yScale: AxisScale = .linear, series: [Series], xRange: ClosedRange<Double>? = nil,
        yRange: ClosedRange<Double>? = nil
    ) {
        self.title = title
        self.xLabel = xLabel
        self.yLabel = yLabel
        self.xScale = xScale
        self.yScale = yScale
        self.series = series
        self.xRange = xRange
        self.yRange = yRange
    }
}

/// A page: a title over one panel, several side by side or several rows of them, and one legend
/// for all of them.
///
/// The legend stands right of a single panel and below several. Series of the same name and
/// style in several panels share one legend entry. Panels in several rows are set in smaller
/// type, and an axis caption that all of them have is written once. Text is plain UTF-8 without
/// markup.
public struct Figure: Sendable {
    /// Heading of the page.
    public var title: String
    /// Second, smaller line of the heading, or nil.
    public var subtitle: String?
    /// The panels, from left to right and then from top to bottom.
    public var panels: [Panel]
    /// How many panels stand side by side, or nil for all of them in one row.
    public var columns: Int?
    /// Page width in pixels (points in SVG and PDF).
    public var width: Int
    /// Page height in pixels (points in SVG and PDF).
    public var height: Int

    /// Makes a figure of one panel, several side by side, or rows of `columns` panels.
    ///
    /// Without a `height` the page is 1000 pixels high with one row of panels and grows with
    /// further rows.
    public init(
        title: String, subtitle: String? = nil, panels: [Panel], columns: Int? = nil,
        width: Int = 1600, height: Int? = nil
    ) {
        self.title = title
        self.subtitle = subtitle
        self.panels = panels
        self.columns = columns
        self.width = width
        self.height =
            height ?? PanelGrid(panels: panels.count, columns: columns).pageHeight(width: width)
    }

    /// Makes a figure of one panel.
    public init(
        title: String, subtitle: String? = nil, xLabel: String, yLabel: String,
        xScale: AxisScale = .linear, yScale: AxisScale = .linear, series: [Series],
        xRange: ClosedRange<Double>? = nil, yRange: ClosedRange<Double>? = nil,
        width: Int = 1600, height: Int = 1000
    ) {
        let panel = Panel(
            xLabel: xLabel, yLabel: yLabel, xScale: xScale, yScale: yScale, series: series,
            xRange: xRange, yRange: yRange)
        self.init(
            title: title, subtitle: subtitle, panels: [panel], width: width, height: height)
    }
}

/// A picture's file format.
public enum FigureFormat: String, Sendable, CaseIterable {
    case png, svg, pdf

    /// The PLplot driver that writes it.
    var driver: String { rawValue + "cairo" }
}

/// A rectangle on the page; the origin is the lower left corner.
public struct PlotRectangle: Sendable, Equatable {
    /// Left edge.
    public var minX: Double
    /// Lower edge.
    public var minY: Double
    /// Right edge.
    public var maxX: Double
    /// Upper edge.
    public var maxY: Double

    /// Makes a rectangle from its edges.
    public init(minX: Double, minY: Double, maxX: Double, maxY: Double) {
        self.minX = minX
        self.minY = minY
        self.maxX = maxX
        self.maxY = maxY
    }

    /// Horizontal extent.
    public var width: Double { maxX - minX }
    /// Vertical extent.
    public var height: Double { maxY - minY }

    /// Whether `other` lies wholly within this rectangle.
    public func contains(_ other: PlotRectangle) -> Bool {
        other.minX >= minX && other.maxX <= maxX && other.minY >= minY && other.maxY <= maxY
    }

    /// Whether the interiors of the two rectangles share a point.
    public func overlaps(_ other: PlotRectangle) -> Bool {
        minX < other.maxX && other.minX < maxX && minY < other.maxY && other.minY < maxY
    }

    /// The rectangle with every coordinate divided by the page's size.
    func normalized(width: Double, height: Double) -> PlotRectangle {
        PlotRectangle(
            minX: minX / width, minY: minY / height, maxX: maxX / width, maxY: maxY / height)
    }
}

/// Where things stand on the page, in fractions of its width and height.
public struct FigureLayout: Sendable, Equatable {
    /// The rectangle of each panel's axes, without tick labels, in the order of the panels.
    public var viewports: [PlotRectangle]
    /// The rectangle of the legend, or nil when no series has a name.
    public var legend: PlotRectangle?
}
