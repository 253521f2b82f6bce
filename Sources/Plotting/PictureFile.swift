import Foundation
import Platform

/// A picture's way to its file, the same for every kind of picture.
enum PictureFile {
    /// Writes what `drawing` gives: whole or not at all, because it is drawn in memory, written
    /// beside `path` and renamed.
    static func write<Layout>(
        to path: String, drawing: () throws -> (data: Data, layout: Layout)
    ) throws -> Layout {
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
        let (data, layout) = try drawing()
        do {
            try AtomicFile.write(data, to: path)
        } catch let error as SystemError {
            throw PlotError.file(path: path, problem: SystemError.reason(error.code, at: path))
        }
        return layout
    }

    /// Why no page has this size; nil when one has.
    static func pageProblem(width: Int, height: Int) -> String? {
        guard (200...20_000).contains(width), (200...20_000).contains(height) else {
            return "\(width) × \(height) pixels is not a page; each side has 200 to 20000"
        }
        return nil
    }
}

extension FigureFormat {
    /// Plans a page, asks `check` whether the plan can be drawn, and draws it, while no other
    /// thread draws. A scrap page tells the widths of texts, from which the plan follows.
    func picture<Plan: Sendable>(
        width: Int, height: Int, plan: (PlotPage) -> Plan, check: (Plan) throws -> Void,
        draw: (PlotPage, Plan) -> Void
    ) throws -> (data: Data, plan: Plan) {
        let (bytes, plan) = try PLplotDevice.exclusively {
            var planned: Plan?
            _ = try PLplotDevice.document(format: self, width: 100, height: 100) {
                planned = plan($0)
            }
            guard let planned else { throw PlotError.drawing("the page was not planned") }
            try check(planned)
            let bytes = try PLplotDevice.document(format: self, width: width, height: height) {
                draw($0, planned)
            }
            return (bytes, planned)
        }
        guard isWhole(bytes) else {
            throw PlotError.drawing("the \(rawValue.uppercased()) ends too early")
        }
        return (Data(bytes), plan)
    }

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
