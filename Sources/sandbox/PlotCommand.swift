import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform

/// `sandbox plot`: table and pictures of a sweep, from what is there.
struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot",
        abstract: "Write summary.csv and the pictures of a sweep from what its runs hold; train nothing.",
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
        let folder = sweep.contains("/") ? sweep : "\(output.runs)/\(sweep)"
        let directory = SweepDirectory(path: folder.hasSuffix("/") ? String(folder.dropLast()) : folder)
        let root = Path.parent(of: directory.path)
        let plan = try SweepPlan(directory, root: root.isEmpty ? "." : root)
        let finished = try plan.runs.filter {
            try directory.run($0.name).metadata()?.status == .finished
        }
        guard !finished.isEmpty else {
            throw RunError(
                description: "'\(directory.path)' has no finished run; `sandbox sweep` with the same request trains them")
        }
        if finished.count < plan.runs.count && !output.quiet {
            Terminal.write(
                "note: \(plan.runs.count - finished.count) of \(plan.runs.count) runs are not finished and not "
                    + "shown\n", to: .error)
        }
        try output.write(
            SweepResults(plan, runs: finished, root: root, workers: output.workerCount),
            to: directory)
    }
}
