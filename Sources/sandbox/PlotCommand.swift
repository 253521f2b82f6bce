import ArgumentParser
import Experiments
import Foundation
import Mechanism

/// `sandbox plot`: table and pictures of a sweep, from what is there.
struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Write summary.csv and the pictures of a sweep's finished runs; train nothing.",
        discussion: """
            Examples:
              sandbox plot polynomial --format png,svg
              sandbox plot runs/polynomial --published plots/published/choi2025.json
              sandbox plot polynomial --publish --published plots/published/choi2025.json

            Without --published no picture beside published curves is drawn, and --publish removes the one that an \
            earlier --publish left.

            \(exitStatusHelp)
            """)

    @Argument(help: "A sweep: its name, or its folder.")
    var sweep: String

    @OptionGroup var output: SweepOutput

    @OptionGroup var published: PublishedOption

    func run() throws { try reportingErrors { try plot() } }

    private func plot() throws {
        let published = try published.curves()
        try FinishedSweep.read(sweep, output.place) { finished in
            let isWritten = try finished.writing {
                try output.write(
                    $0, failures: [], to: finished.directory, published: published)
            }
            if !isWritten && output.place.json { try output.show(finished.outcome) }
        }
    }
}
