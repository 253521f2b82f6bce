import Foundation
import Platform

/// Why a figure was not drawn or not written, in one sentence.
public enum PlotError: Error, CustomStringConvertible, Equatable {
    /// PLplot has no driver for the format on this machine.
    case missingDriver(FigureFormat)
    /// PLplot lacks something on this machine: what, and how to get it.
    case installation(String, cure: String)
    /// The figure cannot be drawn as it is described.
    case figure(title: String, problem: String)
    /// PLplot failed.
    case drawing(String)
    /// The file could not be written.
    case file(path: String, problem: String)

    /// The sentence.
    public var description: String {
        switch self {
        case .missingDriver(let format):
            "PLplot's driver \(format.driver) is missing: install plplot-driver-cairo "
                + "(sudo apt-get install plplot-driver-cairo)."
        case .installation(let problem, let cure): "\(problem); \(cure)."
        case .figure(let title, let problem): "The figure \"\(title)\" cannot be drawn: \(problem)."
        case .drawing(let problem): "PLplot could not draw the figure: \(problem)."
        case .file(let path, let problem): "The picture \(path) cannot be written: \(problem)."
        }
    }
}

extension Figure {
    /// Draws the figure and returns the file's bytes and where things stand.
    ///
    /// One figure is drawn at a time however many threads ask. The same figure gives the same
    /// PNG bytes on one machine (SVG carries identifiers that count on, PDF the time).
    /// - Throws: `PlotError`, and nothing else.
    public func rendered(as format: FigureFormat) throws -> (data: Data, layout: FigureLayout) {
        let axes = try checkedAxes()
        let (bytes, layout) = try PLplotDevice.exclusively {
            var planned: PagePlan?
            // A scrap page tells the widths of texts, from which the margins follow.
            _ = try PLplotDevice.document(format: format, width: 100, height: 100) { page in
                planned = PagePlanner(figure: self, page: page).plan(axes: axes)
            }
            guard let plan = planned else { throw PlotError.drawing("the page was not planned") }
            let least = 60 * plan.metrics.scale
            guard
                plan.panels.allSatisfy({
                    $0.viewport.width > least && $0.viewport.height > least
                })
            else {
                throw problem("\(width) × \(height) pixels leave no room between its labels")
            }
            let bytes = try PLplotDevice.document(format: format, width: width, height: height) {
                PageDrawing(figure: self, plan: plan, page: $0).draw()
            }
            let layout = FigureLayout(
                viewports: plan.panels.map { normalized($0.viewport) },
                legend: plan.legend.map { normalized($0.area) })
            return (bytes, layout)
        }
        guard format.isWhole(bytes) else {
            throw PlotError.drawing("the \(format.rawValue.uppercased()) ends too early")
        }
        return (Data(bytes), layout)
    }

    /// Draws the figure into a file: whole or not at all, because it is drawn in memory, written
    /// beside `path` and renamed. An existing file is replaced.
    /// - Returns: where axes and legend stand on the page.
    /// - Throws: `PlotError`, and nothing else.
    @discardableResult
    public func write(to path: String, format: FigureFormat) throws -> FigureLayout {
        let parent =
            path.contains("/")
            ? URL(fileURLWithPath: path).deletingLastPathComponent().relativePath : "."
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: parent, isDirectory: &isFolder) else {
            throw PlotError.file(
                path: path, problem: "the folder \(parent) does not exist; create it first")
        }
        guard isFolder.boolValue else {
            throw PlotError.file(path: path, problem: "\(parent) is not a folder")
        }
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
        {
            throw PlotError.file(path: path, problem: "it is a folder; name a file")
        }
        let (data, layout) = try rendered(as: format)
        do {
            try AtomicFile.write(data, to: path)
        } catch let error as SystemError {
            throw PlotError.file(path: path, problem: SystemError.reason(error.code, at: path))
        }
        return layout
    }

    // MARK: Checks

    private func problem(_ text: String) -> PlotError { .figure(title: title, problem: text) }

    private func normalized(_ area: PlotRectangle) -> PlotRectangle {
        area.normalized(width: Double(width), height: Double(height))
    }

    /// The axes of every panel, or the reason why one has none.
    private func checkedAxes() throws -> [(x: Axis, y: Axis)] {
        guard !panels.isEmpty else { throw problem("it has no panel") }
        guard (200...20_000).contains(width), (200...20_000).contains(height) else {
            throw problem(
                "\(width) × \(height) pixels is not a page; each side has 200 to 20000")
        }
        return try panels.enumerated().map { index, panel in
            let place = panels.count > 1 ? "panel \(index + 1) has" : "it has"
            for (range, scale, name) in [
                (panel.xRange, panel.xScale, "x"), (panel.yRange, panel.yScale, "y"),
            ] {
                guard let range else { continue }
                guard range.lowerBound < range.upperBound, range.lowerBound.isFinite,
                    range.upperBound.isFinite, scale == .linear || range.lowerBound > 0
                else {
                    throw problem(
                        "\(place) the \(name) range \(range) on a \(scale.rawValue) axis")
                }
            }
            guard let x = horizontalAxis(panel), let y = verticalAxis(panel) else {
                let positive = panel.xScale == .log10 || panel.yScale == .log10
                throw problem(
                    "\(place) no finite\(positive ? " positive" : "") point to draw")
            }
            return (x, y)
        }
    }

    private func horizontalAxis(_ panel: Panel) -> Axis? {
        let values = panel.series.flatMap { series in
            series.x.indices.filter { index in
                panel.xScale.shows(series.x[index])
                    && series.y[index].map(panel.yScale.shows) == true
            }.map { series.x[$0] }
        }
        // A given range does not make points where there are none.
        guard !values.isEmpty else { return nil }
        return Axis(scale: panel.xScale, range: panel.xRange, fitting: values, margin: 0.025)
    }

    /// Fits the values that stand somewhere along the horizontal axis.
    private func verticalAxis(_ panel: Panel) -> Axis? {
        let shaping = panel.series.filter(\.shapesRange)
        return [shaping, panel.series].lazy.compactMap { series in
            let values = series.flatMap { series in
                series.x.indices.filter { index in
                    panel.xScale.shows(series.x[index])
                        && panel.xRange?.contains(series.x[index]) != false
                }.flatMap { [series.y[$0], series.low?[$0], series.high?[$0]] }
            }
            return Axis(
                scale: panel.yScale, range: panel.yRange, fitting: values.compactMap { $0 },
                margin: 0.05)
        }.first
    }
}

extension FigureFormat {
    /// Whether the bytes are a complete file of this format: its beginning and its end are there.
    func isWhole(_ bytes: [UInt8]) -> Bool {
        func ends(with text: String) -> Bool {
            String(decoding: bytes.suffix(32), as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines).hasSuffix(text)
        }
        switch self {
        case .png:
            let end: [UInt8] = [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82]
            return bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
                && bytes.suffix(12).elementsEqual(end)
        case .svg: return bytes.starts(with: "<?xml".utf8) && ends(with: "</svg>")
        case .pdf: return bytes.starts(with: "%PDF-".utf8) && ends(with: "%%EOF")
        }
    }
}
