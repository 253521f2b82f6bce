/// A named colour that stays apart from the others under the common colour-blindnesses.
///
/// The first eight are the palette of Okabe and Ito, "Color Universal Design" (2008);
/// `gray` is for references. `yellow` is faint as a thin line on white: use it last.
public enum PlotColor: String, Sendable, CaseIterable {
    case blue, vermillion, bluishGreen, orange, skyBlue, reddishPurple, black, yellow, gray

    /// Red, green and blue, each in 0...255.
    var components: (red: Int32, green: Int32, blue: Int32) {
        switch self {
        case .blue: (0, 114, 178)
        case .vermillion: (213, 94, 0)
        case .bluishGreen: (0, 158, 115)
        case .orange: (230, 159, 0)
        case .skyBlue: (86, 180, 233)
        case .reddishPurple: (204, 121, 167)
        case .black: (0, 0, 0)
        case .yellow: (240, 228, 66)
        case .gray: (110, 110, 110)
        }
    }
}

/// The shape drawn at the points of a series.
public enum Marker: String, Sendable, CaseIterable {
    case circle, square, triangle, diamond, invertedTriangle, cross, plus, star
}

/// How the points of a series are joined.
public enum LineStyle: String, Sendable, CaseIterable {
    case solid, dashed, dotted, none
}

/// The look of one series: colour, marker, line.
public struct SeriesStyle: Sendable, Equatable {
    /// Colour of line, markers and band.
    public var color: PlotColor
    /// Shape at the points, or nil for a bare line.
    public var marker: Marker?
    /// How points are joined.
    public var line: LineStyle
    /// Line width in pixels of a page 1000 pixels high; scaled with other pages.
    public var width: Double
    /// Opacity of line and markers, 0...1: below one for raw curves under smoothed ones.
    public var opacity: Double

    /// Makes a style; the default is a solid line four pixels wide without markers.
    public init(
        color: PlotColor, marker: Marker? = nil, line: LineStyle = .solid, width: Double = 4,
        opacity: Double = 1
    ) {
        self.color = color
        self.marker = marker
        self.line = line
        self.width = width
        self.opacity = opacity
    }

    /// The style of measured curve number `index`: colour and marker both differ between the
    /// first seven, so that the curves stay apart in gray print too.
    public static func curve(_ index: Int) -> SeriesStyle {
        precondition(index >= 0, "a curve's index is not negative")
        let colors = PlotColor.allCases.filter { $0 != .yellow && $0 != .gray }
        return SeriesStyle(
            color: colors[index % colors.count],
            marker: Marker.allCases[index % Marker.allCases.count])
    }

    /// The style of reference number `index` (least squares, Bayes): dashed and dotted lines in
    /// black and gray, without markers.
    public static func reference(_ index: Int) -> SeriesStyle {
        precondition(index >= 0, "a reference's index is not negative")
        return SeriesStyle(
            color: index % 4 < 2 ? .black : .gray, line: index % 2 == 0 ? .dashed : .dotted,
            width: 3.5)
    }
}
