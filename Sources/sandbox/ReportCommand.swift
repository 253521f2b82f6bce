import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform

/// `sandbox report`: a sweep's results as one page.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write what a sweep's finished runs say as one HTML page; train nothing.",
        discussion: """
            The page holds claims, tables, pictures and the configuration of every run, and refers to nothing outside \
            itself.

            Examples:
              sandbox report polynomial
              sandbox report runs/polynomial --output polynomial.html

            \(exitStatusHelp)
            """)

    @Argument(help: "A sweep: its name, or its folder.")
    var sweep: String

    @Option(help: "The file to write; report.html in the sweep's folder unless given.")
    var output: String?

    @OptionGroup var published: PublishedOption

    @OptionGroup var place: RunPlace

    func validate() throws {
        if output?.isEmpty == true { throw ValidationError("--output is empty; name a file") }
    }

    func run() throws { try reportingErrors { try report() } }

    private func report() throws {
        let published = try published.curves()
        try FinishedSweep.read(sweep, place) { finished in
            let path = output ?? finished.directory.reportPath
            let isWritten = try finished.writing { results in
                let summary = SweepSummary(results, workers: place.workerCount)
                let page = try SweepReport(
                    summary, manifest: finished.manifest, directory: finished.directory,
                    published: published
                ).page()
                try AtomicFile.write(page.html(), to: path)
            }
            if place.json {
                let written: JSONValue = isWritten ? .string(path) : .null
                try Terminal.print(CanonicalJSON.text(of: ["written": written]) + "\n")
            } else if isWritten {
                try Terminal.print("wrote \(path)\n")
            }
        }
    }
}
