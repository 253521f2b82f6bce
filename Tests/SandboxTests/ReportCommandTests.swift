import Experiments
import Foundation
import TestSupport
import Testing

/// `sandbox report` on the miniature sweep.
extension EndToEndTests {
    private var sweepForReport: MiniatureSweep {
        get throws { try #require(MiniatureSweep.current) }
    }

    @Test func theReportIsOnePageThatLeadsToItsRuns() throws {
        let sweep = try sweepForReport
        let outcome = try Program.run(["report", "miniature", "--json"], in: sweep.folder.path)
        #expect(outcome.exitCode == 0 && outcome.errors == "", "\(outcome)")
        #expect(try json(outcome.output)["written"]?.stringValue == "runs/miniature/report.html")
        let html = String(decoding: try bytes(sweep.path + "/report.html"), as: UTF8.self)
        let page = ReportDocument(html)
        #expect(page.problem == nil)
        // Nothing outside the page is referred to.
        for word in ["http://", "https://", "url(", "@import", "<link", "<script", "srcset"] {
            #expect(!html.lowercased().contains(word), "\(word)")
        }
        #expect(page.all("a").allSatisfy { $0.attributes["href"]?.hasPrefix("#") == true })
        let sources = page.all("img").compactMap { $0.attributes["src"] }
        #expect(sources.count == 7)
        #expect(sources.allSatisfy { $0.hasPrefix("data:image/png;base64,") })
        // Every run and the base have an entry that links lead to.
        let manifest = try sweep.manifest()
        let runs =
            ["bases/\(try #require(manifest.trials[0].base))"]
            + manifest.trials.map { "miniature/\($0.run)" }
        let entries = page.all("tr").filter { $0.attributes["id"]?.hasPrefix("run-") == true }
        #expect(entries.count == runs.count)
        for (run, entry) in zip(runs, entries) {
            #expect(entry.text.hasPrefix(run), "\(run)")
            let link = "#" + (entry.attributes["id"] ?? "")
            let links = page.all("a").filter { $0.attributes["href"] == link }
            #expect(!links.isEmpty && links.allSatisfy { $0.text == run }, "\(run)")
        }
        for trial in manifest.trials {
            #expect(html.contains(String(trial.hash.prefix(16))))
        }
        // The command, the verdicts and the numbers of the table.
        #expect(page.texts("code").contains { $0.hasPrefix("sandbox sweep -f miniature.yaml") })
        for claim in ["base", "loss", "curve", "transfer", "leak"] {
            #expect(page.texts("td").contains(claim), "\(claim)")
        }
        #expect(html.contains("badge supported") || html.contains("badge notSupported"))
        let dry = try Program.run(["plot", "miniature", "--json"], in: sweep.folder.path)
        let row = try #require(try json(dry.output)["rows"]?.arrayValue?.first)
        let mean = try #require(row["errors"]?["cpt"]?["mean"]?.doubleValue)
        let text = String(format: "%.3g [", mean)
        #expect(page.texts("td").contains { $0.hasPrefix(text) && $0.hasSuffix("*") }, "\(text)")
    }

    @Test func theReportGoesWhereItIsAskedFor() throws {
        let sweep = try sweepForReport
        let outcome = try Program.run(
            ["report", "runs/miniature", "--output", "page.html", "--quiet"],
            in: sweep.folder.path)
        #expect(outcome.exitCode == 0 && outcome.output == "wrote page.html\n", "\(outcome)")
        #expect(
            ReportDocument(
                String(decoding: try bytes(sweep.folder.file("page.html")), as: UTF8.self)
            ).problem == nil)
        let refused = try Program.run(
            ["report", "miniature", "--output", "nowhere/page.html"], in: sweep.folder.path)
        #expect(refused.exitCode == 1 && refused.errors.contains("nowhere/page.html"), "\(refused)")
    }

    @Test func withoutAFinishedRunThereIsNoReport() throws {
        let sweep = try sweepForReport
        let folder = try TemporaryDirectory()
        for name in ["manifest.json", "sweep.yaml"] {
            try folder.write(
                String(decoding: try bytes("\(sweep.path)/\(name)"), as: UTF8.self),
                to: "runs/miniature/\(name)")
        }
        let report = try Program.run(["report", "miniature"], in: folder.path)
        let plot = try Program.run(["plot", "miniature"], in: folder.path)
        #expect(report.exitCode == 1 && report.output == "", "\(report)")
        #expect(report.errors == plot.errors)
        #expect(report.errors.contains("has no finished run"), "\(report)")
    }
}
