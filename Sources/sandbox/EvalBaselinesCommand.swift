import ArgumentParser
import Experiments
import Foundation
import InContextRegression
import Kernels
import Mechanism
import Platform
import Statistics
import Training

/// `sandbox eval baselines`: the errors of predictors that are not trained.
struct EvalBaselinesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baselines",
        abstract: "Measure predictors that are not trained: zero, averaging, nearest neighbours, …",
        discussion: """
            Each predicts y of the query from the k pairs before it; `bayes` is the posterior mean of the class, where it \
            is known. Squared errors: mean and standard deviation over prompts, and the 5th and 95th percentile of 1000 \
            bootstrap means, as in the public code. A slow baseline (two_layer_network) sees at most \
            \(BaselineStore.slowExamples) prompts; its errors are kept in runs/references.

            Distributions: \(PromptDistribution.all.map(\.name).joined(separator: ", ")).

            Examples:
              sandbox eval baselines --class linear --prompts random_quadrants --n-dims 20 --n-points 41 --json
              sandbox eval baselines --class sparse_linear --baselines least_squares,lasso=0.01,bayes

            \(exitStatusHelp)
            """)

    @Option(name: .customLong("class"), help: "The function class.")
    var functionClass = "linear"

    @Option(help: "Where the prompts come from.")
    var prompts = "standard"

    @Option(help: "d, input dimensions.")
    var nDims = 20

    @Option(help: "n, points of a prompt.")
    var nPoints = 41

    @Option(help: "Number of prompts.")
    var examples = 12_800

    @Option(help: "Key of the prompts.")
    var seed = 0

    @Option(
        help: ArgumentHelp(
            "Baselines, separated by commas: also ridge=L, lasso=A, knn=K, decision_tree=DEPTH, two_layer_network."
        ))
    var baselines = "zero,averaging,knn3,least_squares,ridge,bayes"

    @OptionGroup var place: RunPlace

    func validate() throws {
        try checkRanges([
            ("n-dims", nDims, 1...1000), ("n-points", nPoints, 1...10_000),
            ("examples", examples, 2...10_000_000), ("seed", seed, 0...Int.max),
        ])
    }

    func run() throws { try reportingErrors { try measure() } }

    /// One baseline's numbers for every k.
    private struct Row {
        let name: String
        let examples: Int
        let errors: [Float]
        let isKnown: [Bool]
    }

    private func measure() throws {
        InterruptFlag.install()
        let functionClass = try named("--class \(functionClass)") {
            try FunctionClasses.named(self.functionClass)
        }
        let distribution = try named("--prompts \(prompts)") {
            try PromptDistribution.named(prompts)
        }
        let evaluator = Evaluator(
            functionClass: functionClass, dims: nDims, points: nPoints, examples: examples,
            seed: UInt64(seed))
        let store = BaselineStore(
            root: place.runs, pool: WorkerPool(workers: place.workerCount),
            reporter: ProgressDisplay(isQuiet: place.quiet).reporter)
        let asked = try baselines.split(separator: ",", omittingEmptySubsequences: false).map {
            String($0).trimmingCharacters(in: .whitespaces)
        }.map { name in
            try named("--baselines \(baselines)") {
                let baseline = name == "bayes" ? nil : try Baselines.named(name)
                try baseline?.requireApplies(to: functionClass)
                return baseline
            }
        }
        let rows = try asked.compactMap { try row($0, evaluator, distribution, store) }
        if rows.isEmpty {
            throw ConfigurationError(
                SourceMark(source: "command line: --baselines \(baselines)"),
                "nothing is left to measure on \(distribution.name) prompts of \(functionClass.name); name a baseline "
                    + "that is known there, such as least_squares")
        }
        try Terminal.print(
            place.json
                ? CanonicalJSON.text(of: json(rows, evaluator, distribution)) + "\n"
                : text(rows, evaluator, distribution))
    }

    /// Says which option names what nothing is called.
    private func named<Value>(_ option: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw ConfigurationError(SourceMark(source: "command line: \(option)"), "\(error)")
        }
    }

    private func row(
        _ baseline: (any Baseline)?, _ evaluator: Evaluator, _ distribution: PromptDistribution,
        _ store: BaselineStore
    ) throws -> Row? {
        let contexts = evaluator.contextCount(
            EvaluationSetting(layout: .cpt, distribution: distribution))
        guard let baseline else {
            guard distribution == .standard, let found = try store.bayesErrors(evaluator) else {
                note(
                    "bayes is left out: no posterior of \(evaluator.functionClass.name) is known on "
                        + "\(distribution.name) prompts")
                return nil
            }
            return Row(
                name: "bayes", examples: evaluator.examples, errors: found.errors.array,
                isKnown: found.isKnown)
        }
        guard let errors = try store.errors(of: baseline, evaluator, distribution: distribution)
        else { throw InterruptedError() }
        return Row(
            name: baseline.name, examples: errors.count / contexts, errors: errors.array,
            isKnown: Array(repeating: true, count: contexts))
    }

    private func json(
        _ rows: [Row], _ evaluator: Evaluator, _ distribution: PromptDistribution
    ) -> JSONValue {
        var baselines: [String: JSONValue] = [:]
        for row in rows {
            let aggregate = PublicMetrics.aggregate(
                row.errors, points: row.isKnown.count,
                bootstrap: CrossedBootstrap(prompts: row.examples))
            let unknown = row.isKnown.indices.filter { !row.isKnown[$0] }
            var extra: [String: JSONValue] = ["examples": .integer(row.examples)]
            if !unknown.isEmpty {
                extra["reason"] = .string(
                    "the posterior is not known at k = "
                        + unknown.map(String.init).joined(separator: ", "))
            }
            baselines[row.name] = aggregate.merging(.object(extra))
        }
        return [
            "class": .string(evaluator.functionClass.name), "prompts": .string(distribution.name),
            "n_dims": .integer(evaluator.dims), "n_points": .integer(evaluator.points),
            "examples": .integer(evaluator.examples), "seed": .integer(seed),
            "baselines": .object(baselines),
        ]
    }

    private func text(
        _ rows: [Row], _ evaluator: Evaluator, _ distribution: PromptDistribution
    ) -> String {
        var lines = [["k"] + rows.map(\.name)]
        for k in 0..<(rows.map(\.isKnown.count).max() ?? 0) {
            lines.append(
                [String(k)]
                    + rows.map { row in
                        guard row.isKnown[k] else { return "–" }
                        let column = stride(
                            from: k, to: row.errors.count, by: row.isKnown.count
                        ).map { row.errors[$0] }
                        let summary = Summary(column)
                        return TextTable.number(summary.mean) + " ± "
                            + String(format: "%.2g", summary.standardError)
                    })
        }
        let fewer = rows.filter { $0.examples != evaluator.examples }
        return
            "Squared error, mean ± standard error over \(evaluator.examples) \(distribution.name) prompts of "
            + "\(evaluator.functionClass.name), d = \(evaluator.dims)"
            + fewer.map { "; \($0.name): \($0.examples) prompts" }.joined() + "\n"
            + TextTable.text(lines)
    }
}
