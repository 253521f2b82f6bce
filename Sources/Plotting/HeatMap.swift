import Foundation

/// One cell of a heat map: the value that colours it, and a second line under the number.
public struct HeatMapCell: Sendable, Equatable {
    /// The value; nil or a non-finite number is drawn as a hatched cell with a dash.
    public var value: Double?
    /// The line under the number (an interval), or nil.
    public var detail: String?
    /// Whether a frame sets it apart from the others.
    public var isFramed = false

    /// Makes a cell.
    public init(_ value: Double?, detail: String? = nil) {
        self.value = value
        self.detail = detail
    }

    /// Makes a cell whose second line is the interval `[low, high]`, each to three significant
    /// digits.
    public init(_ value: Double?, low: Double, high: Double) {
        self.init(
            value, detail: "[\(HeatMapCell.number(low)), \(HeatMapCell.number(high))]")
    }

    /// Three significant digits as a reader writes them: `26.9`, `0.0312`, `12,300`,
    /// `4.56·10⁻⁷`; a dash for what is no finite number.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        guard value != 0 else { return "0" }
        // The digits are rounded first: 9.996 has the exponent of the 10.0 it is shown as.
        let parts = String(format: "%.2e", abs(value)).split(separator: "e")
        let exponent = Int(parts[1]) ?? 0
        let sign = value < 0 ? "−" : ""
        guard (-4...5).contains(exponent) else {
            return sign + parts[0] + "·10" + Axis.superscript(exponent)
        }
        guard let rounded = Double("\(parts[0])e\(exponent)") else { return "–" }
        return Axis.decimal(sign.isEmpty ? rounded : -rounded, places: max(0, 2 - exponent))
    }
}

/// A page with one matrix of coloured cells, a number in each, and a colour bar.
///
/// Rows run from top to bottom, columns from left to right. Light is small and dark is large, on
/// a scale of even perceived steps that survives colour-blindness and gray print. A value beyond
/// the range takes the colour of the nearer end; so does one ≤ 0 on a logarithmic scale.
public struct HeatMap: Sendable {
    /// Heading of the page.
    public var title: String
    /// Second, smaller line of the heading, or nil.
    public var subtitle: String?
    /// What the rows are (`trained under`).
    public var rowCaption: String
    /// What the columns are (`evaluated under`).
    public var columnCaption: String
    /// Labels of the rows.
    public let rows: [String]
    /// Labels of the columns.
    public let columns: [String]
    /// The cells, row by row.
    public let cells: [[HeatMapCell]]
    /// Label of the colour bar, with the unit.
    public var valueLabel: String
    /// How values map to the colour bar.
    public var scale: AxisScale
    /// The values at the ends of the colour bar, or nil for the smallest and the largest value.
    /// An automatic logarithmic bar spans six decades at most, counted from the largest value.
    public var range: ClosedRange<Double>?
    /// Page width in pixels (points in SVG and PDF).
    public var width: Int
    /// Page height in pixels (points in SVG and PDF).
    public var height: Int

    /// Makes a heat map; `cells` has one array per row label with one cell per column label.
    ///
    /// Without a `height` the page grows with the rows.
    public init(
        title: String, subtitle: String? = nil, rowCaption: String, columnCaption: String,
        rows: [String], columns: [String], cells: [[HeatMapCell]], valueLabel: String,
        scale: AxisScale = .linear, range: ClosedRange<Double>? = nil, width: Int = 1600,
        height: Int? = nil
    ) {
        precondition(cells.count == rows.count, "a heat map has one row of cells per row label")
        precondition(
            cells.allSatisfy { $0.count == columns.count },
            "a heat map has one cell per column label in each row")
        self.title = title
        self.subtitle = subtitle
        self.rowCaption = rowCaption
        self.columnCaption = columnCaption
        self.rows = rows
        self.columns = columns
        self.cells = cells
        self.valueLabel = valueLabel
        self.scale = scale
        self.range = range
        self.width = width
        // Few rows are drawn higher, so that their cells are not slits.
        let cell = max(115, min(190, 700 / Double(max(rows.count, 1))))
        self.height =
            height ?? Int((Double(width) / 1600 * (300 + Double(rows.count) * cell)).rounded())
    }
}

/// Where the parts of a heat map stand on the page, in fractions of its width and height.
public struct HeatMapLayout: Sendable, Equatable {
    /// The rectangle of each cell, row by row.
    public var cells: [[PlotRectangle]]
    /// The rectangle of the colour bar, without its labels.
    public var colorBar: PlotRectangle
}
