import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform

/// `sandbox plot`: table and pictures of a sweep, from what is there.
struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Write summary.csv and the pictures of a sweep's finished runs; train nothing.",
        discussion: """
            Examples:
              sandbox plot polynomial --format png,svg
              sandbox plot runs/polynomial --publish

            \(exitStatusHelp)
            """)

    @Argument(help: "A sweep: its name, or its folder.")
    var sweep: String

    @OptionGroup var output: SweepOutput

    func run() throws { try reportingErrors { try plot() } }

    private func plot() throws {
        let directory = try RunCatalog(root: output.place.runs).sweep(sweep).directory.placed
        let root = Path.parent(of: directory.path)
        let (plan, manifest) = try SweepPlan.finished(in: directory, root: root)
        let (shown, asked) = (plan.runs.count, manifest.trials.count)
        if shown < asked {
            note("\(asked - shown) of \(asked) runs are not finished and not shown")
        }
        let lock = try directory.lock()
        defer { lock.release() }
        InterruptFlag.install()
        let trainer = output.place.trainer(root: root)
        let runner = SweepRunner(plan: plan, trainer: trainer)
        // Measures what another evaluation has taken the place of.
        let outcome = try runner.outcome(.measuring)
        // A run that cannot be read for the moment must not narrow the table that is there.
        if outcome.failures.isEmpty, let results = outcome.results {
            try directory.whileAskedFor(manifest) {
                try output.write(results, failures: [], to: directory)
            }
        } else if output.place.json {
            try output.show(outcome)
        }
        try outcome.failures.report()
    }
}
