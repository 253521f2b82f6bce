import ArgumentParser
import Experiments
import FineTuning
import Foundation
import Kernels
import Mechanism
import Platform
import Plotting
import Training

/// `sandbox sweep`: train, measure and draw everything a sweep file asks for.
struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract:
            "Pretrain, fine-tune under every layout and seed, evaluate, and draw the pictures.",
        discussion: """
            A sweep is a YAML file (sweeps/*.yaml) in the shape of W&B's. Finished runs are skipped, interrupted ones \
            continue; a finished sweep asked for again prints its table and pictures at once.

            Examples:
              sandbox sweep --class polynomial
              sandbox sweep --class multilinear --preset small --seeds 5 --layouts cpt,cft
              sandbox sweep -f sweeps/polynomial.yaml training.steps=3000
              sandbox sweep --class polynomial --dry-run

            \(exitStatusHelp)
            """)

    @OptionGroup var selection: SweepSelection

    @OptionGroup var output: SweepOutput

    @OptionGroup var treatment: RunTreatment

    @Option(help: "Runs trained side by side, in processes of their own that share the workers.")
    var jobs = 1

    @Flag(help: "List the runs with estimated time, memory and disk; run nothing.")
    var dryRun = false

    @Flag(help: "Print the resolved sweep as YAML; run nothing.")
    var printConfig = false

    func validate() throws {
        if !(1...64).contains(jobs) { throw ValidationError("--jobs is from 1 to 64") }
        if printConfig && output.place.json {
            throw ValidationError("--print-config prints YAML; leave --json out")
        }
    }

    func run() throws { try reportingErrors { try sweep() } }

    private func sweep() throws {
        if let path = selection.file,
            try FineTuningPlan.describes(path, searchFolders: SweepFile.defaultSearchFolders())
        {
            return try sweepTexts(path)
        }
        let file = try selection.load()
        // Planned before it is printed, so that what is printed is known to be accepted.
        let plan = try SweepPlan(file, root: output.place.runs)
        if printConfig {
            let defaults = try plan.runs[0].configuration.resolved(sweep: plan.name)
            try Terminal.print(file.printed(defaults: defaults))
            return
        }
        if dryRun {
            try Terminal.print(
                SweepEstimate(plan, root: output.place.runs, workers: output.place.workerCount)
                    .report(json: output.place.json))
            return
        }
        InterruptFlag.install()
        let display = ProgressDisplay(isQuiet: output.place.quiet)
        let pool = JobPool(
            jobs: jobs, workers: output.place.workerCount, root: output.place.runs,
            isQuiet: output.place.quiet)
        let runner = SweepRunner(
            plan: plan, trainer: output.place.trainer(display),
            elsewhere: jobs == 1 ? nil : { try pool.train($0, policy: $1) })
        let lock = try runner.directory.lock()
        defer { lock.release() }
        let outcome = try runner.run(file, policy: treatment.policy)
        // A run that cannot be read for the moment must not narrow the table that is there.
        if let results = outcome.results, outcome.failures.allSatisfy(\.isFinal) {
            try runner.conclude(file) {
                try output.write(results, failures: outcome.failures, to: runner.directory)
            }
        } else {
            try output.show(outcome)
        }
        try outcome.failures.report()
    }
}

extension SweepCommand {
    /// Fine-tunes language models: all trials of a file of sweeps/text.
    private func sweepTexts(_ path: String) throws {
        for (name, isGiven) in [
            ("--preset", selection.preset != nil), ("--layouts", selection.layouts != nil),
            ("--publish", output.publish), ("--class", selection.functionClass != nil),
        ] where isGiven {
            throw ValidationError("\(name) means nothing to the text sweep \(path); leave it out")
        }
        InterruptFlag.install()
        let text = TextSweep(output.place)
        let file = try text.file(path, overrides: selection.allOverrides())
        if printConfig { return try Terminal.print(file.resolved.yaml()) }
        let plan = try text.plan(file)
        if dryRun {
            let names = plan.runs.map { "\(output.place.runs)/\(plan.name)/\($0.name)\n" }
            return try Terminal.print(names.joined())
        }
        let runner = text.runner(plan, jobs: jobs)
        let failures = try runner.run(file, policy: treatment.policy)
        try text.report(plan)
        try failures.report()
    }
}

/// What to do about runs that are there already.
struct RunTreatment: ParsableArguments {
    @Flag(help: "Try failed runs again, from their last good checkpoint.")
    var retryFailed = false

    @Flag(help: "Train the runs again from step 0; what they hold is deleted. Bases stay.")
    var restart = false

    var policy: RunPolicy { RunPolicy(retriesFailed: retryFailed, restarts: restart) }
}

extension [RunFailure] {
    /// Nothing when there are none; one sentence and status 1 otherwise.
    func report() throws {
        guard let first else { return }
        let sentence =
            count == 1 ? first.sentence : "\(count) runs failed, the first: \(first.sentence)"
        Terminal.write("error: \(sentence)\n", to: .error)
        throw ExitCode(1)
    }
}

/// Which sweep: the options that choose and change a sweep file.
struct SweepSelection: ParsableArguments {
    @Option(
        name: .customLong("class"),
        help: "The class: polynomial, multilinear, relu and others; a wrong name lists them all.")
    var functionClass: String?

    @Option(name: .shortAndLong, help: "A sweep file.")
    var file: String?

    @Option(help: "Sizes and budgets: quick, small or paper (sweeps/base/*.yaml).")
    var preset: String?

    @Option(help: "Number of fine-tuning seeds, or a list such as 0,3.")
    var seeds: String?

    @Option(help: "Training layouts, separated by commas.")
    var layouts: String?

    @Argument(help: "Values set by dotted name, such as training.steps=3000.")
    var overrides: [String] = []
}

/// Where results go and how they are shown.
struct SweepOutput: ParsableArguments {
    @OptionGroup var place: RunPlace

    @Option(help: "Picture formats, separated by commas: png, svg, pdf.")
    var format = "png"

    @Flag(
        help: """
            Copy pictures, sidecars, summary.csv and claims.json to plots/<sweep>/, to be committed, in place of what \
            an earlier --publish left: its pictures that are not drawn this time are removed, those of plot \
            --published too; other files stay.
            """)
    var publish = false

    func validate() throws { _ = try formats() }

    func formats() throws -> [FigureFormat] {
        let formats = try format.split(separator: ",").map { name in
            guard let format = FigureFormat(rawValue: String(name)) else {
                throw ValidationError(
                    "unknown format '\(name)'"
                        + Spelling.hint(
                            for: String(name), among: FigureFormat.allCases.map(\.rawValue)))
            }
            return format
        }
        if formats.isEmpty { throw ValidationError("--format names at least one of png, svg, pdf") }
        return formats
    }
}

/// Curves of another publication to show beside a sweep's own.
struct PublishedOption: ParsableArguments {
    @Option(
        name: .customLong("published"),
        help: ArgumentHelp(
            "Curves to draw the sweep's own beside, such as plots/published/choi2025.json.",
            valueName: "file"))
    var path: String?

    /// The curves; nil when none are asked for.
    func curves() throws -> PublishedCurves? { try path.map(PublishedCurves.read) }
}
