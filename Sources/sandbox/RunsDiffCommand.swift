import ArgumentParser
import Experiments
import Foundation
import Mechanism
import Platform

/// `sandbox runs diff`: two runs side by side.
struct RunsDiffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show how two runs differ in configuration, provenance, results and weights.",
        discussion: """
            Errors are squared errors averaged over prompts and k. Where both runs were measured on the same prompts, \
            the difference B − A is taken prompt by prompt and has a standard error over prompts.

            Exit status: 0 whether or not they differ, 1 a run that cannot be read, 64 a usage error or an unknown run.

            Example:
              sandbox runs diff polynomial/cpt-s0-111760ab polynomial/cft-s0-b582770a
              sandbox runs diff 111760ab b582770a --json
            """)

    @Argument(help: "The first run, as for 'sandbox runs show'.")
    var first: String

    @Argument(help: "The second run.")
    var second: String

    @OptionGroup var folder: RunsFolder

    @Flag(help: "Print the differences as JSON.")
    var json = false

    func run() throws {
        try reportingErrors {
            let runs = (try folder.catalog.run(first), try folder.catalog.run(second))
            let comparison = try RunComparison(runs.0, runs.1)
            try Terminal.print(
                json
                    ? CanonicalJSON.text(of: report(comparison, runs.0, runs.1)) + "\n"
                    : text(comparison, runs.0, runs.1))
        }
    }

    /// What tells the runs apart: their names, or the folders of two that have one name.
    private func labels(_ first: CatalogedRun, _ second: CatalogedRun) -> (String, String) {
        first.qualifiedName == second.qualifiedName && !first.isSame(as: second)
            ? (first.directory.path, second.directory.path)
            : (first.qualifiedName, second.qualifiedName)
    }

    // MARK: For people

    private func text(
        _ comparison: RunComparison, _ first: CatalogedRun, _ second: CatalogedRun
    ) -> String {
        let (a, b) = labels(first, second)
        let heading = "A  \(a)\nB  \(b)\n"
        if comparison.isEmpty {
            let weights = comparison.weightsAreEqual ? ", weights bit-identical" : ""
            return heading + "\nno difference\(weights)\n"
        }
        return heading + section("configuration", comparison.configuration)
            + section("provenance", comparison.provenance) + results(comparison)
            + "\n\(weights(comparison))\n"
    }

    private func section(_ title: String, _ differences: [RunComparison.Difference]) -> String {
        if differences.isEmpty { return "\n\(title): no difference\n" }
        let lines = differences.map {
            ["  \($0.key)", TextTable.value($0.first), TextTable.value($0.second)]
        }
        return "\n\(TextTable.text([[title, "A", "B"]] + lines))"
    }

    private func results(_ comparison: RunComparison) -> String {
        let lines = comparison.results.map { result in
            [
                "  \(result.quantity)", TextTable.number(result.first),
                TextTable.number(result.second), difference(result),
            ]
        }
        return "\n" + TextTable.text([["results", "A", "B", "B − A"]] + lines)
    }

    private func difference(_ result: RunComparison.Result) -> String {
        guard let paired = result.paired else { return TextTable.number(result.difference) }
        return "\(TextTable.number(paired.mean)) ± \(TextTable.number(paired.standardError)) "
            + "(paired, \(paired.prompts) prompts)"
    }

    private func weights(_ comparison: RunComparison) -> String {
        switch comparison.weights {
        case (nil, nil): "weights: neither run has a checkpoint"
        case (nil, _): "weights: A has no checkpoint"
        case (_, nil): "weights: B has no checkpoint"
        default: comparison.weightsAreEqual ? "weights: bit-identical" : "weights: different"
        }
    }

    // MARK: For programs

    private func report(
        _ comparison: RunComparison, _ first: CatalogedRun, _ second: CatalogedRun
    ) -> JSONValue {
        func list(_ differences: [RunComparison.Difference]) -> JSONValue {
            .object(
                Dictionary(
                    uniqueKeysWithValues: differences.map {
                        ($0.key, ["a": $0.first ?? .null, "b": $0.second ?? .null])
                    }))
        }
        let (a, b) = labels(first, second)
        return [
            "a": .string(a), "b": .string(b),
            "equal": .boolean(comparison.isEmpty),
            "configuration": list(comparison.configuration),
            "provenance": list(comparison.provenance),
            "results": .object(
                Dictionary(
                    uniqueKeysWithValues: comparison.results.map { ($0.quantity, json($0)) })),
            "weights": [
                "bit_identical": .boolean(comparison.weightsAreEqual),
                "a_sha256": .optional(comparison.weights.first),
                "b_sha256": .optional(comparison.weights.second),
            ],
        ]
    }

    private func json(_ result: RunComparison.Result) -> JSONValue {
        [
            "a": .optional(result.first), "b": .optional(result.second),
            "difference": .optional(result.difference),
            "paired": result.paired.map {
                [
                    "mean": .number($0.mean), "standard_error": .number($0.standardError),
                    "prompts": .integer($0.prompts),
                ]
            } ?? .null,
        ]
    }
}
