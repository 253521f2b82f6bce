import Experiments
import InContextRegression
import Kernels
import Statistics

/// Runs of one class that are compared with each other: they differ in layout, base and seed alone.
struct ClaimGroup {
    let functionClass: any FunctionClass
    /// Parameters in which other groups differ, as `steps=100`; nil when there are none.
    let parameters: String?
    /// The runs by layout name and base hash.
    private let runs: [String: [String: [MeasuredRun]]]
    let first: MeasuredRun

    var dims: Int { first.plan.configuration.model.inputDimension }
    var points: Int { first.plan.configuration.training.points }
    var steps: Int { first.plan.configuration.training.steps }

    /// The groups of a sweep, in the plan's order.
    static func groups(_ results: SweepResults) -> [ClaimGroup] {
        struct Key: Hashable {
            let functionClass: String
            let others: [Trial.Value]
        }
        var keys: [Key] = []
        var members: [Key: [MeasuredRun]] = [:]
        for run in results.runs {
            let key = Key(
                functionClass: run.plan.configuration.functionClass.name, others: others(run))
            if members[key] == nil { keys.append(key) }
            members[key, default: []].append(run)
        }
        // Of all runs, so that two values never get the same words.
        let words = ParameterWords(results.runs.flatMap(others))
        return keys.map { key in
            ClaimGroup(
                members[key] ?? [], parameters: key.others.map(words.text).joined(separator: ", "))
        }
    }

    /// What tells experiments apart, beside the class: bases are known by their hash; another way of pretraining is
    /// another experiment.
    private static func others(_ run: MeasuredRun) -> [Trial.Value] {
        run.plan.otherParameters.filter {
            $0.name != "pretraining.seed" && $0.name != "pretraining.from"
        }
    }

    private init(_ all: [MeasuredRun], parameters: String) {
        first = all[0]
        functionClass = all[0].plan.configuration.functionClass
        self.parameters = parameters.isEmpty ? nil : parameters
        runs = Dictionary(grouping: all) { $0.plan.configuration.layout.name }.mapValues {
            Dictionary(grouping: $0, by: \.plan.base.hash)
        }
    }

    /// For each base, the runs of each layout with the seeds that all of them have; nil when a layout has none.
    ///
    /// - Parameter layouts: names of trained layouts.
    func paired(_ layouts: [String]) -> [[[MeasuredRun]]]? {
        let bases = Set(layouts.flatMap { (runs[$0] ?? [:]).keys }).sorted()
        let sets = bases.compactMap { base -> [[MeasuredRun]]? in
            let all = layouts.map { runs[$0]?[base] ?? [] }
            let seeds = all.map { Set($0.map(\.plan.configuration.seed)) }
            let common = seeds.dropFirst().reduce(seeds[0]) { $0.intersection($1) }.sorted()
            if common.isEmpty { return nil }
            return all.map { runs in
                common.compactMap { seed in
                    runs.first { $0.plan.configuration.seed == seed }
                }
            }
        }
        return sets.isEmpty ? nil : sets
    }

    /// The hashes of the bases that its runs start from.
    var bases: Set<String> { Set(runs.values.flatMap(\.keys)) }

    /// Layouts of `names` that no run was trained under.
    func missing(_ names: [String]) -> [String] { names.filter { runs[$0] == nil } }
}
