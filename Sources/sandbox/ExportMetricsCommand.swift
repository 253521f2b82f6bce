import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform

/// `sandbox export metrics-json`: evaluations in the public code's form.
struct ExportMetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics-json",
        abstract: "Write a run's evaluations as the public code's metrics.json.",
        discussion: """
            {evaluation: {model: {mean, std, bootstrap_low, bootstrap_high}}}, one number per k. The evaluation \
            'standard' is the run's own training layout, 'standard-LAYOUT' another one. The model is named as in the \
            public code, gpt2_embd=64_layer=4_head=4, with _RUN behind it when there are several; the baselines of \
            evaluate.baselines stand beside it. Under each layout it is what was measured first. The bounds are the 5 and 95 percent points of 1000 bootstrap means \
            over prompts.

            Exit status: 0 written, 1 a damaged or unmeasured run, 64 a usage error or an unknown run.

            Example:
              sandbox export metrics-json polynomial/cft-s0-b582770a
              sandbox export metrics-json b582770a 111760ab --output metrics.json
            """)

    @Argument(help: "Runs as for 'sandbox runs show'.")
    var runs: [String]

    @Option(help: "The file to write; standard output without it.")
    var output: String?

    @OptionGroup var folder: RunsFolder

    func run() throws {
        try reportingErrors {
            var recorded: [RecordedRun] = []
            for name in runs {
                let run = try folder.catalog.run(name)
                // The same run under two names is one run.
                if recorded.contains(where: { $0.run.directory.path == run.directory.path }) {
                    continue
                }
                recorded.append(try RecordedRun(run))
            }
            let metrics = try PublicMetrics.json(
                of: recorded, workers: CPU.current().coreCount)
            try write(CanonicalJSON.text(of: metrics) + "\n", to: output)
        }
    }
}
