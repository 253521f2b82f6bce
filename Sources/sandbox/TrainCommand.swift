import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform
import Training

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

    @Option(
        help: ArgumentHelp("Started by this process, and stopped with it.", visibility: .hidden))
    var child: Int32?

    func run() throws { try reportingErrors { try train() } }

    private func train() throws {
        InterruptFlag.install()
        if let child { InterruptFlag.followParent(child) }
        let file = try SweepFile.load(
            path: config, sections: SweepPlan.sections, overrides: overrides,
            searchFolders: SweepFile.defaultSearchFolders())
        let trainer = place.trainer()
        if ["task", "layout", "training"].allSatisfy({ file.configuration[$0] == nil })
            && file.parameters.isEmpty
        {
            try trainBase(file, trainer)
        } else {
            try trainRun(file, trainer)
        }
    }

    private func trainBase(_ file: SweepFile, _ trainer: RunTrainer) throws {
        let configuration = try BaseConfiguration(ConfigurationReader(file.configuration))
        try configuration.checkSource()
        let base = try PlannedBase(configuration)
        if treatment.restart {
            throw ConfigurationError(
                SourceMark(source: config),
                "describes a base, which other runs may start from, and --restart would delete it; remove it with "
                    + "`sandbox runs rm bases/\(base.name)`, then train it")
        }
        try place.waiting(trainer, for: trainer.directory(base)) {
            try trainer.complete(base, for: nil, policy: treatment.policy)
        }
        if child == nil { try RunReport(trainer.directory(base), []).print(json: place.json) }
    }

    private func trainRun(_ file: SweepFile, _ trainer: RunTrainer) throws {
        let plan = try SweepPlan(file, root: place.runs)
        guard plan.runs.count == 1 else {
            throw ConfigurationError(
                SourceMark(source: config),
                "describes \(plan.runs.count) runs and train takes one; use `sandbox sweep -f \(config)`"
            )
        }
        let runner = SweepRunner(plan: plan, trainer: trainer)
        try runner.train(treatment.policy).failures.report()
        if child == nil {
            try RunReport(
                trainer.directory(plan.runs[0], sweep: plan.name),
                trainer.measurements(plan.runs[0], sweep: plan.name)
            ).print(json: place.json)
        }
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

    /// Workers of a step: all cores unless told otherwise.
    var workerCount: Int { max(1, workers ?? CPU.current().coreCount) }

    /// Trains and measures in the folder of the runs.
    ///
    /// - Parameters:
    ///   - display: shows the progress; one of its own unless given.
    ///   - root: another folder that holds runs.
    func trainer(_ display: ProgressDisplay? = nil, root: String? = nil) -> RunTrainer {
        let display = display ?? ProgressDisplay(isQuiet: quiet)
        return RunTrainer(
            root: root ?? runs, workers: workerCount, programVersion: Version.text,
            reporter: display.reporter)
    }

    /// Repeats `body` until no other process holds the run, and says once whom it waits for.
    ///
    /// - Throws: `InterruptedError` after a signal.
    func waiting(
        _ trainer: RunTrainer, for directory: RunDirectory, _ body: () throws -> Bool
    ) throws {
        var isTold = false
        while try !body() {
            if !isTold { trainer.reporter.tellWaiting(for: [directory.path]) }
            isTold = true
            if InterruptFlag.isRaised { throw InterruptedError() }
            usleep(200_000)
        }
    }
}
