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
        let asked = try SweepPlan(directory, root: root)
        let plan = try asked.finished(in: directory)
        if plan.runs.count < asked.runs.count && !output.place.quiet {
            Terminal.write(
                "note: \(asked.runs.count - plan.runs.count) of \(asked.runs.count) runs are not finished and not "
                    + "shown\n", to: .error)
        }
        InterruptFlag.install()
        let trainer = output.place.trainer(root: root)
        let runner = SweepRunner(plan: plan, trainer: trainer)
        // Measures what another evaluation has taken the place of.
        let (finished, failures) = try runner.train(.measuring)
        // A run that cannot be read for the moment must not narrow the table that is there.
        if failures.isEmpty {
            InterruptFlag.exitAtOnce()
            try output.write(
                SweepResults(
                    plan, runs: finished, root: trainer.root, workers: output.place.workerCount),
                to: directory)
        }
        try failures.report()
    }
}
