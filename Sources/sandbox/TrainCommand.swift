import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform

/// `sandbox train`: one run, or one base.
struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train and measure the one run, or the one base, that a file describes.",
        discussion: """
            CONFIG is a run's config.yaml, or a sweep file in which nothing varies; with the sections model and \
            pretraining alone it describes a base. The run goes to runs/<name>/, its base to runs/bases/; a run that is \
            there already is continued, or left as it is when it is done.

            Examples:
              sandbox train runs/polynomial/cft-s0-1a2b3c4d/config.yaml
              sandbox train my-run.yaml training.steps=3000 layout=cft

            \(exitStatusHelp)
            """)

    @Argument(help: "A run's or a base's config.yaml, or a file like it.")
    var config: String

    @Argument(help: "Values set by dotted name, such as training.steps=3000.")
    var overrides: [String] = []

    @OptionGroup var place: RunPlace

    @OptionGroup var treatment: RunTreatment

    @Flag(help: ArgumentHelp("Started by a sweep, and stopped with it.", visibility: .hidden))
    var child = false

    func run() throws { try reportingErrors { try train() } }

    private func train() throws {
        InterruptFlag.install()
        if child { InterruptFlag.followParent() }
        let file = try SweepFile.load(
            path: config, sections: SweepPlan.sections, overrides: overrides,
            searchFolders: SweepFile.defaultSearchFolders())
        let trainer = place.trainer()
        let directory: RunDirectory
        if ["task", "layout", "training"].allSatisfy({ file.configuration[$0] == nil })
            && file.parameters.isEmpty
        {
            directory = try trainBase(file, trainer)
        } else {
            directory = try trainRun(file, trainer)
        }
        if !child { try RunReport(directory).print(json: place.json) }
    }

    private func trainBase(_ file: SweepFile, _ trainer: RunTrainer) throws -> RunDirectory {
        let base = try PlannedBase(
            BaseConfiguration(ConfigurationReader(file.configuration)))
        while try !trainer.complete(base, for: nil, policy: treatment.policy) {
            try place.wait(for: trainer.directory(base))
        }
        return trainer.directory(base)
    }

    private func trainRun(_ file: SweepFile, _ trainer: RunTrainer) throws -> RunDirectory {
        let plan = try SweepPlan(file, root: place.runs)
        guard plan.runs.count == 1 else {
            throw ConfigurationError(
                SourceMark(source: config),
                "describes \(plan.runs.count) runs and train takes one; use `sandbox sweep -f \(config)`"
            )
        }
        let runner = SweepRunner(plan: plan, trainer: trainer)
        try runner.train(treatment.policy).failures.report()
        return trainer.directory(plan.runs[0], sweep: plan.name)
    }
}

/// Where runs lie and how work on them is shown.
struct RunPlace: ParsableArguments {
    @Option(help: "The folder that holds the runs.")
    var runs = "runs"

    @Option(help: "Workers of a training step; the results do not depend on it.")
    var workers: Int?

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Flag(help: "No progress and no notes; warnings and errors stay.")
    var quiet = false

    func validate() throws {
        if let workers, !(1...64).contains(workers) {
            throw ValidationError("--workers is from 1 to 64; more than the cores do not help")
        }
        if runs.isEmpty { throw ValidationError("--runs is empty; name a folder, such as runs") }
    }

    /// Trains and measures in the folder of the runs.
    func trainer(root: String? = nil) -> RunTrainer {
        RunTrainer(
            root: root ?? runs, workers: max(1, workers ?? CPU.current().coreCount),
            programVersion: Version.text, reporter: ProgressDisplay(isQuiet: quiet).reporter)
    }

    /// Waits a little for another process to let go of a run.
    ///
    /// - Throws: `InterruptedError` after a signal.
    func wait(for directory: RunDirectory) throws {
        if InterruptFlag.isRaised { throw InterruptedError(run: nil) }
        usleep(200_000)
    }
}
