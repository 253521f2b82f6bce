import Experiments
import Foundation
import TestSupport
import Testing

/// The pictures of the miniature sweep: every kind of figure, in every format.
extension EndToEndTests {
    private func pictures() throws -> [String] {
        let base = try #require(try sweepForPictures.manifest().trials[0].base)
        return [
            "polynomial-error-vs-context", "polynomial-error-vs-context-cpt",
            "polynomial-excess-risk", "polynomial-training-loss", "polynomial-layouts",
            "polynomial-excess-layouts",
            "base-\(base)",
        ]
    }

    private var sweepForPictures: MiniatureSweep {
        get throws { try #require(MiniatureSweep.current) }
    }

    @Test func everyKindOfFigureIsAWholePicture() throws {
        let sweep = try sweepForPictures
        let folder = sweep.path + "/plots"
        var images: Set<Data> = []
        for name in try pictures() {
            let png = try bytes("\(folder)/\(name).png")
            let image = try PNGImage(png)
            #expect(image.width == 1600 && image.height == (name.hasSuffix("layouts") ? 870 : 1000))
            let colors = Dictionary(grouping: image.pixels, by: \.self).mapValues(\.count)
            let white = try #require(colors[.white])
            let inked = image.pixels.count - white
            // Axes, texts and curves: some per cent of the page, in more than one colour.
            #expect(inked > image.pixels.count / 100 && inked < image.pixels.count / 2)
            #expect(colors.filter { $0.value > 200 }.count >= 4, "\(name)")
            images.insert(png)

            let svg = String(decoding: try bytes("\(folder)/\(name).svg"), as: UTF8.self)
            #expect(svg.hasPrefix("<?xml") && svg.contains("<svg"))
            #expect(svg.trimmingCharacters(in: .whitespacesAndNewlines).hasSuffix("</svg>"))
            #expect(svg.components(separatedBy: "<path").count > 20)
            let pdf = try bytes("\(folder)/\(name).pdf")
            #expect(pdf.starts(with: Data("%PDF-".utf8)))
            #expect(pdf.suffix(16).range(of: Data("%%EOF".utf8)) != nil)
        }
        #expect(images.count == 7)
        // A sidecar and three forms of each picture, and the file that shows them in TensorBoard.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 29)
    }

    @Test func sidecarsNameRunsAndData() throws {
        let sweep = try sweepForPictures
        let manifest = try sweep.manifest()
        let hash = sha256Hex(try bytes(sweep.path + "/summary.csv"))
        for name in try pictures() {
            let sidecar = try json(
                String(contentsOfFile: "\(sweep.path)/plots/\(name).json", encoding: .utf8))
            let runs = sidecar["runs"]?.arrayValue?.compactMap { $0["run"]?.stringValue }
            let isBase = name.hasPrefix("base-")
            #expect(
                runs
                    == (isBase
                        ? ["bases/\(manifest.trials[0].base ?? "")"]
                        : manifest.trials.map { "miniature/\($0.run)" }))
            #expect(sidecar["data"]?.stringValue == "summary.csv")
            #expect(sidecar["data_sha256"]?.stringValue == hash)
            #expect(sidecar["command"]?.stringValue?.hasPrefix("sandbox sweep -f") == true)
            #expect(sidecar["title"]?.stringValue?.isEmpty == false)
        }
    }

    @Test func publishedFilesAreTheSweepsOwn() throws {
        let sweep = try sweepForPictures
        let outcome = try Program.run(
            ["sweep", "-f", "miniature.yaml", "--publish", "--quiet"], in: sweep.folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        let folder = sweep.folder.file("plots/miniature")
        for name in try pictures().map({ "\($0).png" }) {
            #expect(try bytes("\(folder)/\(name)") == bytes("\(sweep.path)/plots/\(name)"))
        }
        #expect(try bytes(folder + "/summary.csv") == bytes(sweep.path + "/summary.csv"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 16)
    }
}
