import Foundation
import Platform
import Testing

@testable import Plotting

@Suite struct FigureWritingTests {
    @Test func theCairoDriversAreThere() {
        let drivers = PlotDrivers.available()
        for format in FigureFormat.allCases { #expect(drivers.contains(format.driver)) }
        #expect(
            PlotError.missingDriver(.png).description.contains("install plplot-driver-cairo"))
    }

    @Test(arguments: FigureFormat.allCases)
    func everyFormatIsWholeAndShowsTheCurves(format: FigureFormat) throws {
        let folder = try SampleFigures.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let figure = SampleFigures.layouts(scale: .log10)
        var bare = figure
        bare.panels[0].series = [figure.panels[0].series[4]]
        let path = folder.appendingPathComponent("figure.\(format.rawValue)").path
        let layout = try figure.write(to: path, format: format)
        let written = try #require(FileManager.default.contents(atPath: path))
        #expect(format.isWhole([UInt8](written)))
        #expect(!format.isWhole([UInt8](written.dropLast(20))))
        #expect(!format.isWhole([]))
        #expect(layout == (try figure.rendered(as: format).layout))
        #expect(written.count > (try bare.rendered(as: format).data.count) + 2000)
        // Nothing else is left in the folder.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }

    @Test func theSameFigureGivesTheSameBytes() throws {
        let folder = try SampleFigures.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("figure.png").path
        try SampleFigures.twoPanels().write(to: path, format: .png)
        let first = try #require(FileManager.default.contents(atPath: path))
        _ = try SampleFigures.layouts().rendered(as: .svg)
        try SampleFigures.twoPanels().write(to: path, format: .png)
        #expect(FileManager.default.contents(atPath: path) == first)
    }

    @Test func figuresFromManyThreadsEqualThoseFromOne() async throws {
        let folder = try SampleFigures.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let figures = (2..<10).map { points -> Figure in
            var figure = SampleFigures.layouts(points: points)
            (figure.width, figure.height) = (400, 250)
            return figure
        }
        let paths = figures.indices.map { folder.appendingPathComponent("\($0).png").path }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (figure, path) in zip(figures, paths) {
                group.addTask { try figure.write(to: path, format: .png) }
            }
            try await group.waitForAll()
        }
        for (figure, path) in zip(figures, paths) {
            let expected = try figure.rendered(as: .png).data
            #expect(FileManager.default.contents(atPath: path) == expected)
        }
    }

    // MARK: Errors

    private func problem(writing figure: Figure, to path: String) -> String {
        do {
            try figure.write(to: path, format: .png)
            return "none"
        } catch {
            #expect(error is PlotError)
            return "\(error)"
        }
    }

    @Test func aPathThatCannotBeWrittenIsOneSentence() throws {
        let folder = try SampleFigures.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let figure = SampleFigures.curve(x: [0, 1], y: [0, 1])
        let missing = folder.appendingPathComponent("absent/figure.png").path
        #expect(
            problem(writing: figure, to: missing)
                == "The picture \(missing) cannot be written: the folder "
                + "\(folder.path)/absent does not exist; create it first.")
        let file = folder.appendingPathComponent("file").path
        #expect(FileManager.default.createFile(atPath: file, contents: Data("kept".utf8)))
        #expect(
            problem(writing: figure, to: file + "/figure.png")
                == "The picture \(file)/figure.png cannot be written: \(file) is not a folder.")
        #expect(problem(writing: figure, to: folder.path).contains("it is a folder"))
        // Even the superuser cannot create a file there.
        let refused = problem(writing: figure, to: "/proc/self/figure.png")
        #expect(
            [ENOENT, EACCES, EPERM].map { SystemError.reason($0, at: "/proc/self/figure.png") }
                .contains {
                    refused == "The picture /proc/self/figure.png cannot be written: \($0)."
                }, "\(refused)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["file"])
    }

    @Test(.enabled(if: geteuid() != 0, "the superuser may write anywhere"))
    func aReadOnlyFolderIsRefused() throws {
        let folder = try SampleFigures.folder()
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o500], ofItemAtPath: folder.path)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("figure.png").path
        let sentence = problem(writing: SampleFigures.curve(x: [0, 1], y: [0, 1]), to: path)
        #expect(
            sentence.hasSuffix("cannot be written: \(SystemError.reason(EACCES, at: path))."),
            "\(sentence)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test func aFigureWithNothingToDrawIsRefusedAndKeepsTheOldFile() throws {
        let folder = try SampleFigures.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("figure.png").path
        #expect(FileManager.default.createFile(atPath: path, contents: Data("old".utf8)))
        let empty: [(Figure, String)] = [
            (SampleFigures.curve(x: [], y: [], title: "a"), "no finite point"),
            (SampleFigures.curve(x: [1, 2], y: [nil, .nan], title: "a"), "no finite point"),
            (SampleFigures.curve(x: [.nan], y: [1], title: "a"), "no finite point"),
            (
                SampleFigures.curve(x: [1], y: [0], title: "a", yScale: .log10),
                "no finite positive point"
            ),
            (Figure(title: "a", panels: []), "no panel"),
        ]
        for (figure, reason) in empty {
            let sentence = problem(writing: figure, to: path)
            #expect(sentence.hasPrefix("The figure \"a\" cannot be drawn: "))
            #expect(sentence.contains(reason), "\(sentence)")
        }
        #expect(FileManager.default.contents(atPath: path) == Data("old".utf8))
    }

    @Test func impossibleRangesAndPagesAreRefused() throws {
        var figure = SampleFigures.curve(x: [1, 2], y: [1, 2])
        figure.panels[0].yRange = 1...1
        #expect(problem(writing: figure, to: "/tmp/never.png").contains("the y range 1.0...1.0"))
        figure.panels[0].yRange = 0...1
        figure.panels[0].yScale = .log10
        #expect(problem(writing: figure, to: "/tmp/never.png").contains("on a log10 axis"))
        figure.panels[0].yRange = nil
        figure.width = 0
        #expect(problem(writing: figure, to: "/tmp/never.png").contains("is not a page"))
        var crowded = SampleFigures.layouts()
        crowded.panels = Array(repeating: crowded.panels[0], count: 40)
        #expect(problem(writing: crowded, to: "/tmp/never.png").contains("leave no room"))
        #expect(!FileManager.default.fileExists(atPath: "/tmp/never.png"))
    }
}
