import CPLplot
import Foundation
import Synchronization

// Every call that draws and every unsafe pointer of this module is in this file and in PlotInstallation.swift.

/// What is known of PLplot in this process.
private enum LibraryState {
    case unchecked
    case usable
    /// Something it needs is missing, or it gave up while starting and cannot be called again.
    case unusable(PlotError)
}

/// PLplot keeps its streams in global variables, so one figure is drawn at a time.
private let libraryLock = Mutex(LibraryState.unchecked)

/// The PLplot output drivers of this machine.
public enum PlotDrivers {
    /// Names of the file drivers PLplot can load, sorted: `pngcairo`, `svgcairo`, `pdfcairo`, …
    public static func available() -> [String] {
        libraryLock.withLock { _ in
            PlotInstallation.hasDrivers && PlotInstallation.folderProblem() == nil
                ? PLplotDevice.fileDrivers() : []
        }
    }

    /// Why this machine cannot draw pictures, in one sentence with the cure; nil when it can.
    public static func problem() -> String? {
        libraryLock.withLock { _ in PlotInstallation.problem()?.description }
    }
}

/// A point on the page in pixels from its lower left corner.
typealias PagePoint = SIMD2<Double>

/// Where a text's reference point lies along the text.
enum TextAlignment: Double {
    case leading = 0
    case center = 0.5
    case trailing = 1
}

/// The canvas of one page, valid inside the closure that receives it.
///
/// Coordinates and widths are pixels. PLplot draws lines, areas and text and clips them; what is
/// drawn where is decided by the callers, because its own axes label a logarithmic axis at whole
/// decades only and its own legend can neither show a band nor break a long name.
struct PlotPage {
    let width: Double
    let height: Double

    fileprivate init(width: Int, height: Int) {
        self.width = Double(width)
        self.height = Double(height)
    }

    /// Restricts drawing to a rectangle.
    func clip(to area: PlotRectangle) {
        c_plvpor(
            area.minX / width, area.maxX / width, area.minY / height, area.maxY / height)
        c_plwind(area.minX, area.maxX, area.minY, area.maxY)
    }

    /// Lets drawing reach the whole page again.
    func unclip() {
        clip(to: PlotRectangle(minX: 0, minY: 0, maxX: width, maxY: height))
    }

    /// Draws an open line through the points.
    func polyline(_ points: [PagePoint], color: Ink, width: Double) {
        guard points.count > 1 else { return }
        use(color)
        c_plwidth(width)
        let x = points.map(\.x)
        let y = points.map(\.y)
        c_plline(PLINT(points.count), x, y)
    }

    /// Fills the polygon with those corners.
    func polygon(_ points: [PagePoint], color: Ink) {
        guard points.count > 2 else { return }
        use(color)
        // The cairo driver strokes the edge of what it fills; a hairline keeps the size true
        // and a transparent area's edge no darker than its inside.
        c_plwidth(0.01)
        let x = points.map(\.x)
        let y = points.map(\.y)
        c_plfill(PLINT(points.count), x, y)
    }

    /// Writes a line of text whose capital letters are centred on `point`, along the x axis or,
    /// turned a quarter to the left, along the y axis. `size` is the em in pixels.
    func text(
        _ string: String, at point: PagePoint, size: Double, color: Ink,
        alignment: TextAlignment = .leading, bold: Bool = false, upward: Bool = false
    ) {
        use(color)
        setFont(size: size, bold: bold)
        c_plptex(
            point.x, point.y, upward ? 0 : 1, upward ? 1 : 0, alignment.rawValue,
            PLplotDevice.escaped(string))
    }

    /// The width in pixels of a line of text. The page it is asked of must be a scrap page:
    /// PLplot tells a text's width only by drawing a legend of it.
    func measuredWidth(_ string: String, size: Double, bold: Bool = false) -> Double {
        guard !string.isEmpty else { return 0 }
        setFont(size: size, bold: bold)
        use(.text)
        var options = PLINT(PL_LEGEND_NONE)
        var color: PLINT = 15
        var legendWidth = 0.0
        var legendHeight = 0.0
        PLplotDevice.escaped(string).withCString { characters in
            var lines: UnsafePointer<CChar>? = characters
            c_pllegend(
                &legendWidth, &legendHeight, 0, PLINT(PL_POSITION_SUBPAGE), 0, 0, 0, 0, 0, 0, 1,
                1, 1, &options, 0, 1, 1, 0, &color, &lines, nil, nil, nil, nil, nil, nil, nil,
                nil, nil, nil, nil)
        }
        unclip()
        // Without its plotted area the legend is the text between two borders of 0.4 character
        // heights, which PLplot takes as a fraction of the page's height.
        let characterHeight = size * PLplotDevice.characterHeightPerEm
        return (legendWidth - 0.8 * characterHeight / height) * width
    }

    private func setFont(size: Double, bold: Bool) {
        c_plsfont(
            PLINT(PL_FCI_SANS), PLINT(PL_FCI_UPRIGHT), PLINT(bold ? PL_FCI_BOLD : PL_FCI_MEDIUM))
        c_plschr(size * PLplotDevice.characterHeightPerEm * PLplotDevice.millimetresPerPixel, 1)
    }

    private func use(_ color: Ink) {
        c_plscol0a(15, color.red, color.green, color.blue, color.opacity)
        c_plcol0(15)
    }
}

/// A colour as the device takes it: components in 0...255, opacity in 0...1.
struct Ink {
    var red: PLINT
    var green: PLINT
    var blue: PLINT
    var opacity = 1.0

    static let black = Ink(red: 0, green: 0, blue: 0)
    static let white = Ink(red: 255, green: 255, blue: 255)
    static let text = Ink(red: 34, green: 34, blue: 34)
    static let faintText = Ink(red: 90, green: 90, blue: 90)
    static let axis = Ink(red: 70, green: 70, blue: 70)
    static let grid = Ink(red: 226, green: 226, blue: 226)
    static let missing = Ink(red: 242, green: 242, blue: 242)
    static let hatch = Ink(red: 200, green: 200, blue: 200)

    init(red: PLINT, green: PLINT, blue: PLINT, opacity: Double = 1) {
        self.red = red
        self.green = green
        self.blue = blue
        self.opacity = opacity
    }

    init(_ color: PlotColor, opacity: Double = 1) {
        let components = color.components
        self.init(
            red: components.red, green: components.green, blue: components.blue, opacity: opacity)
    }
}

/// The only door to PLplot.
enum PLplotDevice {
    /// The cairo drivers work at 72 dots an inch, one dot a pixel.
    static let millimetresPerPixel = 25.4 / 72
    /// PLplot's character height over the em of the text pango makes of it (72 / 96).
    static let characterHeightPerEm = 0.75

    /// Runs `body` while no other thread is in PLplot, if PLplot can draw at all.
    static func exclusively<Result: Sendable>(
        _ body: () throws -> Result
    ) throws -> Result {
        try libraryLock.withLock { state in
            if case .unchecked = state {
                state = PlotInstallation.problem().map(LibraryState.unusable) ?? .usable
            }
            if case .unusable(let error) = state { throw error }
            do {
                return try body()
            } catch let error as PlotError {
                if case .installation = error { state = .unusable(error) }
                throw error
            }
        }
    }

    /// Draws one page and returns the file's bytes. Call it inside `exclusively`.
    ///
    /// PLplot is handed a stream in memory: left to open a file itself it asks for another name
    /// on stdin and exits when the folder is missing, and it ignores failed writes.
    static func document(
        format: FigureFormat, width: Int, height: Int, draw: (PlotPage) -> Void
    ) throws -> [UInt8] {
        guard fileDrivers().contains(format.driver) else {
            throw PlotError.missingDriver(format)
        }
        let memory = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: 1)
        let size = UnsafeMutablePointer<Int>.allocate(capacity: 1)
        memory.initialize(to: nil)
        size.initialize(to: 0)
        // PLplot writes at most a few hundred characters of message here.
        let errorCode = UnsafeMutablePointer<PLINT>.allocate(capacity: 1)
        let errorMessage = UnsafeMutablePointer<CChar>.allocate(capacity: 4096)
        errorCode.initialize(to: 0)
        errorMessage.initialize(repeating: 0, count: 4096)
        defer {
            free(memory.pointee)
            memory.deallocate()
            size.deallocate()
            errorCode.deallocate()
            errorMessage.deallocate()
        }
        guard let file = open_memstream(memory, size) else {
            throw PlotError.drawing("no memory for the picture")
        }
        c_plsdev(format.driver)
        c_plspage(72, 72, PLINT(width), PLINT(height), 0, 0)
        plsfile(file)
        plsError(errorCode, errorMessage)
        // All sixteen entries exist before the first one is given an opacity.
        let white = [PLINT](repeating: 255, count: 16)
        c_plscmap0(white, white, white, 16)
        if let words = plplot_start() {
            // Before its memory goes: at the end of the process every open stream is flushed.
            fclose(file)
            throw PlotError.installation(
                "PLplot cannot start (\(String(cString: words)))",
                cure: "if its fonts plstnd5.fnt and plxtnd5.fnt are missing, install them: "
                    + "apt-get install --reinstall libplplot-data")
        }
        c_pladv(0)
        let page = PlotPage(width: width, height: height)
        page.unclip()
        draw(page)
        // Ends the page, writes the picture, closes the stream and clears PLplot's state.
        c_plend1()
        guard errorCode.pointee == 0 else {
            throw PlotError.drawing(String(cString: errorMessage))
        }
        guard let bytes = memory.pointee else {
            throw PlotError.drawing("PLplot wrote nothing")
        }
        return bytes.withMemoryRebound(to: UInt8.self, capacity: size.pointee) {
            [UInt8](UnsafeBufferPointer(start: $0, count: size.pointee))
        }
    }

    /// Text as PLplot takes it: `#` starts its escapes, control characters would end pango's
    /// markup, and its buffers hold some thousand bytes.
    fileprivate static func escaped(_ string: String) -> String {
        let printable = String.UnicodeScalarView(
            string.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 })
        let shortened =
            printable.count > 300 ? String(printable.prefix(299)) + "…" : String(printable)
        return shortened.replacingOccurrences(of: "#", with: "##")
    }

    fileprivate static func fileDrivers() -> [String] {
        // plgFileDevs fills arrays of the caller's and never more than their size.
        let capacity = 64
        let menu = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: capacity)
        let names = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(capacity: capacity)
        menu.initialize(repeating: nil, count: capacity)
        names.initialize(repeating: nil, count: capacity)
        defer {
            menu.deallocate()
            names.deallocate()
        }
        var menuArray: UnsafeMutablePointer<UnsafePointer<CChar>?>? = menu
        var nameArray: UnsafeMutablePointer<UnsafePointer<CChar>?>? = names
        var count = Int32(capacity)
        plgFileDevs(&menuArray, &nameArray, &count)
        return (0..<Int(count)).compactMap { names[$0].map { String(cString: $0) } }.sorted()
    }
}
