import Experiments
import Foundation
import TestSupport
import Testing

/// `--published`: curves of another publication beside those of the miniature sweep.
extension EndToEndTests {
    @Test func publishedCurvesStandBesideOurs() throws {
        let sweep = try #require(MiniatureSweep.current)
        let published = Fixture.directory + "/../../plots/published/choi2025.json"
        let outcome = try Program.run(
            ["report", "miniature", "--published", published, "--output", "beside.html"],
            in: sweep.folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        let html = String(decoding: try bytes(sweep.folder.file("beside.html")), as: UTF8.self)
        let page = ReportDocument(html)
        #expect(page.problem == nil)
        #expect(page.all("img").count == 8)
        #expect(page.texts("h3").contains("Beside the published curves"))
        #expect(
            page.all("img").contains {
                $0.attributes["alt"]?.contains("left: 12 layers, 8 heads, width 256, d = 20")
                    == true
            })
        #expect(html.contains("The published cpt run stands at shifted positions"))
        try checkOtherCurves(sweep)
        let plot = try Program.run(
            ["plot", "miniature", "--published", "nowhere.json"], in: sweep.folder.path)
        #expect(plot.exitCode == 1 && plot.output == "" && plot.errors.contains("'nowhere.json'"))
        try sweep.folder.write("[]", to: "list.json")
        let list = try Program.run(
            ["plot", "miniature", "--published", "list.json"], in: sweep.folder.path)
        #expect(list.exitCode == 64 && list.errors.contains("list.json: no published curves"))
    }

    /// What is true of the paper's curves is not said of others.
    private func checkOtherCurves(_ sweep: MiniatureSweep) throws {
        try sweep.folder.write(
            """
            {"source": "somebody", "model": "one layer", "dims": 4, "curves": [{"function_class": "polynomial",
             "layout": "cpt", "quantity": "squared_error", "x": [0, 4], "mean": [28, 20]}]}
            """, to: "other.json")
        let outcome = try Program.run(
            ["report", "miniature", "--published", "other.json", "--output", "other.html"],
            in: sweep.folder.path)
        #expect(outcome.exitCode == 0, "\(outcome)")
        let html = String(decoding: try bytes(sweep.folder.file("other.html")), as: UTF8.self)
        #expect(html.contains("The published curves (somebody) beside those of this sweep"))
        #expect(!html.contains("shifted positions"))
    }
}
