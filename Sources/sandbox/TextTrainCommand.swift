import ArgumentParser
import Experiments
import FineTuning
import Foundation
import Objectives
import Platform
import Training

/// `sandbox text train`: fine-tuning of a language model.
struct TextTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract:
            "Fine-tune a language model under one of the objectives, all of it or LoRA adapters.",
        discussion: """
            CONFIG is a file of sweeps/text, or a run's config.yaml; several values or seeds are the business of \
            `sandbox sweep -f`. The run goes to runs/<name>/<run>/: model/ (or adapter/, as PEFT has it) is what came \
            out, best/ what was best on the held-out documents. A run that is there already is continued, to the same \
            bits.

            Examples:
              sandbox text train sweeps/text/cft.yaml model.path=path/to/llama corpus.path=notes.jsonl
              sandbox text train sweeps/text/cpt.yaml model.path=llama corpus.path=corpus corpus.from=wordnet --show-masks 2

            \(exitStatusHelp)
            """)

    @Argument(help: "A text sweep file in which nothing varies, or a run's config.yaml.")
    var config: String

    @Argument(help: "Values set by dotted name, such as training.steps=300.")
    var overrides: [String] = []

    @OptionGroup var place: RunPlace

    @OptionGroup var treatment: RunTreatment

    @Option(
        help:
            "Print so many training examples, token by token with their loss flags; train nothing.")
    var showMasks: Int?

    @Flag(help: "With --show-masks: of the held-out documents.")
    var heldOut = false

    @Flag(help: "Leave out the lines of a corpus that cannot be read, and count them.")
    var skipBad = false

    @Option(
        help: ArgumentHelp("Started by this process, and stopped with it.", visibility: .hidden))
    var child: Int32?

    func validate() throws {
        if heldOut && showMasks == nil {
            throw ValidationError("--held-out goes with --show-masks; give both")
        }
        try checkRanges([("show-masks", showMasks ?? 1, 1...1_000_000_000)])
    }

    func run() throws { try reportingErrors { try train() } }

    private func show(
        _ examples: [TrainingExample], of configuration: FineTuningConfiguration,
        _ inputs: FineTuningInputs
    ) throws {
        guard place.json else {
            return try Terminal.print(
                inputs.maskListing(
                    of: examples, configuration, colored: Terminal.isTerminal(.output)))
        }
        let list = examples.map { example -> JSONValue in
            [
                "place": .string(example.place),
                "tokens": .array(example.tokens.map { .integer(Int($0)) }),
                "lossWeights": .array(example.lossWeights.map { JSONValue($0) }),
            ]
        }
        try Terminal.print(CanonicalJSON.text(of: .array(list)) + "\n")
    }

    private func train() throws {
        InterruptFlag.install()
        if let child { InterruptFlag.followParent(child) }
        let text = TextSweep(place, isChild: child != nil)
        let file = try text.file(
            config, overrides: overrides + (skipBad ? ["corpus.skip_bad=true"] : []))
        let plan = try text.plan(file)
        guard plan.runs.count == 1 else {
            throw ConfigurationError(
                SourceMark(source: config),
                "describes \(plan.runs.count) runs and train takes one; use `sandbox sweep -f \(config)`"
            )
        }
        if let showMasks {
            return try show(
                text.inputs.examples(
                    plan.runs[0].configuration, count: showMasks, heldOut: heldOut),
                of: plan.runs[0].configuration, text.inputs)
        }
        let runner = text.runner(plan)
        // A run's own config.yaml must not narrow what its sweep asks for.
        let isRequest = child == nil && Path.name(of: config) != "config.yaml"
        try runner.run(isRequest ? file : nil, policy: treatment.policy, isChecked: child != nil)
            .report()
        if child == nil { try text.report(plan) }
    }
}

/// A sweep of text runs, for the verbs that train them.
struct TextSweep {
    let inputs: FineTuningInputs
    private let place: RunPlace
    private let display: ProgressDisplay
    private let folders = SweepFile.defaultSearchFolders()

    /// - Parameters:
    ///   - place: where runs lie and how work on them is shown.
    ///   - isChild: whether another process tells what there is to tell.
    init(_ place: RunPlace, isChild: Bool = false) {
        self.place = place
        display = ProgressDisplay(isQuiet: place.quiet)
        let progress = PreparationProgress(isQuiet: place.quiet || isChild)
        inputs = FineTuningInputs(
            searchFolders: folders, notice: isChild ? { _ in } : display.reporter.noticed,
            preparing: PreparationReporter(advanced: progress.update, ended: progress.finish))
    }

    /// The sweep file with everything the command line says.
    func file(_ path: String, overrides: [String]) throws -> SweepFile {
        try SweepFile.load(
            path: path, sections: FineTuningConfiguration.sections, overrides: overrides,
            searchFolders: folders)
    }

    func plan(_ file: SweepFile) throws -> FineTuningPlan {
        try FineTuningPlan(file, root: place.runs, inputs: inputs)
    }

    func runner(_ plan: FineTuningPlan, jobs: Int = 1) -> FineTuningRunner {
        let pool = JobPool(
            verb: ["text", "train"], jobs: jobs, workers: place.workerCount, root: place.runs,
            isQuiet: place.quiet)
        return FineTuningRunner(
            root: place.runs, plan: plan, inputs: inputs, workers: place.workerCount,
            programVersion: Version.text, reporter: display.reporter,
            elsewhere: jobs == 1 ? nil : { try pool.train($0, policy: $1) })
    }

    /// Prints what the runs came to.
    func report(_ plan: FineTuningPlan) throws {
        let summary = try FineTuningSummary(plan, root: place.runs)
        try Terminal.print(
            place.json ? summary.json + "\n" : summary.table(folder: "\(place.runs)/\(plan.name)"))
    }
}

/// Shows on standard error how far preparations have come, of those that take long enough.
private final class PreparationProgress {
    private let isQuiet: Bool
    private var began: ContinuousClock.Instant?
    private var line: ProgressLine?

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func update(_ what: Preparation, done: Int, total: Int) {
        let now = ContinuousClock.now
        let began = began ?? now
        self.began = began
        // An endpoint's time is worth a line from the start; the others' is mostly short.
        if line == nil && what != .prompts && now - began < .seconds(1) { return }
        let (label, unit) = what.words
        var line =
            self.line
            ?? ProgressLine(
                label: label, total: total, start: done, unit: unit,
                style: .automatic(isQuiet: isQuiet))
        line.update(step: done)
        self.line = line
    }

    func finish() {
        line?.finish()
        line = nil
        began = nil
    }
}
